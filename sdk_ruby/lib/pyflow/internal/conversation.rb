# frozen_string_literal: true

# One stream's conversation with the host, from Hello to its end. Its receiving loop hands out tasks and answers pings.

require_relative "stream"

module Pyflow
  module Internal
    # Runs in the thread that calls {#run}; a second thread watches over silence.
    class Conversation
      WELCOME_WITHIN_S = 10
      SILENT_INTERVALS_MAX = 3
      PING_INTERVAL_DEFAULT_S = 10
      # Tasks that were on their way when Draining was sent arrive within this time.
      DRAIN_LINGER_S = 0.2
      # How long the host may take to close its side after a drain; nothing depends on it.
      GOODBYE_WITHIN_S = 2
      WATCH_INTERVAL_S = 0.1
      FINAL_REASONS = %i[GO_AWAY_REASON_UNAUTHENTICATED GO_AWAY_REASON_INCOMPATIBLE GO_AWAY_REASON_SUPERSEDED].freeze
      GOOD_ACKS = %i[ACK_STATUS_REPORTED ACK_STATUS_DUPLICATE].freeze

      # How it ended: final or to be continued, why (for people), whether the host had answered at all, whether with
      # Welcome, and how many seconds it asked to stay away.
      Ending = Struct.new(:final, :why, :answered, :welcomed, :away_s, keyword_init: true)

      # @param access [HostAccess]
      # @param hello [PyflowApi::V1::Hello] without token and resume
      # @param held [HeldTasks]
      # @yield [Context] a task to start
      def initialize(access, hello, held, &start)
        @access = access
        @hello = hello
        @held = held
        @start = start
        @heard_at = @moved_at = Durations.now
        @silence_max_s = WELCOME_WITHIN_S
        @limits = Limits.of(nil)
      end

      # @return [Ending]
      def run
        @number, resume = @held.open_stream
        @stream = Stream.new(@access, frames(resume))
        watch = Thread.new { watch_over }.tap { |thread| thread.abort_on_exception = true }
        @stream.each_frame { |frame| receive(frame) }
        ending("the host ended the stream")
      rescue Stream::Broken, UsageError => e # UsageError: a token or certificate that is just being replaced
        ending(e.message)
      ensure
        @held.close_stream(@number)
        watch&.kill
        @stream&.close
      end

      private

      def frames(resume)
        hello = @hello.dup.tap { |one| one.auth_token = @access.token }
        resume.each { |task| hello.resume << task }
        Enumerator.new do |sink|
          sink << PyflowApi::V1::WorkerFrame.new(hello:)
          while (frame = @held.next_frame(@number))
            @moved_at = Durations.now
            sink << frame
          end
        end
      end

      def receive(frame)
        @heard_at = Durations.now
        @answered = true
        frame.welcome&.then { |welcome| welcome(welcome) }
        frame.tasks.each { |task| take(task) }
        frame.cancels.each { |cancel| @held.cancel(cancel.task_token, cancel.reason) }
        acknowledge(frame.acks) unless frame.acks.empty?
        frame.ping&.then { |ping| @held.answer_ping(ping.nonce) }
        frame.go_away&.then { |go_away| go_away(go_away) }
      end

      def welcome(welcome)
        @limits = Limits.of(welcome.limits)
        interval = Durations.seconds(welcome.ping_interval).to_f
        @silence_max_s = SILENT_INTERVALS_MAX * (interval.positive? ? interval : PING_INTERVAL_DEFAULT_S)
        resumed = @held.welcome(@limits, welcome.resumed)
        @welcomed = true
        tell_connected(welcome.domain, resumed)
      end

      def tell_connected(domain, resumed)
        types = @hello.activity_types.map { |type| "#{type.name} #{type.version}" }
        Log.line("connected to the activity host at #{@access.address}: domain #{domain}, task list " \
                 "#{@hello.task_list}, #{types.join(", ")}, #{@hello.slots} at a time" \
                 "#{"; resumed #{resumed} tasks" if resumed.positive?}")
      end

      def take(task)
        @moved_at = Durations.now
        context = Context.new(task, limits: @limits, on_progress: @held.method(:progress))
        return @start.call(context) if @held.take(context)

        Log.line("the host sent a task twice, the second is ignored: #{label(task)}")
      end

      def acknowledge(acks)
        settled = @held.ack(acks.map(&:task_token))
        acks.each do |ack|
          next if GOOD_ACKS.include?(ack.status)

          context = settled[ack.task_token]
          what = context ? label(context) : "a task that is not held here"
          Log.line("the host did not take the outcome of #{what}: #{ack.status} #{ack.message}")
        end
      end

      def go_away(go_away)
        reason = go_away.reason.to_s.delete_prefix("GO_AWAY_REASON_")
        @goodbye = ending("#{reason}: #{go_away.message}", final: FINAL_REASONS.include?(go_away.reason),
                                                           away_s: Durations.seconds(go_away.reconnect_after).to_f)
        @silence_max_s = GOODBYE_WITHIN_S
        @held.close_stream(@number)
      end

      # The first reason counts: what follows a GoAway or a silence is only its echo.
      def ending(why, final: false, away_s: 0.0)
        @goodbye || Ending.new(final:, why:, answered: @answered || false, welcomed: @welcomed || false, away_s:)
      end

      def watch_over
        loop do
          sleep(WATCH_INTERVAL_S)
          @held.close_stream(@number) if @stream.over?
          say_goodbye if @held.draining? && !@leaving
          break hang_up if Durations.now - @heard_at > @silence_max_s
        end
      end

      def hang_up
        @goodbye ||= ending("silent for #{@silence_max_s.round(1)} s") unless @leaving
        @held.close_stream(@number)
        @stream.cancel
      end

      # Closes the sending side once the host has been told everything, or has not even answered yet.
      def say_goodbye
        return unless @welcomed ? @held.told_all? && Durations.now - @moved_at > DRAIN_LINGER_S : @held.drained?

        @leaving = true
        @heard_at = Durations.now
        @silence_max_s = @welcomed ? GOODBYE_WITHIN_S : 0
        @held.close_stream(@number)
      end

      def label(task)
        "#{task.activity_name} #{task.activity_version} of workflow #{task.workflow_id}, activity #{task.activity_id}"
      end
    end
  end
end
