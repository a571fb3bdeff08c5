# frozen_string_literal: true

# Ends or feeds a task from outside its worker: a web hook, a person's click, another process.

require "pyflow_api/v1/activity_host_pb"
require_relative "internal/durations"
require_relative "internal/failures"
require_relative "internal/json"
require_relative "internal/limits"
require_relative "internal/settings"

module Pyflow
  # Holds one connection; {#close} lets go of it. Every call may raise GRPC::BadStatus.
  #
  #   Pyflow::HostClient.new(host: "unix:/run/pyflow.sock").complete(token, { "approved" => true })
  class HostClient
    CALL_WITHIN_S = 60
    private_constant :CALL_WITHIN_S

    # What is left out comes from the environment, as for {Worker#initialize}.
    #
    # @param options [Hash] host:, token:, token_file:, tls_ca:, tls_cert:, tls_key:, insecure:
    # @param call_within [Numeric] seconds that one call may take
    # @raise [Pyflow::UsageError]
    def initialize(call_within: CALL_WITHIN_S, **options)
      @access = Internal::Settings.new(options).access
      @call_within = call_within
    end

    # @param token [String] what {Context#complete_later} gave
    # @param result [Object] anything with a JSON form
    # @return [Symbol] what became of it: :REPORTED, :DUPLICATE, :GONE, :INVALID or :REFUSED
    # @raise [Pyflow::UsageError] if the result has no JSON form, or the token is none
    def complete(token, result = nil)
      send_outcome(token, completed: PyflowApi::V1::Completed.new(result: payload(result)))
    end

    # @param token [String]
    # @param error [Exception] best an {ActivityFailure}
    # @return [Symbol] as {#complete}
    def fail(token, error)
      send_outcome(token, failed: Internal::Failures.of(error, Internal::Limits.of(nil)))
    end

    # @param token [String]
    # @param details [Object, nil] how far the activity came
    # @return [Symbol] as {#complete}
    def cancel(token, details = nil)
      send_outcome(token, canceled: PyflowApi::V1::Canceled.new(details: (payload(details) unless details.nil?)))
    end

    # @param token [String]
    # @param details [Object, nil] as for {Context#progress}
    # @return [Boolean] whether the activity is asked to stop
    def progress(token, details = nil)
      progress = PyflowApi::V1::Progress.new(task_token: bytes(token), details: (payload(details) unless details.nil?))
      call(:record_task_progress, PyflowApi::V1::RecordTaskProgressRequest.new(progress:)).cancel_requested
    end

    # @return [void]
    def close
      @channel&.close
      @channel = @stub = nil
    end

    private

    def send_outcome(token, **result)
      outcome = PyflowApi::V1::Outcome.new(task_token: bytes(token), **result)
      ack = call(:complete_task, PyflowApi::V1::CompleteTaskRequest.new(outcome:)).ack
      ack.status.to_s.delete_prefix("ACK_STATUS_").to_sym
    end

    def call(method, request)
      bearer = @access.token
      stub.public_send(method, request, metadata: bearer.empty? ? {} : { "authorization" => "Bearer #{bearer}" },
                                        deadline: Time.now + @call_within)
    end

    def stub
      require_relative "internal/grpc"
      @channel, @stub = Internal::Grpc.connect(@access) unless @stub
      @stub
    end

    def payload(value)
      Internal::Json.payload(Internal::Json.write(value))
    rescue Internal::Json::Unfit => e
      raise UsageError, "it has no JSON form: #{e.message}"
    end

    def bytes(token)
      "#{token.tr("-_", "+/")}#{"=" * (-token.length % 4)}".unpack1("m0")
    rescue ArgumentError
      raise UsageError, "this is no task token: it is not base64url"
    end
  end
end
