"""Values as JSON payloads, by the rules of proto/README.md, "JSON"."""

from __future__ import annotations

import dataclasses
import json
import math

from pyflow_api.v1 import payload_pb2

from pyflow_activity.errors import BadInput, BadResult

JSON_TYPES = ("", "application/json")


def decoded(payload: payload_pb2.Payload) -> object:
    """The value of a payload; raises BadInput."""
    if payload.content_type not in JSON_TYPES:
        raise BadInput(f"The payload has the content type {payload.content_type!r}; this worker reads JSON.")
    try:
        value: object = _decoder.decode(payload.data.decode())
    except UnicodeDecodeError as error:
        raise BadInput(f"The payload is not UTF-8: byte {error.start} cannot be read.") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"The payload is not JSON: {error}.") from None
    return value


def encoded(value: object) -> bytes:
    """The JSON text of `value` in UTF-8; raises BadResult, naming the place."""
    try:
        return _encoder.encode(value).encode()
    except (TypeError, ValueError, RecursionError, UnicodeEncodeError) as error:
        raise BadResult(f"The value has no JSON form: {_where_and_why(value, '$', 0) or error}.") from None


def json_length(data: bytes) -> int:
    """Characters of a JSON text as SWF counts them: UTF-16 units."""
    return len(data) if data.isascii() else len(data.decode().encode("utf-16-le")) // 2


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"a value of type {type(value).__name__} cannot be written")


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} does not exist in JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
_encoder = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain)

_DEPTH_SEARCHED = 100


def _where_and_why(value: object, place: str, depth: int) -> str | None:
    """The first place that JSON cannot say, in words; None when nothing was found."""
    if depth > _DEPTH_SEARCHED:
        return f"{place} is nested too deeply or contains itself"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{place} is {value}"
    if isinstance(value, str):
        return None if _is_unicode(value) else f"{place} holds half a surrogate pair, which is no Unicode text"
    if value is None or isinstance(value, (bool, int, float)):
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, (str, int, float, bool, type(None))):
                return f"{place} has a key of type {type(key).__name__}"
            if found := _where_and_why(key, f"{place} key", depth) or _where_and_why(
                inner, f"{place}.{key}", depth + 1
            ):
                return found
        return None
    if isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            if found := _where_and_why(inner, f"{place}[{position}]", depth + 1):
                return found
        return None
    return f"{place} is of type {type(value).__name__}"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
