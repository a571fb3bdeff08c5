"""Turns commands into the decisions of one answer, within SWF's limits; the rest stays for the next turn."""

from __future__ import annotations

import json
from typing import Any

from pyflow.core.context import Context
from pyflow.core.history import GENERATION, STAMP
from pyflow.core.invocations import CHUNK_TIMER_PREFIX, Command, site_text
from pyflow.core.values import PAYLOAD_CHARACTERS_MAX, Advance, Decision
from pyflow.exceptions import PayloadTooLargeException

_ENVELOPE_CHARACTERS = 400
"""What one decision takes besides its payload."""


def _same(text: str) -> str:
    return text


def build_answer(context: Context, last_event_id: int) -> Advance:
    """The answer to the live decision task. Commands stay queued until history confirms them."""
    chosen = _choose(context)
    decisions = [_wire(context, command) for command in chosen]
    held = len(context.commands) - len(chosen)
    closes = bool(chosen) and chosen[-1].kind == "close"
    if (context.wake or _could_go_on(context, chosen)) and not closes:
        decisions.append(_wake_up(context))
    return Advance(
        decisions=decisions,
        execution_context=_stamp(context.status, held),
        closed=closes,
        answer_after_s=context.answer_after_s,
        last_event_id=last_event_id,
    )


def _choose(context: Context) -> list[Command]:
    """Markers always; others in order while there is room, and while SWF allows more of their kind to be open."""
    settings = context.settings
    commands = context.commands
    closing = bool(commands) and commands[-1].kind == "close"
    fits = len(commands) <= settings.decisions_per_answer_max and not context.wake
    room = settings.decisions_per_answer_max - (0 if fits else 1)
    room -= sum(command.kind == "marker" for command in commands)
    open_max = {
        "activity": settings.open_activities_max,
        "timer": settings.open_timers_max,
        "child": settings.open_children_max,
        "lambda": settings.open_lambdas_max,
    }
    opened = dict(context.open_counts)
    characters = 0
    full: set[str] = set()
    out_of_room = False
    chosen: list[Command] = []
    for command in commands:
        kind = command.kind
        if kind == "marker":
            chosen.append(command)
            characters += _characters(command)
            continue
        if out_of_room or kind in full:
            continue
        if kind in open_max and not closing:
            if opened.get(kind, 0) >= open_max[kind]:
                full.add(kind)
                continue
            opened[kind] = opened.get(kind, 0) + 1
        characters += _characters(command)
        if room <= 0 or (characters > settings.answer_characters_max and chosen):
            out_of_room = True
            continue
        room -= 1
        chosen.append(command)
    return chosen


def _could_go_on(context: Context, chosen: list[Command]) -> bool:
    """True if something was left out that does not wait for anything to close."""
    if len(chosen) == len(context.commands):
        return False
    taken = {id(command) for command in chosen}
    settings = context.settings
    opened = dict(context.open_counts)
    for command in chosen:
        opened[command.kind] = opened.get(command.kind, 0) + 1
    open_max = {
        "activity": settings.open_activities_max,
        "timer": settings.open_timers_max,
        "child": settings.open_children_max,
        "lambda": settings.open_lambdas_max,
    }
    return any(
        opened.get(command.kind, 0) < open_max.get(command.kind, len(context.commands) + 1)
        for command in context.commands
        if id(command) not in taken
    )


def _characters(command: Command) -> int:
    request: Any = command.request
    payload: str | None = getattr(request, "input", None) or getattr(request, "details", None)
    if payload is None and command.kind == "close":
        payload = next((value for value in request.attributes.values() if isinstance(value, str)), None)
    if payload is None:
        return _ENVELOPE_CHARACTERS
    # Inside the request's JSON each quote and backslash of the payload takes two characters.
    return _ENVELOPE_CHARACTERS + len(payload) + payload.count('"') + payload.count("\\")


def _wire(context: Context, command: Command) -> Decision:
    encode = context.settings.payload_encode
    if encode is None:
        return command.request.decision(command.entity_id, site_text(command.site), _same)

    def checked(text: str) -> str:
        encoded = encode(text)
        if len(encoded) > PAYLOAD_CHARACTERS_MAX:
            raise PayloadTooLargeException(
                f"the encoded payload of {command.describe()}", len(encoded), PAYLOAD_CHARACTERS_MAX
            )
        return encoded

    return command.request.decision(command.entity_id, site_text(command.site), checked)


def _wake_up(context: Context) -> Decision:
    return {
        "decisionType": "StartTimer",
        "startTimerDecisionAttributes": {
            "timerId": f"{CHUNK_TIMER_PREFIX}{context.history_length}",
            "startToFireTimeout": "0",
        },
    }


def _stamp(status: Any, held: int) -> str:
    if status is None and not held:
        return '{"pyflow":3}'
    stamp: dict[str, Any] = {STAMP: GENERATION}
    if held:
        stamp["held"] = held
    if status is not None:
        stamp["status"] = status
    return json.dumps(stamp, separators=(",", ":"))
