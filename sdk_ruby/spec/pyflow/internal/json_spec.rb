# frozen_string_literal: true

# What the conversation specs do not already show of JSON.

require "spec_helper"

json = Pyflow.const_get(:Internal)::Json

RSpec.describe json do
  it "refuses a value that contains itself" do
    endless = []
    endless << endless
    expect { described_class.write(endless) }.to raise_error(described_class::Unfit, /nested more than 2000 deep/)
  end

  it "writes as deep as it reads, and no deeper" do
    deep = (1...2_000).reduce([]) { |inner, _| [inner] }
    expect(described_class.read(described_class.payload(described_class.write(deep)))).to eq(deep)
    expect { described_class.write([deep]) }.to raise_error(described_class::Unfit)
  end

  it "refuses keys without a JSON form, and half surrogates" do
    expect { described_class.write({ [1] => 2 }) }.to raise_error(described_class::Unfit, /key of class Array/)
    bad_key = { "a" => { "\xFF" => 1 } }
    expect { described_class.write(bad_key) }.to raise_error(described_class::Unfit, /value.a has a key/)
    expect { described_class.write(["\xED\xA0\x80"]) }.to raise_error(described_class::Unfit, /value\[0\]/)
  end

  it "does not call to_json, to_s or to_h of what it does not know" do
    spoilt = Struct.new(:a).new(1)
    def spoilt.to_json(*) = "1"
    expect { described_class.write([spoilt]) }.to raise_error(described_class::Unfit)
  end

  it "reads integers exactly and keeps floats" do
    text = "[9007199254740993,-9223372036854775808,1.7976931348623157e308,5e-324]"
    expect(described_class.read(described_class.payload(text))).to eq(JSON.parse(text))
  end

  it "counts UTF-16 units" do
    expect([described_class.characters("aé😀"), described_class.characters("abc")]).to eq([4, 3])
  end
end
