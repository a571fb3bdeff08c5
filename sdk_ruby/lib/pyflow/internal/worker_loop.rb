# frozen_string_literal: true

# The life of a worker: dial, converse, reconnect for ever, drain.

require_relative "conversation"
require_relative "task_run"
require_relative "thread_pool"

module Pyflow
  module Internal
    # Serves one task list until drained.
    class WorkerLoop
      RECONNECT_FIRST_S = 0.2
      RECONNECT_MAX_S = 10.0
      # Doubling further would change nothing.
      DOUBLINGS_MAX = 10

      # @param access [HostAccess]
      # @param hello [PyflowApi::V1::Hello]
      # @param activities [Hash{Array(String, String) => ServedActivity}]
      # @param held [HeldTasks]
      # @param patience [Patience]
      def initialize(access, hello, activities, held, patience)
        @access = access
        @hello = hello
        @activities = activities
        @patience = patience
        @held = held
        @pool = ThreadPool.new(hello.slots) { |context| run_task(context) }
      end

      # @return [void] when drained
      # @raise [Pyflow::HostRefused, Pyflow::HostUnreachable]
      def run
        @patience.restart
        @failures = 0
        until @held.drained?
          ending = Conversation.new(@access, @hello, @held) { |context| @pool << context }.run
          break if @held.drained?

          refuse(ending) if ending.final
          go_on_after(ending)
        end
      ensure
        @pool.close
      end

      private

      def run_task(context)
        run = TaskRun.new(@activities, context)
        outcome = run.outcome
      ensure
        @held.finish(context, outcome || run.killed)
      end

      def refuse(ending)
        raise HostRefused, "the activity host at #{@access.address} sent this worker away: #{ending.why}"
      end

      def go_on_after(ending)
        @patience.answered if ending.answered
        @patience.restart if ending.welcomed
        tell(ending)
        pause = [rand * delay_max, ending.away_s].max
        @failures = ending.welcomed ? 0 : @failures + 1
        @held.await_drained([pause, patience_left(ending)].min)
      end

      def delay_max = [RECONNECT_MAX_S, RECONNECT_FIRST_S * (2**[@failures, DOUBLINGS_MAX].min)].min

      def patience_left(ending)
        left = @patience.left_s
        return left if left.positive?

        raise HostUnreachable, "no activity host answered at #{@access.address}#{@patience} (#{ending.why}): " \
                               "gave up. Start one there (pyflow host --listen #{@access.address}), or give " \
                               "another address (--host)."
      end

      # One line for each thing that changes, not one for each attempt.
      def tell(ending)
        if ending.welcomed
          Log.line("the stream to the activity host at #{@access.address} ended (#{ending.why}); reconnecting, " \
                   "running tasks go on")
        elsif @told != ending.why
          Log.line("cannot reach an activity host at #{@access.address} (#{ending.why}); trying on#{@patience}. " \
                   "Is `pyflow host` running there?")
        end
        @told = (ending.why unless ending.welcomed)
      end
    end
  end
end
