"""What a worker case can do, step by step: the scripted host's side. README.md shows each in use.

A step is written as its name, or as `name: {members}`; where only one member matters most, `name: value` sets that one
(`SHORT`). Tasks are named by the case (`id`); the runner makes their tokens. Times are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from pyflow_conformance.texts import Text

DEADLINE_S = 20.0
"""How long a step waits for what it expects, unless it says otherwise. Generous: it costs nothing when all is well."""

StateName = Literal["RUNNING", "FINISHED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Expect a stream with Hello that resumes nothing, welcome it, and expect credits for all slots."""

    SHORT: ClassVar[str] = "ping_interval_s"
    ping_interval_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Expect a new stream whose first frame is Hello: `expect` its fields, `resume` its held tasks and their states."""

    SHORT: ClassVar[str] = "expect"
    expect: dict[str, object] = field(default_factory=dict)
    resume: dict[str, StateName] = field(default_factory=dict)
    not_before_s: float = 0.0
    """Since the step before this one."""
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits in Welcome, as in the contract."""

    frame_bytes_max: int = 4 * 1024 * 1024
    payload_bytes_max: int = 128 * 1024
    result_chars_max: int = 32_768
    progress_chars_max: int = 2_048
    cause_depth_max: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """Answer Hello. `wanted`: for each resumed task, by name; those left out are wanted. `features` and `domain`."""

    SHORT: ClassVar[str] = "ping_interval_s"
    ping_interval_s: float = 60.0
    limits: Limits = field(default_factory=Limits)
    wanted: dict[str, bool] = field(default_factory=dict)
    domain: str = "conformance"
    features: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """Expect that the sum of credits on this stream becomes `total`."""

    SHORT: ClassVar[str] = "total"
    total: int
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Send a task. `input` absent: no input at all; `input_hex` for bytes that are no text."""

    id: str
    activity: str
    version: str = "1.0"
    input: Text | None = None
    input_hex: str | None = None
    content_type: str = ""
    attempt: int = 1
    activity_id: str | None = None
    last_progress: Text | None = None
    start_to_close_left_s: float | None = None
    heartbeat_s: float | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """Send several tasks in one frame."""

    SHORT: ClassVar[str] = "tasks"
    tasks: list[Task]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Expect the outcome of a task on this stream: exactly one of the four. Fields of it as in matching.py."""

    task: str
    completed: dict[str, object] | None = None
    """Of the result payload: `bytes`, `json`, `length`."""
    failed: dict[str, object] | None = None
    canceled: dict[str, object] | None = None
    later: bool = False
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Expect that the latest progress of a task becomes `details` (a payload); `{}`: any."""

    task: str
    details: dict[str, object] = field(default_factory=dict)
    before_outcome: bool = False
    """And that it came before the task's outcome."""
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Acknowledge the outcomes of tasks, in one frame."""

    SHORT: ClassVar[str] = "tasks"
    tasks: str | list[str]
    status: Literal["REPORTED", "DUPLICATE", "GONE", "INVALID", "REFUSED"] = "REPORTED"
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Send Cancel."""

    SHORT: ClassVar[str] = "task"
    task: str
    reason: Literal["UNSPECIFIED", "REQUESTED", "TIMED_OUT", "EXECUTION_CLOSED", "LEASE_LOST", "HOST_DRAINING"] = (
        "REQUESTED"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Ping, and expect a Status that holds exactly these tasks. Whatever the worker had sent before has come by then.

    `outcomes`: how many outcomes each task must have had on this stream by then.
    """

    SHORT: ClassVar[str] = "held"
    held: dict[str, StateName] = field(default_factory=dict)
    slots_free: int | None = None
    outcomes: dict[str, int] = field(default_factory=dict)
    until_held: bool = False
    """Ping again until it holds these tasks, instead of once: for states that need a moment."""
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Send `count` tasks in frames of `bundle` as credits allow, ack what ends, and expect every result.

    Input of number N is N, expected back as it is. Credits may never be exceeded or be given too often.
    """

    SHORT: ClassVar[str] = "count"
    count: int
    activity: str = "echo"
    bundle: int = 16
    within_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """End the stream. A gRPC status, or: `reset` the connection, `refuse` (reset, and nobody listens any more),
    `stall` (half-open: the connection stays and carries nothing)."""

    SHORT: ClassVar[str] = "how"
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Accept connections again after `cut: refuse`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoAway:
    """Send GoAway and end the stream."""

    SHORT: ClassVar[str] = "reason"
    reason: Literal[
        "UNSPECIFIED",
        "HOST_DRAINING",
        "UNAUTHENTICATED",
        "INCOMPATIBLE",
        "SUPERSEDED",
        "PROTOCOL_ERROR",
        "SILENT",
        "HOST_FULL",
    ]
    message: str = "as the case says"
    reconnect_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Send any HostFrame: `json` (its JSON form) followed by raw bytes (`hex`), for example unknown fields."""

    json: dict[str, object] = field(default_factory=dict)
    hex: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Send a signal to the worker."""

    SHORT: ClassVar[str] = "name"
    name: Literal["TERM", "INT", "KILL", "STOP", "CONT"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draining:
    """Expect Draining on this stream."""

    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Expect that the worker closes its side of the stream (or drops it)."""

    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """Expect that the worker ends with `code`, or with anything but 0 for `failure`; `says` is in its output."""

    SHORT: ClassVar[str] = "code"
    code: int | Literal["failure"]
    says: list[str] = field(default_factory=list)
    streams: int | None = None
    """How many streams it may have opened in all, if that matters."""
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Expect a line in the worker's output."""

    SHORT: ClassVar[str] = "says"
    says: str
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Wait until the activity with this gate (a file `$dir/NAME`) has begun."""

    SHORT: ClassVar[str] = "gate"
    gate: str | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Let the activity with this gate go on."""

    SHORT: ClassVar[str] = "gate"
    gate: str | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Write a file `$dir/NAME`, for example a new bearer token; without `text` it is taken away."""

    file: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How unary calls are answered from now on."""

    ack: Literal["REPORTED", "DUPLICATE", "GONE", "INVALID", "REFUSED"] = "REPORTED"
    cancel_requested: bool = False
    code: str | None = None
    """A gRPC status instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary:
    """Expect a unary call, `request` field by field."""

    method: Literal["CompleteTask", "RecordTaskProgress"]
    request: dict[str, object] = field(default_factory=dict)
    authorization: str = ""
    within_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Deaf:
    """Stop reading (or read again): the worker's sending is held up by flow control."""

    SHORT: ClassVar[str] = "deaf"
    deaf: bool


WorkerStep: TypeAlias = (
    Connect | Hello | Welcome | Credits | Task | Tasks | Outcome | Progress | Ack | Cancel | Status | Calls | Cut
    | Listen | GoAway | Frame | Signal | Draining | Closed | Exit | Output | Begun | Go | Write | Answer | Unary | Deaf
)  # fmt: skip

WORKER_STEPS: dict[str, type[WorkerStep]] = {
    "connect": Connect, "hello": Hello, "welcome": Welcome, "credits": Credits, "task": Task, "tasks": Tasks,
    "outcome": Outcome, "progress": Progress, "ack": Ack, "cancel": Cancel, "status": Status, "calls": Calls,
    "cut": Cut, "listen": Listen, "go_away": GoAway, "frame": Frame, "signal": Signal, "draining": Draining,
    "closed": Closed, "exit": Exit, "output": Output, "begun": Begun, "go": Go, "write": Write, "answer": Answer,
    "unary": Unary, "deaf": Deaf,
}  # fmt: skip
