# frozen_string_literal: true

# From an input to arguments: proto/README.md, "Arguments", row by row.

require "spec_helper"

signature = Pyflow.const_get(:Internal)::Signature

RSpec.describe signature do
  def bound(function, *input, spread: true)
    signature = described_class.new(function, spread:)
    positional, keywords = input.empty? ? signature.bind_nothing : signature.bind(input.first)
    function.call(*positional, **keywords)
  end

  nothing = -> { [] }
  one = ->(text) { [text] }
  two = ->(path, sentences = 3) { [path, sentences] }
  keywords = ->(path:, fail_first: false) { [path, fail_first] }
  options = ->(**all) { all }
  mixed = ->(path, size: 1, **all) { [path, size, all] }
  rest = ->(*all) { all }
  gap = ->(first, second = 2, third = 3, fourth) { [first, second, third, fourth] }

  {
    "no input, no parameters" => [nothing, [], []],
    "no input, defaults" => [->(number = 5) { [number] }, [], [5]],
    "names as keys, positional" => [two, [{ "path" => "a", "sentences" => 1 }], ["a", 1]],
    "names as keys, defaults kept" => [two, [{ "path" => "a" }], ["a", 3]],
    "names as keys, keywords" => [keywords, [{ "path" => "a", "fail_first" => true }], ["a", true]],
    "other keys: one value" => [one, [{ "other" => 1 }], [{ "other" => 1 }]],
    "one of the keys is no name: one value" => [two, [{ "path" => 1, "x" => 2 }], [{ "path" => 1, "x" => 2 }, 3]],
    "an empty object: one value" => [one, [{}], [{}]],
    "an array is never spread" => [two, [%w[a b]], [%w[a b], 3]],
    "null is a value" => [one, [nil], [nil]],
    "null without parameters" => [nothing, [nil], []],
    "null with keywords only" => [->(size: 1) { [size] }, [nil], [1]],
    "any keyword takes every object" => [options, [{ "a" => 1, "b c" => 2 }], { a: 1, "b c": 2 }],
    "any keyword beside names" => [mixed, [{ "path" => "p", "x" => 1 }], ["p", 1, { x: 1 }]],
    "any number of positional ones" => [rest, [[1, 2]], [[1, 2]]],
    "defaults in the middle" => [gap, [{ "first" => 1, "fourth" => 4 }], [1, 2, 3, 4]],
    "middle, given from the left" => [gap, [{ "first" => 1, "second" => 0, "fourth" => 4 }], [1, 0, 3, 4]]
  }.each do |rule, (function, input, result)|
    it "#{rule}: #{input} of #{described_class.new(function, spread: true)}" do
      expect(bound(function, *input)).to eq(result)
    end
  end

  it "never spreads when told not to" do
    expect(bound(one, { "text" => 1 }, spread: false)).to eq([{ "text" => 1 }])
  end

  {
    "no value for 'text'; there is no input" => [one, []],
    "no value for 'path'; there is no input" => [keywords, []],
    "it takes no positional argument; the input is one value of class Integer" => [nothing, [5]],
    "it takes no positional argument; the input has the keys nonsense" => [keywords, [{ "nonsense" => 1 }]],
    "no value for 'path'; the input has the keys fail_first" => [keywords, [{ "fail_first" => 1 }]],
    "no value for 'b'; the input has the keys c" => [->(a, b) { [a, b] }, [{ "c" => 1 }]],
    "no value for 'a'; the input has the keys b" => [->(a, b = 1) { [a, b] }, [{ "b" => 1 }]],
    "parameter 'second' has no value but a later one has" => [gap, [{ "first" => 1, "third" => 1, "fourth" => 1 }]]
  }.each do |words, (function, input)|
    it "refuses: #{words}" do
      expect { bound(function, *input) }.to raise_error(described_class::Mismatch, /#{Regexp.escape(words)}/)
    end
  end

  it "shows parameters as Ruby spells them" do
    function = ->(a, b = 1, *c, d:, e: 1, **f, &g) { [a, b, c, d, e, f, g] }
    expect(described_class.new(function, spread: true).to_s).to eq("(a, b = ..., *c, d:, e: ..., **f)")
  end
end
