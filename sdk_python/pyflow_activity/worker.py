"""A worker process: connects to a host, receives tasks, and reconnects for as long as it lives."""

from __future__ import annotations

import logging
import math
import os
import platform
import random
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import FrameType, ModuleType

import grpc
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_activity.activity import activities_of
from pyflow_activity.connection import HostConnection
from pyflow_activity.errors import BadUsage, HostRefused, WorkerError
from pyflow_activity.names import enum_name
from pyflow_activity.outbox import Outbox
from pyflow_activity.tasks import HeldTasks

logger = logging.getLogger("pyflow.activity")

CONTRACT_VERSION = 1
SLOTS_DEFAULT = 8
SLOTS_MAX = 1_000
START_TIMEOUT_S = 30.0
"""How long the first host may take to answer. Once one has, the worker comes back to it for ever."""
BUILD_ID_CHARS_MAX = 256
WELCOME_WITHIN_S = 10.0
SILENT_INTERVALS_MAX = 3
BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 10.0
FRAME_BYTES_MAX = 4 * 1024 * 1024
FRAME_BYTES_WANTED = 1024 * 1024
"""A frame is sent at this size; the limit is for what does not fit otherwise."""

_FINAL = {pb.GO_AWAY_REASON_UNAUTHENTICATED, pb.GO_AWAY_REASON_INCOMPATIBLE, pb.GO_AWAY_REASON_SUPERSEDED}


@dataclass(slots=True, eq=False)
class _Stream:
    """One stream to the host, as far as the thread that watches it must know."""

    call: grpc.Call | None
    outbox: Outbox
    heard_at: float
    silence_max_s: float = WELCOME_WITHIN_S
    welcomed: bool = False


class Worker:
    """Runs activities for one task list.

    `host`: `unix:/path` or `name:port` (default: PYFLOW_HOST_ADDRESS). `activities`: a module, or a list of functions,
    modules and objects with marked methods. `slots`: tasks at a time, each in a thread. `start_timeout_s`: end when no
    host has answered within so many seconds of the start; None: as `give_up_after_s`, else 30. `give_up_after_s`: end
    when a host that had answered is gone for so long; None: never. Other options: see HostConnection. Raises BadUsage.
    """

    def __init__(
        self,
        *,
        task_list: str | None = None,
        activities: ModuleType | Iterable[object],
        host: str | None = None,
        slots: int = SLOTS_DEFAULT,
        domain: str | None = None,
        name: str | None = None,
        build_id: str = "",
        start_timeout_s: float | None = None,
        give_up_after_s: float | None = None,
        token_file: str | Path | None = None,
        token: str | None = None,
        tls_ca: str | Path | None = None,
        tls_cert: str | Path | None = None,
        tls_key: str | Path | None = None,
        insecure: bool | None = None,
    ) -> None:
        self._connection = HostConnection.found(
            host,
            token_file=token_file,
            token=token,
            tls_ca=tls_ca,
            tls_cert=tls_cert,
            tls_key=tls_key,
            insecure=insecure,
        )
        self._task_list = task_list or os.environ.get("PYFLOW_TASK_LIST") or ""
        if not self._task_list:
            raise BadUsage("No task list is named. Give --task-list NAME or PYFLOW_TASK_LIST.")
        if not 1 <= slots <= SLOTS_MAX:
            raise BadUsage(f"slots is {slots}; 1 to {SLOTS_MAX} are possible.")
        if len(build_id) > BUILD_ID_CHARS_MAX:
            raise BadUsage(f"build_id has {len(build_id)} characters; {BUILD_ID_CHARS_MAX} are the most.")
        self._activities = activities_of(activities)
        self._slots = slots
        self._domain = domain or os.environ.get("PYFLOW_DOMAIN") or ""
        self._name = (name or f"{socket.gethostname()}:{os.getpid()}")[:256]
        self._build_id = build_id
        for option, seconds in (("start_timeout_s", start_timeout_s), ("give_up_after_s", give_up_after_s)):
            if seconds is not None and not 0 < seconds < math.inf:
                raise BadUsage(f"{option} is {seconds:g}; it must be a positive number of seconds.")
        self._start_timeout_s = start_timeout_s or give_up_after_s or START_TIMEOUT_S
        self._give_up_after_s = give_up_after_s
        self._answered = False
        self._key = secrets.token_hex(16)
        self._tasks = HeldTasks(self._activities, slots)
        self._stopping = threading.Event()
        self._signaled = False
        self._ended = threading.Event()
        self._stream: _Stream | None = None
        self._connected = threading.Event()
        self._no_earlier_than = 0.0
        self._error: BaseException | None = None

    def run(self) -> None:
        """Work until `stop()`, SIGTERM or SIGINT; returns when all tasks have ended and are acked.

        A second signal ends the process at once. Raises HostRefused, or WorkerError when no host answers in time.
        """
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._on_signal)
        receiver = threading.Thread(target=self._keep_connected, name="pyflow-receiver", daemon=True)
        receiver.start()
        while not self._ended.wait(self._watch_interval_s()):
            self._watch()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Take no new tasks, let the running ones end, then let `run` return. Returns at once."""
        self._tasks.drain()  # first: a stream must not be closed before Draining is in it
        self._stopping.set()
        self._finish_if_done()

    @property
    def is_connected(self) -> bool:
        """Whether a host has welcomed this worker and the stream is there."""
        return self._connected.is_set()

    def wait_connected(self, timeout_s: float | None = None) -> bool:
        """Wait until connected; False when the time was over before."""
        return self._connected.wait(timeout_s)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signaled or self._stopping.is_set():
            os._exit(128 + number)
        self._signaled = True
        # Not from the signal handler: the locks may be held by the very frame it interrupts.
        threading.Thread(target=self._stop_on_signal, args=(number,), daemon=True).start()

    def _stop_on_signal(self, number: int) -> None:
        name = signal.Signals(number).name
        logger.info("%s: no new tasks; %d tasks end first. Once more to end at once.", name, self._tasks.count)
        self.stop()

    def _keep_connected(self) -> None:
        failures, unreachable_since, complained = 0, time.monotonic(), False
        try:
            while not (self._stopping.is_set() and self._tasks.is_empty):
                try:
                    trouble = self._connect_once()
                except BadUsage as error:
                    if failures == 0:  # at the start
                        raise
                    trouble = str(error)  # a token or certificate that is just being replaced
                if trouble is None:  # welcomed: whatever ended the stream, the host was there
                    failures, unreachable_since, complained = 0, time.monotonic(), False
                elif not complained:
                    complained = True
                    logger.warning("%s", self._complaint(trouble))
                if self._stopping.is_set() and self._tasks.is_empty:
                    return
                patience_s = self._patience_s()
                if patience_s is not None and time.monotonic() - unreachable_since >= patience_s:
                    raise WorkerError(self._farewell(trouble or "the stream ended", patience_s))
                failures += 1
                self._back_off(failures, unreachable_since)
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()

    def _patience_s(self) -> float | None:
        return self._give_up_after_s if self._answered else self._start_timeout_s

    def _complaint(self, trouble: str) -> str:
        patience_s = self._patience_s()
        how_long = "" if patience_s is None else f" for {patience_s:g} s"
        return (
            f"cannot reach an activity host at {self._connection.address} ({trouble}); trying on{how_long}. "
            "Is `pyflow host` running there?"
        )

    def _farewell(self, trouble: str, patience_s: float) -> str:
        address = self._connection.address
        return (
            f"no activity host answered at {address} for {patience_s:g} s ({trouble}): gave up. "
            f"Start one there (pyflow host --listen {address}), or give another address (--host)."
        )

    def _back_off(self, failures: int, unreachable_since: float) -> None:
        wait_s = random.random() * min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(failures, 10))
        wait_s = max(wait_s, self._no_earlier_than - time.monotonic())
        patience_s = self._patience_s()
        if patience_s is not None:
            wait_s = min(wait_s, unreachable_since + patience_s - time.monotonic() + 0.01)
        # Draining with tasks that wait for an ack still needs the pause; without any it ends at once.
        deadline = time.monotonic() + wait_s
        while (left := deadline - time.monotonic()) > 0:
            if self._stopping.is_set() and self._tasks.is_empty:
                return
            time.sleep(min(left, 0.1))

    def _connect_once(self) -> str | None:
        """One stream from its opening to its end. None when a host welcomed us, else what went wrong."""
        with self._connection.open_channel() as channel:
            outbox = Outbox(self._hello(), FRAME_BYTES_WANTED)
            call = host_grpc.ActivityHostServiceStub(channel).Work(outbox.frames())  # type: ignore[no-untyped-call]
            stream = self._stream = _Stream(call, outbox, time.monotonic())
            try:
                for frame in call:
                    stream.heard_at = time.monotonic()
                    self._handle(stream, frame)
                trouble = "the host ended the stream"
            except grpc.RpcError as error:
                trouble = _said(error)
                error.__traceback__ = None  # the error is the call itself, and holds on to itself by this
            finally:
                self._stream = None
                self._connected.clear()
                self._tasks.disconnected()
                outbox.close()
                call.cancel()
                # gRPC's call takes a lock as it is collected. At the end of the process a thread of gRPC may have ended
                # with that lock, and the process would hang: no reference is left, not even in an error's traceback.
                stream.call = None
                del call
        if not stream.welcomed:
            return trouble
        if not self._stopping.is_set():
            logger.warning("Disconnected from the host (%s); running tasks go on, reconnecting", trouble)
        return None

    def _handle(self, stream: _Stream, frame: pb.HostFrame) -> None:
        self._answered = True
        if frame.HasField("welcome"):
            self._welcomed(stream, frame.welcome)
        for task in frame.tasks:
            self._tasks.received(task)
        for cancel in frame.cancels:
            self._tasks.canceled(cancel)
        if frame.acks:
            for ack in frame.acks:
                self._tasks.acked(ack)
            self._finish_if_done()
        if frame.HasField("ping"):
            stream.outbox.status(self._tasks.status(frame.ping.nonce))
        if frame.HasField("go_away"):
            self._go_away(frame.go_away)

    def _welcomed(self, stream: _Stream, welcome: pb.Welcome) -> None:
        stream.welcomed = True
        interval = welcome.ping_interval
        stream.silence_max_s = SILENT_INTERVALS_MAX * (interval.seconds + interval.nanos / 1e9) or float("inf")
        if welcome.limits.frame_bytes_max:
            stream.outbox.limit(min(FRAME_BYTES_WANTED, welcome.limits.frame_bytes_max))
        self._tasks.connected(stream.outbox, welcome)
        self._connected.set()
        logger.info(
            "Connected to the host at %s: domain %s, task list %s, %d slots, activities %s",
            self._connection.address,
            welcome.domain,
            self._task_list,
            self._slots,
            ", ".join(f"{name}/{version}" for name, version in self._activities),
        )
        self._finish_if_done()

    def _go_away(self, go_away: pb.GoAway) -> None:
        after = go_away.reconnect_after
        self._no_earlier_than = time.monotonic() + after.seconds + after.nanos / 1e9
        name = enum_name(pb.GoAwayReason, go_away.reason, "GO_AWAY_REASON_")
        if go_away.reason in _FINAL:
            raise HostRefused(f"The host at {self._connection.address} refuses this worker ({name}): {go_away.message}")
        logger.warning("The host says goodbye (%s): %s", name, go_away.message)

    def _finish_if_done(self) -> None:
        """Draining and nothing left: close the sending side, which ends the stream."""
        stream = self._stream
        if stream is not None and self._stopping.is_set() and self._tasks.is_empty:
            stream.outbox.close()

    def _watch_interval_s(self) -> float:
        stream = self._stream
        return 0.5 if stream is None else min(0.5, stream.silence_max_s / 4)

    def _watch(self) -> None:
        """A stream that is silent for too long is cut, so that the receiver opens another."""
        stream = self._stream
        if stream is None:
            return
        self._finish_if_done()
        silent_s = time.monotonic() - stream.heard_at
        if silent_s > stream.silence_max_s:
            logger.warning("The host was silent for %.1f s", silent_s)
            if (call := stream.call) is not None:
                call.cancel()

    def _hello(self) -> pb.Hello:
        return pb.Hello(
            contract_version=CONTRACT_VERSION,
            worker_key=self._key,
            worker_name=self._name,
            language="python",
            sdk_version=_sdk_version(),
            runtime_version=platform.python_version(),
            build_id=self._build_id,
            auth_token=self._connection.auth_token(),
            domain=self._domain,
            task_list=self._task_list,
            activity_types=[activity.as_type() for activity in self._activities.values()],
            slots=self._slots,
            resume=self._tasks.to_resume(),
        )


def _said(error: grpc.RpcError) -> str:
    if isinstance(error, grpc.Call):
        return f"{error.code().name}: {error.details()}"
    return str(error)


def _sdk_version() -> str:
    try:
        return metadata.version("pyflow-swf")
    except metadata.PackageNotFoundError:
        return ""
