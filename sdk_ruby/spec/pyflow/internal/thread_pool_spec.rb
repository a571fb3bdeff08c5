# frozen_string_literal: true

# Threads for activities.

require "spec_helper"
require "pyflow/internal/thread_pool"

thread_pool = Pyflow.const_get(:Internal)::ThreadPool

RSpec.describe thread_pool do
  it "runs as many jobs at a time as it has threads, the others after them" do
    running = Queue.new
    gate = Queue.new
    pool = described_class.new(3) do |job|
      running << job
      gate.pop
    end
    [1, 2, 3, 4].each { |job| pool << job }
    expect(Array.new(3) { Waiting.pop(running, "a job") }).to contain_exactly(1, 2, 3)
    expect(running).to be_empty
    gate << true
    expect(Waiting.pop(running, "the last job")).to eq(4)
    pool.close
    3.times { gate << true }
  end

  it "replaces threads that a job has killed" do
    done = Queue.new
    pool = described_class.new(1) do |job|
      done << job
      Thread.current.kill
    end
    3.times { |job| pool << job }
    expect(Array.new(3) { Waiting.pop(done, "a job") }).to eq([0, 1, 2])
    pool.close
  end
end
