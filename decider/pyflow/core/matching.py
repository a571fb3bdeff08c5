"""Matches what code asked for with what an answered decision task recorded: by kind and order, ids from history."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from pyflow.core.context import ONCE_PREFIX, PATCH_PREFIX, VERSION_PREFIX, Context
from pyflow.core.history import DECISION_KINDS, Happening, Turn
from pyflow.core.invocations import CHUNK_TIMER_PREFIX, Command, is_own_code, site_text
from pyflow.core.lifecycle import REFUSALS, free
from pyflow.core.machines import step
from pyflow.core.requests import ID_MEMBERS, history_id, history_label, read_control
from pyflow.exceptions import DeciderException, NondeterminismError

LEGACY_SIGNAL_PREFIX = "invoke_once_signal"

_OPENS = frozenset({"activity", "lambda", "timer", "child", "external_signal", "external_cancel"})
"""Kinds whose event opens what later events refer to."""

_ALWAYS_ASKED_FOR = frozenset({"activity", "lambda", "child", "external_cancel"})
"""Kinds with a label that no decider decides for bookkeeping of its own."""

_HINT = (
    "The execution is held, not failed: deploy the code that made this history, or guard the change with "
    "swf.patched(...)."
)


def confirm(context: Context, turn: Turn) -> Sequence[tuple[Command, Happening]]:
    """Match the commands of a turn with the events its answer recorded.

    Returns what did not take effect: refused decisions, and markers of 2.0.0, which settle one turn later. They are
    applied when the next turn begins. Raises NondeterminismError where the two sides differ.
    """
    commands, decisions = context.commands, turn.decisions
    if len(commands) == 1 and len(decisions) == 1 and not turn.held:
        # By far the most frequent case, and the general one below is four times as much work.
        command, happening = commands[0], decisions[0]
        kind = command.kind
        if kind in _ALWAYS_ASKED_FOR and DECISION_KINDS[happening[0]] == kind:
            if history_label(kind, happening[0], happening[1]) != command.request.label:
                raise _different(command, turn, happening)
            commands.clear()
            return ((command, happening),) if _take_effect(context, turn, command, happening) else ()
    elif not commands and not decisions and not turn.held:
        return ()
    return _confirm_many(context, turn)


def _confirm_many(context: Context, turn: Turn) -> list[tuple[Command, Happening]]:
    later: list[tuple[Command, Happening]] = []
    waiting: dict[str, deque[Command]] = {}
    for command in context.commands:
        queue = waiting.get(command.kind)
        if queue is None:
            waiting[command.kind] = queue = deque()
        queue.append(command)
    matched = 0
    for happening in turn.decisions:
        event_type, attributes, event = happening
        kind = DECISION_KINDS[event_type]
        queue = waiting.get(kind)
        if _is_bookkeeping(turn, kind, event_type, happening, queue):
            if event_type in ("TimerStarted", "SignalExternalWorkflowExecutionInitiated"):
                context.open[event["eventId"]] = None
            continue
        if not queue:
            raise _unasked(context, turn, happening)
        command = queue.popleft()
        matched += 1
        label = command.request.label
        if label is not None:
            found = history_label(kind, event_type, attributes)
            if found != label and not (kind == "marker" and _both_once(found, label)):
                raise _different(command, turn, happening)
        if kind in ("timer", "activity") and _family(kind, attributes) != _family_of(command):
            raise _different(command, turn, happening)
        if _take_effect(context, turn, command, happening):
            later.append((command, happening))
    left = len(context.commands) - matched
    if left != turn.held:
        raise _unrecorded(context, turn, waiting, left)
    if left:
        still = {id(command) for queue in waiting.values() for command in queue}
        context.commands = [command for command in context.commands if id(command) in still]
    else:
        context.commands.clear()
    return later


def _is_bookkeeping(turn: Turn, kind: str, event_type: str, happening: Happening, queue: deque[Command] | None) -> bool:
    """Decisions that no line of workflow code asks for."""
    attributes = happening[1]
    if kind == "timer":
        return bool(attributes["timerId"].startswith(CHUNK_TIMER_PREFIX))
    if kind == "external_signal":
        return turn.legacy and bool(attributes["signalName"].startswith(LEGACY_SIGNAL_PREFIX))
    if kind == "marker":
        name = attributes["markerName"]
        if name.startswith((PATCH_PREFIX, VERSION_PREFIX)):
            # A patch whose call has been taken out of the code since: nothing depends on it any more.
            return not any(command.request.label == name for command in queue or ())
    return False


def _family(kind: str, attributes: Mapping[str, Any]) -> bool:
    """True for what the decider asks for by itself: back-off timers and further attempts."""
    return ".backoff" in attributes["timerId"] if kind == "timer" else ".attempt" in attributes["activityId"]


def _family_of(command: Command) -> bool:
    return ".backoff" in command.entity_id if command.kind == "timer" else ".attempt" in command.entity_id


def _both_once(found: str | None, label: str) -> bool:
    return found is not None and found.startswith(ONCE_PREFIX) and label.startswith(ONCE_PREFIX)


def _take_effect(context: Context, turn: Turn, command: Command, happening: Happening) -> bool:
    """Tell the entity; True if the outcome has to wait for the next turn."""
    event_type, attributes, event = happening
    entity = command.entity
    if entity is None:
        return event_type.endswith("Failed") and not event_type.startswith("WorkflowExecution")
    step(entity, event_type)
    kind = command.kind
    if kind not in _OPENS:
        return _take_other_effect(context, turn, command, happening)
    member = ID_MEMBERS.get(kind)
    if member is not None and attributes[member] != entity.id:
        context.adopt_id(entity, attributes[member])
    if event_type in REFUSALS:
        return True
    entity.event_id = event["eventId"]
    context.open[entity.event_id] = entity
    context.open_counts[kind] += 1
    return False


def _take_other_effect(context: Context, turn: Turn, command: Command, happening: Happening) -> bool:
    """As _take_effect, of what opens nothing."""
    event_type, attributes, event = happening
    if command.kind == "cancel_timer" and event_type == "TimerCanceled":
        assert command.entity is not None
        free(context, command.entity)
    if command.kind == "marker":
        if event_type == "RecordMarkerFailed" and not turn.legacy:
            raise DeciderException(
                f"event {event['eventId']}: SWF refused to record marker {attributes['markerName']!r} "
                f"({attributes['cause']}). What the code has seen is not in history; allow swf:RecordMarker and "
                f"start the execution again."
            )
        return turn.legacy
    return False


def _recorded(happening: Happening) -> str:
    event_type, attributes, _ = happening
    kind = DECISION_KINDS[event_type]
    label, identity = history_label(kind, event_type, attributes), history_id(kind, attributes)
    text = event_type
    if label and kind != "close":
        text += f" {label!r}"
    if identity and identity != label:
        text += f" (id {identity})"
    at = read_control(attributes)
    return f"{text}, asked for at {at}" if at else text


def _different(command: Command, turn: Turn, happening: Happening) -> NondeterminismError:
    event_id = int(happening[2]["eventId"])
    return NondeterminismError(
        f"event {event_id}: history holds {_recorded(happening)}; the code now asks for {command.describe()}. {_HINT}",
        event_id,
    )


def _unasked(context: Context, turn: Turn, happening: Happening) -> NondeterminismError:
    event_id = int(happening[2]["eventId"])
    asked = ", ".join(command.describe() for command in context.commands[:3]) or "nothing in that decision"
    waits = _where_it_waits(context)
    return NondeterminismError(
        f"event {event_id}: history holds {_recorded(happening)}; the code now asks for {asked}{waits}. {_HINT}",
        event_id,
    )


def _unrecorded(context: Context, turn: Turn, waiting: dict[str, deque[Command]], left: int) -> NondeterminismError:
    assert turn.completed is not None
    event_id = int(turn.completed["eventId"])
    extra = [command for command in context.commands if command in waiting[command.kind]][turn.held :]
    asked = ", ".join(command.describe() for command in extra[:3]) or "less than was held back"
    recorded = ", ".join(_recorded(happening) for happening in turn.decisions[:3]) or "no decision at all"
    return NondeterminismError(
        f"event {event_id}: the code now asks for {asked}; the decision recorded there holds {recorded} "
        f"({left} left over where {turn.held} were held back). {_HINT}",
        event_id,
    )


def _where_it_waits(context: Context) -> str:
    for task in context.hub.tasks():
        site = waiting_site(task.frame())
        if site:
            return f" and waits at {site}"
    return ""


def waiting_site(frame: object) -> str | None:
    """``file.py:12`` of the innermost workflow line of a parked frame."""
    while frame is not None:
        code = frame.f_code  # type: ignore[attr-defined]  # greenlet types frames as object
        if not is_own_code(code.co_filename):
            return site_text((code.co_filename, frame.f_lineno))  # type: ignore[attr-defined]  # as above
        frame = frame.f_back  # type: ignore[attr-defined]  # as above
    return None
