# frozen_string_literal: true

# What an activity raised, as the contract tells it: type, message, stack, causes.

require "pyflow_api/v1/failure_pb"
require_relative "durations"
require_relative "json"

module Pyflow
  module Internal
    # Exceptions to Failure messages. Never raises.
    module Failures
      LANGUAGE = "ruby"
      # SWF keeps this much of the type ...
      TYPE_LENGTH_MAX = 256
      # ... and 32,768 characters of everything together; more would only cost the way to the host.
      TEXT_LENGTH_MAX = 32_768
      STACK_LINES_MAX = 200
      OWN_FOLDER = "#{File.expand_path("../..", __dir__)}/pyflow/".freeze

      module_function

      # @param error [Exception]
      # @param limits [Limits]
      # @return [PyflowApi::V1::Failure]
      def of(error, limits, seen = [])
        seen += [error]
        failure = PyflowApi::V1::Failure.new(source_language: LANGUAGE, type: type(error), message: message(error),
                                             stack_trace: stack(error))
        add_choices(failure, error, limits) if error.is_a?(ActivityFailure)
        cause = error.cause
        failure.cause = of(cause, limits, seen) if cause && seen.size <= limits.cause_depth_max && seen.none?(cause)
        failure
      end

      def add_choices(failure, error, limits)
        failure.non_retryable = error.non_retryable?
        failure.next_retry_delay = Durations.message(error.next_retry_delay) if error.next_retry_delay
        failure.details = details(error.details, limits) unless error.details.nil?
      end

      # @return [PyflowApi::V1::Payload] says why, where the value cannot be sent: the outcome itself must get through
      def details(value, limits)
        text = Json.write(value)
        length = Json.characters(text)
        return Json.payload(text) if length <= limits.result_chars_max && text.bytesize <= limits.payload_bytes_max

        raise Json::Unfit, "#{length} characters as JSON, at most #{limits.result_chars_max} are allowed"
      rescue Json::Unfit => e
        Json.payload(Json.write({ "pyflow.unwritable" => e.message }))
      end

      def type(error)
        return cut(error.type, TYPE_LENGTH_MAX) if error.is_a?(ActivityFailure)

        named = error.class.ancestors.find { |one| one.is_a?(Class) && one.name }
        cut(named.name.split("::").last, TYPE_LENGTH_MAX)
      end

      def message(error)
        cut(error.message.to_s, TEXT_LENGTH_MAX)
      rescue StandardError => e
        "(#{error.class}#message raised #{e.class})"
      end

      # As Ruby prints it, without the frames of this SDK that every activity has in common. Empty if there are no
      # others.
      def stack(error)
        lines = (error.backtrace || []).take_while { |line| !line.start_with?(OWN_FOLDER) }
        return "" if lines.empty?

        from = shorten(lines.drop(1)).map { |line| "\n\tfrom #{line}" }
        cut("#{lines.first}: #{message(error)} (#{error.class})#{from.join}", TEXT_LENGTH_MAX)
      end

      def shorten(lines)
        left_out = lines.size - STACK_LINES_MAX
        left_out.positive? ? lines.first(STACK_LINES_MAX) + ["... #{left_out} more"] : lines
      end

      # Protobuf refuses text that is not UTF-8; a failure must get through all the same.
      def cut(text, length_max)
        text = text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace) unless text.encoding == Encoding::BINARY
        text.dup.force_encoding(Encoding::UTF_8).scrub[0, length_max]
      end
    end
  end
end
