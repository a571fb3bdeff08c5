# frozen_string_literal: true

# Runs activities in tests, without host or SWF. Not loaded by `require "pyflow"`.

require "pyflow"

module Pyflow
  # In a test:
  #
  #   require "pyflow/testing"
  #   environment = Pyflow::Testing::Environment.new(attempt: 2)
  #   counts = environment.run { Words.new.extract_words(path: "a.txt") }
  #   environment.progress    # what the activity told, in order
  module Testing
    # A context for activities under test.
    class Environment
      # @return [Array<Object>] what the activity told with {Context#progress}, in order
      attr_reader :progress
      # @return [Pyflow::Context] what the activity sees
      attr_reader :context

      # @param attempt [Integer]
      # @param last_progress [Object, nil] what the attempt before told last
      # @param time_left [Numeric, nil] seconds
      # @param fields [Hash{Symbol => Object}] others of the Task message: workflow_id:, run_id:, activity_id:, headers:
      def initialize(attempt: 1, last_progress: nil, time_left: nil, **fields)
        @progress = []
        told = Internal::Json.payload(Internal::Json.write(last_progress)) unless last_progress.nil?
        left = Internal::Durations.message(time_left) if time_left
        names = { workflow_id: "test-workflow", run_id: "test-run", activity_id: "test-activity", task_token: "test" }
        task = PyflowApi::V1::Task.new(attempt:, last_progress: told, start_to_close_left: left, **names,
                                       **fields)
        @context = Context.new(task, on_progress: method(:note))
      end

      # @yield code that may use {Pyflow.current}
      # @return [Object] what the block returns; what it raises passes through
      def run(&) = Pyflow.with_context(@context, &)

      # Asks the activity to stop, before or while it runs.
      #
      # @return [void]
      def cancel
        @context.cancel(:CANCEL_REASON_REQUESTED)
        nil
      end

      private

      def note(_context, payload) = @progress << Internal::Json.read(payload)
    end
  end
end
