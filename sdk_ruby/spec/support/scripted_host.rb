# frozen_string_literal: true

# A host on a real gRPC server that says what a spec tells it to, and keeps what the worker says.

require "timeout"
require "pyflow"
require "pyflow/internal/grpc"
require "pyflow_api/v1/activity_host_services_pb"

# One listener; each stream that a worker opens is a {HostStream}.
class ScriptedHost < PyflowApi::V1::ActivityHostService::Service
  attr_reader :address, :unary

  def initialize(address, credentials: :this_port_is_insecure)
    super()
    @streams = Queue.new
    @unary = Queue.new
    @server = GRPC::RpcServer.new(pool_size: 8, poll_period: 1)
    port = @server.add_http2_port(address, credentials)
    @address = address.sub(/:0\z/, ":#{port}")
    @server.handle(self)
    @thread = Thread.new { @server.run }
    @server.wait_till_running(Waiting::DEADLINE_S)
  end

  # The next stream a worker opens, with its Hello.
  def next_stream
    stream = Waiting.pop(@streams, "a stream")
    stream.wait_until("Hello") { stream.hello }
    stream
  end

  # The next stream, welcomed.
  def welcomed_stream(**options)
    next_stream.tap { |stream| stream.welcome(**options) }
  end

  def streams_waiting = @streams.size

  def stop
    @all&.each(&:cut)
    @server.stop
    @thread.join
  end

  # The gRPC method.
  def work(requests, _call)
    stream = HostStream.new
    (@all ||= []) << stream
    Thread.new { stream.read(requests) }
    @streams << stream
    stream.replies
  end

  # The gRPC method.
  def complete_task(request, call)
    @unary << [request, call.metadata]
    ack = PyflowApi::V1::OutcomeAck.new(task_token: request.outcome.task_token, status: :ACK_STATUS_REPORTED)
    PyflowApi::V1::CompleteTaskResponse.new(ack:)
  end

  # The gRPC method.
  def record_task_progress(request, call)
    @unary << [request, call.metadata]
    PyflowApi::V1::RecordTaskProgressResponse.new(cancel_requested: true)
  end
end

# One stream from the host's side.
class HostStream
  attr_reader :hello, :frames, :credits, :taken

  def initialize
    @lock = Mutex.new
    @changed = ConditionVariable.new
    @out = Queue.new
    @frames = []
    @credits = 0
    @closed = false
    @next_task = 0
  end

  def read(requests)
    requests.each { |frame| heard(frame) }
    heard(nil)
  rescue StandardError
    heard(nil)
  end

  def replies
    Enumerator.new do |sink|
      while (frame = @out.pop)
        raise frame if frame.is_a?(Exception)

        sink << frame
      end
    end
  end

  def outcomes = @lock.synchronize { @frames.flat_map { |frame| frame.outcomes.to_a } }
  def progress = @lock.synchronize { @frames.flat_map { |frame| frame.progress.to_a } }
  def statuses = @lock.synchronize { @frames.filter_map(&:status) }
  def draining? = @lock.synchronize { @frames.any?(&:draining) }
  def closed? = @lock.synchronize { @closed }
  def outcome(token) = outcomes.find { |one| one.task_token == token }

  def wait_until(what, &condition)
    deadline = Waiting.deadline
    loop do
      found = condition.call
      return found if found

      left = deadline - Waiting.now
      raise "waited for #{what}; the worker said #{@frames.inspect[0, 2_000]}" if left <= 0

      @lock.synchronize { @changed.wait(@lock, [left, 0.05].min) }
    end
  end

  def await_outcome(token) = wait_until("the outcome of #{token}") { outcome(token) }

  def say(**fields) = @out << PyflowApi::V1::HostFrame.new(**fields)

  def welcome(resumed: [], ping_interval_s: 10, limits: {})
    wanted = resumed.map { |token, keep| PyflowApi::V1::ResumeAnswer.new(task_token: token, wanted: keep) }
    interval = Google::Protobuf::Duration.new(seconds: ping_interval_s.to_i, nanos: ((ping_interval_s % 1) * 1e9).to_i)
    say(welcome: PyflowApi::V1::Welcome.new(contract_version: 1, host_id: "scripted", domain: "specs", resumed: wanted,
                                            limits: PyflowApi::V1::Limits.new(**limits), ping_interval: interval))
  end

  # Sends one task once there is a credit for it, and gives its token.
  def task(name, input: nil, json: nil, token: nil, **fields)
    wait_until("a credit") { @lock.synchronize { @credits.positive? && @credits -= 1 } }
    token ||= "token-#{@next_task += 1}-\xFF".b
    json = JSON.generate(input) if json.nil? && !input.nil?
    payload = PyflowApi::V1::Payload.new(data: json.b) if json
    usual = { activity_version: "1.0", workflow_id: "wf", run_id: "run", activity_id: "a1", attempt: 1 }
    say(tasks: [PyflowApi::V1::Task.new(task_token: token, activity_name: name, input: payload, **usual, **fields)])
    token
  end

  # Sends a task and gives its outcome, acked.
  def perform(name, **fields)
    token = task(name, **fields)
    await_outcome(token).tap { ack(token) }
  end

  def ack(*tokens, status: :ACK_STATUS_REPORTED, message: "")
    say(acks: tokens.map { |token| PyflowApi::V1::OutcomeAck.new(task_token: token, status:, message:) })
  end

  def cancel(token, reason = :CANCEL_REASON_REQUESTED)
    say(cancels: [PyflowApi::V1::Cancel.new(task_token: token, reason:)])
  end

  def go_away(reason, message = "because", **fields)
    say(go_away: PyflowApi::V1::GoAway.new(reason:, message:, **fields))
    finish
  end

  def ping(nonce) = say(ping: PyflowApi::V1::Ping.new(nonce:))
  def finish = @out << nil
  def cut = @out << GRPC::Unavailable.new("cut")

  private

  def heard(frame)
    @lock.synchronize do
      if frame
        @frames << frame
        @hello ||= frame.hello
        @credits += frame.credits
      else
        @closed = true
        @out << nil
      end
      @changed.broadcast
    end
  end
end

# Conditions with a deadline instead of sleeps of a guessed length.
module Waiting
  DEADLINE_S = 20
  POLL_S = 0.005

  module_function

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  def deadline = now + DEADLINE_S

  def until(what)
    deadline = self.deadline
    until (found = yield)
      raise "waited for #{what}" if now > deadline

      sleep(POLL_S)
    end
    found
  end

  def pop(queue, what) = Timeout.timeout(DEADLINE_S, nil, "waited for #{what}") { queue.pop }
end
