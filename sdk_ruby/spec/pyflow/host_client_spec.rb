# frozen_string_literal: true

# Completing a task from outside its worker.

require "spec_helper"

RSpec.describe Pyflow::HostClient, :host do
  let(:client) { described_class.new(host: host.address, token: "s3cret") }
  let(:token) { "any+/bytes\xFF\xFE".b }
  let(:text) { Pyflow::Context.new(PyflowApi::V1::Task.new(task_token: token)).complete_later }

  after { client.close }

  it "sends results, failures and cancels with the bearer token" do
    expect(client.complete(text, { ok: 1 })).to eq(:REPORTED)
    client.fail(text, Pyflow::ActivityFailure.new(type: "No", message: "never", non_retryable: true))
    client.cancel(text, { at: 1 })
    client.cancel(text)
    sent = Array.new(4) { host.unary.pop }
    expect(sent.map { |request, _| request.outcome.task_token }.uniq).to eq([token])
    expect(sent.map { |_, metadata| metadata["authorization"] }.uniq).to eq(["Bearer s3cret"])
    outcomes = sent.map { |request, _| request.outcome }
    expect(outcomes[0].completed.result.data).to eq('{"ok":1}')
    expect(outcomes[1].failed.to_h).to include(type: "No", message: "never", non_retryable: true,
                                               source_language: "ruby")
    expect(outcomes[2].canceled.details.data).to eq('{"at":1}')
    expect(outcomes[3].canceled.details).to be_nil
  end

  it "sends progress and tells whether to stop" do
    expect(client.progress(text, 5)).to be(true)
    expect(host.unary.pop.first.progress.details.data).to eq("5")
    client.progress(text)
    expect(host.unary.pop.first.progress.details).to be_nil
  end

  it "refuses what cannot be sent" do
    expect { client.complete("not base64!", 1) }.to raise_error(Pyflow::UsageError, /no task token/)
    expect { client.complete(text, Float::NAN) }.to raise_error(Pyflow::UsageError, /no JSON form/)
  end
end
