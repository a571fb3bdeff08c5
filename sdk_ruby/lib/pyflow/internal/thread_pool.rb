# frozen_string_literal: true

# The threads that run activities.

module Pyflow
  module Internal
    # Starts threads as they are needed, up to a number, and replaces those that an activity has killed.
    class ThreadPool
      # @param size [Integer]
      # @yield [Object] one job at a time, in a thread of the pool
      def initialize(size, &work)
        @size = size
        @work = work
        @jobs = Queue.new
        @lock = Mutex.new
        @alive = 0
      end

      # @param job [Object] waits for a free thread if all are busy
      def <<(job)
        @lock.synchronize { start_thread if @jobs.size >= @jobs.num_waiting && @alive < @size }
        @jobs << job
      end

      # Threads end when they have run what was given; nobody waits for them.
      def close = @jobs.close

      private

      def start_thread
        @alive += 1
        Thread.new do
          while (job = @jobs.pop)
            @work.call(job)
          end
        ensure
          replace_thread
        end
      end

      def replace_thread
        @lock.synchronize do
          @alive -= 1
          start_thread unless @jobs.closed?
        end
      rescue ThreadError
        nil # the process is about to end, and Ruby starts no more threads
      end
    end
  end
end
