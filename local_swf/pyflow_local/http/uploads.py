"""Histories to import, in pieces as no request may be larger than SWF allows; kept until the last one is there."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from pyflow_local.engine.faults import Fault
from pyflow_local.errors import BadHistory, StorageFailed
from pyflow_local.transfer import encode_event

UPLOADS_MAX = 4
UPLOAD_BYTES_MAX = 64 * 1024 * 1024
_FORM = (
    'Send {"domain": ..., "workflowId": ..., "events": [...]}; a history larger than one request goes in pieces: '
    '"more": true with all but the last, and from the second on {"upload": ...} as the answers name it'
)


@dataclass(slots=True)
class _Upload:
    domain: str
    workflow_id: str
    events: list[bytes] = field(default_factory=list)
    size: int = 0


class Uploads:
    """Takes the bodies of import requests; `import_history` gets a whole history and returns its run id.

    Only a few are under way at once: a new one takes the place of the oldest, whose next piece is then refused.
    """

    def __init__(self, import_history: Callable[[str, str, Sequence[bytes]], str]) -> None:
        self._import_history = import_history
        self._uploads: OrderedDict[str, _Upload] = OrderedDict()

    def take(self, body: bytes) -> tuple[int, bytes]:
        """One piece: the status and body of its answer, {"upload": ...} or, after the last piece, {"runId": ...}."""
        try:
            piece = orjson.loads(body)
        except orjson.JSONDecodeError:
            piece = None
        if not isinstance(piece, dict) or not isinstance(piece.get("events"), list):
            return told(400, _FORM)
        named = piece.get("upload")
        upload = self._begun(piece) if named is None else self._uploads.pop(str(named), None)
        if upload is None:
            return told(400, _FORM if named is None else f"There is no upload {named!r} (any more); begin again")
        try:
            self._add(upload, piece["events"])
            if piece.get("more"):
                name = secrets.token_hex(8)
                self._uploads[name] = upload
                while len(self._uploads) > UPLOADS_MAX:
                    self._uploads.popitem(last=False)
                return 200, orjson.dumps({"upload": name})
            run_id = self._import_history(upload.domain, upload.workflow_id, upload.events)
        except BadHistory as error:
            return told(400, str(error))
        except Fault as fault:
            return fault.status, fault.body()
        except StorageFailed as error:
            return told(500, str(error))
        return 200, orjson.dumps({"runId": run_id})

    @staticmethod
    def _begun(piece: dict[str, Any]) -> _Upload | None:
        domain, workflow_id = piece.get("domain"), piece.get("workflowId")
        if not (isinstance(domain, str) and isinstance(workflow_id, str)):
            return None
        return _Upload(domain, workflow_id)

    @staticmethod
    def _add(upload: _Upload, events: list[Any]) -> None:
        for event in events:
            encoded = encode_event(len(upload.events) + 1, event)
            upload.events.append(encoded)
            upload.size += len(encoded)
        if not upload.events:
            raise BadHistory("A history has at least one event")
        if upload.size > UPLOAD_BYTES_MAX:
            raise BadHistory(f"The history is larger than {UPLOAD_BYTES_MAX} bytes, which is more than is taken in")


def told(status: int, text: str) -> tuple[int, bytes]:
    """An answer in words."""
    return status, orjson.dumps({"message": text})
