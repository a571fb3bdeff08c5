# frozen_string_literal: true

# How long a worker without a host goes on trying.

require_relative "durations"

module Pyflow
  module Internal
    # One limit until the first host has answered, another (none, as a rule) from then on.
    class Patience
      # @param start_s [Numeric] for the first answer
      # @param lost_s [Numeric, nil] for a host that had answered; nil: for ever
      def initialize(start_s:, lost_s:)
        @limit_s = start_s
        @lost_s = lost_s
      end

      # The worker begins to wait for a host.
      def restart
        @since = Durations.now
      end

      # A host has answered, whatever it said.
      def answered
        @limit_s = @lost_s
      end

      # @return [Numeric] seconds; infinite without a limit
      def left_s = @limit_s ? @limit_s - (Durations.now - @since) : Float::INFINITY

      # @return [String] for people: " for 30 s", or nothing
      def to_s = @limit_s ? " for #{format("%g", @limit_s)} s" : ""
    end
  end
end
