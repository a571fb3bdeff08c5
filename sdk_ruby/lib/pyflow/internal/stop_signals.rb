# frozen_string_literal: true

# SIGTERM and SIGINT: the first asks, the second insists.

module Pyflow
  module Internal
    # Signal handlers may not lock, so a thread of its own does what they ask for.
    module StopSignals
      SIGNALS = %w[TERM INT].freeze
      EXIT_CODE = 1

      # @param stop [Proc] called once, at the first signal
      # @yield with the handlers in place
      def self.during(stop)
        arrived = Queue.new
        before = SIGNALS.to_h { |signal| [signal, trap(signal) { arrived << signal }] }
        listener = Thread.new { listen(arrived, stop) }
        yield
      ensure
        before&.each { |signal, handler| trap(signal, handler || "DEFAULT") }
        listener&.kill
      end

      def self.listen(arrived, stop)
        Log.line("SIG#{arrived.pop}: no new tasks; finishing those that run. A second signal ends at once.")
        stop.call
        Log.line("SIG#{arrived.pop} again: leaving at once.")
        exit!(EXIT_CODE)
      end
      private_class_method :listen
    end
  end
end
