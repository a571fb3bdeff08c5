# frozen_string_literal: true

# What the host accepts, as told in Welcome.

module Pyflow
  module Internal
    # Sizes; see Limits in worker.proto for their units.
    Limits = Struct.new(:frame_bytes_max, :payload_bytes_max, :result_chars_max, :progress_chars_max,
                        :cause_depth_max) do
      # @param message [PyflowApi::V1::Limits, nil]
      # @return [Limits] with defaults for what the message leaves out
      def self.of(message)
        new(*members.map { |name| told(message, name) || const_get(:DEFAULTS).fetch(name) }).freeze
      end

      def self.told(message, name) = message && message[name.to_s].then { |value| value unless value.zero? }
    end
    Limits::DEFAULTS = { frame_bytes_max: 4 * 1024 * 1024, payload_bytes_max: 128 * 1024, result_chars_max: 32_768,
                         progress_chars_max: 2_048, cause_depth_max: 16 }.freeze
  end
end
