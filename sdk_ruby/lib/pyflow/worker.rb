# frozen_string_literal: true

# A worker process: options in, tasks served until it is told to stop.

require "securerandom"
require "socket"
require_relative "internal/held_tasks"
require_relative "internal/log"
require_relative "internal/served_activity"
require_relative "internal/settings"
require_relative "internal/stop_signals"

module Pyflow
  # Serves activities of one SWF task list, handed out by one activity host. What runs is the process that calls {#run}
  # or {#serve}: gRPC is not even loaded before, so a worker made before a fork may run in the child. It runs once.
  class Worker
    # Exit code of {#run} when the host could not be reached, or sent the worker away for good.
    EXIT_FAILED = 1
    CONTRACT_VERSION = 1
    NAME_LENGTH_MAX = 256
    private_constant :CONTRACT_VERSION, :NAME_LENGTH_MAX

    # Options that are left out or nil come from the environment; the README has the table.
    #
    # @param activities [Array<Class, Object>] classes that include {Activity}, or instances of such
    # @param name [String, nil] for people; nil: "hostname:pid"
    # @param build_id [String] the version of your own code, for people
    # @param options [Hash] host: ("unix:/path", "name:port"), task_list:, domain:, slots: (tasks at a time, 1 to
    #   1,000), start_timeout: (seconds that the first host may take to answer), give_up_after: (seconds that one may
    #   be gone later; none: for ever), token:, token_file:, tls_ca:, tls_cert:, tls_key: (PEM files), insecure:
    #   (plaintext to an address that is not loopback)
    # @raise [Pyflow::UsageError]
    def initialize(activities:, name: nil, build_id: "", **options)
      settings = Internal::Settings.new(options)
      @activities = Internal::ServedActivity.table(activities)
      @access = settings.access
      @patience = settings.patience
      @offer = { task_list: settings.task_list, domain: settings.domain, slots: settings.slots, build_id: }
      @name = name
      @held = Internal::HeldTasks.new(settings.slots)
    end

    # The main program of a worker: serves until SIGTERM or SIGINT, then finishes what runs and returns. Ends the
    # process with exit code 1 and a line of text when the host sends the worker away for good, or none answers in
    # time.
    #
    # @return [void]
    def run
      $stdout.sync = $stderr.sync = true
      Internal::StopSignals.during(method(:stop)) { serve }
    rescue HostRefused, HostUnreachable => e
      Internal::Log.line(e.message)
      exit(EXIT_FAILED)
    end

    # As {#run}, for programs that do more than serve: no signal handlers, no exit. Blocks until {#stop} was called and
    # everything at hand is done.
    #
    # @return [void]
    # @raise [Pyflow::HostRefused, Pyflow::HostUnreachable]
    def serve
      require_relative "internal/worker_loop"
      Internal::WorkerLoop.new(@access, hello, @activities, @held, @patience).run
    end

    # Takes no more tasks; from any thread, and from a signal handler. {#run} and {#serve} return when those at hand are
    # done and the host knows it.
    #
    # @return [void]
    def stop
      @held.drain
    rescue ThreadError # a signal handler may not lock
      Thread.new { @held.drain }
      nil
    end

    private

    def hello
      PyflowApi::V1::Hello.new(
        contract_version: CONTRACT_VERSION, worker_key: SecureRandom.hex, language: "ruby",
        worker_name: (@name || "#{Socket.gethostname}:#{Process.pid}")[0, NAME_LENGTH_MAX],
        sdk_version: VERSION, runtime_version: RUBY_DESCRIPTION,
        activity_types: @activities.each_value.map(&:to_message), **@offer
      )
    end
  end
end
