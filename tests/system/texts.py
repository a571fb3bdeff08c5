"""An independent reading of text files, to hold the pipeline's counts and duplicates against.

Written from the rules in examples/documents/README.md, with other means than the workers use: characters are walked
one by one instead of matched, fingerprints are compared set by set.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from pathlib import Path

INNER = {"'", "\u2019", "-"}  # apostrophe, right single quotation mark, hyphen


def words(text: str) -> list[str]:
    """Runs of letters and digits; an apostrophe or hyphen between two of them belongs to the word."""
    found: list[str] = []
    word = ""
    for position, char in enumerate(text):
        following = text[position + 1] if position + 1 < len(text) else " "
        if _is_letter_or_digit(char) or (word and char in INNER and _is_letter_or_digit(following)):
            word += char
        elif word:
            found.append(word)
            word = ""
    return [*found, word] if word else found


def sentences(text: str) -> int:
    """Groups of . ! ? before white space or the end; a rest that holds a word counts too."""
    count = 0
    rest = ""
    for position, char in enumerate(text):
        following = text[position + 1] if position + 1 < len(text) else " "
        if char in ".!?" and following.isspace():
            count += 1
            rest = ""
        else:
            rest += char
    return count + (1 if words(rest) else 0)


def top_words(text: str, count: int) -> list[tuple[str, int]]:
    frequency = Counter(word.lower() for word in words(text))
    return sorted(frequency.items(), key=lambda pair: (-pair[1], pair[0]))[:count]


def shingles(text: str) -> set[str]:
    """Five neighbouring plain words (letters and digits only) in lower case; a shorter text is one shingle."""
    plain: list[str] = []
    word = ""
    for char in [*text.lower(), " "]:
        if _is_letter_or_digit(char):
            word += char
        elif word:
            plain.append(word)
            word = ""
    if len(plain) < 5:
        return {" ".join(plain)}
    return {" ".join(plain[start : start + 5]) for start in range(len(plain) - 4)}


def similarity(first: set[str], second: set[str]) -> float:
    """Jaccard: the exact value that equal MinHash places estimate."""
    return len(first & second) / len(first | second)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_letter_or_digit(char: str) -> bool:
    return unicodedata.category(char)[0] in "LN"
