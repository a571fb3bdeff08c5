"""Speaks to the paths that only the embedded SWF has: is it one, and take in a history. Signed as every AWS call is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session
from pyflow.swf.client import credentials_search

from pyflow_console.errors import ConsoleError, NotReached

PIECE_BYTES_MAX = 512 * 1024
"""Of events in one request: well below SWF's limit of 1 MB for a request, which one event alone cannot reach."""
ANSWER_TIMEOUT_S = 30
SERVICE = "swf"


def check_embedded(url: str) -> None:
    """Raises NotReached when something else than an embedded SWF answers there: nothing is sent to it."""
    status, answer = _exchange(AWSRequest("GET", f"{url.rstrip('/')}/_pyflow/health"))
    if (status, answer) != (200, {"status": "ok"}):
        raise NotReached(
            f"what answers at {url} is no embedded SWF, and only that takes in histories. Let AWS_ENDPOINT_URL_SWF "
            "name one (`pyflow dev`), or give its data file with --data while it is stopped"
        )


def import_history(url: str, region: str, domain: str, workflow_id: str, events: Sequence[bytes]) -> str:
    """Have an embedded SWF take in a history of encoded events; its new run id. Raises ConsoleError."""
    asked: dict[str, Any] = {"domain": domain, "workflowId": workflow_id}
    pieces = list(_pieces(events))
    for number, piece in enumerate(pieces, 1):
        head = json.dumps({**asked, "more": number < len(pieces)}).encode()
        body = b'%b,"events":[%b]}' % (head[:-1], b",".join(piece))
        request = AWSRequest("POST", f"{url.rstrip('/')}/_pyflow/import", data=body)
        credentials = credentials_search(endpoint_url=url)()
        if credentials is not None:
            SigV4Auth(credentials.get_frozen_credentials(), SERVICE, region).add_auth(request)
        status, answer = _exchange(request)
        if status != 200:
            raise ConsoleError(f"the embedded SWF refused the history: {answer.get('message') or answer}")
        asked = answer
    return str(asked["runId"])


def _pieces(events: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The events in groups that fit into a request."""
    group: list[bytes] = []
    size = 0
    for event in events:
        if group and size + len(event) > PIECE_BYTES_MAX:
            yield group
            group, size = [], 0
        group.append(event)
        size += len(event)
    yield group


def _exchange(request: AWSRequest) -> tuple[int, dict[str, Any]]:
    try:
        response = URLLib3Session(timeout=ANSWER_TIMEOUT_S).send(request.prepare())
    except HTTPClientError as error:
        raise NotReached(f"{request.url} did not answer: {error}") from error
    try:
        answer = json.loads(response.content)
    except ValueError:
        answer = None
    return response.status_code, answer if isinstance(answer, dict) else {}
