"""Task tokens of the contract: what any host needs to report the task, under a seal that no worker can forge.

A token is one byte of version, a keyed BLAKE2b (RFC 7693; twenty times faster here than HMAC-SHA256) and a JSON array.
It is not encrypted: SWF's own task token is worth nothing without credentials, and a worker knows the rest anyway.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Protocol

import orjson

from pyflow_host.core.limits import TOKEN_BYTES_MAX
from pyflow_host.core.values import ListKey, TypeKey

_VERSION = b"\x01"
_SEAL_BYTES = 32
_BODY_AT = len(_VERSION) + _SEAL_BYTES
KEY_BYTES_MIN = 16
KEY_BYTES_USED = hashlib.blake2b.MAX_KEY_SIZE


class Sealable(Protocol):
    """What a token is made of: a TokenContent, or a lease, which has all of it."""

    swf_token: str
    list_key: ListKey
    type: TypeKey
    worker_key: str
    heartbeat_s: int | None
    workflow_id: str
    run_id: str
    activity_id: str


@dataclass(slots=True, kw_only=True)
class TokenContent:
    """What a token says. The ids serve logs only and are left out of a token that would be too long."""

    swf_token: str
    list_key: ListKey
    type: TypeKey
    worker_key: str
    heartbeat_s: int | None
    workflow_id: str = ""
    run_id: str = ""
    activity_id: str = ""


class Sealer:
    """Seals with the first key, accepts every one of them (so that keys can be rotated)."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        if not keys or any(len(key) < KEY_BYTES_MIN for key in keys):
            raise ValueError(f"Token keys must have at least {KEY_BYTES_MIN} bytes.")
        self._keys = keys

    def seal(self, content: Sealable) -> bytes:
        """The token for `content`, at most TOKEN_BYTES_MAX bytes."""
        token = self._sealed(content, content.workflow_id, content.run_id, content.activity_id)
        if len(token) > TOKEN_BYTES_MAX:
            token = self._sealed(content, "", "", "")
        if len(token) > TOKEN_BYTES_MAX:
            raise ValueError(f"A task token of {len(token)} bytes is over {TOKEN_BYTES_MAX}; SWF's names are too long.")
        return token

    def unseal(self, token: bytes) -> TokenContent | None:
        """What the token says, or None if no key of ours sealed it."""
        seal, body = token[1:_BODY_AT], token[_BODY_AT:]
        if token[:1] != _VERSION or len(token) > TOKEN_BYTES_MAX or len(seal) != _SEAL_BYTES:
            return None
        if not any(hmac.compare_digest(_mac(key, body), seal) for key in self._keys):
            return None
        swf_token, domain, task_list, name, version, worker, beat, workflow_id, run_id, activity_id = orjson.loads(body)
        return TokenContent(
            swf_token=swf_token,
            list_key=ListKey(domain, task_list),
            type=TypeKey(name, version),
            worker_key=worker,
            heartbeat_s=beat,
            workflow_id=workflow_id,
            run_id=run_id,
            activity_id=activity_id,
        )

    def _sealed(self, content: Sealable, workflow_id: str, run_id: str, activity_id: str) -> bytes:
        body = orjson.dumps(
            [
                content.swf_token,
                *content.list_key,
                *content.type,
                content.worker_key,
                content.heartbeat_s,
                workflow_id,
                run_id,
                activity_id,
            ]
        )
        return _VERSION + _mac(self._keys[0], body) + body


def _mac(key: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, key=key[:KEY_BYTES_USED], digest_size=_SEAL_BYTES, person=b"pyflow task").digest()
