# frozen_string_literal: true

# The tasks a worker holds, what of them the host has not heard yet, and the credits. All threads meet here.

require "pyflow_api/v1/worker_pb"
require_relative "durations"
require_relative "limits"
require_relative "unsent"

module Pyflow
  module Internal
    # State behind one lock. Outlives streams; what belongs to one stream is reset by {#open_stream}.
    class HeldTasks
      # `progress` is the latest Progress message, kept for the next stream.
      Held = Struct.new(:context, :progress, :outcome, :outcome_bytes) do
        def state = outcome ? :TASK_STATE_FINISHED : :TASK_STATE_RUNNING
        def add_to(unsent) = outcome ? unsent.outcome(outcome, outcome_bytes) : (unsent.progress(progress) if progress)
      end
      private_constant :Held

      # @param slots [Integer] tasks at a time
      def initialize(slots)
        @slots = slots
        @lock = Mutex.new
        @changed = ConditionVariable.new
        @held = {}
        @busy = 0
        @stream = 0
        @draining = false
      end

      # A new stream has no credits and has heard nothing. What an older stream still asks for is void from now on.
      #
      # @return [Array(Integer, Array<PyflowApi::V1::HeldTask>)] the stream's number, and what to resume
      def open_stream
        guard do
          @stream += 1
          @granted = 0
          @welcomed = @draining_sent = false
          @unsent = Unsent.new
          @status = nil
          [@stream, list]
        end
      end

      # Ends the frames of a stream: the worker's side is then closed.
      def close_stream(number)
        guard { @stream += 1 if number == @stream }
      end

      # Offers the host again what it has not acked, and gives credits.
      #
      # @param limits [Limits]
      # @param answers [Array<PyflowApi::V1::ResumeAnswer>] a task that is not wanted any more is stopped and forgotten
      # @return [Integer] how many tasks are held from before
      def welcome(limits, answers)
        guard do
          answers.each { |answer| abandon(answer.task_token) unless answer.wanted }
          @held.each_value { |held| held.add_to(@unsent) }
          @limits = limits
          @welcomed = true
          @held.size
        end
      end

      # @param context [Context] of a task that has come
      # @return [Boolean] false if it is held already: it must not run twice
      def take(context)
        guard do
          token = context.task.task_token
          @granted -= 1 if @granted.positive?
          next false if @held.key?(token)

          @held[token] = Held.new(context)
          @busy += 1
          true
        end
      end

      def cancel(token, reason)
        guard { @held[token]&.context&.cancel(reason) }
      end

      # @param context [Context] of a running task
      # @param payload [PyflowApi::V1::Payload]
      def progress(context, payload)
        guard do
          held = held_by(context)
          next if held.nil? || held.outcome

          held.progress = PyflowApi::V1::Progress.new(task_token: context.task.task_token, details: payload)
          held.add_to(@unsent) if @welcomed
        end
      end

      # A function has ended. Its outcome goes nowhere if the host does not want it any more.
      #
      # @param context [Context]
      # @param outcome [PyflowApi::V1::Outcome]
      def finish(context, outcome)
        bytes = PyflowApi::V1::Outcome.encode(outcome).bytesize
        guard do
          @busy -= 1
          held = held_by(context)
          next unless held

          held.outcome = outcome
          held.outcome_bytes = bytes
          held.add_to(@unsent) if @welcomed
        end
      end

      # Forgets finished tasks for good. An ack of a running one means nothing: its outcome is yet to come.
      #
      # @return [Hash{String => Context}] what was forgotten, by its token
      def ack(tokens)
        guard { tokens.filter_map { |token| [token, @held.delete(token).context] if @held[token]&.outcome }.to_h }
      end

      # Answers a Ping with what is held now.
      def answer_ping(nonce)
        guard { @status = PyflowApi::V1::Status.new(nonce:, held: list, slots_free: [@slots - @busy, 0].max) }
      end

      # No more credits from now on.
      def drain
        guard { @draining = true }
        nil
      end

      def draining? = @lock.synchronize { @draining }
      def drained? = @lock.synchronize { @draining && @held.empty? }

      # @return [Boolean] whether this stream's host has been told all there was to tell, Draining included
      def told_all? = @lock.synchronize { @draining_sent && @held.empty? && @status.nil? }

      # Waits until everything is done that a draining worker has to do.
      def await_drained(seconds)
        deadline = Durations.now + seconds
        @lock.synchronize do
          until @draining && @held.empty?
            left = deadline - Durations.now
            break if left <= 0

            @changed.wait(@lock, left)
          end
        end
      end

      # Waits for something to tell the host.
      #
      # @param number [Integer] the stream
      # @return [PyflowApi::V1::WorkerFrame, nil] nil once the stream is closed
      def next_frame(number)
        @lock.synchronize do
          loop do
            return if number != @stream

            frame = status_frame || (tasks_frame if @welcomed)
            return frame if frame

            @changed.wait(@lock)
          end
        end
      end

      private

      def guard
        @lock.synchronize { yield.tap { @changed.broadcast } }
      end

      # A task that was given up and has come anew under the same token is another one.
      def held_by(context)
        held = @held[context.task.task_token]
        held if held&.context.equal?(context)
      end

      def list
        @held.map { |token, held| PyflowApi::V1::HeldTask.new(task_token: token, state: held.state) }
      end

      def abandon(token)
        @held.delete(token)&.context&.cancel(:CANCEL_REASON_LEASE_LOST)
      end

      def status_frame
        status = @status
        @status = nil
        status && PyflowApi::V1::WorkerFrame.new(status:)
      end

      def tasks_frame
        fields = @unsent.take(@limits.frame_bytes_max)
        fields = fields.merge(@draining ? draining_once : new_credits)
        PyflowApi::V1::WorkerFrame.new(**fields) if fields.any?
      end

      def draining_once
        return {} if @draining_sent

        @draining_sent = true
        { draining: PyflowApi::V1::Draining.new }
      end

      def new_credits
        more = @slots - @busy - @granted
        return {} unless more.positive?

        @granted += more
        { credits: more }
      end
    end
  end
end
