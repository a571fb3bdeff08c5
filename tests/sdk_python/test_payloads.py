"""Values as JSON payloads and back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyflow_activity.errors import BadInput, BadResult
from pyflow_activity.payloads import decoded, encoded, json_length
from pyflow_api.v1 import payload_pb2

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@dataclasses.dataclass
class Point:
    x: int
    inner: Any = None


def back(data: bytes, content_type: str = "") -> object:
    return decoded(payload_pb2.Payload(data=data, content_type=content_type))


@given(JSON)
def test_whatever_json_can_say_comes_back(value: object) -> None:
    assert back(encoded(value)) == value


@given(st.text())
def test_length_counts_utf16_units(text: str) -> None:
    data = encoded(text)
    assert json_length(data) == len(data.decode().encode("utf-16-le")) // 2


def test_spelling() -> None:
    assert encoded({"b": [1, 2.5, None], "ü/": "😀"}) == '{"b":[1,2.5,null],"ü/":"😀"}'.encode()
    assert encoded(Point(1, Point(2))) == b'{"x":1,"inner":{"x":2,"inner":null}}'
    assert encoded((1, 2)) == b"[1,2]"


def test_big_integers_are_exact() -> None:
    assert back(b"123456789012345678901234567890") == 123456789012345678901234567890


@pytest.mark.parametrize(
    ("data", "content_type", "says"),
    [
        (b"", "", "not JSON"),
        (b"{", "", "not JSON"),
        (b"NaN", "", "NaN"),
        (b"[-Infinity]", "", "-Infinity"),
        (b"\xff", "", "byte 0"),
        (b"1", "text/plain", "text/plain"),
        (b"[" * 200_000, "", "not JSON"),
    ],
)
def test_input_that_cannot_be_read(data: bytes, content_type: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        back(data, content_type)
    assert (caught.value.type, caught.value.non_retryable) == ("pyflow.BadInput", True)


def test_application_json_is_read() -> None:
    assert back(b"1", "application/json") == 1


def deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


def round_and_round() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (float("nan"), r"\$ is nan"),
        ({"a": [0, float("inf")]}, r"\$\.a\[1\] is inf"),
        ({"a": {1, 2}}, r"\$\.a is of type set"),
        ({("t",): 1}, r"\$ has a key of type tuple"),
        (b"bytes", r"\$ is of type bytes"),
        ("\ud800", "surrogate"),
        ({"\udc00": 1}, "surrogate"),
        (Point(object()), r"\$\.x is of type object"),  # type: ignore[arg-type]
        (deep(), "nested too deeply"),
        (round_and_round(), "contains itself"),
    ],
)
def test_result_without_json_form(value: object, says: str) -> None:
    with pytest.raises(BadResult, match=says) as caught:
        encoded(value)
    assert (caught.value.type, caught.value.non_retryable) == ("pyflow.BadResult", True)


def test_output_is_plain_json() -> None:
    assert json.loads(encoded({"a": True})) == {"a": True}
