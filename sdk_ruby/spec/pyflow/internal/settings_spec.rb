# frozen_string_literal: true

# Options and their environment variables.

require "spec_helper"

settings = Pyflow.const_get(:Internal)::Settings

RSpec.describe settings do
  def settings(given = {}, environment = {}) = described_class.new(given, environment)

  it "takes from the environment what is not given" do
    environment = { "PYFLOW_HOST_ADDRESS" => "unix:/a", "PYFLOW_TASK_LIST" => "t", "PYFLOW_DOMAIN" => "d",
                    "PYFLOW_SLOTS" => "3", "PYFLOW_HOST_TOKEN" => "s" }
    told = settings({}, environment)
    expect([told.access.address, told.task_list, told.domain, told.slots, told.access.token])
      .to eq(["unix:/a", "t", "d", 3, "s"])
    environment["PYFLOW_HOST_TOKEN_FILE"] = "/none"
    given = settings({ slots: 5, host: "unix:/b", token: "mine" }, environment)
    expect([given.slots, given.access.address, given.access.token]).to eq([5, "unix:/b", "mine"])
  end

  it "has defaults" do
    told = settings({ task_list: "t" }, { "PYFLOW_SLOTS" => "" })
    expect([told.slots, told.domain, told.patience.to_s]).to eq([8, "", " for 30 s"])
  end

  it "knows how long to wait for the first host, and for one that was there" do
    { [nil, nil] => [" for 30 s", ""], [nil, "1.5"] => [" for 1.5 s", " for 1.5 s"], ["4", nil] => [" for 4 s", ""],
      %w[4 90] => [" for 4 s", " for 90 s"] }.each do |(start, lost), words|
      patience = settings({}, { "PYFLOW_START_TIMEOUT" => start, "PYFLOW_GIVE_UP_AFTER" => lost }).patience
      expect([patience.to_s, patience.tap(&:answered).to_s]).to eq(words)
    end
  end

  {
    slots: [{ slots: 0 }, { slots: "x" }, { slots: 1.5e9 }],
    patience: [{ start_timeout: -1 }, { give_up_after: 0 },
               { give_up_after: "soon" }, { give_up_after: Float::INFINITY }],
    task_list: [{}, { task_list: "t" * 257 }]
  }.each do |option, bad|
    bad.each do |given|
      it("refuses #{given}") { expect { settings(given).public_send(option) }.to raise_error(Pyflow::UsageError) }
    end
  end

  it "refuses unknown options" do
    expect { settings({ hots: 1 }) }.to raise_error(Pyflow::UsageError, /unknown options hots; known are host, /)
  end

  describe "access" do
    def access(**given) = settings(given).access

    it "is plaintext on a Unix socket and on loopback" do
      ["unix:/a/b", "localhost:1", "127.0.0.1:7233", "127.9.9.9:1", "[::1]:7233"].each do |address|
        expect([access(host: address).loopback?, access(host: address).tls]).to eq([true, nil])
      end
    end

    it "is TLS elsewhere, unless it is told not to" do
      expect(access(host: "host.example:7233").tls).not_to be_nil
      expect(access(host: "10.0.0.1:7233", insecure: true).tls).to be_nil
    end

    it "refuses what is no address" do
      ["", "host", "host:", "unix:", "unix:a/b", "a b:1", "http://x:1", "::1:5"].each do |address|
        expect { access(host: address) }.to raise_error(Pyflow::UsageError, /address/), address
      end
    end

    it "refuses files it cannot read, and a certificate without its key" do
      expect { access(host: "unix:/a", token_file: "/none") }.to raise_error(Pyflow::UsageError, %r{token file /none})
      expect { access(host: "h:1", tls_ca: "/none") }.to raise_error(Pyflow::UsageError, /TLS authority file/)
      expect { access(host: "h:1", tls_cert: __FILE__) }.to raise_error(Pyflow::UsageError, /its key's file/)
    end

    it "reads the token anew each time" do
      Dir.mktmpdir do |folder|
        file = File.join(folder, "token")
        File.write(file, "one\n")
        access = access(host: "unix:/a", token_file: file)
        first = access.token
        File.write(file, "two")
        expect([first, access.token]).to eq(%w[one two])
      end
    end
  end
end
