"""Opaque identifiers: run ids, task tokens and page tokens, all derived from numbers and a secret of the data file.

They hold no state of their own, so tokens handed out before a crash work after it.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from hashlib import blake2b

from pyflow_local.engine.faults import Fault, invalid
from pyflow_local.engine.limits import PAGE_TOKEN_LIFETIME_MS

_PREFIX = b"\x00\x00\x00\x2a\x00\x00\x00\x01"
_TASK = struct.Struct(">8sBQII")
_PAGE = struct.Struct(">Qqq16s")
_RUN = struct.Struct(">Q")
_POLL = struct.Struct(">QQIIII?")
_MAC_SIZE = 8
_RUN_TAG_SIZE = 24

DECISION = 1
ACTIVITY = 2


@dataclass(frozen=True, slots=True)
class TaskToken:
    """Which task of which run; `kind` is DECISION or ACTIVITY."""

    kind: int
    run: int
    scheduled_id: int
    started_id: int


@dataclass(frozen=True, slots=True)
class PollPage:
    """Where a paged decision task stands: events next..last (or downwards to first) are still to come."""

    run: int
    scheduled_id: int
    started_id: int
    previous_id: int
    next_id: int
    start_at_previous: bool


def _mac(secret: bytes, body: bytes) -> bytes:
    return blake2b(body, digest_size=_MAC_SIZE, key=secret).digest()


def _seal(secret: bytes, body: bytes) -> str:
    return base64.b64encode(body + _mac(secret, body)).decode("ascii")


def _open(secret: bytes, token: str) -> bytes:
    try:
        raw = base64.b64decode(token.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Invalid token") from None
    body, mac = raw[:-_MAC_SIZE], raw[-_MAC_SIZE:]
    if len(raw) <= _MAC_SIZE or mac != _mac(secret, body):
        raise invalid("Invalid token")
    return body


def task_token(secret: bytes, kind: int, run: int, scheduled_id: int, started_id: int) -> str:
    """The token of a started task."""
    return _seal(secret, _TASK.pack(_PREFIX, kind, run, scheduled_id, started_id))


def read_task_token(secret: bytes, token: str, kind: int) -> TaskToken:
    """The inverse of task_token; anything else is ValidationException `Invalid token`."""
    body = _open(secret, token)
    if len(body) != _TASK.size:
        raise invalid("Invalid token")
    _, found, run, scheduled_id, started_id = _TASK.unpack(body)
    if found != kind:
        raise invalid("Invalid token")
    return TaskToken(kind, run, scheduled_id, started_id)


def run_id(secret: bytes, run: int) -> str:
    """The run id of run number `run`: two digits, then 44 characters of base64, as SWF's look."""
    number = _RUN.pack(run)
    tag = blake2b(number, digest_size=_RUN_TAG_SIZE, key=secret, person=b"run").digest()
    masked = bytes(a ^ b for a, b in zip(number, secret, strict=False))
    return f"{22 + run % 70}" + base64.b64encode(tag + masked).decode("ascii")


def read_run_id(secret: bytes, text: str) -> int | None:
    """The run number inside a run id of this data file, or None."""
    try:
        raw = base64.b64decode(text[2:].encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _RUN_TAG_SIZE + _RUN.size:
        return None
    number: int = _RUN.unpack(bytes(a ^ b for a, b in zip(raw[_RUN_TAG_SIZE:], secret, strict=False)))[0]
    return number if run_id(secret, number) == text else None


def poll_page_token(secret: bytes, page: PollPage, now_ms: int) -> str:
    """The token for the rest of a decision task's events."""
    fields = (page.run, page.scheduled_id, page.started_id, page.previous_id, page.next_id, page.start_at_previous)
    return _seal(secret, _POLL.pack(now_ms, *fields))


def read_poll_page_token(secret: bytes, token: str, now_ms: int) -> PollPage:
    """The inverse of poll_page_token. Raises ValidationException for foreign, garbled or expired tokens."""
    body = _open(secret, token)
    if len(body) != _POLL.size:
        raise invalid("Invalid token")
    issued_ms, run, scheduled_id, started_id, previous_id, next_id, start_at_previous = _POLL.unpack(body)
    if now_ms - issued_ms > PAGE_TOKEN_LIFETIME_MS:
        raise expired_token()
    return PollPage(run, scheduled_id, started_id, previous_id, next_id, start_at_previous)


def page_token(secret: bytes, scope: bytes, position: tuple[int, int], now_ms: int) -> str:
    """A token for the page after `position`; `scope` is a digest of the operation and its arguments (16 bytes)."""
    return _seal(secret, _PAGE.pack(now_ms, position[0], position[1], scope))


def read_page_token(secret: bytes, scope: bytes, token: str, now_ms: int) -> tuple[int, int]:
    """The position inside a page token. Raises ValidationException for foreign, garbled or expired tokens."""
    body = _open(secret, token)
    if len(body) != _PAGE.size:
        raise invalid("Invalid token")
    issued_ms, first, second, found = _PAGE.unpack(body)
    if found != scope:
        raise invalid("Invalid token")
    if now_ms - issued_ms > PAGE_TOKEN_LIFETIME_MS:
        raise expired_token()
    return first, second


def expired_token() -> Fault:
    """The fault for a page token older than a day."""
    return invalid("Specified token has exceeded its maximum lifetime")


def scope_digest(operation: str, arguments: bytes) -> bytes:
    """What binds a page token to its operation and arguments."""
    return blake2b(arguments, digest_size=16, person=operation[:16].encode("ascii")).digest()
