# frozen_string_literal: true

# The document pipeline's activity in Ruby, run in a test environment as its users would.

require "spec_helper"
require "pyflow/testing"
require_relative "../../../examples/documents/words"

RSpec.describe Words do
  def extract(bytes, attempt: 1, **options)
    Dir.mktmpdir do |folder|
      path = File.join(folder, "text.txt")
      File.binwrite(path, bytes)
      Pyflow::Testing::Environment.new(attempt:).run { described_class.new.extract_words(path:, **options) }
    end
  end

  it "counts words, sentences and characters" do
    counts = extract("Don't stop—well-known ’tis É2. Really?! v1.0 -- é\u00a0the rest")
    expect(counts).to include(words: 11, sentences: 3, characters: 58)
  end

  it "lists the most frequent words, then by name" do
    text = "b B a A c #{("d".."k").to_a.join(" ")}"
    expect(extract(text)[:top_words].first(3).map(&:values)).to eq([["a", 2], ["b", 2], ["c", 1]])
    expect(extract(text)[:top_words].size).to eq(10)
  end

  it "counts nothing in an empty file, and no sentence in a rest without a word" do
    expect(extract("")).to eq({ words: 0, sentences: 0, characters: 0, top_words: [] })
    expect(extract("One. --")[:sentences]).to eq(1)
  end

  it "refuses what is not UTF-8, naming file and byte" do
    expect { extract("ab\u00e9 ".b + "\xFFx".b) }.to raise_error(Pyflow::ActivityFailure) { |error|
      expect([error.type, error.non_retryable?]).to eq(["NotUtf8", true])
      expect(error.message).to match(/text\.txt is not UTF-8: byte 5 cannot be read/)
    }
  end

  it "fails on purpose on the first attempt only" do
    expect { extract("a", fail_first: true) }.to raise_error(Pyflow::ActivityFailure) { |error|
      expect([error.type, error.non_retryable?]).to eq(["FlakyOnPurpose", false])
    }
    expect(extract("a", fail_first: true, attempt: 2)[:words]).to eq(1)
  end
end
