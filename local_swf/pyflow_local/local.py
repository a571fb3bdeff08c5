"""SWF inside your own process: a boto3 client that needs no socket and no server, on a file or in memory."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pyflow_local.clock import ManualClock, SteadyClock
from pyflow_local.engine.faults import Fault
from pyflow_local.engine.limits import Choices, Quotas
from pyflow_local.engine.restrictions import Restrictions
from pyflow_local.engine.values import LambdaInvocation, LambdaOutcome
from pyflow_local.http.wire import JSON_1_0, RequestIds, operation_of
from pyflow_local.lambdas.context import LambdaContext
from pyflow_local.lambdas.handlers import failure_of, takes_context
from pyflow_local.lambdas.outcomes import ERROR_REASON, cut
from pyflow_local.service import EndedLambda, Incoming, Service, StepResult
from pyflow_local.store.store import Store
from pyflow_local.transfer import read_history

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from mypy_boto3_swf import SWFClient

POLL_SECONDS = 60.0
MEMORY = ":memory:"
_URL = "http://swf.invalid"
_Handler: TypeAlias = Callable[..., Any]


class LocalSwf:
    """An SWF of your own; safe to use from several threads.

    `path` is a data file, or ":memory:". With a ManualClock nothing happens by itself: `advance` and `skip_to_next`
    let time pass, and a poll that finds nothing returns empty at once (`poll_seconds` 0 is then the default).
    `lambdas` maps names to functions, called in the thread whose request made them due, without a timeout.
    """

    def __init__(
        self,
        path: str = MEMORY,
        *,
        clock: SteadyClock | ManualClock | None = None,
        lambdas: Mapping[str, _Handler] | None = None,
        poll_seconds: float | None = None,
        full_sync: bool = False,
        quotas: Quotas | None = None,
        choices: Choices | None = None,
        restrictions: Restrictions | None = None,
        region: str = "us-east-1",
        account: str = "123456789012",
    ) -> None:
        store = Store(None if path == MEMORY else path, full_sync=full_sync)
        self._clock = clock if clock is not None else SteadyClock(store.last_event_ms())
        manual = isinstance(self._clock, ManualClock)
        if manual:
            self._clock.skip(store.last_event_ms() - self._clock.now_ms())
        self._poll_seconds = (0.0 if manual else POLL_SECONDS) if poll_seconds is None else poll_seconds
        self._lambdas = dict(lambdas or {})
        self._region = region
        self._function_arn = f"arn:aws:lambda:{region}:{account}:function:"
        self._changed = threading.Condition()
        self._answers: dict[int, tuple[int, bytes]] = {}
        self._ids = RequestIds()
        self._idents = 0
        self._closed = False
        self._service = Service(
            store,
            self._clock.now_ms(),
            quotas=quotas,
            choices=choices,
            restrictions=restrictions,
            region=region,
            account=account,
        )

    # --- the client ------------------------------------------------------------------------------------------

    def client(self, **arguments: Any) -> SWFClient:
        """A boto3 client whose requests end here. `arguments` go to boto3 (config, region_name, ...)."""
        import boto3  # only the client needs it; the service does not

        given = {
            "region_name": self._region,
            "endpoint_url": _URL,
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
            **arguments,
        }
        client: SWFClient = boto3.client("swf", **given)
        self.attach(client)
        return client

    def attach(self, client: SWFClient) -> None:
        """Make an existing boto3 client's requests end here instead of on the network."""
        # botocore takes the handler's return value as the response; the stubs say a handler returns nothing.
        client.meta.events.register("before-send.swf", self._before_send)  # type: ignore[arg-type]

    def _before_send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        from botocore.awsrequest import AWSResponse
        from botocore.compat import HTTPHeaders

        target: str | bytes = request.headers.get("X-Amz-Target", "")
        body = request.body or b""
        assert isinstance(body, str | bytes | bytearray)
        status, answer = self.request(
            target if isinstance(target, bytes) else target.encode("latin-1"),
            body.encode("utf-8") if isinstance(body, str) else bytes(body),
        )
        headers = HTTPHeaders()
        headers["x-amzn-RequestId"] = self._ids.next().decode("ascii")
        headers["Content-Type"] = JSON_1_0.decode("ascii")
        headers["Content-Length"] = str(len(answer))
        return AWSResponse(request.url, status, headers, _Raw(answer))

    def request(self, target: bytes, body: bytes) -> tuple[int, bytes]:
        """One request of SWF's protocol: the X-Amz-Target and the JSON body in, status and body out. Polls block."""
        try:
            operation = operation_of(target)
        except Fault as fault:
            return fault.status, fault.body()
        with self._changed:
            self._idents += 1
            ident = self._idents
            result = self._step([Incoming(ident, operation, body)])
            invocations = result.invocations
        self._invoke(invocations)
        return self._wait(ident)

    # --- time ------------------------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        """The service's time in milliseconds since the epoch."""
        return self._clock.now_ms()

    def advance(self, seconds: float) -> None:
        """Let time pass: everything that falls due on the way happens at its own time, in order."""
        target_ms = self._clock.now_ms() + round(seconds * 1000)
        while self._skip_to_due(target_ms):
            pass
        with self._changed:
            self._clock.skip(target_ms - self._clock.now_ms())
            invocations = self._step([]).invocations
        self._invoke(invocations)

    def skip_to_next(self) -> bool:
        """Go to the next timer or timeout and let it happen; False if nothing is due ever."""
        return self._skip_to_due(None)

    def _skip_to_due(self, until_ms: int | None) -> bool:
        with self._changed:
            due_ms = self._service.next_due_ms()
            if due_ms is None or (until_ms is not None and due_ms > until_ms):
                return False
            self._clock.skip(due_ms - self._clock.now_ms())
            invocations = self._step([]).invocations
        self._invoke(invocations)
        return True

    # --- steps and polls -------------------------------------------------------------------------------------

    def _step(self, requests: list[Incoming], ended: list[EndedLambda] | None = None) -> StepResult:
        """One step under the lock; its answers are laid out for the threads that wait for them."""
        result = self._service.step(requests, self._clock.now_ms(), ended or [])
        self._lay_out(result)
        return result

    def _lay_out(self, result: StepResult) -> None:
        for ident, status, body in result.answers:
            self._answers[ident] = (status, body)
        self._changed.notify_all()

    def _wait(self, ident: int) -> tuple[int, bytes]:
        deadline = time.monotonic() + self._poll_seconds
        while True:
            with self._changed:
                answer = self._answers.pop(ident, None)
                if answer is not None:
                    return answer
                left = deadline - time.monotonic()
                if left <= 0 or self._closed:
                    empty = self._service.expire_poll(ident)
                    return 200, empty if empty is not None else b"{}"
                self._changed.wait(min(left, self._seconds_to_next()))
                invocations = self._step([]).invocations if self._due() else []
            self._invoke(invocations)

    def _due(self) -> bool:
        due_ms = self._service.next_due_ms()
        return not self._closed and due_ms is not None and due_ms <= self._clock.now_ms()

    def _seconds_to_next(self) -> float:
        """How long a waiting poll may sleep before it has to let something due happen."""
        due_ms = self._service.next_due_ms()
        if due_ms is None or isinstance(self._clock, ManualClock):
            return POLL_SECONDS
        return max(0.0, (due_ms - self._clock.now_ms()) / 1000)

    def _invoke(self, invocations: list[LambdaInvocation]) -> None:
        for one in invocations:
            ended = EndedLambda(one.run, one.scheduled_id, cut(self._outcome(one)))
            with self._changed:
                following = self._step([], [ended]).invocations
            self._invoke(following)

    def _outcome(self, invocation: LambdaInvocation) -> LambdaOutcome:
        function = self._lambdas.get(invocation.name)
        if function is None:
            text = f"Function not found: {self._function_arn}{invocation.name}"
            return LambdaOutcome(reason="ResourceNotFoundException", details=text)
        try:
            event = json.loads(invocation.payload)
            if takes_context(function):
                arn, request_id = self._function_arn + invocation.name, f"{invocation.run}-{invocation.scheduled_id}"
                context = LambdaContext(invocation.name, arn, request_id, invocation.timeout_s)
                return LambdaOutcome(result=json.dumps(function(event, context)))
            return LambdaOutcome(result=json.dumps(function(event)))
        except Exception as error:
            return LambdaOutcome(reason=ERROR_REASON, details=failure_of(error))

    # --- histories from elsewhere ----------------------------------------------------------------------------

    def import_history(self, domain: str, workflow_id: str, text: str) -> str:
        """Take in the JSON of get-workflow-execution-history to look at; its new run id. Raises BadHistory, Fault,
        StorageFailed.
        """
        events = read_history(text)
        with self._changed:
            run_id, result = self._service.import_history(domain, workflow_id, events, self._clock.now_ms())
            self._lay_out(result)
        self._invoke(result.invocations)
        return run_id

    # --- the end ---------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the data file; polls that wait end empty."""
        with self._changed:
            if not self._closed:
                self._closed = True
                self._service.close()
                self._changed.notify_all()

    def __enter__(self) -> LocalSwf:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Raw(io.BytesIO):
    """The part of urllib3's response that botocore reads."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """The body in one piece."""
        rest = self.read()
        if rest:
            yield rest
