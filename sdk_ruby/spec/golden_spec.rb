# frozen_string_literal: true

# The golden frames of the contract: decoded, looked at by their JSON form, encoded to the same bytes.

require "pyflow_api/v1/activity_host_services_pb"

RSpec.describe "golden frames" do
  golden = File.expand_path("../../proto/golden/frames.txt", __dir__)
  frames = File.readlines(golden, chomp: true, encoding: "UTF-8").reject { |line| line.start_with?("#") }

  it("are there") { expect(frames.size).to be > 30 }

  frames.each do |line|
    name, message, hex, form = line.split("\t")

    it(name) do
      kind = PyflowApi::V1.const_get(message)
      bytes = [hex].pack("H*")
      decoded = kind.decode(bytes)
      expect(kind.encode(decoded)).to eq(bytes)
      expect(kind.decode_json(form)).to eq(decoded) unless form == "-"
    end
  end
end
