"""Texts of cases: parts repeated, names of the case filled in.

A Text is a string, or a list of strings and `{repeat: "[", times: 500}`. In each string `$dir` stands for the case's
directory, `$language` for the language under test, `$token(a)` for the token of task `a` in base64url, `$token64(a)`
for it in base64, as the JSON form of messages has it. A value that is as a whole `$json64({...})` is that text in
base64, `$zeros(N)` N bytes of 0 in base64, and `$bytes(a)` the token itself. `$content(PATH)` is the text of a file.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A string several times."""

    repeat: str
    times: int


Text: TypeAlias = str | list[str | Repeated]

_TOKEN = re.compile(r"\$token\((\w+)\)")
_TOKEN_64 = re.compile(r"\$token64\((\w+)\)")
_TEXT_64 = re.compile(r"\$json64\((.*)\)$", re.DOTALL)
_ZEROS = re.compile(r"\$zeros\((\d+)\)$")
_CONTENT = re.compile(r"\$content\(([^()]+)\)")
_BYTES = re.compile(r"\$bytes\((\w+)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a case's texts may name."""

    case: str
    directory: str
    language: str
    more: Mapping[str, str]

    def token(self, task: str) -> bytes:
        """The token a scripted host gives the case's task: the same for every language, so bytes can be compared."""
        return f"{self.case}#{task}".encode()

    def text(self, text: Text) -> str:
        """The text with repeats and names filled in."""
        parts = [text] if isinstance(text, str) else text
        return "".join(self._filled(part) if isinstance(part, str) else part.repeat * part.times for part in parts)

    def value(self, value: object) -> object:
        """An expectation with names filled in, all the way down."""
        if isinstance(value, str):
            token = _BYTES.match(value)
            return self._filled(value) if token is None else self.token(token[1])
        if isinstance(value, Mapping):
            return {self._filled(str(key)): self.value(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def members(self, members: Mapping[str, object]) -> dict[str, Any]:
        """A message's JSON form with names filled in."""
        return {name: self.value(member) for name, member in members.items()}

    def _filled(self, text: str) -> str:
        if "$" not in text:
            return text
        text = text.replace("$dir", self.directory).replace("$language", self.language)
        for name, value in self.more.items():
            text = text.replace(f"${name}", value)
        text = _CONTENT.sub(lambda match: Path(match[1]).read_text("utf-8"), text)
        text = _TOKEN.sub(lambda match: urlsafe(self.token(match[1])), text)
        text = _TOKEN_64.sub(lambda match: base64.b64encode(self.token(match[1])).decode(), text)
        text = _ZEROS.sub(lambda match: base64.b64encode(bytes(int(match[1]))).decode(), text)
        return _TEXT_64.sub(lambda match: base64.b64encode(match[1].encode()).decode(), text)


def urlsafe(token: bytes) -> str:
    """A token as text: base64url without padding."""
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()
