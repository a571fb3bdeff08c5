"""Says in words why an execution is not moving, and what to do, from what SWF holds of it. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyflow.causes import advice
from pyflow.core.values import HISTORY_EVENTS_ADVICE, HISTORY_EVENTS_MAX

from pyflow_console.decision_state import DecisionState, decision_state
from pyflow_console.moments import moment, span
from pyflow_console.open_work import Event, LastTaken, OpenWork, Refused, last_taken, open_work, refused

SOON_S = 10.0
"""What has waited no longer than this is not worth alarm."""

TIMER_LATE_S = 60.0
SHOWN_MAX = 20
"""Of many things waited for, as many are told one by one."""

STICKY_MARK = "~"
"""In the name of a task list that one decider process keeps for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know of an execution, and what can be done about it."""

    what: str
    todo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What SWF says of one execution. Times are epoch seconds."""

    domain: str
    description: Mapping[str, Any]
    events: Sequence[Event]
    now_s: float
    pending_decisions: Mapping[str, int] = field(default_factory=dict)
    """For task lists that were asked for: how many decision tasks wait there in all."""
    pending_activities: Mapping[str, int] = field(default_factory=dict)
    """The same of activity tasks."""

    @property
    def workflow_id(self) -> str:
        """The execution's workflow id."""
        return str(self.description["executionInfo"]["execution"]["workflowId"])

    @property
    def run_id(self) -> str:
        """Its run id."""
        return str(self.description["executionInfo"]["execution"]["runId"])

    @property
    def workflow_type(self) -> str:
        """Name and version of its type."""
        kind = self.description["executionInfo"]["workflowType"]
        return f"{kind['name']} {kind['version']}"

    @property
    def task_list(self) -> str:
        """The shared task list of its deciders."""
        return str(self.description["executionConfiguration"]["taskList"]["name"])

    @property
    def is_open(self) -> bool:
        """False once it has ended."""
        return bool(self.description["executionInfo"]["executionStatus"] == "OPEN")

    @property
    def task_timeout_s(self) -> float | None:
        """How long a decider has for one decision task; None: for ever."""
        text = str(self.description["executionConfiguration"]["taskStartToCloseTimeout"])
        return float(text) if text.isdigit() else None


def diagnose(case: Case, *, reason_known: bool = False) -> list[Finding]:
    """Why it is not moving, the most telling first. `reason_known`: that of a hold has been found elsewhere."""
    if not case.is_open:
        return [_closed(case)]
    state = decision_state(case.events)
    work = open_work(case.events)
    findings: list[Finding] = []
    if state.task_list is not None:
        findings.append(_decision(case, state, reason_known=reason_known))
    if work:
        findings += _waits(case, work)
    elif state.task_list is None:
        findings.append(_only_from_outside(case, state))
    return [*findings, *_notes(case, state)]


def task_lists_to_ask(events: Sequence[Event]) -> tuple[set[str], set[str]]:
    """The task lists whose backlog would tell more: of decisions, and of activities that nobody has taken."""
    state = decision_state(events)
    decisions = {state.task_list} if state.task_list is not None and state.started_s is None else set()
    untaken = [work for work in open_work(events) if work.kind == "activity" and work.taken_s is None]
    return decisions, {str(work.attributes["taskList"]["name"]) for work in untaken[:SHOWN_MAX]}


# ---- decisions


def _closed(case: Case) -> Finding:
    info = case.description["executionInfo"]
    ago = span(case.now_s - info["closeTimestamp"].timestamp())
    todo = None
    if info.get("closeStatus") != "COMPLETED":
        todo = f"See how: pyflow status {_execution(case)}"
    return Finding(what=f"It waits for nothing: it has ended, {info.get('closeStatus')}, {ago} ago.", todo=todo)


def _decision(case: Case, state: DecisionState, *, reason_known: bool) -> Finding:
    if state.in_vain:
        return _in_vain(case, state, reason_known=reason_known)
    if state.started_s is not None:
        return _being_decided(case, state)
    return _not_taken(case, state)


def _in_vain(case: Case, state: DecisionState, *, reason_known: bool) -> Finding:
    """Taken and not answered: a hold, or a decider that dies or is too slow."""
    since = "" if state.in_vain_since_s is None else f" since {moment(state.in_vain_since_s)}"
    now = "waits to be taken" if state.started_s is None else f"was taken {span(case.now_s - state.started_s)} ago"
    tasks = "A decision task was" if state.in_vain == 1 else f"{state.in_vain:,} decision tasks in a row were"
    what = (
        f"{tasks} taken and not answered within {_timeout(case)}{since}, the last by "
        f"{state.taken_by or 'a decider without a name'}. The next one {now}."
    )
    if reason_known:
        return Finding(what=what)
    return Finding(
        what=f"{what} A decider holds it, was killed, or is too slow.",
        todo=f"Why it is held: {_why(case)} --workflow MODULE:CLASS (with the code that runs there), or --decider "
        "HOST:PORT (the decider's --metrics-address), or the decider's log (HELD). Then deploy code that fits; nothing "
        "is lost meanwhile",
    )


def _being_decided(case: Case, state: DecisionState) -> Finding:
    assert state.started_s is not None
    by = state.taken_by or "a decider without a name"
    so_far_s = case.now_s - state.started_s
    what = f"{by} has been deciding for {span(so_far_s)}; it has {_timeout(case)}."
    if case.task_timeout_s is None and so_far_s > SOON_S:
        return Finding(
            what=f"{what} If that decider holds it or is gone, the task never comes back by itself.",
            todo=f"Ask that decider: its log (HELD, BLOCKED), or {_why(case)} --decider HOST:PORT. If it is gone, "
            "terminate the execution and start it anew with a task timeout: aws swf terminate-workflow-execution "
            f"--domain {shlex.quote(case.domain)} --workflow-id {shlex.quote(case.workflow_id)}",
        )
    if so_far_s <= SOON_S:
        return Finding(what=what)
    return Finding(
        what=what,
        todo=f"If {by} holds it or is stuck, its log says HELD or BLOCKED; if it is gone, SWF hands the task to "
        f"another decider after that time. The code itself: {_why(case)} --workflow MODULE:CLASS",
    )


def _not_taken(case: Case, state: DecisionState) -> Finding:
    waited_s = case.now_s - state.scheduled_s
    assert state.task_list is not None
    if STICKY_MARK in state.task_list and state.task_list != case.task_list:
        what = (
            f"A decision task has waited {span(waited_s)} for the decider process that keeps the execution "
            f"(task list {state.task_list!r}); after a few seconds it goes to {case.task_list!r}."
        )
        return Finding(what=what, todo="Look again" if waited_s <= SOON_S else None)
    what = f"A decision task has waited {span(waited_s)} on task list {state.task_list!r}; no decider has taken it."
    what += _backlog(case.pending_decisions, state.task_list)
    if waited_s <= SOON_S:
        return Finding(what=what)
    last = f" The last that did was {state.taken_by}." if state.taken_by else ""
    return Finding(
        what=what + last,
        todo=f"Is a decider running for this domain and task list? pyflow decider MODULE:CLASS "
        f"--domain {shlex.quote(case.domain)} --task-list {shlex.quote(state.task_list)} "
        f"(the class with NAME and VERSION of {case.workflow_type}). If one runs, its log says why it cannot poll",
    )


# ---- work that is under way


def _waits(case: Case, work: Sequence[OpenWork]) -> list[Finding]:
    taken = last_taken(case.events)
    findings = [_work(case, each, taken) for each in work[:SHOWN_MAX]]
    more = len(work) - len(findings)
    return [*findings, Finding(what=f"And {more:,} more that are open.")] if more else findings


def _work(case: Case, work: OpenWork, taken: Mapping[str, LastTaken]) -> Finding:
    match work.kind:
        case "activity":
            return _activity(case, work, taken)
        case "timer":
            return _timer(case, work)
        case "child":
            return _child(case, work)
        case "lambda":
            if work.taken_s is None:
                return Finding(what=f"{_name(work)} has waited {_since(case, work.asked_s)} for SWF to call it.")
            return Finding(what=f"{_name(work)} has been running for {_since(case, work.taken_s)}.{_deadline(work)}")
        case _:
            target = work.attributes["workflowId"]
            return Finding(what=f"{_name(work)} to {target!r} has been under way for {_since(case, work.asked_s)}.")


def _activity(case: Case, work: OpenWork, taken: Mapping[str, LastTaken]) -> Finding:
    task_list = work.attributes["taskList"]["name"]
    if work.taken_s is not None:
        heartbeat = str(work.attributes.get("heartbeatTimeout", "NONE"))
        beats = f" Without a sign of life for {heartbeat} s it times out." if heartbeat.isdigit() else ""
        canceled = " Its cancellation has been requested." if work.cancel_requested else ""
        by = work.taken_by or "a worker without a name"
        what = f"{_name(work)} has been running for {_since(case, work.taken_s)} at {by}."
        return Finding(what=what + _deadline(work) + beats + canceled)
    waited_s = case.now_s - work.asked_s
    what = f"{_name(work)} has waited {span(waited_s)} on task list {task_list!r}; no worker has taken it."
    what += _backlog(case.pending_activities, task_list)
    if waited_s <= SOON_S:
        return Finding(what=what)
    last = taken.get(task_list)
    if last is not None:
        what += f" Another one of this execution was taken from there {span(case.now_s - last.at_s)} ago by {last.by}."
    return Finding(
        what=what,
        todo=f"Is an activity host running for domain {case.domain!r}, with a worker that serves {work.label!r} on "
        f"{task_list!r} and has a free slot? pyflow host --domain {shlex.quote(case.domain)} --listen ADDRESS, and "
        f"pyflow worker MODULE --host ADDRESS --task-list {shlex.quote(task_list)}",
    )


def _timer(case: Case, work: OpenWork) -> Finding:
    fires_s = work.asked_s + float(work.attributes["startToFireTimeout"])
    of = ""
    if ".backoff" in work.identity:
        of = f" (the pause before {work.identity.partition('.backoff')[0]!r} is tried again)"
    late_s = case.now_s - fires_s
    if late_s > TIMER_LATE_S:
        return Finding(
            what=f"{_name(work)}{of} was to fire {span(late_s)} ago, at {moment(fires_s)}.",
            todo="SWF itself is late or down, or this machine's clock is wrong",
        )
    when = f"fires in {span(-late_s)}" if late_s < 0 else "fires now"
    return Finding(what=f"{_name(work)}{of} {when}, at {moment(fires_s)}.")


def _child(case: Case, work: OpenWork) -> Finding:
    if work.taken_s is None:
        return Finding(what=f"{_name(work)} has been asked for {_since(case, work.asked_s)} ago and has not begun.")
    return Finding(
        what=f"{_name(work)} has been running for {_since(case, work.taken_s)}.",
        todo=f"Why it is not done: pyflow why {shlex.quote(work.identity)} --run-id {work.taken_by} "
        f"--domain {shlex.quote(case.domain)}",
    )


def _name(work: OpenWork) -> str:
    words = {
        "activity": "Activity",
        "lambda": "Lambda function",
        "timer": "Timer",
        "child": "Child workflow",
        "external_signal": "Signal",
        "external_cancel": "A request to cancel",
    }
    label = f" {work.label!r}" if work.label and work.kind != "external_cancel" else ""
    identity = f" ({work.identity})" if work.kind not in ("external_signal", "external_cancel") else ""
    at = f", asked for at {work.asked_at}," if work.asked_at else ""
    return f"{words[work.kind]}{label}{identity}{at}"


def _deadline(work: OpenWork) -> str:
    """When SWF ends it as timed out."""
    assert work.taken_s is not None
    ends = []
    for name, begun_s in (("startToCloseTimeout", work.taken_s), ("scheduleToCloseTimeout", work.asked_s)):
        text = str(work.attributes.get(name, "NONE"))
        if text.isdigit():
            ends.append(begun_s + float(text))
    return f" It times out at {moment(min(ends))}." if ends else ""


# ---- what else


def _only_from_outside(case: Case, state: DecisionState) -> Finding:
    since = "" if state.answered_s is None else f", since its last decision {span(case.now_s - state.answered_s)} ago"
    return Finding(
        what=f"Nothing that it asked for is open{since}: only a signal or a cancellation from outside can wake it.",
        todo=f"Which line waits: {_why(case)} --workflow MODULE:CLASS. To send one: pyflow signal "
        f"{shlex.quote(case.workflow_id)} NAME --domain {shlex.quote(case.domain)} --input JSON",
    )


def _notes(case: Case, state: DecisionState) -> list[Finding]:
    notes = [_refused(case, each) for each in refused(case.events)[:SHOWN_MAX]]
    if state.held_back:
        notes.append(
            Finding(what=f"{state.held_back:,} more are asked for and held back: SWF limits how many may be open.")
        )
    if case.description["executionInfo"].get("cancelRequested"):
        notes.append(Finding(what="Its cancellation has been requested; its code has not ended since."))
    if state.status is not None:
        notes.append(Finding(what=f"It says of itself: {state.status}"))
    if len(case.events) > HISTORY_EVENTS_ADVICE:
        notes.append(
            Finding(
                what=f"Its history has {len(case.events):,} events; at {HISTORY_EVENTS_MAX:,} SWF terminates it.",
                todo="Let the code continue as new: swf.should_continue_as_new says when",
            )
        )
    deadline = _execution_deadline(case)
    return [*notes, deadline] if deadline else notes


def _refused(case: Case, refusal: Refused) -> Finding:
    name = f" {refusal.name!r}" if refusal.name else ""
    what = f"SWF refused a decision {span(case.now_s - refusal.at_s)} ago: {refusal.event_type}{name}, {refusal.cause}."
    todo = advice(refusal.cause)
    return Finding(what=what, todo=todo and f"{todo[0].upper()}{todo[1:]}")


def _execution_deadline(case: Case) -> Finding | None:
    text = str(case.description["executionConfiguration"]["executionStartToCloseTimeout"])
    if not text.isdigit():
        return None
    ends_s = case.description["executionInfo"]["startTimestamp"].timestamp() + float(text)
    return Finding(what=f"As a whole it times out in {span(ends_s - case.now_s)}, at {moment(ends_s)}.")


def _backlog(pending: Mapping[str, int], task_list: str) -> str:
    count = pending.get(task_list, 0)
    return f" {count:,} tasks wait there in all." if count > 1 else ""


def _timeout(case: Case) -> str:
    timeout_s = case.task_timeout_s
    return "no time limit" if timeout_s is None else span(timeout_s)


def _since(case: Case, at_s: float) -> str:
    return span(case.now_s - at_s)


def _why(case: Case) -> str:
    return f"pyflow why {_execution(case)}"


def _execution(case: Case) -> str:
    return f"{shlex.quote(case.workflow_id)} --run-id {shlex.quote(case.run_id)} --domain {shlex.quote(case.domain)}"
