# frozen_string_literal: true

# The tasks a worker holds, what of them the host has not heard yet, and the credits. All threads meet here.

require "pyflow_api/v1/worker_pb"
require_relative "durations"
require_relative "limits"

module Pyflow
  module Internal
    # State behind one lock. Outlives streams; what belongs to one stream is reset by {#open_stream}.
    class HeldTasks
      # Bytes of tags and lengths around one item of a frame, and of everything else in it.
      ITEM_OVERHEAD_BYTES = 16
      FRAME_OVERHEAD_BYTES = 64

      Held = Struct.new(:context, :progress, :outcome, :outcome_bytes)
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
          @unsent_outcomes = []
          @unsent_progress = {}
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
          @held.each do |token, held|
            held.outcome ? @unsent_outcomes << held : keep_progress(token, held.progress)
          end
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

      # @param payload [PyflowApi::V1::Payload, nil]
      def progress(token, payload)
        guard do
          held = @held[token]
          keep_progress(token, held.progress = [payload]) if held && !held.outcome
        end
      end

      # A function has ended. Its outcome goes nowhere if the host does not want it any more.
      def finish(token, outcome)
        bytes = PyflowApi::V1::Outcome.encode(outcome).bytesize + ITEM_OVERHEAD_BYTES
        guard do
          @busy -= 1
          held = @held[token]
          next unless held

          held.outcome = outcome
          held.outcome_bytes = bytes
          @unsent_outcomes << held if @welcomed
        end
      end

      # Forgets finished tasks for good. An ack of a running one means nothing: its outcome is yet to come.
      def ack(tokens)
        guard { tokens.each { |token| @held.delete(token) if @held[token]&.outcome } }
      end

      # Answers a Ping with what is held now.
      def answer_ping(nonce)
        guard { @status = PyflowApi::V1::Status.new(nonce: nonce, held: list, slots_free: [@slots - @busy, 0].max) }
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

      def list
        @held.map do |token, held|
          PyflowApi::V1::HeldTask.new(task_token: token, state: held.outcome ? :TASK_STATE_FINISHED : :TASK_STATE_RUNNING)
        end
      end

      def abandon(token)
        @held.delete(token)&.context&.cancel(:CANCEL_REASON_LEASE_LOST)
      end

      def keep_progress(token, progress)
        @unsent_progress[token] = progress if progress
      end

      def status_frame
        status, @status = @status, nil
        status && PyflowApi::V1::WorkerFrame.new(status: status)
      end

      # Progress goes first, in a frame of its own: within one frame the host reads outcomes first, and the last progress of
      # a task that has just failed is what its next attempt begins from.
      def tasks_frame
        fields = @unsent_progress.empty? ? outcomes_that_fit : progress_that_fits
        fields = fields.merge(@draining ? draining_once : new_credits)
        PyflowApi::V1::WorkerFrame.new(**fields) if fields.any?
      end

      def outcomes_that_fit
        left = @limits.frame_bytes_max - FRAME_OVERHEAD_BYTES
        taken = @unsent_outcomes.take_while { |held| (left -= held.outcome_bytes) >= 0 }
        taken = @unsent_outcomes.first(1) if taken.empty?
        @unsent_outcomes.shift(taken.size)
        taken.empty? ? {} : { outcomes: taken.map(&:outcome) }
      end

      def progress_that_fits
        left = @limits.frame_bytes_max - FRAME_OVERHEAD_BYTES
        taken = @unsent_progress.take_while do |token, (payload)|
          (left -= token.bytesize + (payload ? payload.data.bytesize : 0) + (2 * ITEM_OVERHEAD_BYTES)) >= 0
        end
        taken = @unsent_progress.first(1) if taken.empty?
        taken.each { |token, _| @unsent_progress.delete(token) }
        { progress: taken.map { |token, (payload)| PyflowApi::V1::Progress.new(task_token: token, details: payload) } }
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
