"""Compares what arrived with what a case expects, field by field, and says each difference in words.

An expectation of a message is a mapping: only the fields named in it are looked at, `null` means "not set". A value is
expected as it is, or by one or more of the tests below. A Payload is expected by `json` (the value, integers and floats
apart, whatever the spelling), `bytes` (the exact text), `length` (UTF-16 units of the text) or `content_type`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from pyflow_conformance.errors import BadCase

SHOWN_CHARS_MAX = 300

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": lambda wanted, value: bool(value == wanted),
    "contains": lambda wanted, value: all(
        str(part) in value for part in ([wanted] if isinstance(wanted, str) else wanted)
    ),
    "lacks": lambda wanted, value: all(
        str(part) not in value for part in ([wanted] if isinstance(wanted, str) else wanted)
    ),
    "matches": lambda wanted, value: re.search(wanted, value, re.DOTALL) is not None,
    "one_of": lambda wanted, value: value in wanted,
    "at_least": lambda wanted, value: value is not None and value >= wanted,
    "at_most": lambda wanted, value: value is not None and value <= wanted,
    "not_empty": lambda wanted, value: bool(value) is bool(wanted),
    "length_at_most": lambda wanted, value: len(value) <= wanted,
    "length_at_least": lambda wanted, value: len(value) >= wanted,
}
PAYLOAD_TESTS = ("json", "bytes", "length", "content_type")


def value_differences(expected: object, actual: object, where: str) -> list[str]:
    """How a plain value differs from what is expected; empty when it does not."""
    if isinstance(expected, Mapping) and expected and set(expected) <= set(_TESTS):
        return [
            f"{where} should {name.replace('_', ' ')} {shown(wanted)} but is {shown(actual)}"
            for name, wanted in expected.items()
            if not _TESTS[name](wanted, actual)
        ]
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        found = []
        for name, wanted in expected.items():
            found += value_differences(wanted, actual.get(name), f"{where}.{name}")
        return found
    if isinstance(expected, Sequence) and not isinstance(expected, str) and isinstance(actual, (list, tuple)):
        if len(expected) != len(actual):
            return [f"{where} should have {len(expected)} items but has {len(actual)}: {shown(actual)}"]
        found = []
        for index, (wanted, item) in enumerate(zip(expected, actual, strict=True)):
            found += value_differences(wanted, item, f"{where}[{index}]")
        return found
    if expected == actual and isinstance(expected, bool) == isinstance(actual, bool):
        return []
    return [f"{where} should be {shown(expected)} but is {shown(actual)}"]


def message_differences(expected: object, message: Message, where: str) -> list[str]:
    """How a message differs from what is expected."""
    if message.DESCRIPTOR.full_name == "pyflow_api.v1.Payload":
        return payload_differences(expected, getattr(message, "data"), getattr(message, "content_type"), where)  # noqa: B009
    if message.DESCRIPTOR.full_name == "google.protobuf.Duration":
        seconds = getattr(message, "seconds") + getattr(message, "nanos") / 1e9  # noqa: B009
        return value_differences(expected, seconds, where)
    if not isinstance(expected, Mapping):
        raise BadCase(f"{where} is a message; expect a mapping of its fields, not {expected!r}.")
    found: list[str] = []
    for name, wanted in expected.items():
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            raise BadCase(f"{where}: {message.DESCRIPTOR.name} has no field {name!r}.")
        found += _field_differences(field, wanted, message, f"{where}.{name}")
    return found


def _field_differences(field: Any, wanted: object, message: Message, where: str) -> list[str]:
    value = getattr(message, field.name)
    if field.is_repeated:
        return _repeated_differences(field, wanted, value, where)
    if field.message_type is not None:
        there = message.HasField(field.name)
        if wanted is None:
            return [f"{where} should not be set but is {shown(value)}"] if there else []
        return message_differences(wanted, value, where) if there else [f"{where} should be set but is not"]
    if field.enum_type is not None:
        value = enum_name(field, value)
    return value_differences(wanted, value, where)


def _repeated_differences(field: FieldDescriptor, wanted: object, value: Any, where: str) -> list[str]:
    if field.message_type is None or field.message_type.GetOptions().map_entry:
        return value_differences(wanted, dict(value) if isinstance(value, Mapping) else list(value), where)
    if not isinstance(wanted, Sequence) or len(wanted) != len(value):
        return [f"{where} should have {shown(wanted)} but has {len(value)} items: {shown(list(value))}"]
    found: list[str] = []
    for index, (expected, item) in enumerate(zip(wanted, value, strict=True)):
        found += message_differences(expected, item, f"{where}[{index}]")
    return found


def payload_differences(expected: object, data: bytes, content_type: str, where: str) -> list[str]:
    """How a payload's data and content type differ from what is expected."""
    if not isinstance(expected, Mapping) or not set(expected) <= set(PAYLOAD_TESTS):
        raise BadCase(f"{where} is a payload; expect it by {', '.join(PAYLOAD_TESTS)}, not {expected!r}.")
    wanted_type = expected.get("content_type")
    fits = content_type in ("", "application/json") if wanted_type is None else content_type == wanted_type
    found = [] if fits else [f"{where}.content_type is {content_type!r}"]
    if "bytes" in expected and data != str(expected["bytes"]).encode():
        found.append(f"{where} should be the bytes {shown(str(expected['bytes']).encode())} but is {shown(data)}")
    if "length" in expected:
        length = len(data.decode("utf-8", "replace").encode("utf-16-le")) // 2
        found += value_differences(expected["length"], length, f"{where}: its length")
    if "json" in expected:
        try:
            value = json.loads(data)
        except ValueError as error:
            return [*found, f"{where} should be JSON but is {shown(data)}: {error}"]
        if not same_json(expected["json"], value):
            found.append(f"{where} should be {shown(expected['json'])} but is {shown(data)}")
    return found


def same_json(one: object, other: object) -> bool:
    """Whether two JSON values are the same; 1 and 1.0 are not, nor 0.0 and -0.0. Order of members does not count."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return set(one) == set(other) and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same_json(*pair) for pair in zip(one, other, strict=True))
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return one == other


def enum_name(field: FieldDescriptor, number: int) -> str:
    """An enum value without its prefix: REPORTED for ACK_STATUS_REPORTED; the number for an unknown one."""
    kind = field.enum_type
    assert kind is not None
    value = kind.values_by_number.get(number)
    return str(number) if value is None else value.name.removeprefix(enum_prefix(kind.name))


def enum_prefix(name: str) -> str:
    """ACK_STATUS_ for AckStatus."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper() + "_"


def shown(value: object) -> str:
    """A value for people, cut to a length that fits a report."""
    text = repr(value)
    if len(text) <= SHOWN_CHARS_MAX:
        return text
    half = SHOWN_CHARS_MAX // 2
    return f"{text[:half]} ... {text[-half:]} ({len(text)} characters)"
