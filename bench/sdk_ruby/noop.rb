# frozen_string_literal: true

# No-op tasks a second: a scripted host in this process, the worker in one of its own, a Unix socket between them.
# Usage: ruby -I sdk_ruby/lib bench/sdk_ruby/noop.rb [SLOTS]. Prints one line: the median of several rounds.

require "grpc"
require "json"
require "tmpdir"
require "pyflow"
require "pyflow_api/v1/activity_host_services_pb"

# What the worker runs.
class NoOp
  include Pyflow::Activity
  activity :noop, version: "1.0", start_to_close: 60
  def noop(value) = value
end

# Keeps the worker's credits used up, acks at once, and notes when each round was done.
class BenchHost < PyflowApi::V1::ActivityHostService::Service
  ROUNDS = 7
  ROUNDS_WARMING_UP = 2
  TASKS_A_ROUND = 10_000

  attr_reader :done_at

  def initialize
    super
    @done_at = []
    @done = @sent = 0
    @input = PyflowApi::V1::Payload.new(data: JSON.generate({ "value" => 1 }))
  end

  def work(requests, _call)
    Enumerator.new do |replies|
      requests.each do |frame|
        replies << (frame.hello ? welcome : answer(frame))
        break if @done_at.size == ROUNDS
      end
    end
  end

  private

  def welcome
    interval = Google::Protobuf::Duration.new(seconds: 10)
    PyflowApi::V1::HostFrame.new(welcome: PyflowApi::V1::Welcome.new(contract_version: 1, ping_interval: interval))
  end

  def answer(frame)
    acks = frame.outcomes.map { |outcome| ack(outcome) }
    @done += acks.size
    @done_at << now if @done >= (@done_at.size + 1) * TASKS_A_ROUND
    PyflowApi::V1::HostFrame.new(acks:, tasks: Array.new(frame.credits) { task })
  end

  def ack(outcome)
    raise "a task failed: #{outcome.inspect}" unless outcome.result == :completed

    PyflowApi::V1::OutcomeAck.new(task_token: outcome.task_token, status: :ACK_STATUS_REPORTED)
  end

  def task
    PyflowApi::V1::Task.new(task_token: "task #{@sent += 1}", activity_name: "noop", activity_version: "1.0",
                            input: @input, workflow_id: "bench", run_id: "bench", activity_id: "a", attempt: 1)
  end

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

def serve(address, slots)
  Pyflow::Worker.new(activities: [NoOp], host: address, task_list: "bench", slots:).run
end

def measure(slots)
  Dir.mktmpdir do |folder|
    address = "unix:#{folder}/s"
    host = BenchHost.new
    server = GRPC::RpcServer.new(pool_size: 2)
    server.add_http2_port(address, :this_port_is_insecure)
    server.handle(host)
    running = Thread.new { server.run }
    command = [RbConfig.ruby, "-I", File.expand_path("../../sdk_ruby/lib", __dir__), __FILE__, address, slots.to_s]
    worker = Process.spawn(*command, err: File::NULL)
    sleep(0.05) until host.done_at.size == BenchHost::ROUNDS
    Process.kill("KILL", worker)
    Process.wait(worker)
    server.stop
    running.join
    host.done_at
  end
end

if ARGV.first.to_s.start_with?("unix:")
  serve(ARGV[0], Integer(ARGV[1]))
else
  slots = Integer(ARGV[0] || 64)
  rounds = measure(slots).drop(BenchHost::ROUNDS_WARMING_UP - 1).each_cons(2).map { |from, to| to - from }
  median = rounds.sort[rounds.size / 2]
  rate = (BenchHost::TASKS_A_ROUND / median).round
  puts "Ruby worker, #{slots} slots, no-op activity, scripted host: #{rate} tasks/s"
end
