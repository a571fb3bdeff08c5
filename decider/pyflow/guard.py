"""A guard against workflow code that reads the machine: the clock, chance, sockets, threads, processes.

Such code decides differently when it runs again. The guard watches the calls that workflow code makes itself (what
libraries do inside is their own affair) and what it is given to ``invoke_once`` is free. It costs time at every call,
so it is meant for tests and development: ``ExecutionSettings(guard=DeterminismGuard("raise"))``.
"""

from __future__ import annotations

import datetime
import logging
import os
import random
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import PurePath
from types import FrameType
from typing import Any, Literal

from pyflow.exceptions import PyflowException

__all__ = ["DeterminismGuard", "NotDeterministic"]

logger = logging.getLogger("pyflow")

_PACKAGE = str(PurePath(__file__).parent)
_LIBRARIES = tuple({sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["purelib"]})

_INSTEAD = {
    "time": "swf.workflow_time()",
    "sleep": "swf.sleep(seconds)",
    "random": "swf.random()",
    "uuid": "swf.uuid4()",
    "world": "an activity, a Lambda function or swf.invoke_once",
}

_BUILTINS: dict[Any, tuple[str, str]] = {
    **{
        getattr(time, name): (f"time.{name}()", "time")
        for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime")
    },
    time.sleep: ("time.sleep()", "sleep"),
    os.urandom: ("os.urandom()", "random"),
    os.getenv: ("os.getenv()", "world"),
    open: ("open()", "world"),
}
_CLOCKS = frozenset({"now", "utcnow", "today"})
_MODULES = {
    "random.py": ("random", "random"),
    "uuid.py": ("uuid", "uuid"),
    "socket.py": ("socket", "world"),
    "threading.py": ("threading", "world"),
    "subprocess.py": ("subprocess", "world"),
}


class NotDeterministic(PyflowException):
    """Workflow code asked the machine for something that will be different when it runs again."""


class DeterminismGuard:
    """Watches workflow code. ``raise``: NotDeterministic at the call; ``warn``: one log line for each place."""

    def __init__(self, mode: Literal["raise", "warn"] = "raise") -> None:
        self._mode = mode
        self._warned: dict[tuple[str, int], None] = {}

    def __call__(self, fn: Callable[[], None]) -> None:
        """Run the code of one decision under watch. The watch is the thread's: all greenlets share it."""
        sys.setprofile(self._watch)
        try:
            fn()
        finally:
            sys.setprofile(None)

    def _watch(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            found = _builtin(argument)
            caller: FrameType | None = frame
        elif event == "call":
            found = _python(frame)
            caller = frame.f_back
        else:
            return
        if found is not None and caller is not None and _is_authors(caller) and not _inside_once(caller):
            self._report(found, caller)

    def _report(self, found: tuple[str, str], frame: FrameType) -> None:
        what, kind = found
        at = f"{PurePath(frame.f_code.co_filename).name}:{frame.f_lineno}"
        message = (
            f"{at} calls {what}, which gives something else when the workflow runs again. Use {_INSTEAD[kind]} instead."
        )
        if self._mode == "raise":
            sys.setprofile(self._watch)  # an exception out of a watch ends it
            raise NotDeterministic(message)
        place = (frame.f_code.co_filename, frame.f_lineno)
        if place not in self._warned:
            self._warned[place] = None
            logger.warning(message)


def _builtin(function: Any) -> tuple[str, str] | None:
    try:
        known = _BUILTINS.get(function)
    except TypeError:
        return None  # not hashable: none of those we know
    if known is not None:
        return known
    owner = getattr(function, "__self__", None)
    if owner is random._inst:  # the instance behind the module's functions
        return f"random.{function.__name__}()", "random"
    if owner in (datetime.datetime, datetime.date) and function.__name__ in _CLOCKS:
        return f"{owner.__name__}.{function.__name__}()", "time"
    return None


def _python(frame: FrameType) -> tuple[str, str] | None:
    code = frame.f_code
    module = _MODULES.get(PurePath(code.co_filename).name)
    if module is None or not code.co_filename.startswith(_LIBRARIES):
        return None
    name, kind = module
    if name == "random" and frame.f_locals.get("self") is not random._inst:
        return None  # a generator of its own, as swf.random() gives
    if name == "uuid" and code.co_name not in ("uuid1", "uuid4", "getnode"):
        return None
    return f"{name}.{code.co_name}()", kind


def _is_authors(frame: FrameType) -> bool:
    return not frame.f_code.co_filename.startswith((_PACKAGE, *_LIBRARIES, "<frozen"))


def _inside_once(frame: FrameType) -> bool:
    above: FrameType | None = frame
    while above is not None:
        if above.f_code.co_name == "_record_once" and above.f_code.co_filename.startswith(_PACKAGE):
            return True
        above = above.f_back
    return False
