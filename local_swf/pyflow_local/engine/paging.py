"""Pages of lists that are in memory, and the tokens that lead from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from pyflow_local.engine.limits import PAGE_SIZE_MAX
from pyflow_local.engine.tokens import page_token, read_page_token, scope_digest
from pyflow_local.engine.values import JsonObject, Reply
from pyflow_local.engine.world import World

T = TypeVar("T")
_NOT_SCOPE = ("nextPageToken", "maximumPageSize")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and the token for what follows them, None on the last page."""

    items: Sequence[T]
    token: str | None


def scope_of(operation: str, request: JsonObject) -> bytes:
    """The digest that binds a token to an operation and all arguments but the page's own."""
    arguments = {key: value for key, value in request.items() if key not in _NOT_SCOPE}
    return scope_digest(operation, orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS))


def page_size(request: JsonObject) -> int:
    """How many items a page may hold; 0 and absent mean the service's maximum."""
    return request.get("maximumPageSize") or PAGE_SIZE_MAX


def position(world: World, scope: bytes, request: JsonObject) -> tuple[int, int] | None:
    """Where the request's token points to, or None for the first page. Raises ValidationException."""
    token = request.get("nextPageToken")
    return read_page_token(world.secret, scope, token, world.now_ms) if token else None


def page_of(world: World, operation: str, request: JsonObject, items: Sequence[T]) -> Page[T]:
    """The page a request asks for, of items in ascending order."""
    scope = scope_of(operation, request)
    start, _ = position(world, scope, request) or (0, 0)
    ordered = items[::-1] if request.get("reverseOrder") else items
    end = start + page_size(request)
    token = page_token(world.secret, scope, (end, 0), world.now_ms) if end < len(ordered) else None
    return Page(ordered[start:end], token)


def page_reply(member: str, items: list[JsonObject], token: str | None) -> Reply:
    """The answer that carries a page."""
    body: JsonObject = {member: items}
    if token is not None:
        body["nextPageToken"] = token
    return Reply(200, orjson.dumps(body))
