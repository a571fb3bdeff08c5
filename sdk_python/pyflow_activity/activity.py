"""The decorator that makes a function an activity, and how a worker finds them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar, overload

from google.protobuf import duration_pb2
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_activity.arguments import Signature
from pyflow_activity.errors import BadUsage

HEARTBEAT_DEFAULT_S = 30.0
"""The host heartbeats by itself, so this costs nothing, and a task whose host was killed is tried again soon."""
VERSION_DEFAULT = "1.0"
NAME_CHARS_MAX = 256
VERSION_CHARS_MAX = 64
MARK = "__pyflow_activity__"

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityOptions:
    """What the decorator was given. Timeouts in seconds, None means no such limit."""

    name: str
    version: str
    start_to_close_s: float | None
    heartbeat_s: float | None
    schedule_to_start_s: float | None
    schedule_to_close_s: float | None
    description: str
    spread: bool


@dataclass(frozen=True, slots=True)
class Activity:
    """A function and how it is registered."""

    function: Callable[..., object]
    options: ActivityOptions
    signature: Signature
    is_async: bool

    @property
    def key(self) -> tuple[str, str]:
        """SWF's name and version."""
        return self.options.name, self.options.version

    def as_type(self) -> pb.ActivityType:
        """As the contract says it."""
        options = self.options
        kind = pb.ActivityType(name=options.name, version=options.version, description=options.description)
        _set(kind.start_to_close_timeout, options.start_to_close_s)
        _set(kind.heartbeat_timeout, options.heartbeat_s)
        _set(kind.schedule_to_start_timeout, options.schedule_to_start_s)
        _set(kind.schedule_to_close_timeout, options.schedule_to_close_s)
        return kind


@overload
def activity(function: _F, /) -> _F: ...


@overload
def activity(
    *,
    version: str = ...,
    start_to_close: float | None = ...,
    heartbeat: float | None = ...,
    schedule_to_start: float | None = ...,
    schedule_to_close: float | None = ...,
    name: str | None = ...,
    description: str | None = ...,
    spread: bool = ...,
) -> Callable[[_F], _F]: ...


def activity(
    function: Callable[..., Any] | None = None,
    /,
    *,
    version: str = VERSION_DEFAULT,
    start_to_close: float | None = None,
    heartbeat: float | None = HEARTBEAT_DEFAULT_S,
    schedule_to_start: float | None = None,
    schedule_to_close: float | None = None,
    name: str | None = None,
    description: str | None = None,
    spread: bool = True,
) -> Callable[..., Any]:
    """Make a function an activity; it stays callable as it was.

    Timeouts are in seconds and become the defaults of the type on SWF (fractions round up; None: no such limit). `name`
    is the function's unless given. With `spread=False` the input always is the single argument, even if it is an object
    whose keys are parameter names. Async functions are fine too.
    """

    def mark(marked: Callable[..., Any]) -> Callable[..., Any]:
        given = name or marked.__name__
        if not 1 <= len(given) <= NAME_CHARS_MAX or not 1 <= len(version) <= VERSION_CHARS_MAX:
            raise BadUsage(
                f"The activity {given!r} version {version!r} needs a name of 1 to {NAME_CHARS_MAX} and a version of 1 "
                f"to {VERSION_CHARS_MAX} characters."
            )
        timeouts = {
            "start_to_close": start_to_close,
            "heartbeat": heartbeat,
            "schedule_to_start": schedule_to_start,
            "schedule_to_close": schedule_to_close,
        }
        for timeout, seconds in timeouts.items():
            if seconds is not None and not 0 < seconds < math.inf:
                raise BadUsage(f"{timeout} of the activity {given!r} is {seconds}; give seconds above 0, or None.")
        first_line = (inspect.getdoc(marked) or "").partition("\n")[0]
        options = ActivityOptions(
            name=given,
            version=version,
            start_to_close_s=start_to_close,
            heartbeat_s=heartbeat,
            schedule_to_start_s=schedule_to_start,
            schedule_to_close_s=schedule_to_close,
            description=(first_line if description is None else description)[:1024],
            spread=spread,
        )
        setattr(marked, MARK, options)
        return marked

    return mark if function is None else mark(function)


def activities_of(sources: ModuleType | Iterable[object]) -> dict[tuple[str, str], Activity]:
    """The activities of a module, or of a list of functions, modules and objects with marked methods.

    Raises BadUsage when there are none, one is not marked, or two have the same name and version.
    """
    found: dict[tuple[str, str], Activity] = {}
    for source in [sources] if isinstance(sources, ModuleType) else list(sources):
        for function in _marked_in(source):
            one = _activity(function)
            other = found.get(one.key)
            if other is not None and other.function is not one.function:
                raise BadUsage(f"Two activities are called {one.key[0]!r} version {one.key[1]!r}. Rename one.")
            found[one.key] = one
    if not found:
        raise BadUsage("There are no activities. Mark functions with @activity and name their module or list them.")
    return found


def _marked_in(source: object) -> list[Callable[..., object]]:
    if callable(source) and hasattr(source, MARK):
        return [source]
    if isinstance(source, ModuleType):
        return [value for value in vars(source).values() if callable(value) and hasattr(value, MARK)]
    if callable(source):
        raise BadUsage(f"{getattr(source, '__qualname__', source)!s} is not marked with @activity.")
    return [
        getattr(source, name)
        for name, value in inspect.getmembers(type(source))
        if callable(value) and hasattr(value, MARK)
    ]


def _activity(function: Callable[..., object]) -> Activity:
    options: ActivityOptions = getattr(function, MARK)
    signature = Signature(function, options.name, spread=options.spread)
    return Activity(function, options, signature, inspect.iscoroutinefunction(function))


def _set(duration: duration_pb2.Duration, seconds: float | None) -> None:
    if seconds is not None:
        duration.FromMilliseconds(math.ceil(seconds * 1000))
