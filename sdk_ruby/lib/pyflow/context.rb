# frozen_string_literal: true

# What an activity can know about its task, and say while it runs.

require_relative "internal/durations"
require_relative "internal/json"
require_relative "internal/limits"

module Pyflow
  # The running task, from the activity's point of view. Safe to use from several threads.
  class Context
    # Activity ids of retries end in this; without it they name the call, the same over all attempts.
    ATTEMPT_SUFFIX = /\.attempt\d+\z/
    REASONS = {
      CANCEL_REASON_TIMED_OUT: :timed_out, CANCEL_REASON_EXECUTION_CLOSED: :execution_closed,
      CANCEL_REASON_LEASE_LOST: :lease_lost, CANCEL_REASON_HOST_DRAINING: :host_draining
    }.freeze
    private_constant :ATTEMPT_SUFFIX, :REASONS

    # @return [Symbol, nil] why the activity is to stop: :requested, :timed_out, :execution_closed, :lease_lost,
    #   :host_draining; nil as long as it is not. For all but :requested nobody waits for the result any more.
    attr_reader :cancel_reason

    # @!visibility private
    def initialize(task, limits: Internal::Limits.of(nil), on_progress: nil)
      @task = task
      @limits = limits
      @on_progress = on_progress
      @received_at = Internal::Durations.now
      @lock = Mutex.new
      @canceled = ConditionVariable.new
    end

    # @return [String] SWF's workflowId of the execution that asked
    def workflow_id = @task.workflow_id

    # @return [String] SWF's runId of the execution that asked
    def run_id = @task.run_id

    # @return [String] SWF's activityId, unique among the open activities of the run
    def activity_id = @task.activity_id

    # @return [String] SWF's name of the activity type
    def activity_name = @task.activity_name

    # @return [String] SWF's version of the activity type
    def activity_version = @task.activity_version

    # @return [Integer] 1 for the first attempt of this call
    def attempt = [@task.attempt, 1].max

    # @return [String] the same for all attempts of this call and for no other call: a key for services that drop
    #   doubles
    def idempotency_key = "#{run_id}/#{activity_id.sub(ATTEMPT_SUFFIX, "")}"

    # @return [Hash{String => String}] trace context and the like
    def headers = @task.headers.to_h

    # @return [Float, nil] seconds until SWF times the task out, at least 0; nil if there is no such limit
    def time_left
      allowed = Internal::Durations.seconds(@task.start_to_close_left)
      allowed && [allowed - (Internal::Durations.now - @received_at), 0.0].max
    end

    # @return [Object, nil] the latest progress details of the attempt before this one
    def last_progress = @task.last_progress && Internal::Json.read(@task.last_progress)

    # Tells how far the activity is: shown with the task, and given to the next attempt as {#last_progress}. May be
    # called as often as you like; the latest wins. The host heartbeats by itself, so nothing depends on calling it.
    #
    # @param details [Object] anything with a JSON form, at most 2,048 characters of it
    # @return [void]
    # @raise [Pyflow::ProgressRefused] if the details cannot be sent
    def progress(details)
      @on_progress&.call(self, Internal::Json.payload(progress_text(details)))
      nil
    end

    # @return [Boolean] whether the activity is to stop; see {#cancel_reason}
    def cancel_requested? = !cancel_reason.nil?

    # Waits until the activity is to stop: a sleep that a cancel cuts short.
    #
    # @param seconds [Numeric]
    # @return [Boolean] whether it is to stop
    def wait_canceled(seconds)
      deadline = Internal::Durations.now + seconds
      @lock.synchronize do
        until cancel_requested? || (left = deadline - Internal::Durations.now) <= 0
          @canceled.wait(@lock, left)
        end
      end
      cancel_requested?
    end

    # Ends the activity as canceled if it was asked to stop.
    #
    # @param details [Object, nil] how far it came, for the workflow to read
    # @return [void]
    # @raise [Pyflow::Canceled]
    def raise_if_canceled(details = nil)
      raise Canceled, details if cancel_requested?
    end

    # Says that the result comes later, from whoever holds the token: see {Pyflow::HostClient}. What the method returns
    # is then ignored; if it raises, the task fails all the same.
    #
    # @return [String] the task's token in base64url. Treat it as a secret.
    def complete_later
      @completes_later = true
      [@task.task_token].pack("m0").tr("+/", "-_").delete("=")
    end

    # @!visibility private
    def completes_later? = @completes_later || false

    # @!visibility private
    def cancel(reason)
      @lock.synchronize do
        @cancel_reason = REASONS.fetch(reason, :requested)
        @canceled.broadcast
      end
    end

    # @!visibility private
    attr_reader :task, :limits

    private

    def progress_text(details)
      text = Internal::Json.write(details)
      length = Internal::Json.characters(text)
      return text if length <= @limits.progress_chars_max

      raise ProgressRefused, "progress details have #{length} characters as JSON, at most " \
                             "#{@limits.progress_chars_max} are allowed: store them elsewhere and tell where"
    rescue Internal::Json::Unfit => e
      raise ProgressRefused, "progress details have no JSON form: #{e.message}"
    end
  end
end
