# frozen_string_literal: true

# What one stream's host has not heard yet, cut into frames below its limit. Not safe for threads: HeldTasks locks.

require "pyflow_api/v1/worker_pb"

module Pyflow
  module Internal
    # Outcomes in the order they came, and the latest progress of each task.
    class Unsent
      # Bytes of tags and lengths around one item of a frame, and of everything else in it.
      ITEM_OVERHEAD_BYTES = 16
      FRAME_OVERHEAD_BYTES = 64

      Item = Struct.new(:message, :bytes)
      private_constant :Item

      def initialize
        @outcomes = []
        @progress = {}
      end

      # @param outcome [PyflowApi::V1::Outcome]
      # @param bytes [Integer] of the outcome, serialised
      def outcome(outcome, bytes)
        @outcomes << Item.new(outcome, bytes + ITEM_OVERHEAD_BYTES)
      end

      # @param message [PyflowApi::V1::Progress] takes the place of an older one
      def progress(message)
        bytes = message.task_token.bytesize + message.details.data.bytesize + ITEM_OVERHEAD_BYTES
        @progress[message.task_token] = Item.new(message, bytes)
      end

      # Takes as much as fits. Progress goes first, in a frame of its own: within one frame the host reads outcomes
      # first, and the last progress of a task that has just failed is what its next attempt begins from.
      #
      # @param frame_bytes_max [Integer]
      # @return [Hash{Symbol => Array}] fields of a WorkerFrame
      def take(frame_bytes_max)
        return take_progress(frame_bytes_max) if @progress.any?

        @outcomes.empty? ? {} : { outcomes: @outcomes.shift(how_many(@outcomes, frame_bytes_max)).map(&:message) }
      end

      private

      def take_progress(frame_bytes_max)
        taken = @progress.values.first(how_many(@progress.values, frame_bytes_max)).map(&:message)
        taken.each { |message| @progress.delete(message.task_token) }
        { progress: taken }
      end

      # At least one: a single item over the limit is the host's to refuse.
      def how_many(items, frame_bytes_max)
        left = frame_bytes_max - FRAME_OVERHEAD_BYTES
        fitting = items.take_while { |item| (left -= item.bytes) >= 0 }
        [fitting.size, 1].max
      end
    end
  end
end
