"""The limits of Amazon SWF as named constants, and the cuts that keep a value within them.

Lengths count characters as SWF does: UTF-16 units of the decoded string (a character outside the basic plane counts
as two). Sources: SWF reference sections 2.1 (size table), 4.5 (answers), 7.7 (pollers), 10 (quotas).
"""

from __future__ import annotations

REASON_LENGTH_MAX = 256
"""`reason` of failed tasks and executions, in characters."""

DATA_LENGTH_MAX = 32_768
"""`input`, `result`, `details`, `control` and `executionContext`, in characters."""

HEARTBEAT_DETAILS_LENGTH_MAX = 2_048
"""`details` of RecordActivityTaskHeartbeat, in characters."""

IDENTITY_LENGTH_MAX = 256
"""`identity` of a poller, in characters."""

NAME_LENGTH_MAX = 256
"""Names of domains, types, task lists, markers and signals, and workflow ids, in characters."""

VERSION_LENGTH_MAX = 64
"""Version of an activity or workflow type, in characters."""

TAGS_MAX = 5
"""Tags of one execution."""

DECISIONS_MAX = 100
"""Decisions in one RespondDecisionTaskCompleted."""

REQUEST_BYTES_MAX = 1_000_000
"""A whole request, headers included, in bytes (1 MB)."""

OPEN_ACTIVITIES_MAX = 1_000
"""Scheduled or started activities of one execution."""

OPEN_TIMERS_MAX = 1_000
"""Open timers of one execution."""

OPEN_CHILDREN_MAX = 1_000
"""Open child executions of one execution."""

HISTORY_EVENTS_MAX = 25_000
"""Events of one execution; SWF terminates it beyond (EVENT_LIMIT_EXCEEDED)."""

POLLERS_MAX = 1_000
"""Simultaneous polls of one task list."""

PAGE_EVENTS_MAX = 1_000
"""Events in one page of a history."""

LONG_POLL_S = 60.0
"""How long SWF holds a poll that has no task, in seconds."""

POLL_READ_TIMEOUT_S = 90.0
"""How long a client waits for the answer of a poll, in seconds. Well above LONG_POLL_S: a poll that is given up may
already have been handed a task, which is then lost until it times out (SWF reference 7.6)."""

POLL_READ_TIMEOUT_MIN_S = 65.0
"""A poll's read timeout below this is refused or warned about."""

RETENTION_DAYS_MAX = 90
"""Longest retention of closed executions, in days."""

_CUT_MARK = "...[cut]"


def swf_length(text: str) -> int:
    """How many characters SWF counts in `text` (UTF-16 units)."""
    if text.isascii():
        return len(text)
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def cut(text: str, length_max: int) -> str:
    """`text`, or its beginning with a mark at the end when SWF would count more than `length_max` characters in it."""
    if swf_length(text) <= length_max:
        return text
    if length_max <= len(_CUT_MARK):
        return _first_units(text, length_max)
    return _first_units(text, length_max - len(_CUT_MARK)) + _CUT_MARK


def cut_reason(text: str) -> str:
    """`text` cut to what SWF accepts as a `reason`."""
    return cut(text, REASON_LENGTH_MAX)


def cut_details(text: str) -> str:
    """`text` cut to what SWF accepts as `details` (not of a heartbeat: see `cut_heartbeat_details`)."""
    return cut(text, DATA_LENGTH_MAX)


def cut_heartbeat_details(text: str) -> str:
    """`text` cut to what SWF accepts as `details` of a heartbeat."""
    return cut(text, HEARTBEAT_DETAILS_LENGTH_MAX)


def cut_identity(text: str) -> str:
    """`text` cut to what SWF accepts as a poller's `identity`."""
    return cut(text, IDENTITY_LENGTH_MAX)


def _first_units(text: str, units_max: int) -> str:
    units = 0
    for position, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1
        if units > units_max:
            return text[:position]
    return text
