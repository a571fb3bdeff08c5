"""Ends or feeds a task from outside its worker, with the token that `complete_later()` gave."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from types import TracebackType

from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc
from pyflow_api.v1 import payload_pb2
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_activity.connection import HostConnection
from pyflow_activity.errors import ActivityError
from pyflow_activity.failures import failure_of
from pyflow_activity.names import enum_name
from pyflow_activity.payloads import encoded

CALL_WITHIN_S = 60.0


class HostClient:
    """Unary calls to a host. Use it as a context manager, or call `close`. Errors of a call are grpc.RpcError."""

    def __init__(
        self, host: str | None = None, *, token_file: str | Path | None = None, timeout_s: float = CALL_WITHIN_S
    ):
        self._connection = HostConnection.found(host, token_file=token_file)
        self._channel = self._connection.open_channel()
        self._stub = host_grpc.ActivityHostServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._timeout_s = timeout_s

    def complete(self, token: str, result: object = None) -> str:
        """The task's result. Returns what became of it: REPORTED, DUPLICATE, GONE, INVALID or REFUSED."""
        outcome = pb.Outcome(task_token=_token(token))
        outcome.completed.result.data = encoded(result)
        return self._complete(outcome)

    def fail(self, token: str, error: BaseException) -> str:
        """The task failed; best with an ActivityFailure. Returns as `complete`."""
        return self._complete(pb.Outcome(task_token=_token(token), failed=failure_of(error)))

    def cancel(self, token: str, details: object = None) -> str:
        """The task stopped as it was asked to. Returns as `complete`."""
        outcome = pb.Outcome(task_token=_token(token))
        outcome.canceled.details.data = encoded(details)
        return self._complete(outcome)

    def progress(self, token: str, details: object = None) -> bool:
        """The task is alive; details are optional. Returns whether the workflow asked to cancel it."""
        progress = pb.Progress(task_token=_token(token))
        if details is not None:
            progress.details.CopyFrom(payload_pb2.Payload(data=encoded(details)))
        request = host_pb.RecordTaskProgressRequest(progress=progress)
        answer: host_pb.RecordTaskProgressResponse = self._stub.RecordTaskProgress(
            request, timeout=self._timeout_s, metadata=self._connection.metadata(), wait_for_ready=True
        )
        return answer.cancel_requested

    def close(self) -> None:
        """Let go of the connection."""
        self._channel.close()

    def __enter__(self) -> HostClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _complete(self, outcome: pb.Outcome) -> str:
        answer: host_pb.CompleteTaskResponse = self._stub.CompleteTask(
            host_pb.CompleteTaskRequest(outcome=outcome),
            timeout=self._timeout_s,
            metadata=self._connection.metadata(),
            wait_for_ready=True,
        )
        return enum_name(pb.AckStatus, answer.ack.status, "ACK_STATUS_")


def _token(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise ActivityError("This is no task token: it is not base64url.") from error
