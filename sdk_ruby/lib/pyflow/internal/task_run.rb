# frozen_string_literal: true

# Runs one task: decode, call, encode. Whatever happens, there is an outcome.

require_relative "failures"

module Pyflow
  module Internal
    # One task and the activities to choose from.
    class TaskRun
      # @param activities [Hash{Array(String, String) => ServedActivity}]
      # @param context [Context]
      def initialize(activities, context)
        @activities = activities
        @context = context
        @task = context.task
        @limits = context.limits
      end

      # @return [PyflowApi::V1::Outcome]
      def outcome
        value = Pyflow.with_context(@context) { activity.call(@task.input) }
        return completed(value) unless @context.completes_later?

        outcome_of(will_complete_later: PyflowApi::V1::WillCompleteLater.new)
      rescue Canceled => e
        canceled(e.details)
      rescue Exception => e # rubocop:disable Lint/RescueException -- a task must never end without an outcome
        failed(e)
      end

      # @return [PyflowApi::V1::Outcome] of an activity that killed its own thread
      def killed
        failed(ActivityFailure.new(type: "ThreadKilled",
                                   message: "activity #{name} ended its thread without returning"))
      end

      private

      def activity
        @activities.fetch([@task.activity_name, @task.activity_version]) do
          raise ActivityFailure.new(type: "pyflow.UnknownActivity",
                                    message: "this worker does not serve activity #{name}; it serves " \
                                             "#{@activities.each_value.map(&:label).join(", ")}")
        end
      end

      def completed(value)
        text = Json.write(value)
        check_size(Json.characters(text), @limits.result_chars_max, "characters")
        check_size(text.bytesize, @limits.payload_bytes_max, "bytes")
        outcome_of(completed: PyflowApi::V1::Completed.new(result: Json.payload(text)))
      rescue Json::Unfit => e
        refuse("pyflow.BadResult", "the result of activity #{name} has no JSON form: #{e.message}")
      end

      def check_size(size, size_max, unit)
        return if size <= size_max

        refuse("pyflow.ResultTooLarge", "the result of activity #{name} has #{size} #{unit} as JSON, at most " \
                                        "#{size_max} are allowed: store it elsewhere and return where")
      end

      # Without the cause: the message says it all, and it is the SDK's own.
      def refuse(type, message)
        raise ActivityFailure.new(type:, message:, non_retryable: true), cause: nil
      end

      def canceled(details)
        payload = Failures.details(details, @limits) unless details.nil?
        outcome_of(canceled: PyflowApi::V1::Canceled.new(details: payload))
      end

      def failed(error)
        failure = Failures.of(error, @limits)
        # Only a long chain of long causes comes here, and SWF would keep none of it.
        failure.cause = nil if PyflowApi::V1::Failure.encode(failure).bytesize > @limits.frame_bytes_max / 2
        outcome_of(failed: failure)
      end

      def outcome_of(**result) = PyflowApi::V1::Outcome.new(task_token: @task.task_token, **result)
      def name = "#{@task.activity_name} #{@task.activity_version}"
    end
  end
end
