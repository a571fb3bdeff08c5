"""Forwards invocations to a Lambda-compatible HTTP endpoint (the Invoke call of Lambda's API, unsigned)."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from pyflow_local.engine.values import LambdaInvocation, LambdaOutcome
from pyflow_local.errors import LocalSwfError
from pyflow_local.lambdas.outcomes import ERROR_REASON, cut

CALLS_AT_ONCE_MAX = 32
_API_VERSION = "2015-03-31"


class LambdaEndpoint:
    """Invokes functions over HTTP; blocking calls on a few threads of its own."""

    def __init__(self, url: str, ended: Callable[[int, int, LambdaOutcome], None]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise LocalSwfError(f"--lambda-endpoint {url}: give an http:// or https:// URL")
        self._parts = parts
        self._ended = ended
        self._slots = threading.BoundedSemaphore(CALLS_AT_ONCE_MAX)

    def invoke(self, invocation: LambdaInvocation) -> None:
        """Begin an invocation; its end is told to `ended` on the loop."""
        loop = asyncio.get_running_loop()

        def run() -> None:
            with self._slots:
                outcome = cut(self._call(invocation))
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile: nobody wants to know any more
                loop.call_soon_threadsafe(self._ended, invocation.run, invocation.scheduled_id, outcome)

        # Daemons: a function that takes a quarter of an hour must not keep a stopped server alive.
        threading.Thread(target=run, name=f"lambda-{invocation.name}", daemon=True).start()

    def _call(self, invocation: LambdaInvocation) -> LambdaOutcome:
        parts = self._parts
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        path = f"{parts.path.rstrip('/')}/{_API_VERSION}/functions/{quote(invocation.name, safe='')}/invocations"
        connection = kind(str(parts.hostname), parts.port, timeout=invocation.timeout_s + 1)
        try:
            connection.request("POST", path, invocation.payload.encode("utf-8"), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return _outcome(answer.status, answer.headers, answer.read().decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException) as error:
            return LambdaOutcome(reason="ServiceException", details=f"{type(error).__name__}: {error}")
        finally:
            connection.close()


def _outcome(status: int, headers: http.client.HTTPMessage, text: str) -> LambdaOutcome:
    if status >= 300:
        code = headers.get("X-Amzn-ErrorType", f"HTTP {status}").partition(":")[0]
        return LambdaOutcome(reason=code, details=_message(text))
    if headers.get("X-Amz-Function-Error"):
        return LambdaOutcome(reason=ERROR_REASON, details=text)
    return LambdaOutcome(result=text or "null")


def _message(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return text
    message = found.get("Message") or found.get("message") if isinstance(found, dict) else None
    return message if isinstance(message, str) else text
