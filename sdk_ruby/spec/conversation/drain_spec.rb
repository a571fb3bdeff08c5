# frozen_string_literal: true

# How a worker ends.

require "spec_helper"

RSpec.describe "Draining", :host do
  it "says so, runs what it has, waits for the acks and closes its side" do
    stream = stream_of(Waiter, slots: 2)
    token = stream.task("wait", input: 1)
    Waiter.await_running
    @worker.stop
    stream.wait_until("Draining") { stream.draining? }
    stream.ping(1)
    stream.wait_until("Status") { stream.statuses.any? }
    Waiter.let_go
    stream.await_outcome(token)
    expect(stream.closed?).to be(false)
    stream.ack(token)
    expect(serving).to be_nil
    expect(stream.closed?).to be(true)
    expect(stream.frames.sum(&:credits)).to eq(2)
  end

  it "can be asked to from a signal handler, where no lock may be taken" do
    stream = stream_of(Waiter)
    before = trap("USR2") { @worker.stop }
    Process.kill("USR2", Process.pid)
    stream.wait_until("Draining") { stream.draining? }
    expect(serving).to be_nil
  ensure
    trap("USR2", before || "DEFAULT")
  end

  it "runs tasks that were on their way" do
    stream = stream_of(Waiter, slots: 2)
    late = stream.task("wait")
    Waiter.await_running
    @worker.stop
    stream.wait_until("Draining") { stream.draining? }
    later = stream.task("wait")
    Waiter.await_running
    Waiter.let_go(2)
    [late, later].each do |token|
      stream.await_outcome(token)
      stream.ack(token)
    end
    expect(serving).to be_nil
  end

  it "ends at once without tasks, with or without a host" do
    stream_of(Echo)
    @worker.stop
    expect(serving).to be_nil
    start_worker(Echo, host: "unix:#{folder}/nobody.sock")
    Waiting.until("the line") { log.include?("cannot reach") }
    @worker.stop
    expect(serving).to be_nil
  end

  it "ends at once while a host has not answered Hello" do
    start_worker(Echo)
    host.next_stream
    @worker.stop
    expect(serving).to be_nil
  end

  it "reconnects with what it holds when it is cut meanwhile, and says Draining first" do
    first = stream_of(Waiter)
    token = first.task("wait")
    Waiter.await_running
    @worker.stop
    first.wait_until("Draining") { first.draining? }
    first.cut
    second = host.welcomed_stream(resumed: [[token, true]])
    second.wait_until("Draining") { second.draining? }
    expect(second.frames[1].draining).not_to be_nil
    Waiter.let_go
    second.await_outcome(token)
    second.ack(token)
    expect(serving).to be_nil
    expect(second.credits).to eq(0)
  end

  describe "by signal, in a real process" do
    let(:script) do
      File.join(folder, "slow.rb").tap do |file|
        File.write(file, <<~RUBY)
          require "pyflow"
          class Slow
            include Pyflow::Activity
            activity :slow, version: "1.0"
            def slow(gate)
              puts "running"
              File.open(gate, &:read)
            end
          end
        RUBY
      end
    end
    let(:gate) { File.join(folder, "gate").tap { |file| File.mkfifo(file) } }
    let(:process) { WorkerProcess.new(script, "--host", host.address, "--task-list", "specs") }

    before { process }
    after { process.kill }

    %w[TERM INT].each do |signal|
      it "SIG#{signal}: finishes, waits for the ack, exits 0" do
        stream = host.welcomed_stream
        token = stream.task("slow", input: gate)
        process.wait_for("running")
        process.signal(signal)
        stream.wait_until("Draining") { stream.draining? }
        File.write(gate, "done")
        stream.await_outcome(token)
        stream.ack(token)
        expect(process.exit_code).to eq(0)
      end
    end

    it "a second signal ends at once with 1" do
      stream = host.welcomed_stream
      stream.task("slow", input: gate)
      process.wait_for("running")
      process.signal("TERM")
      stream.wait_until("Draining") { stream.draining? }
      process.signal("TERM")
      expect(process.exit_code).to eq(1)
    end

    it "SIGTERM without tasks: exits 0" do
      host.welcomed_stream
      process.wait_for("connected")
      process.signal("TERM")
      expect(process.exit_code).to eq(0)
    end

    it "goes on when its reader and its host are gone" do
      stream = host.welcomed_stream
      process.close_output
      stream.cut
      again = host.welcomed_stream
      again.cut
      host.welcomed_stream
      process.signal("TERM")
      expect(process.exit_code).to eq(0)
    end
  end
end
