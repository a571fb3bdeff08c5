# frozen_string_literal: true

# What an activity sees and says while it runs: its task, progress, cancel.

require "spec_helper"

RSpec.describe "Running tasks", :host do
  it "know their task" do
    fields = { attempt: 3, activity_id: "a1.attempt3", headers: { "traceparent" => "00" },
               last_progress: PyflowApi::V1::Payload.new(data: '{"at":1}'),
               start_to_close_left: Google::Protobuf::Duration.new(seconds: 60) }
    outcome = stream_of(Echo).perform("describe_task", activity_version: "2.0", **fields)
    told = JSON.parse(outcome.completed.result.data)
    expect(told).to include("attempt" => 3, "workflow_id" => "wf", "run_id" => "run", "activity_id" => "a1.attempt3",
                            "key" => "run/a1", "last" => { "at" => 1 }, "headers" => { "traceparent" => "00" })
    expect(told["left"]).to be_between(0, 60)
  end

  it "tell progress, the latest last and before the outcome" do
    stream = stream_of(Teller)
    token = stream.task("tell_much", input: 500)
    Waiter.await_running
    stream.wait_until("the latest") { stream.progress.last&.details&.data == '{"number":499}' }
    Waiter.let_go
    stream.await_outcome(token)
    expect(stream.progress.last.details.data).to eq('"last"')
    kinds = stream.frames.map { |frame| [frame.progress.any?, frame.outcomes.any?] }
    expect(kinds.last(2)).to eq([[true, false], [false, true]])
  end

  it "are told at once when progress cannot be sent" do
    stream = stream_of(Teller)
    expect(stream.perform("tell", input: "x" * 2_046).completed.result.data).to eq("null")
    failed = stream.perform("tell", input: "x" * 2_047).failed
    expect(failed.to_h).to include(type: "ProgressRefused", message: a_string_including("2049", "2048"))
  end

  it "see a cancel and may end as canceled" do
    stream = stream_of(Waiter)
    token = stream.task("wait_for_cancel")
    Waiter.await_running
    stream.cancel(token)
    stream.cancel(token)
    expect(stream.await_outcome(token).canceled.details.data).to eq('{"reason":"requested"}')
  end

  it "see why" do
    stream = stream_of(Waiter)
    token = stream.task("wait_for_cancel")
    Waiter.await_running
    stream.cancel(token, :CANCEL_REASON_TIMED_OUT)
    expect(stream.await_outcome(token).canceled.details.data).to eq('{"reason":"timed_out"}')
  end

  it "may finish as usual after a cancel" do
    stream = stream_of(Waiter)
    token = stream.task("wait", input: 5)
    Waiter.await_running
    stream.cancel(token)
    Waiter.let_go
    expect(stream.await_outcome(token).completed.result.data).to eq("5")
  end
end
