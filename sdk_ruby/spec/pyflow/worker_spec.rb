# frozen_string_literal: true

# The conversation of a worker with a host, over real gRPC.

require "spec_helper"

RSpec.describe Pyflow::Worker, :host do
  # Activities of these specs.
  class Echo
    include Pyflow::Activity
    activity :echo, version: "1.0", start_to_close: 60, heartbeat: 2.5, description: "gives back what it got"
    def echo(value) = value
  end

  it "says Hello and grants its slots as credits" do
    stream = stream_of(Echo, slots: 3)
    stream.wait_until("credits") { stream.credits == 3 }
    expect(stream.hello.to_h).to include(contract_version: 1, language: "ruby", task_list: "specs", slots: 3, domain: "")
  end

  it "runs a task and reports its result" do
    outcome = stream_of(Echo).perform("echo", input: { "a" => [1, nil, "é😀"] })
    expect(outcome.completed.result.data).to eq('{"a":[1,null,"é😀"]}'.b)
  end
end
