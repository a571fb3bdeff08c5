"""What a host case can do, step by step: the SWF side, workers without an SDK (raw frames), and real executors.

Tasks are named by SWF's activityId (`id`), workers by the case. Written like the steps of worker cases.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from pyflow_conformance.texts import Text

DEADLINE_S = 20.0
PING_INTERVAL_S = 2.0  # three silent ones end a worker: a loaded machine must not look like a dead one
GRACE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Start the host (once more, if one ended), and wait until it serves. `ping_interval_s`, `grace_s`: its options."""

    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    ping_interval_s: float = PING_INTERVAL_S
    grace_s: float = GRACE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSignal:
    """Send the host a signal."""

    SHORT: ClassVar[str] = "name"
    name: Literal["TERM", "INT", "KILL", "STOP", "CONT"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostExit:
    """Expect that the host ends with `code`; `says` is in its output."""

    SHORT: ClassVar[str] = "code"
    code: int
    says: list[str] = field(default_factory=list)
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOutput:
    """Expect a line in the host's output."""

    SHORT: ClassVar[str] = "says"
    says: str
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe:
    """DescribeHost, until it answers as expected (fields of DescribeHostResponse), or is refused with `code`."""

    SHORT: ClassVar[str] = "expect"
    expect: dict[str, object] = field(default_factory=dict)
    token: str = ""
    code: str | None = None
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Open a stream and say Hello; expect Welcome, or GoAway with a reason. `hello` adds to Hello (its JSON form)."""

    SHORT: ClassVar[str] = "name"
    name: str
    key: str | None = None
    activities: list[str] = field(default_factory=lambda: ["echo"])
    token: str = ""
    resume: dict[str, Literal["RUNNING", "FINISHED"]] = field(default_factory=dict)
    """Tasks by name, with the tokens this worker (or one before it) was given."""
    wanted: dict[str, bool] | None = None
    """Expected ResumeAnswers."""
    credits: int = 0
    hello: dict[str, object] = field(default_factory=dict)
    say_hello: bool = True
    mute: bool = False
    """Pings are not answered."""
    forgetful: bool = False
    """Pings are answered as if it held no task."""
    go_away: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """A worker sends a frame: `credits`, `draining`, any fields in JSON form, and raw bytes after them."""

    worker: str
    credits: int = 0
    draining: bool = False
    json: dict[str, object] = field(default_factory=dict)
    hex: str = ""
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A worker sends the outcome of a task; `token_of`: with the token another worker was given; `forged`: altered."""

    worker: str
    task: str
    completed: Text | None = None
    json: dict[str, object] = field(default_factory=dict)
    """The outcome in JSON form, without its token."""
    token_of: str | None = None
    forged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive:
    """Expect that a worker is sent a task; its fields."""

    worker: str
    task: str
    expect: dict[str, object] = field(default_factory=dict)
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Acked:
    """Expect an OutcomeAck."""

    worker: str
    task: str
    status: Literal["REPORTED", "DUPLICATE", "GONE", "INVALID", "REFUSED"] = "REPORTED"
    message: object = None
    times: int = 1
    """How many acks of this task this stream has had by then."""
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Canceled:
    """Expect a Cancel."""

    worker: str
    task: str
    reason: str = "REQUESTED"
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAway:
    """Expect GoAway and the end of the stream."""

    worker: str
    reason: str
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """A worker closes its sending side, or drops its connection (`cut`)."""

    SHORT: ClassVar[str] = "worker"
    worker: str
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """CompleteTask with the token `worker` was given for `task`; expect the ack, or a gRPC status."""

    worker: str
    task: str
    completed: Text = "null"
    forged: bool = False
    ack: str | None = "REPORTED"
    code: str | None = None
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfTask:
    """SWF has a task for the task list."""

    id: str
    activity: str = "echo"
    version: str = "1.0"
    input: Text | None = None
    start_to_close_s: float | None = None
    heartbeat_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfEnd:
    """Expect how a task ended on SWF: `how` and the members of the call (`details` of a failure as JSON).

    `responds`: how many calls there were that wanted to end it: 1 unless something was repeated.
    """

    task: str
    how: Literal["completed", "failed", "canceled", "timed_out"] = "completed"
    result: object = None
    reason: object = None
    details: object = None
    responds: int | None = 1
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfOpen:
    """Expect that tasks have not ended on SWF."""

    SHORT: ClassVar[str] = "tasks"
    tasks: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfHeartbeat:
    """Wait for a new heartbeat of a task; with these details."""

    SHORT: ClassVar[str] = "task"
    task: str
    details: str | None = None
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfCancel:
    """The workflow asks to cancel: heartbeats are answered so."""

    SHORT: ClassVar[str] = "task"
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfClose:
    """SWF closes the task by itself: its token is unknown from now on."""

    SHORT: ClassVar[str] = "task"
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfClock:
    """Move SWF's clock by so many seconds."""

    SHORT: ClassVar[str] = "seconds"
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfFault:
    """The next calls of an operation go wrong: `throttled`, `unavailable` (500), the connection cut before or after
    the call had its effect. `times: 0`: all is well with it again."""

    operation: str
    how: Literal["throttled", "unavailable", "cut_before", "cut_after"]
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfPolls:
    """Expect that exactly so many polls become open; `aborted` by the host since the beginning."""

    SHORT: ClassVar[str] = "open"
    open: int
    aborted: int | None = None
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfRegistered:
    """Expect the registration of an activity type, with these members."""

    name: str
    version: str = "1.0"
    expect: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Start the executor under test, and wait until the host polls for it."""

    NEEDS_EXECUTOR: ClassVar[bool] = True
    slots: int = 4
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSignal:
    """Send the executor a signal."""

    NEEDS_EXECUTOR: ClassVar[bool] = True
    SHORT: ClassVar[str] = "name"
    name: Literal["TERM", "INT", "KILL", "STOP", "CONT"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorExit:
    """Expect that the executor ends."""

    NEEDS_EXECUTOR: ClassVar[bool] = True
    SHORT: ClassVar[str] = "code"
    code: int
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Wait until the activity with this gate has begun."""

    SHORT: ClassVar[str] = "gate"
    gate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Let the activity with this gate go on."""

    SHORT: ClassVar[str] = "gate"
    gate: str


HostStep: TypeAlias = (
    Host | HostSignal | HostExit | HostOutput | Describe | Worker | Send | Outcome | Receive | Acked | Canceled
    | SentAway | Leave | Complete | SwfTask | SwfEnd | SwfOpen | SwfHeartbeat | SwfCancel | SwfClose | SwfClock
    | SwfFault | SwfPolls | SwfRegistered | Executor | ExecutorSignal | ExecutorExit | Begun | Go
)  # fmt: skip

HOST_STEPS: dict[str, type[HostStep]] = {
    "host": Host, "host_signal": HostSignal, "host_exit": HostExit, "host_output": HostOutput, "describe": Describe,
    "worker": Worker, "send": Send, "outcome": Outcome, "receive": Receive, "acked": Acked, "canceled": Canceled,
    "sent_away": SentAway, "leave": Leave, "complete": Complete, "swf_task": SwfTask, "swf_end": SwfEnd,
    "swf_open": SwfOpen, "swf_heartbeat": SwfHeartbeat, "swf_cancel": SwfCancel, "swf_close": SwfClose,
    "swf_clock": SwfClock, "swf_fault": SwfFault, "swf_polls": SwfPolls, "swf_registered": SwfRegistered,
    "executor": Executor, "executor_signal": ExecutorSignal, "executor_exit": ExecutorExit, "begun": Begun, "go": Go,
}  # fmt: skip
