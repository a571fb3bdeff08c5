"""The whole state of the service, and the few moves that every rule is made of: emit, arm, offer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import orjson

from pyflow_local.engine.agenda import Agenda, Entry
from pyflow_local.engine.entities import ActivityTask, DecisionTask, Domain, Execution
from pyflow_local.engine.event_types import EVENT_HEADS
from pyflow_local.engine.faults import Fault, unknown_domain
from pyflow_local.engine.limits import Choices, Quotas
from pyflow_local.engine.records import EventsAppended
from pyflow_local.engine.restrictions import Gate
from pyflow_local.engine.tasklists import TaskList, Waiter
from pyflow_local.engine.values import JsonObject, Outbox, Reply

POLLERS_LIMIT_TEXT = "Limit on maximum concurrent poll requests per task list reached"


def _always_alive(_poll: int) -> bool:
    return True


class World:
    """State in memory. Only the engine's rules change it; closed executions are not in it."""

    def __init__(self, secret: bytes, quotas: Quotas, choices: Choices, region: str, account: str) -> None:
        self.secret = secret
        self.quotas = quotas
        self.choices = choices
        self.region = region
        self.account = account
        self.now_ms = 0
        self.now_text = b"0"
        self.next_run = 1
        self.next_domain = 1
        self.domains: dict[str, Domain] = {}
        self.runs: dict[int, Execution] = {}
        self.decision_lists: dict[tuple[int, str], TaskList[DecisionTask]] = {}
        self.activity_lists: dict[tuple[int, str], TaskList[ActivityTask]] = {}
        self.waiting: dict[int, tuple[TaskList[DecisionTask] | TaskList[ActivityTask], Waiter]] = {}
        self.agenda = Agenda()
        self.effects: deque[Callable[[], None]] = deque()
        self.overlong: list[Execution] = []
        self.dirty_decisions: list[TaskList[DecisionTask]] = []
        self.dirty_activities: list[TaskList[ActivityTask]] = []
        self.outbox = Outbox()
        # The one question the engine asks outward: is this poll's connection still there?
        self.alive: Callable[[int], bool] = _always_alive
        # What is refused whatever the state; None if nothing is.
        self.gate: Gate | None = None
        # True while a batch of decisions is applied that means to close its execution.
        self.batch_closes = False
        # Activities whose cancel that batch asked for before anybody started them.
        self.held_cancels: list[ActivityTask] = []
        self._tails: list[Execution] = []

    def set_clock(self, now_ms: int) -> None:
        """Set the time of the step; time never goes back."""
        if now_ms > self.now_ms:
            self.now_ms = now_ms
            seconds, millis = divmod(now_ms, 1000)
            self.now_text = b"%d.%03d" % (seconds, millis)

    def drain(self) -> Outbox:
        """Everything produced since the last drain."""
        out, self.outbox = self.outbox, Outbox()
        for execution in self._tails:
            execution.tail = None
        self._tails.clear()
        return out

    # --- events --------------------------------------------------------------------------------------------

    def emit(self, execution: Execution, event_type: str, attributes: JsonObject) -> int:
        """Append an event to the execution's history and return its id."""
        event_id = execution.next_id
        execution.next_id = event_id + 1
        event = b'{"eventId":%d,"eventTimestamp":%b,%b%b}' % (
            event_id,
            self.now_text,
            EVENT_HEADS[event_type],
            orjson.dumps(attributes),
        )
        tail = execution.tail
        if tail is None:
            tail = execution.tail = EventsAppended(execution.run, event_id, [event])
            self.outbox.journal.append(tail)
            self._tails.append(execution)
        else:
            tail.events.append(event)
        if event_id >= self.quotas.history_events and execution.close_status is None:
            self.overlong.append(execution)
        return event_id

    def arm(self, old: Entry | None, due_ms: int | None, what: object) -> Entry | None:
        """Replace an agenda entry by one at `due_ms` (None: by none)."""
        if old is not None:
            self.agenda.strike(old)
        return None if due_ms is None else self.agenda.add(due_ms, what)

    # --- look-ups ------------------------------------------------------------------------------------------

    def domain(self, name: str) -> Domain:
        """The domain, registered or deprecated. Raises UnknownResourceFault."""
        domain = self.domains.get(name)
        if domain is None:
            raise unknown_domain(name)
        return domain

    def new_run(self) -> int:
        """A run number never used before."""
        run = self.next_run
        self.next_run = run + 1
        return run

    # --- task lists ----------------------------------------------------------------------------------------

    def offer_decision(self, task: DecisionTask) -> None:
        """Make a queued decision task visible to polls."""
        execution = task.execution
        key = (execution.domain.number, task.list_name)
        tasks = self.decision_lists.get(key)
        if tasks is None:
            tasks = self.decision_lists[key] = TaskList(key)
        tasks.push(task, int(str(execution.priority or 0)))
        self.touch_decisions(tasks)

    def offer_activity(self, task: ActivityTask) -> None:
        """Make an activity task visible to polls."""
        key = (task.execution.domain.number, task.list_name)
        tasks = self.activity_lists.get(key)
        if tasks is None:
            tasks = self.activity_lists[key] = TaskList(key)
        tasks.push(task, task.priority)
        self.touch_activities(tasks)

    def withdraw_decision(self, task: DecisionTask) -> None:
        """Take a queued decision task off its list."""
        tasks = self.decision_lists.get((task.execution.domain.number, task.list_name))
        if tasks is not None:
            tasks.remove(task, int(str(task.execution.priority or 0)))
            if tasks.idle:
                del self.decision_lists[tasks.key]

    def withdraw_activity(self, task: ActivityTask) -> None:
        """Take an activity task off its list."""
        tasks = self.activity_lists.get((task.execution.domain.number, task.list_name))
        if tasks is not None:
            tasks.remove(task, task.priority)
            if tasks.idle:
                del self.activity_lists[tasks.key]

    def touch_decisions(self, tasks: TaskList[DecisionTask]) -> None:
        """Have the list matched at the end of the step."""
        if not tasks.dirty:
            tasks.dirty = True
            self.dirty_decisions.append(tasks)

    def touch_activities(self, tasks: TaskList[ActivityTask]) -> None:
        """Have the list matched at the end of the step."""
        if not tasks.dirty:
            tasks.dirty = True
            self.dirty_activities.append(tasks)

    def park_decision_poll(self, domain: Domain, name: str, waiter: Waiter) -> None:
        """Let a decision poll wait on a list. Raises LimitExceededFault."""
        key = (domain.number, name)
        tasks = self.decision_lists.get(key)
        if tasks is None:
            tasks = self.decision_lists[key] = TaskList(key)
        self._check_pollers(len(tasks.waiters))
        tasks.waiters[waiter.poll] = waiter
        self.waiting[waiter.poll] = (tasks, waiter)
        self.touch_decisions(tasks)

    def park_activity_poll(self, domain: Domain, name: str, waiter: Waiter) -> None:
        """Let an activity poll wait on a list. Raises LimitExceededFault."""
        key = (domain.number, name)
        tasks = self.activity_lists.get(key)
        if tasks is None:
            tasks = self.activity_lists[key] = TaskList(key)
        self._check_pollers(len(tasks.waiters))
        tasks.waiters[waiter.poll] = waiter
        self.waiting[waiter.poll] = (tasks, waiter)
        self.touch_activities(tasks)

    def _check_pollers(self, count: int) -> None:
        if count >= self.quotas.pollers_per_task_list:
            raise Fault("LimitExceededFault", POLLERS_LIMIT_TEXT)

    def forget_poll(self, poll: int) -> bool:
        """Stop a poll from waiting; False if it did not wait any more. Returns True also tells it was a waiter."""
        found = self.waiting.pop(poll, None)
        if found is None:
            return False
        tasks, _ = found
        tasks.waiters.pop(poll, None)
        self.drop_if_idle(tasks)
        return True

    def drop_if_idle(self, tasks: TaskList[DecisionTask] | TaskList[ActivityTask]) -> None:
        """Forget a task list that holds neither tasks nor polls."""
        if tasks.idle and not tasks.dirty:
            if self.decision_lists.get(tasks.key) is tasks:
                del self.decision_lists[tasks.key]
            elif self.activity_lists.get(tasks.key) is tasks:
                del self.activity_lists[tasks.key]

    def next_waiter(self, tasks: TaskList[DecisionTask] | TaskList[ActivityTask]) -> Waiter | None:
        """Take the longest waiting poll whose connection still stands."""
        while tasks.waiters:
            poll, waiter = tasks.waiters.popitem(last=False)
            del self.waiting[poll]
            if self.alive(poll):
                return waiter
        return None

    def answer(self, poll: int, reply: Reply) -> None:
        """Send the answer of a poll once the journal is committed."""
        self.outbox.answers.append((poll, reply))
