# frozen_string_literal: true

# Activities under test, without a host: also what a context knows.

require "spec_helper"
require "pyflow/testing"

RSpec.describe Pyflow::Testing::Environment do
  it "lets an activity see its context and keeps its progress" do
    environment = described_class.new(attempt: 2, last_progress: { "at" => 1 }, time_left: 5,
                                      activity_id: "a7.attempt2")
    seen = environment.run { Echo.new.describe }
    expect(seen).to include("attempt" => 2, "last" => { "at" => 1 }, "key" => "test-run/a7", "left" => (4.0..5.0))
    environment.run { Teller.new.tell({ at: 2 }) }
    expect(environment.progress).to eq([{ "at" => 2 }])
  end

  it "asks an activity to stop, before or while it runs" do
    environment = described_class.new
    running = Thread.new do
      environment.run { Waiter.new.wait_for_cancel }
    rescue Pyflow::Canceled => e
      e.details
    end
    Waiter.await_running
    environment.cancel
    expect(running.value).to eq(reason: "requested")
  end

  it "waits no longer than told" do
    context = described_class.new.context
    expect(context.wait_canceled(0.01)).to be(false)
    expect { context.raise_if_canceled }.not_to raise_error
    expect([context.time_left, context.last_progress, context.cancel_reason]).to eq([nil, nil, nil])
  end

  it "refuses the same progress as a host" do
    expect { described_class.new.run { Teller.new.tell(Float::NAN) } }.to raise_error(Pyflow::ProgressRefused, /NaN/)
  end

  it "leaves no context behind" do
    described_class.new.run { expect(Pyflow.current).to be_a(Pyflow::Context) }
    expect { Pyflow.current }.to raise_error(Pyflow::NotInActivity)
  end
end
