"""Trace context of an attempt, derived from ids that deciders and hosts know alike: SWF carries no headers.

The decider derives its ids in the same way; a test holds the two together.
"""

from __future__ import annotations

import functools
import hashlib

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8


@functools.lru_cache(maxsize=1_000)  # a run asks for many activities
def trace_id_of(run_id: str) -> int:
    """The trace of a run, never 0."""
    return _digest(f"trace:{run_id}", TRACE_ID_BYTES)


def span_id_of(run_id: str, event_id: int) -> int:
    """The span that an event stands for, never 0: ActivityTaskStarted for an attempt, event 1 for the run."""
    return _digest(f"span:{run_id}#{event_id}", SPAN_ID_BYTES)


def traceparent(run_id: str, started_event_id: int) -> str:
    """W3C Trace Context: the attempt's span as parent of what the activity does."""
    return f"00-{trace_id_of(run_id):032x}-{span_id_of(run_id, started_event_id):016x}-01"


def _digest(text: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest(), "big") or 1
