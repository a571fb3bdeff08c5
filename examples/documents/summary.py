"""Key sentences of a text: those whose words are the most frequent in it."""

import re
from collections import Counter

SENTENCE_WORDS_MIN = 6
SENTENCE_CHARS_MAX = 300


def key_sentences(text: str, count: int) -> list[str]:
    """The `count` sentences with the highest mean word frequency, in the order of the text."""
    sentences = [" ".join(part.split()) for part in re.split(r"(?<=[.!?])\s+|\n\s*\n", text)]
    frequency = Counter(word for word in _words(text) if len(word) > 3)
    scored = []
    for position, sentence in enumerate(sentences):
        words = _words(sentence)
        if len(words) >= SENTENCE_WORDS_MIN and len(sentence) <= SENTENCE_CHARS_MAX:
            scored.append((-sum(frequency[word] for word in words) / len(words), position))
    return [sentences[position] for position in sorted(position for _, position in sorted(scored)[:count])]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())
