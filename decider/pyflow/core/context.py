"""What author code can do from inside its greenlet: ask, wait, spawn, cancel; and what it may know."""

from __future__ import annotations

import hashlib
import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NoReturn

from pyflow.core.history import Happening, Turn, epoch_s
from pyflow.core.hub import CANCELED, PENDING, SUCCEEDED, Completion, GreenletPool, Hub, Task
from pyflow.core.invocations import CHUNK_TIMER_PREFIX, Command, Invocation, Site, call_site, site_text
from pyflow.core.machines import step
from pyflow.core.requests import (
    CancelActivityRequest,
    CancelTimerRequest,
    ExternalCancelRequest,
    MarkerRequest,
    Request,
    TimerRequest,
)
from pyflow.core.scopes import CancelScope
from pyflow.core.signals import Inbox
from pyflow.core.values import PAYLOAD_CHARACTERS_MAX, ExecutionSettings
from pyflow.exceptions import (
    DeciderException,
    IllegalTransitionError,
    NondeterminismError,
    PayloadTooLargeException,
    PyflowException,
    WorkflowCanceledException,
    WorkflowEvicted,
    WorkflowStuck,
)
from pyflow.options import NONE, duration_text

ONCE_PREFIX = "invoke_once"
PATCH_PREFIX = "pyflow.patched:"
VERSION_PREFIX = "pyflow.version:"

MARKERS_PER_TURN_MAX = 50
"""Results recorded in one answer. They must all be in it: what code has seen has to be in history. More wait a turn."""

MARKER_CHARACTERS_PER_TURN_MAX = 300_000

IN_INVOKE_ONCE = "A callable given to invoke_once must not use the workflow's swf object, nor its futures."


class Context:
    """The core's face toward author code, and the state that both sides share."""

    __slots__ = (
        "_identifiers",
        "_marker_characters",
        "_markers_sent",
        "_random",
        "_turn_markers",
        "_uuids",
        "answer_after_s",
        "backing_off",
        "commands",
        "domain",
        "failed_branches",
        "fault",
        "hub",
        "inbox",
        "now",
        "open",
        "open_counts",
        "patches",
        "root_scope",
        "run_id",
        "settings",
        "started_attributes",
        "status",
        "turn",
        "turn_done",
        "wake",
        "workflow_id",
        "workflow_type",
    )

    def __init__(
        self,
        *,
        domain: str,
        workflow_id: str,
        run_id: str,
        workflow_type: tuple[str, str],
        settings: ExecutionSettings,
        pool: GreenletPool | None,
    ) -> None:
        self.domain = domain
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.workflow_type = workflow_type
        self.settings = settings
        self.hub = Hub(pool)
        self.root_scope = CancelScope(None)
        self.inbox = Inbox(self.hub, self.root_scope)
        self.commands: list[Command] = []
        self.open: dict[int, Invocation | None] = {}
        """By the id of the event that opened it; None for what was opened by bookkeeping of a decider."""
        self.open_counts: defaultdict[str, int] = defaultdict(int)
        self.backing_off: dict[str, Invocation] = {}
        self.turn: Turn | None = None
        self.turn_done: Completion | None = None
        self.now: Any = 0.0
        """Timestamp of the decision at hand, as the event has it."""
        self.started_attributes: dict[str, Any] = {}
        self.status: Any = None
        self.fault: BaseException | None = None
        self.failed_branches: list[Task] = []
        """Whose exception nobody has looked at yet."""
        self.wake = False
        self.answer_after_s = 0.0
        """How long to keep the answer at hand back: nothing can wait in workflow time when SWF refuses timers."""
        self.patches: dict[str, bool] | None = None
        self._identifiers: dict[str, int] = {}
        self._turn_markers: list[Happening] | None = None
        self._markers_sent = 0
        self._marker_characters = 0
        self._random: random.Random | None = None
        self._uuids = 0

    # ---- what code may know

    @property
    def replaying(self) -> bool:
        """True while a decision that was made before is being made again."""
        return self.turn is not None and self.turn.completed is not None

    @property
    def now_s(self) -> float:
        """The time of the decision at hand, in epoch seconds."""
        return epoch_s(self.now)

    @property
    def history_length(self) -> int:
        """Events in history up to the decision at hand."""
        return self.turn.started_id if self.turn is not None else 0

    def random(self) -> random.Random:
        """The run's own random numbers: the same on every replay."""
        if self._random is None:
            self._random = random.Random(f"{self.run_id}/random")
        return self._random

    def uuid4(self) -> uuid.UUID:
        """The next of the run's own UUIDs: the same on every replay."""
        self._uuids += 1
        digest = hashlib.sha256(f"{self.run_id}/uuid/{self._uuids}".encode()).digest()
        return uuid.UUID(bytes=digest[:16], version=4)

    # ---- asking

    def ask(self, request: Request, entity_id: str | None = None) -> Invocation:
        """Ask for something; the decision leaves with the next answer."""
        task = self.check_may_ask()
        site = call_site() or self._spawn_site()
        invocation = Invocation(request, entity_id or self.next_id(request.ids), task.scope, site)
        self.add_command(Command(request, invocation, site))
        return invocation

    def tell(self, request: Request, entity: Invocation | None, site: Site) -> None:
        """A command of the decider's own making: a cancel, a retry, the close."""
        self.add_command(Command(request, entity, site))

    def add_command(self, command: Command) -> None:
        """Queue a command, unless code is plainly looping."""
        self.commands.append(command)
        if len(self.commands) > self.settings.commands_per_turn_max:
            self.halt(
                WorkflowStuck(
                    f"{len(self.commands):,} decisions were asked for without ever waiting; the last one is "
                    f"{command.describe()}. Is there a loop that never blocks?"
                )
            )

    def check_may_ask(self) -> Task:
        """The running task. Raises unless this is workflow code that may issue commands now."""
        task = self.hub.running_task()
        if task.cancel_pending is not None:
            self.hub.deliver_pending_cancel(task)
        return task

    def check_payload(self, what: str, text: str | None) -> None:
        """Refuse a payload that SWF would not take, where no codec could make it smaller."""
        if text is not None and len(text) > PAYLOAD_CHARACTERS_MAX and self.settings.payload_encode is None:
            raise PayloadTooLargeException(what, len(text), PAYLOAD_CHARACTERS_MAX)

    def decoded(self, text: str | None) -> str | None:
        """A payload as it was before the codec. Raises ValueError for a text that is none of the codec's.

        Whatever else goes wrong (a store that is away, a key that is missing) is no outcome of the workflow's own: if
        code saw it once and not on replay, the two would differ. The execution is held.
        """
        decode = self.settings.payload_decode
        if text is None or decode is None:
            return text
        try:
            return decode(text)
        except ValueError:
            raise
        except Exception as error:
            fault = DeciderException(
                f"a payload cannot be decoded ({type(error).__name__}: {error}). Make the store reachable, or give "
                f"this decider the codec, keys and store of those that wrote it. The execution is held, not failed."
            )
            fault.__cause__ = error
            self.halt(fault)

    def next_id(self, prefix: str) -> str:
        """``lambda1``, ``lambda2``, ...: the ids of 2.0.0. Child ids are made unique to the run."""
        number = self._identifiers.get(prefix, 0) + 1
        self._identifiers[prefix] = number
        if prefix == "child_workflow":
            return f"{prefix}{number}-{hashlib.sha256(self.run_id.encode()).hexdigest()[:16]}"
        return f"{prefix}{number}"

    def adopt_id(self, invocation: Invocation, found: str) -> None:
        """Take an id from history, and keep later ids clear of it."""
        if found == invocation.id:
            return
        invocation.id = found
        if invocation.attempt == 1:
            invocation.base_id = found
        prefix = invocation.request.ids
        digits = found[len(prefix) :]
        if found.startswith(prefix) and digits.isdigit():
            self._identifiers[prefix] = max(self._identifiers.get(prefix, 0), int(digits))

    # ---- waiting

    def start_timer(self, duration: Any) -> Invocation:
        """A timer that resumes author code."""
        text = duration_text(duration)
        if text == NONE:
            raise ValueError("a timer must have an end: give seconds or a timedelta")
        return self.ask(TimerRequest(text))

    def spawn(self, fn: Callable[[], Any]) -> Task:
        """A new branch in a scope of its own, inside the caller's."""
        task = self.hub.running_task()
        branch = self.hub.spawn(fn, CancelScope(task.scope))
        branch.site = call_site()
        return branch

    def _site(self) -> Site:
        """Where the code at hand asks for something; for a branch without code of its own, where it was spawned."""
        return call_site() or self._spawn_site()

    def _spawn_site(self) -> Site:
        task = self.hub.current
        return task.site if task is not None and task.site is not None else (self.workflow_type[0], 0)

    def halt(self, fault: BaseException) -> NoReturn:
        """Stop here and hold the execution: author code must neither see nor swallow this."""
        if not self.hub.evicting:
            self.fault = fault
            self.hub.halt()
        raise WorkflowEvicted("the execution is held")

    # ---- markers: what happened once stays so

    def once(self, compute: Callable[[], str]) -> Invocation:
        """Run ``compute`` once in the life of the run; its text is recorded and given again on replay."""
        self.check_may_ask()
        site = self._site()
        while True:
            turn = self.turn
            assert turn is not None
            if turn.completed is None:
                if self._room_for_marker():
                    return self._record_once(compute, site)
            else:
                found = self.take_marker(ONCE_PREFIX, numbered=True)
                if found is not None:
                    return self._replay_once(found, turn.legacy, site)
                if not turn.held and not self._turn_asked_for_more():
                    self.halt(
                        NondeterminismError(
                            f"event {turn.completed['eventId']}: the code calls invoke_once at {site_text(site)}, but "
                            f"the decision recorded there holds no result of one.",
                            int(turn.completed["eventId"]),
                        )
                    )
            self._wait_for_next_turn()

    def _record_once(self, compute: Callable[[], str], site: Site) -> Invocation:
        name = self.next_id(ONCE_PREFIX)
        with self.hub.closed_to_tasks(IN_INVOKE_ONCE):
            text = compute()
        self.check_payload(f"the result of {name}", text)
        return self.record_marker(name, text, site)

    def _replay_once(self, found: Happening, legacy: bool, site: Site) -> Invocation:
        _, attributes, _ = found
        invocation = self.record_marker(self.next_id(ONCE_PREFIX), attributes.get("details"), site, resolve=not legacy)
        self.adopt_id(invocation, attributes["markerName"])
        return invocation

    def record_marker(self, name: str, text: str | None, site: Site, *, resolve: bool = True) -> Invocation:
        """Ask for a marker. It is done at once: its text is known here."""
        request = MarkerRequest(name, text)
        task = self.hub.current
        invocation = Invocation(request, name, task.scope if task is not None else self.root_scope, site)
        self.add_command(Command(request, invocation, site))
        self._markers_sent += 1
        self._marker_characters += len(text or "")
        if resolve:
            self.hub.resolve(invocation, SUCCEEDED, text)
        return invocation

    def note(self, name: str, text: str | None) -> None:
        """A marker of the author's own. Like every marker it leaves with the answer of its own turn."""
        self.check_may_ask()
        site = self._site()
        while True:
            turn = self.turn
            assert turn is not None
            live = turn.completed is None
            if self._room_for_marker() if live else self.take_marker(name) or not self._turn_asked_for_more():
                self.record_marker(name, text, site)
                return
            self._wait_for_next_turn()

    def take_marker(self, name: str, *, numbered: bool = False) -> Happening | None:
        """The next marker of that name that the decision at hand recorded, on replay; ``numbered``: name and number."""
        if self._turn_markers is None:
            turn = self.turn
            assert turn is not None
            self._turn_markers = [found for found in turn.decisions if found[0] == "MarkerRecorded"]
        for position, found in enumerate(self._turn_markers):
            recorded = found[1]["markerName"]
            if recorded == name or (numbered and recorded.startswith(name)):
                return self._turn_markers.pop(position)
        return None

    def patched(self, patch_id: str) -> bool:
        """True if this run takes the new way: it had not passed here before the change came."""
        self.check_may_ask()
        if self.patches is None:
            self.patches = {}
        known = self.patches.get(patch_id)
        if known is None:
            name = PATCH_PREFIX + patch_id
            known = not self.replaying or self.take_marker(name) is not None
            self.patches[patch_id] = known
            if known:
                self.record_marker(name, None, self._site())
        return known

    def version(self, component: str, minimum: int, maximum: int, allowed: int) -> int:
        """The version of a component that this run uses; recorded when first asked for."""
        self.check_may_ask()
        name = f"{VERSION_PREFIX}{component}"
        key = f"{name}="
        if self.patches is None:
            self.patches = {}
        found = next((int(each[len(key) :]) for each in self.patches if each.startswith(key)), None)
        if found is None:
            marker = self.take_marker(name) if self.replaying else None
            found = self._read_version(marker) if marker is not None else minimum if self.replaying else allowed
            self.patches[f"{key}{found}"] = True
            if marker is not None or not self.replaying:
                self.record_marker(name, str(found), self._site())
        if not minimum <= found <= maximum:
            self.halt(
                NondeterminismError(
                    f"component {component!r} of this run is at version {found}; this build supports {minimum} to "
                    f"{maximum}. Deploy a build that supports {found}.",
                    self.history_length,
                )
            )
        return found

    def _read_version(self, marker: Happening) -> int:
        return int(self.decoded(marker[1]["details"]) or "")

    def _room_for_marker(self) -> bool:
        return self._markers_sent < MARKERS_PER_TURN_MAX and self._marker_characters < MARKER_CHARACTERS_PER_TURN_MAX

    def _turn_asked_for_more(self) -> bool:
        assert self.turn is not None
        return any(
            name == "TimerStarted" and attributes["timerId"].startswith(CHUNK_TIMER_PREFIX)
            for name, attributes, _ in self.turn.decisions
        )

    def _wait_for_next_turn(self) -> None:
        self.wake = True
        if self.turn_done is None:
            self.turn_done = Completion()
        self.hub.wait((self.turn_done,), 1)

    def begin_turn(self, turn: Turn) -> None:
        """A new decision is at hand."""
        self.turn = turn
        self.hub.turn = turn.started_id
        self._turn_markers = None
        self._markers_sent = 0
        self._marker_characters = 0
        self.wake = False
        self.answer_after_s = 0.0
        if self.turn_done is not None:
            done, self.turn_done = self.turn_done, None
            self.hub.resolve(done, SUCCEEDED)

    # ---- canceling

    def cancel_scope(self, scope: CancelScope, message: str) -> None:
        """Cancel whatever waits in a scope, and what was asked for in it."""
        if scope.canceled:
            return
        scope.canceled = True
        for task in self.hub.tasks():
            if task.scope.is_inside(scope):
                self.hub.cancel_task(task, WorkflowCanceledException(message, scope))
        pending = [command.entity for command in self.commands if command.entity is not None]
        opened = [invocation for invocation in self.open.values() if invocation is not None]
        for invocation in (*opened, *self.backing_off.values(), *pending):
            if invocation.scope.is_inside(scope) and not invocation.scope.shields_from(scope):
                self.request_cancel(invocation)

    def request_cancel(self, invocation: Invocation) -> None:
        """Cancel one invocation as far as SWF can: see ``Future.cancel``."""
        if invocation.outcome != PENDING or invocation.kind == "marker":
            return
        if self.hub.closed_because is not None:
            raise PyflowException(self.hub.closed_because)
        try:
            self._request_cancel(invocation)
        except IllegalTransitionError as error:
            if self.hub.current is None:
                raise
            self.halt(error)  # a fault of ours: author code must not swallow it

    def _request_cancel(self, invocation: Invocation) -> None:
        site = self._site() if self.hub.current is not None else invocation.site
        if invocation.state == "created":
            self.withdraw(invocation)
        elif invocation.state == "backing_off":
            self.backing_off.pop(invocation.id, None)
            step(invocation, "withdraw")
            if invocation.backoff is not None:
                self.request_cancel(invocation.backoff)
            self.hub.resolve(invocation, CANCELED, (None, None))
        elif invocation.kind == "activity":
            if invocation.state in ("scheduled", "started"):
                invocation.cancel_asked = True
                step(invocation, "request_cancel")
                self.tell(CancelActivityRequest(), invocation, site)
        elif invocation.kind == "timer":
            step(invocation, "request_cancel")
            self.tell(CancelTimerRequest(), invocation, site)
            self.hub.resolve(invocation, CANCELED, (None, None))
        elif invocation.kind == "lambda":
            self.hub.resolve(invocation, CANCELED, (None, None))
        elif invocation.kind == "child":
            if invocation.cancel_asked:
                return
            invocation.cancel_asked = True
            if invocation.run_id is not None:
                self.cancel_started_child(invocation)

    def cancel_started_child(self, child: Invocation) -> None:
        """Ask a child that runs to cancel itself."""
        request = ExternalCancelRequest(child.id, child.run_id)
        entity = Invocation(request, self.next_id(request.ids), self.root_scope, child.site)
        self.tell(request, entity, child.site)

    def withdraw(self, invocation: Invocation) -> None:
        """Take back a command that has not been sent."""
        self.commands = [command for command in self.commands if command.entity is not invocation]
        step(invocation, "withdraw")
        self.hub.resolve(invocation, CANCELED, (None, None))
