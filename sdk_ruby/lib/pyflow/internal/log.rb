# frozen_string_literal: true

# What a worker says to people.

module Pyflow
  module Internal
    # Lines on standard error.
    module Log
      # Writes one line at once. A reader that is gone (a supervising host that was killed) must not end the worker.
      def self.line(message)
        $stderr.write("pyflow-activity: #{message}\n")
        $stderr.flush
      rescue SystemCallError, IOError
        nil
      end
    end
  end
end
