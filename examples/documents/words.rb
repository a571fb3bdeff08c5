# frozen_string_literal: true

# The pipeline's activity in Ruby: counts the words and sentences of a text file, and its most frequent words.

require "pyflow"

# Counts of one document.
class Words
  include Pyflow::Activity

  WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/
  SENTENCE_END = /[.!?]+(?=[[:space:]]|\z)/
  TOP_WORDS = 10

  activity :extract_words, version: "1.0", start_to_close: 60, heartbeat: 10

  # fail_first: fails the first attempt on purpose, to show a retry by policy.
  def extract_words(path:, fail_first: false)
    fail_on_purpose if fail_first && context.attempt == 1
    text = read(path)
    words = text.scan(WORD)
    { words: words.size, sentences: sentences(text), characters: text.length, top_words: top(words) }
  end

  private

  def fail_on_purpose
    raise Pyflow::ActivityFailure.new(type: "FlakyOnPurpose",
                                      message: "The first attempt fails on purpose; the next will not.")
  end

  def read(path)
    text = File.read(path, encoding: Encoding::UTF_8)
    return text if text.valid_encoding?

    sound = text.each_char.take_while(&:valid_encoding?).sum(&:bytesize)
    raise Pyflow::ActivityFailure.new(type: "NotUtf8", non_retryable: true,
                                      message: "#{path} is not UTF-8: byte #{sound} cannot be read.")
  end

  # A rest after the last end counts if it holds a word.
  def sentences(text)
    rest = text.rpartition(SENTENCE_END).last
    text.scan(SENTENCE_END).size + (rest.match?(WORD) ? 1 : 0)
  end

  def top(words)
    counts = words.map(&:downcase).tally.sort_by { |word, count| [-count, word] }
    counts.first(TOP_WORDS).map { |word, count| { word:, count: } }
  end
end
