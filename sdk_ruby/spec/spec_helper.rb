# frozen_string_literal: true

# What all specs share: a temporary folder, a scripted host, a worker in a thread.

$LOAD_PATH.unshift(File.expand_path("../lib", __dir__))
require "json"
require "stringio"
require "tmpdir"
require "pyflow"
require "support/scripted_host"
require "support/worker_process"
require "support/activities"
require "support/certificates"

Thread.report_on_exception = true

# A worker served by a scripted host, both in this process.
module WithHost
  def self.included(base)
    base.let(:folder) { Dir.mktmpdir("pf") }
    base.let(:address) { "unix:#{folder}/h.sock" }
    base.let(:host) { ScriptedHost.new(address) }
    base.before do
      @log = capture_log
      Waiter.reset
    end
    base.after { tear_down }
  end

  def start_worker(*activities, slots: 4, **options)
    @worker = Pyflow::Worker.new(activities:, host: options.delete(:host) || host.address, task_list: "specs",
                                 slots:, **options)
    @serving = Thread.new do
      Thread.current.report_on_exception = false
      @worker.serve
    end
    @worker
  end

  # A stream of a fresh worker, welcomed.
  def stream_of(*activities, slots: 4, **options)
    start_worker(*activities, slots:)
    host.welcomed_stream(**options)
  end

  # What Worker#serve raised or returned.
  def serving = @serving.value
  def log = @log.string

  private

  def capture_log
    @stderr = $stderr
    $stderr = StringIO.new
  end

  def tear_down
    @serving&.kill
    Waiting.until("the end of the worker") { !@serving&.alive? }
    host.stop
    $stderr = @stderr
    FileUtils.remove_entry(folder)
  end
end

RSpec.configure do |config|
  config.disable_monkey_patching!
  config.order = :random
  config.expect_with(:rspec) { |expectations| expectations.max_formatted_output_length = 2_000 }
  config.include(WithHost, :host)
end
