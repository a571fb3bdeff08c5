# frozen_string_literal: true

# Results, failures and what else can become of a task.

require "spec_helper"

RSpec.describe "Outcomes", :host do
  def data_of(outcome)
    expect(outcome.result).to eq(:completed), outcome.inspect
    outcome.completed.result.data.dup.force_encoding("UTF-8")
  end

  describe "results" do
    it "gives back the same bytes for every kind of value" do
      stream = stream_of(Echo)
      ["null", "true", "0", "-0.0", "1.5", '""', '"é😀/\\u0000\\"\\\\"', "[]", "{}", "9223372036854775807",
       "-9223372036854775808", "18446744073709551616", '{"b":1,"a":{"":[]}}'].each do |json|
        expect(data_of(stream.perform("echo", json:))).to eq(json)
      end
    end

    it "carries values as deep as the limit, and refuses deeper input" do
      stream = stream_of(Echo)
      deep = "#{"[" * 2_000}#{"]" * 2_000}"
      expect(data_of(stream.perform("echo", json: deep))).to eq(deep)
      failed = stream.perform("echo", json: "[#{deep}]").failed
      expect(failed.to_h).to include(type: "pyflow.BadInput", non_retryable: true)
    end

    it "accepts 32,768 UTF-16 units and refuses one more, in the worker" do
      stream = stream_of(Echo)
      expect(data_of(stream.perform("echo", input: "😀" * 16_383)).length).to eq(16_385)
      failed = stream.perform("echo", input: "#{"😀" * 16_383}x").failed
      expect(failed.to_h).to include(type: "pyflow.ResultTooLarge", non_retryable: true,
                                     message: a_string_including("32769 characters", "at most 32768"))
    end

    it "refuses more bytes than the host's payload limit" do
      stream = stream_of(Echo, limits: { payload_bytes_max: 10 })
      expect(stream.perform("echo", input: "é" * 5).failed.type).to eq("pyflow.ResultTooLarge")
    end

    it "writes symbols as text, and bytes that are UTF-8" do
      stream = stream_of(Failing)
      expect(data_of(stream.perform("give_back", input: "symbols"))).to eq('{"a":"b","1":null}')
      expect(data_of(stream.perform("give_back", input: "latin"))).to eq('"é"')
      expect(data_of(stream.perform("give_back", input: "delete"))).to eq("\"\x7f\\\\u007F\"")
    end

    { "nan" => "the value itself is NaN", "infinity" => "value.a[0] is Infinity", "object" => "is a Object",
      "bytes" => "value[0] is text that is not UTF-8", "twins" => "two keys spelled alike" }.each do |key, words|
      it "refuses a result that has no JSON form (#{key}), naming the place" do
        failed = stream_of(Failing).perform("give_back", input: key).failed
        expect(failed.to_h).to include(type: "pyflow.BadResult", non_retryable: true,
                                       message: a_string_including(words))
      end
    end
  end

  describe "failures" do
    it "tells class, message, stack and causes" do
      failed = stream_of(Failing).perform("chain").failed
      expect(failed.to_h).to include(type: "Refused", message: "no: é", non_retryable: false, source_language: "ruby",
                                     details: nil, next_retry_delay: nil)
      expect(failed.stack_trace).to match(/\A.*activities\.rb:\d+:in `.*chain': no: é \(Failing::Refused\)/)
      expect(failed.stack_trace).not_to include("lib/pyflow/internal")
      expect(failed.cause.type).to eq("KeyError")
      innermost = failed.cause.cause
      expect(innermost.to_h).to include(type: "ArgumentError", message: 'invalid value for Integer(): "x"', cause: nil)
    end

    it "cuts the chain where the host's limit is" do
      failed = stream_of(Failing, limits: { cause_depth_max: 1 }).perform("chain").failed
      expect([failed.cause.type, failed.cause.cause]).to eq(["KeyError", nil])
    end

    it "tells what the author chose" do
      failed = stream_of(Failing).perform("chosen").failed
      expect(failed.to_h).to include(type: "CardExpired", message: "expired", non_retryable: true,
                                     next_retry_delay: { seconds: 2, nanos: 500_000_000 })
      expect(failed.details.data).to eq('{"card":12}')
    end

    it "names a system error by its class" do
      expect(stream_of(Failing).perform("missing_file").failed.type).to eq("ENOENT")
    end

    it "survives what an activity should not do" do
      stream = stream_of(Failing, slots: 1)
      types = %w[exit_process kill_thread overflow_stack bad_bytes].map { |name| stream.perform(name).failed.type }
      expect(types).to eq(%w[SystemExit ThreadKilled SystemStackError RuntimeError])
      expect(stream.perform("chain").failed.type).to eq("Refused")
    end

    it "refuses an activity it does not serve, retryably" do
      failed = stream_of(Echo).perform("echo", activity_version: "9").failed
      expect(failed.to_h).to include(type: "pyflow.UnknownActivity", non_retryable: false,
                                     message: a_string_including("echo 9", "echo 1.0, describe_task 2.0"))
    end

    it "refuses input that is no JSON, no UTF-8, or of another content type" do
      stream = stream_of(Echo)
      ["", "{", "[NaN]", "\"\xFF\"", '["\ud800"]'].each do |json|
        expect(stream.perform("echo", json:).failed.to_h).to include(type: "pyflow.BadInput", non_retryable: true)
      end
      token = stream.task("echo", token: "odd", json: "1")
      stream.await_outcome(token)
    end

    it "names an unknown content type" do
      stream = stream_of(Echo)
      stream.wait_until("credits") { stream.credits == 4 }
      odd = PyflowApi::V1::Payload.new(data: "x", content_type: "text/plain")
      stream.say(tasks: [PyflowApi::V1::Task.new(task_token: "t", activity_name: "echo", activity_version: "1.0",
                                                 input: odd)])
      expect(stream.await_outcome("t").failed.to_h).to include(type: "pyflow.BadInput",
                                                               message: a_string_including("text/plain"))
    end

    it "names parameters and keys when the input does not fit" do
      failed = stream_of(Echo).perform("echo").failed
      expect(failed.to_h).to include(type: "pyflow.BadArguments", non_retryable: true,
                                     message: "activity echo 1.0(value): no value for 'value'; there is no input")
    end
  end

  describe "completing later" do
    it "frees the slot and gives the token away" do
      stream = stream_of(Later)
      token = stream.task("later")
      expect(stream.await_outcome(token).result).to eq(:will_complete_later)
      stream.wait_until("the credit") { stream.credits == 4 }
    end

    it "fails all the same if the method raises" do
      expect(stream_of(Later).perform("later_but_fails").failed.message).to eq("after all not")
    end
  end

  describe "acks" do
    it "says what the host did not take, once it is known" do
      stream = stream_of(Echo)
      token = stream.task("echo", input: 1)
      stream.await_outcome(token)
      stream.ack(token, status: :ACK_STATUS_GONE, message: "timed out")
      stream.ack(token, status: :ACK_STATUS_DUPLICATE)
      stream.ping(1)
      stream.wait_until("Status") { stream.statuses.any? }
      expect(log).to match(/outcome of echo .* of workflow .*: ACK_STATUS_GONE timed out/)
      expect(stream.statuses.last.held).to be_empty
    end

    it "splits outcomes over frames below the host's limit" do
      stream = stream_of(Echo, limits: { frame_bytes_max: 40_000 })
      tokens = Array.new(4) { stream.task("echo", input: "x" * 20_000) }
      tokens.each { |token| stream.await_outcome(token) }
      sizes = stream.frames.map { |frame| PyflowApi::V1::WorkerFrame.encode(frame).bytesize }
      expect(sizes.max).to be < 40_000
    end
  end
end
