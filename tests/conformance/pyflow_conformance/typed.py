"""Turns mappings of a YAML file into dataclasses, refusing whatever the dataclass does not know."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from pyflow_conformance.errors import BadCase

_T = TypeVar("_T")
_HINTS: dict[type[Any], dict[str, Any]] = {}
"""Looking up hints is slow, and thousands of steps have few types."""


def built(kind: type[_T], value: object, where: str) -> _T:
    """A `kind` (a dataclass) from `value`, a mapping with its fields. Raises BadCase, naming the place."""
    if not isinstance(value, Mapping):
        raise BadCase(f"{where}: a mapping with the members of {kind.__name__} is needed, not {value!r}.")
    hints = _hints(kind)
    unknown = [str(name) for name in value if name not in hints]
    if unknown:
        raise BadCase(f"{where}: {', '.join(unknown)} is not known here; known are {', '.join(hints)}.")
    members = {name: checked(hints[name], member, f"{where}.{name}") for name, member in value.items()}
    try:
        return kind(**members)
    except TypeError as error:
        raise BadCase(f"{where}: {error}.") from error


def checked(hint: Any, value: object, where: str) -> object:
    """`value` as the type `hint` wants it. Raises BadCase."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is object:
        return value
    if origin in (typing.Union, types.UnionType):
        return _of_union(arguments, value, where)
    if origin is typing.Literal:
        if value in arguments:
            return value
        raise BadCase(f"{where} is {value!r}; {', '.join(map(str, arguments))} are possible.")
    if origin is list:
        if not isinstance(value, list):
            raise BadCase(f"{where} must be a list, not {value!r}.")
        return [checked(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value)]
    if origin is dict:
        if not isinstance(value, Mapping):
            raise BadCase(f"{where} must be a mapping, not {value!r}.")
        return {key: checked(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return value if isinstance(value, hint) else built(hint, value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    raise BadCase(f"{where} must be {hint.__name__}, not {value!r}.")


def _of_union(kinds: tuple[Any, ...], value: object, where: str) -> object:
    if value is None and type(None) in kinds:
        return None
    complaints = []
    for kind in kinds:
        if kind is not type(None):
            try:
                return checked(kind, value, where)
            except BadCase as complaint:
                complaints.append(str(complaint))
    raise BadCase(" / ".join(complaints))


def _hints(kind: type[Any]) -> dict[str, Any]:
    if kind in _HINTS:
        return _HINTS[kind]
    names = [field.name for field in dataclasses.fields(kind)]
    hints = typing.get_type_hints(kind)
    return _HINTS.setdefault(kind, {name: hints[name] for name in names})
