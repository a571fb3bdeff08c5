"""The rule of proto/README.md, "Arguments", row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyflow_activity.arguments import ABSENT, Signature
from pyflow_activity.errors import BadArguments


def two(a: Any, b: Any = "default") -> Any: ...
def none() -> Any: ...
def one(document: Any) -> Any: ...
def keyword_only(*, path: Any) -> Any: ...
def any_keyword(**options: Any) -> Any: ...
def any_positional(*values: Any) -> Any: ...
def positional_only(document: Any, /) -> Any: ...
def needs_two(a: Any, b: Any) -> Any: ...
def optional(a: Any = 1, b: Any = 2) -> Any: ...


@pytest.mark.parametrize(
    ("function", "value", "arguments", "keywords"),
    [
        (none, ABSENT, (), {}),
        (optional, ABSENT, (), {}),
        (two, {"a": 1}, (), {"a": 1}),
        (two, {"a": 1, "b": 2}, (), {"a": 1, "b": 2}),
        (two, {"a": 1, "other": 2}, ({"a": 1, "other": 2},), {}),
        (two, {}, ({},), {}),
        (two, [1, 2], ([1, 2],), {}),
        (two, None, (None,), {}),
        (two, "text", ("text",), {}),
        (one, {"document": 1}, (), {"document": 1}),
        (one, {"name": 1}, ({"name": 1},), {}),
        (none, None, (), {}),
        (keyword_only, {"path": 1}, (), {"path": 1}),
        (any_keyword, {"x": 1}, (), {"x": 1}),
        (any_keyword, ABSENT, (), {}),
        (any_positional, [1], ([1],), {}),
        (positional_only, {"document": 1}, ({"document": 1},), {}),
        (optional, {"b": 5}, (), {"b": 5}),
    ],
)
def test_fits(function: Callable[..., Any], value: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    assert Signature(function, "it", spread=True).bind(value) == (arguments, keywords)


@pytest.mark.parametrize(
    ("function", "value", "says"),
    [
        (one, ABSENT, "document is missing"),
        (needs_two, {"a": 1}, "b is missing"),
        (needs_two, {"a": 1, "c": 2}, "the keys a, c"),
        (needs_two, 5, "one value of type int"),
        (none, 5, "no parameters"),
        (none, {"a": 1}, "the keys a"),
        (keyword_only, 5, "path"),
        (keyword_only, None, "path is missing"),
        (any_keyword, 5, "options"),
    ],
)
def test_does_not_fit(function: Callable[..., Any], value: Any, says: str) -> None:
    with pytest.raises(BadArguments) as caught:
        Signature(function, "the name", spread=True).bind(value)
    assert caught.value.type == "pyflow.BadArguments"
    assert caught.value.non_retryable
    assert "the name" in caught.value.message
    assert says in caught.value.message


def test_without_spreading_the_value_is_the_argument() -> None:
    assert Signature(one, "it", spread=False).bind({"document": 1}) == (({"document": 1},), {})


def test_bound_methods_have_no_self() -> None:
    class Words:
        def count(self, text: str) -> int:
            return len(text)

    assert Signature(Words().count, "count", spread=True).bind({"text": "x"}) == ((), {"text": "x"})
