"""The values that go into and come out of one Execution: settings, the answer to a decision task, and a hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Event: TypeAlias = Mapping[str, Any]
"""One history event as it is on SWF's JSON wire; ``eventTimestamp`` is epoch seconds or an aware datetime."""

Decision: TypeAlias = dict[str, Any]
"""One decision as botocore's service model spells it."""

DECISIONS_PER_ANSWER_MAX = 100
"""SWF's documented figure for one RespondDecisionTaskCompleted (swf-reference 4.5)."""

ANSWER_CHARACTERS_MAX = 800_000
"""A request may have 1 MB; the rest is room for escapes, the token and the envelope."""

PAYLOAD_CHARACTERS_MAX = 32_768
"""Input, result, details, control and execution context (swf-reference 2.1)."""

REASON_CHARACTERS_MAX = 256
"""FailWorkflowExecution.reason (swf-reference 2.1)."""

UNCAUGHT = "Caught exception while executing workflow"
"""How the reason begins when an exception of the workflow's own code fails the execution; 2.0.0's words."""

OPEN_PER_KIND_MAX = 1_000
"""Open activities, timers and children of one execution (swf-reference 10.1)."""

HISTORY_EVENTS_MAX = 25_000
"""At this many events SWF terminates the execution (swf-reference 8.10)."""

HISTORY_EVENTS_ADVICE = 10_000
"""From here on continuing as new is advised (swf-reference 8.10)."""

COMMANDS_PER_TURN_MAX = 20_000
"""More commands than this without ever blocking is a loop that will not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSettings:
    """What a worker decides for all its executions. Every limit has the service's own value as its default."""

    decisions_per_answer_max: int = DECISIONS_PER_ANSWER_MAX
    answer_characters_max: int = ANSWER_CHARACTERS_MAX
    open_activities_max: int = OPEN_PER_KIND_MAX
    open_timers_max: int = OPEN_PER_KIND_MAX
    open_children_max: int = OPEN_PER_KIND_MAX
    open_lambdas_max: int = OPEN_PER_KIND_MAX
    commands_per_turn_max: int = COMMANDS_PER_TURN_MAX
    history_events_advice: int = HISTORY_EVENTS_ADVICE
    payload_encode: Callable[[str], str] | None = None
    """Applied to every payload text as it leaves (compression, encryption, offload); see ``pyflow.payloads``."""
    payload_decode: Callable[[str], str] | None = None
    """The reverse, applied to every payload text that comes in. Must let plain JSON pass."""
    guard: Callable[[Callable[[], None]], None] | None = None
    """Runs the workflow code of each decision, for instance under ``pyflow.guard.DeterminismGuard``. None: no watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why a decision task must not be answered: the execution is kept as it is until a fitting build arrives."""

    kind: Literal["nondeterminism", "framework", "stuck", "author", "refused"]
    """nondeterminism: code and history disagree; framework: a fault of ours; stuck: code that never blocks;
    author: the class asks to be held on its own exceptions; refused: SWF will not accept the closing decision."""
    message: str
    event_id: int | None = None
    """The history event where it was noticed, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What ``Execution.advance`` found: the answer for RespondDecisionTaskCompleted, or why there must be none."""

    decisions: list[Decision] = field(default_factory=list)
    """In SWF's wire form, at most ``decisions_per_answer_max`` of them. Empty when held."""
    execution_context: str | None = None
    """For RespondDecisionTaskCompleted.executionContext. Always send it: replay reads it back."""
    closed: bool = False
    """True if the last decision closes the execution. SWF may still refuse it (UNHANDLED_DECISION)."""
    answer_after_s: float = 0.0
    """Seconds to wait before answering: SWF has refused timers, so that nothing in workflow time can wait."""
    held: Hold | None = None
    """Set: do not answer the task, evict the execution, log the message, try again later."""
    last_event_id: int = 0
    """The last event this execution has seen."""
