# frozen_string_literal: true

# Seconds to protobuf's durations and back, and the clock they are measured with.

require "google/protobuf/duration_pb"

module Pyflow
  module Internal
    # All durations are seconds.
    module Durations
      NANOS_PER_SECOND = 1_000_000_000

      module_function

      # @return [Google::Protobuf::Duration]
      def message(seconds)
        whole, nanos = (seconds.to_r * NANOS_PER_SECOND).round.divmod(NANOS_PER_SECOND)
        Google::Protobuf::Duration.new(seconds: whole, nanos:)
      end

      # @return [Float, nil] nil for an absent message
      def seconds(message) = message && (message.seconds + (message.nanos.to_f / NANOS_PER_SECOND))

      # @return [Float] a clock that nobody sets
      def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
