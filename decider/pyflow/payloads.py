"""Python values to JSON texts and back: dataclasses, enums, datetimes, decimals, pydantic models; codecs; offload.

What goes over the wire stays plain JSON, as pyflow-swf 2.0.0 wrote it, so that workers and tools that poll SWF
themselves go on working. A codec changes the text as it leaves and comes back (compression, encryption); an offload
keeps texts over SWF's 32,768 characters somewhere else and sends a reference.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import gzip
import hashlib
import json
import types
import typing
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import Any, Protocol, Union
from urllib.parse import urlsplit

from pyflow.core.values import PAYLOAD_CHARACTERS_MAX
from pyflow.exceptions import PyflowException

__all__ = [
    "Codec",
    "DirectoryStore",
    "GzipCodec",
    "Offload",
    "OffloadStore",
    "PayloadError",
    "S3Store",
    "chain",
    "from_json",
    "to_json",
]


class PayloadError(PyflowException):
    """A payload cannot be read: not JSON, not the type asked for, or its offloaded text is gone or changed."""


def to_json(value: Any) -> str:
    """A value as JSON text. Raises TypeError for what has no JSON form."""
    kind = type(value)
    if kind is int:
        return str(value)
    if kind is str:
        text: str = encode_basestring_ascii(value)
        return text
    try:
        return _ENCODER.encode(value)
    except TypeError:
        pass  # keys that JSON has no form for, or values: then the next line raises
    return _ENCODER.encode(_with_plain_keys(value))


def from_json(text: str | None, hint: Any = None) -> Any:
    """The value of a JSON text; None for no text. With a type hint, built as that type.

    Raises ValueError if the text is not JSON, PayloadError if it does not fit the hint.
    """
    if text is None:
        return None
    try:
        value, end = _SCAN(text, 0)
    except StopIteration:
        end = -1
    if end != len(text):
        value = json.loads(text)  # white space around it, or not JSON at all: then this raises
    if hint is None or hint is Any:
        return value
    return convert(value, hint)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal | uuid.UUID | Path):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, set | frozenset):
        return _in_order(value)
    if isinstance(value, Mapping):
        return dict(value)
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json", by_alias=True)  # by the names that validation takes
    name = type(value).__name__
    if hasattr(value, "result") and hasattr(value, "done"):
        raise TypeError(f"{name} is not known yet and has no JSON form; call its result() and pass that")
    raise TypeError(f"{name} has no JSON form; pass a dict, a dataclass or a pydantic model")


def _in_order(values: Iterable[Any]) -> list[Any]:
    """A set in the same order each time, also of what has none (enums, dataclasses)."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=to_json)


def _with_plain_keys(value: Any) -> Any:
    """The JSON encoder asks for a plain form of values, but not of the keys of objects."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {_plain_key(name): _with_plain_keys(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_plain_keys(each) for each in value]
    return _with_plain_keys(_plain(value))


def _plain_key(key: Any) -> Any:
    if key is None or isinstance(key, str | int | float):
        return key
    if isinstance(key, enum.Enum | date | time | timedelta | Decimal | uuid.UUID | Path | bytes):
        return _plain(key)
    raise TypeError(f"{type(key).__name__} has no JSON form as the key of an object: a text is needed")


_ENCODER = json.JSONEncoder(default=_plain)
_SCAN: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # not in stubs

_Reader = Callable[[Any], Any]

_READERS: Mapping[Any, _Reader] = {
    datetime: lambda value: datetime.fromisoformat(value.replace("Z", "+00:00")),
    date: date.fromisoformat,
    time: time.fromisoformat,
    timedelta: lambda value: timedelta(seconds=value),
    Decimal: lambda value: Decimal(str(value)),
    uuid.UUID: uuid.UUID,
    Path: Path,
    bytes: base64.b64decode,
    float: lambda value: float(value) if isinstance(value, int | float) else value,
}


def convert(value: Any, hint: Any) -> Any:
    """Plain JSON data as the type of ``hint``. Types with no rule of their own are given as they are."""
    try:
        return _convert(value, hint)
    except PayloadError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:
        raise PayloadError(f"{value!r:.200} does not fit {_name(hint)}: {error}") from error


def _convert(value: Any, hint: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin is not None:
        return _convert_generic(value, hint, origin)
    if hint is None or value is None or hint is Any or not isinstance(hint, type):
        return value
    reader = _READERS.get(hint)
    if reader is not None:
        return reader(value)
    if issubclass(hint, enum.Enum):
        return hint(value)
    if dataclasses.is_dataclass(hint):
        return _build(value, hint)
    validate = getattr(hint, "model_validate_json", None)
    # As JSON: only there does a strict model take a text for a moment or a decimal.
    return validate(_ENCODER.encode(value)) if callable(validate) else value


def _build(value: Any, hint: type[Any]) -> Any:
    if not isinstance(value, Mapping):
        raise PayloadError(f"{value!r:.200} does not fit {_name(hint)}: an object is needed")
    hints = typing.get_type_hints(hint)
    known = {field.name for field in dataclasses.fields(hint) if field.init}
    # Members this build does not know are left out: a newer sender may know more.
    return hint(**{name: _convert(each, hints.get(name)) for name, each in value.items() if name in known})


def _convert_generic(value: Any, hint: Any, origin: Any) -> Any:
    arguments = typing.get_args(hint)
    if origin is Union or origin is types.UnionType:
        return _convert_union(value, arguments)
    if origin is typing.Annotated:
        return _convert(value, arguments[0])
    if value is None or origin is typing.Literal:
        return value
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_convert(each, arguments[0]) for each in value)
        return tuple(_convert(each, each_hint) for each, each_hint in zip(value, arguments, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {_convert_key(name, arguments[0]): _convert(each, arguments[1]) for name, each in value.items()}
    if origin in (set, frozenset):
        return origin(_convert(each, arguments[0]) for each in value)
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return [_convert(each, arguments[0]) for each in value]
    return value


def _convert_key(name: str, hint: Any) -> Any:
    """Keys are texts in JSON, whatever they were."""
    if hint in (int, float, timedelta):
        return _convert((float if hint is timedelta else hint)(name), hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next((member for member in hint if str(member.value) == name), None) or hint(name)
    return _convert(name, hint)


def _convert_union(value: Any, arguments: tuple[Any, ...]) -> Any:
    if value is None and type(None) in arguments:
        return None
    problem: Exception | None = None
    for argument in arguments:
        if argument is type(None):
            continue
        if argument in (str, int, float, bool, dict, list):
            if type(value) is argument:
                return value
            continue
        try:
            return _convert(value, argument)
        except (TypeError, ValueError, KeyError, AttributeError, PayloadError, ArithmeticError) as error:
            problem = error
    if problem is not None:
        raise problem
    return value


def _name(hint: Any) -> str:
    return getattr(hint, "__name__", None) or str(hint)


class Codec(Protocol):
    """Changes payload texts on their way out and back. Must leave alone what it did not make: plain JSON passes."""

    def encode(self, text: str) -> str:
        """The text to send."""

    def decode(self, text: str) -> str:
        """The text that ``encode`` was given; a text that this codec did not make comes back unchanged."""


class GzipCodec:
    """Compresses texts longer than ``minimum`` characters; shorter ones stay readable."""

    PREFIX = "pyflow:gzip:"

    def __init__(self, minimum: int = 1024) -> None:
        self._minimum = minimum

    def encode(self, text: str) -> str:
        """Compressed, if that is shorter."""
        if len(text) < self._minimum:
            return text
        packed = self.PREFIX + base64.b85encode(gzip.compress(text.encode(), mtime=0)).decode()
        return packed if len(packed) < len(text) else text

    def decode(self, text: str) -> str:
        """The original text."""
        if not text.startswith(self.PREFIX):
            return text
        return gzip.decompress(base64.b85decode(text[len(self.PREFIX) :])).decode()


class OffloadStore(Protocol):
    """Keeps texts by name. Names are made from the content: writing one twice writes the same."""

    uri: str

    def write(self, name: str, text: str) -> None:
        """Keep the text."""

    def read(self, name: str) -> str:
        """The text; raises any exception if it is not there."""


class DirectoryStore:
    """A directory that all deciders (and whoever reads the payloads) can see."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)
        self.uri = self._directory.resolve().as_uri()

    def write(self, name: str, text: str) -> None:
        """Whole or not at all, even if two write at once."""
        target = self._directory / name
        if target.exists():
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{name}.{uuid.uuid4().hex}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)

    def read(self, name: str) -> str:
        """The text."""
        return (self._directory / name).read_text(encoding="utf-8")


class S3Store:
    """A prefix in an S3 bucket. ``client`` is a boto3 S3 client."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self.uri = f"s3://{bucket}/{prefix}"

    @classmethod
    def at(cls, uri: str) -> S3Store:
        """The store at s3://BUCKET/PREFIX, with credentials and region found as every AWS tool finds them."""
        import boto3  # slow to import, and only this needs it

        parts = urlsplit(uri)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError(f"{uri!r} is not s3://BUCKET/PREFIX")
        return cls(boto3.client("s3"), parts.netloc, parts.path.lstrip("/"))

    def write(self, name: str, text: str) -> None:
        """One PutObject."""
        self._client.put_object(
            Bucket=self._bucket, Key=self._prefix + name, Body=text.encode(), ContentType="application/json"
        )

    def read(self, name: str) -> str:
        """One GetObject."""
        body: bytes = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read()
        return body.decode()


class Offload:
    """Keeps texts over ``limit`` characters in a store and sends a reference: URI, size, SHA-256 and content type."""

    MARK = "pyflow.offload"

    def __init__(self, store: OffloadStore, limit: int = PAYLOAD_CHARACTERS_MAX) -> None:
        self._store = store
        self._limit = limit

    def encode(self, text: str) -> str:
        """The text itself, or the reference."""
        if len(text) <= self._limit:
            return text
        raw = text.encode()
        digest = hashlib.sha256(raw).hexdigest()
        self._store.write(digest, text)
        return json.dumps(
            {
                self.MARK: 1,
                "uri": f"{self._store.uri.rstrip('/')}/{digest}",
                "size": len(raw),
                "sha256": digest,
                "content_type": "application/json",
            }
        )

    def decode(self, text: str) -> str:
        """The original text. Raises PayloadError if it is gone or is not what was kept."""
        if not text.startswith('{"' + self.MARK + '"'):
            return text
        reference = json.loads(text)
        try:
            kept = self._store.read(reference["sha256"])
        except Exception as error:
            raise PayloadError(f"the offloaded payload {reference['uri']} cannot be read: {error}") from error
        if hashlib.sha256(kept.encode()).hexdigest() != reference["sha256"]:
            raise PayloadError(f"the offloaded payload {reference['uri']} is not what was kept: its SHA-256 differs")
        return kept


def chain(*codecs: Codec) -> tuple[Callable[[str], str], Callable[[str], str]]:
    """Several codecs as the pair (encode, decode) that ExecutionSettings takes; encoding goes left to right."""

    def encode(text: str) -> str:
        for codec in codecs:
            text = codec.encode(text)
        return text

    def decode(text: str) -> str:
        for codec in reversed(codecs):
            text = codec.decode(text)
        return text

    return encode, decode
