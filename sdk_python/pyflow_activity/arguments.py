"""From an input value to the arguments of a function, by the rule of proto/README.md, "Arguments"."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Mapping
from typing import Any

from pyflow_activity.errors import BadArguments

ABSENT: Any = object()
"""The workflow gave no input."""

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Signature:
    """What a function takes, looked up once."""

    def __init__(self, function: Callable[..., object], name: str, *, spread: bool) -> None:
        parameters = inspect.signature(function).parameters.values()
        self._name = name
        self._spread = spread
        self._names = frozenset(p.name for p in parameters if p.kind in _BY_NAME)
        self._any_keyword = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
        self._positional = [p.name for p in parameters if p.kind in _BY_POSITION]
        self._any_positional = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
        required = [p.name for p in parameters if p.default is p.empty and p.kind in (*_BY_NAME, *_BY_POSITION)]
        self._required = required
        takes_one = bool(self._positional) or self._any_positional
        self._fits_one = takes_one and not set(required) - set(self._positional[:1])
        self._shown = ", ".join(str(p) for p in parameters) or "no parameters"

    def bind(self, value: object) -> tuple[tuple[object, ...], Mapping[str, Any]]:
        """Positional and keyword arguments for `value` (or ABSENT); raises BadArguments."""
        if value is ABSENT:
            self._need((), lambda: "the workflow gave no input")
            return (), {}
        if self._spreads(value):
            assert isinstance(value, dict)
            self._need(value, lambda: f"the input has {_listed(value)}")
            return (), value
        if value is None and not self._positional and not self._any_positional:
            self._need((), lambda: "the input is null")
            return (), {}
        if not self._fits_one:
            given = _listed(value) if isinstance(value, dict) else f"one value of type {type(value).__name__}"
            raise BadArguments(f"{self._name} takes ({self._shown}); the input has {given}, which does not fit.")
        return (value,), {}

    def _spreads(self, value: object) -> bool:
        if not self._spread or not isinstance(value, dict) or not value:
            return False
        return self._any_keyword or self._names.issuperset(value)

    def _need(self, given: Container[str], what: Callable[[], str]) -> None:
        missing = [name for name in self._required if name not in given]
        if missing:
            raise BadArguments(f"{self._name} takes ({self._shown}); {what()}, so {', '.join(missing)} is missing.")


def _listed(value: Mapping[str, object]) -> str:
    keys = [str(key) for key in value][:20]
    return f"the keys {', '.join(keys)}" if keys else "no keys"
