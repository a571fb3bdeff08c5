# frozen_string_literal: true

# Who a worker says it is, and how many tasks it takes.

require "spec_helper"

RSpec.describe "Hello and credits", :host do
  it "says in the first frame who it is and what it offers" do
    start_worker(Echo, slots: 3, domain: "d", name: "n", build_id: "b7")
    hello = host.next_stream.hello
    expect(hello.to_h).to include(contract_version: 1, language: "ruby", task_list: "specs", slots: 3, domain: "d",
                                  worker_name: "n", build_id: "b7", sdk_version: Pyflow::VERSION)
    expect(hello.worker_key).to match(/\A\h{32}\z/)
    types = hello.activity_types.map { |type| [type.name, type.version, type.description] }
    expect(types).to eq([["echo", "1.0", "gives back what it got"], ["describe_task", "2.0", ""]])
    echo = hello.activity_types.first
    expect(echo.heartbeat_timeout.to_h).to eq(seconds: 2, nanos: 500_000_000)
    expect(echo.schedule_to_start_timeout).to be_nil
  end

  it "says nothing more before Welcome" do
    start_worker(Echo)
    stream = host.next_stream
    expect(stream.frames.size).to eq(1)
    stream.welcome
    stream.wait_until("credits") { stream.credits == 4 }
  end

  it "grants its slots, and one credit back with each outcome" do
    stream = stream_of(Waiter, slots: 2)
    tokens = Array.new(2) { stream.task("wait") }
    Waiter.await_running(2)
    expect(stream.credits).to eq(0)
    Waiter.let_go
    stream.wait_until("a credit") { stream.credits == 1 }
    expect(stream.frames.last.outcomes.size).to eq(1)
    expect(stream.frames.last.credits).to eq(1)
    Waiter.let_go
    tokens.each { |token| stream.await_outcome(token) }
  end

  it "never grants more than its slots over many tasks" do
    stream = stream_of(Echo, slots: 5)
    tokens = Array.new(200) { |number| stream.task("echo", input: number) }
    results = tokens.map { |token| stream.await_outcome(token).completed.result.data }
    expect(results).to eq((0...200).map(&:to_s))
    stream.wait_until("all credits") { stream.credits == 5 }
    expect(stream.frames.sum(&:credits)).to eq(205)
  end

  it "runs tasks of one frame at the same time" do
    stream = stream_of(Waiter, slots: 3)
    3.times { stream.task("wait") }
    Waiter.await_running(3)
    Waiter.let_go(3)
    stream.wait_until("outcomes") { stream.outcomes.size == 3 }
  end

  it "keeps its key over reconnects" do
    stream = stream_of(Echo)
    key = stream.hello.worker_key
    stream.cut
    expect(host.next_stream.hello.worker_key).to eq(key)
  end

  it "answers a Ping from the receiving loop with what it holds" do
    stream = stream_of(Waiter, slots: 3)
    token = stream.task("wait")
    Waiter.await_running
    stream.ping(7)
    stream.wait_until("Status") { stream.statuses.any? }
    expect(stream.statuses.last.to_h).to eq(nonce: 7, slots_free: 2,
                                            held: [{ task_token: token, state: :TASK_STATE_RUNNING }])
    Waiter.let_go
    stream.await_outcome(token)
    stream.ping(8)
    stream.wait_until("Status") { stream.statuses.size == 2 }
    expect(stream.statuses.last.held.first.state).to eq(:TASK_STATE_FINISHED)
    stream.ack(token)
    stream.ping(9)
    stream.wait_until("Status") { stream.statuses.size == 3 }
    expect(stream.statuses.last.held).to be_empty
  end

  it "runs a task that is sent twice once, and lives" do
    stream = stream_of(Waiter, slots: 2)
    token = stream.task("wait")
    Waiter.await_running
    stream.task("wait", token:)
    stream.wait_until("the credit back") { stream.credits == 1 }
    Waiter.let_go
    stream.await_outcome(token)
    expect(log).to include("twice")
    expect(stream.outcomes.size).to eq(1)
  end

  it "ignores frames with nothing known in them, and acks of tasks it does not hold" do
    stream = stream_of(Echo)
    stream.say
    stream.ack("never seen")
    stream.cancel("never seen")
    expect(stream.perform("echo", input: 1).completed.result.data).to eq("1")
  end
end
