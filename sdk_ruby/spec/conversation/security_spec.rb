# frozen_string_literal: true

# Bearer tokens and TLS.

require "spec_helper"

RSpec.describe "Security", :host do
  it "sends the token of the file as it is at each connect, and never logs it" do
    file = File.join(folder, "token")
    File.write(file, "first-secret\n")
    start_worker(Echo, token_file: file)
    stream = host.welcomed_stream
    expect(stream.hello.auth_token).to eq("first-secret")
    File.write(file, "second-secret")
    stream.cut
    again = host.welcomed_stream
    expect(again.hello.auth_token).to eq("second-secret")
    File.delete(file)
    again.cut
    Waiting.until("the reason") { log.include?("cannot read the token file") }
    File.write(file, "third-secret")
    expect(host.welcomed_stream.hello.auth_token).to eq("third-secret")
    expect(log).not_to include("secret")
  end

  describe "TLS" do
    let(:certificates) { Certificates.new(folder) }
    let(:host) { ScriptedHost.new("localhost:0", credentials: certificates.server_credentials) }
    let(:own) { { tls_cert: certificates.path("worker.pem"), tls_key: certificates.path("worker.key") } }

    it "connects with an authority and a certificate of its own" do
      start_worker(Echo, tls_ca: certificates.path("ca.pem"), **own)
      expect(host.welcomed_stream.perform("echo", input: 1).completed.result.data).to eq("1")
    end

    it "does not connect to a host of another authority" do
      expect(host.address).to match(/localhost:\d+/)
      start_worker(Echo, give_up_after: 0.3, **own)
      expect { serving }.to raise_error(Pyflow::HostUnreachable)
      expect(host.streams_waiting).to eq(0)
    end

    it "does not connect without the certificate that the host asks for" do
      start_worker(Echo, tls_ca: certificates.path("ca.pem"), give_up_after: 0.3)
      expect { serving }.to raise_error(Pyflow::HostUnreachable)
    end
  end
end
