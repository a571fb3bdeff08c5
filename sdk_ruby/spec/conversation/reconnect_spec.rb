# frozen_string_literal: true

# Cuts, silence and GoAway: tasks outlive streams.

require "spec_helper"

RSpec.describe "Reconnecting", :host do
  def states(stream) = stream.hello.resume.map { |task| [task.task_token, task.state] }

  it "resumes running and finished tasks, and reports them through the new stream" do
    first = stream_of(Waiter, slots: 3)
    finished, running = Array.new(2) { |number| first.task("wait", input: number) }
    Waiter.await_running(2)
    Waiter.let_go
    first.wait_until("one outcome") { first.outcomes.any? }
    finished, running = running, finished if first.outcomes.first.task_token == running
    first.cut

    second = host.next_stream
    expect(states(second)).to contain_exactly([finished, :TASK_STATE_FINISHED], [running, :TASK_STATE_RUNNING])
    second.welcome(resumed: second.hello.resume.map { |task| [task.task_token, true] })
    second.await_outcome(finished)
    second.wait_until("credits") { second.credits == 2 }
    second.ack(finished)
    Waiter.let_go
    second.await_outcome(running)
    expect(second.outcomes.size).to eq(2)
  end

  it "reports a task that finishes while no host is there" do
    first = stream_of(Waiter)
    token = first.task("wait", input: 1)
    Waiter.await_running
    first.cut
    second = host.next_stream
    Waiter.let_go
    second.welcome(resumed: [[token, true]])
    expect(second.await_outcome(token).completed.result.data).to eq("1")
    expect(second.outcomes.size).to eq(1)
  end

  it "stops and forgets a task that is not wanted any more; its slot is free once it has ended" do
    first = stream_of(Waiter, slots: 1)
    token = first.task("wait_for_cancel")
    Waiter.await_running
    first.cut
    second = host.next_stream
    second.welcome(resumed: [[token, false]])
    second.wait_until("the credit") { second.credits == 1 }
    expect(second.outcomes).to be_empty
    third_task = second.task("wait")
    Waiter.await_running
    Waiter.let_go
    second.await_outcome(third_task)
    expect(second.outcomes.size).to eq(1)
  end

  it "sends the latest progress again" do
    first = stream_of(Teller)
    token = first.task("tell_much", input: 3)
    first.wait_until("progress") { first.progress.any? }
    Waiter.await_running
    first.cut
    second = host.welcomed_stream(resumed: [[token, true]])
    second.wait_until("progress") { second.progress.any? }
    expect(second.progress.map { |one| one.details.data }).to eq(['{"number":2}'])
    Waiter.let_go
    second.await_outcome(token)
  end

  it "comes back after any end: OK, CANCELLED, UNIMPLEMENTED, GoAway" do
    stream = stream_of(Echo)
    stream.finish
    host.welcomed_stream.tap { |one| one.instance_variable_get(:@out) << GRPC::Cancelled.new("reset") }
    host.welcomed_stream.tap { |one| one.instance_variable_get(:@out) << GRPC::Unimplemented.new("a proxy") }
    %i[HOST_DRAINING PROTOCOL_ERROR SILENT UNSPECIFIED].each do |reason|
      host.welcomed_stream.go_away(:"GO_AWAY_REASON_#{reason}")
    end
    host.welcomed_stream.go_away(99)
    expect(host.welcomed_stream.perform("echo", input: 1).completed.result.data).to eq("1")
  end

  it "comes back when the host falls silent for three intervals" do
    stream = stream_of(Echo, ping_interval_s: 0.2)
    expect(host.next_stream.hello.worker_key).to eq(stream.hello.worker_key)
    expect(log).to include("silent for 0.6 s")
  end

  it "stays as long as any frame arrives" do
    stream = stream_of(Echo, ping_interval_s: 0.2)
    ends = Waiting.now + 1.5
    nonces = (1..).lazy.take_while { Waiting.now < ends }
    nonces.each do |nonce|
      stream.ping(nonce)
      stream.wait_until("Status") { stream.statuses.size == nonce }
    end
    expect(host.streams_waiting).to eq(0)
  end

  it "stays away for as long as GoAway says" do
    stream = stream_of(Echo)
    stream.go_away(:GO_AWAY_REASON_HOST_DRAINING, reconnect_after: Google::Protobuf::Duration.new(nanos: 500_000_000))
    before = Waiting.now
    host.next_stream
    expect(Waiting.now - before).to be >= 0.45
  end

  { UNAUTHENTICATED: "wrong token", INCOMPATIBLE: "speak version 2",
    SUPERSEDED: "another process" }.each do |reason, message|
    it "ends for good after #{reason}" do
      start_worker(Echo)
      host.next_stream.go_away(:"GO_AWAY_REASON_#{reason}", message)
      expect { serving }.to raise_error(Pyflow::HostRefused, /sent this worker away: #{reason}: #{message}/)
    end
  end

  it "says once that no host is there, goes on trying, and connects when one comes" do
    start_worker(Echo, host: "unix:#{folder}/h.sock")
    Waiting.until("the line") { log.include?("cannot reach an activity host at unix:#{folder}/h.sock") }
    host.welcomed_stream
    Waiting.until("the good news") { log.include?("connected to the activity host") }
    expect(log.scan("cannot reach").size).to be <= 2
  end

  it "gives up when no host answers the start in time" do
    start_worker(Echo, host: "unix:#{folder}/nobody.sock", start_timeout: 0.3)
    expect { serving }.to raise_error(Pyflow::HostUnreachable, /no activity host answered at .*nobody.sock for 0.3 s/)
  end

  it "gives up a host that is gone only when told to" do
    start_worker(Echo, start_timeout: 0.001, give_up_after: 0.3)
    stream = host.welcomed_stream
    host.stop
    stream.cut
    expect { serving }.to raise_error(Pyflow::HostUnreachable, /no activity host answered at .* for 0.3 s/)
  end

  it "comes back to a host that has answered, however long it takes" do
    start_worker(Echo, start_timeout: 0.001)
    host.next_stream.go_away(:GO_AWAY_REASON_HOST_DRAINING)
    host.next_stream.cut
    host.welcomed_stream
  end
end
