"""What a poll thread does with a decision task: completes its events, has it decided, answers it, tells the outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from pyflow.deciding.histories import Histories
from pyflow.deciding.holds import HoldBook
from pyflow.deciding.lane import Lane
from pyflow.deciding.maker import Decided, Held, NeedsHistory
from pyflow.deciding.observer import Observer
from pyflow.deciding.rates import RATE_WAIT_MAX_S, DecisionRates
from pyflow.deciding.task import DecisionTask
from pyflow.swf.api import RESPOND_DECISION_TASK_COMPLETED, JsonObject, SwfApi
from pyflow.swf.faults import AnswerLost, RequestTooLarge, SwfError, UnknownResource, ValidationFailed
from pyflow.swf.limits import HISTORY_EVENTS_MAX
from pyflow.swf.retry import backoff_s
from pyflow.swf.trouble import TroubleLog

logger = logging.getLogger("pyflow")

ANSWER_PATIENCE_S = 120.0
"""How long an answer is tried again while SWF cannot be reached or throttles, in seconds; then its task times out."""

HISTORY_MARKS = (10_000, 15_000, 20_000, 22_500, 24_000, 24_750)
"""Lengths of a history that are said once each, on the way to where SWF terminates the execution."""

ANSWER_BACKOFF_FIRST_S = 0.5
ANSWER_BACKOFF_MAX_S = 10.0


class TaskHandler:
    """Handles decision tasks of one domain and task list. Safe to use from many threads.

    Kept executions come back on their lane's `sticky_task_list`, if they are fetched from there within
    `sticky_schedule_to_start_s` (SWF reference 7.8). After `stop_sticking()` answers name the shared task list again,
    so that the executions leave this process. `dashboard` is a URL with {workflow_id} and {run_id} in it, for the log.
    """

    def __init__(
        self,
        api: SwfApi,
        lanes: list[Lane],
        *,
        domain: str,
        task_list: str,
        sticky_schedule_to_start_s: int,
        holds: HoldBook,
        observer: Observer,
        rates: DecisionRates,
        troubles: TroubleLog,
        dashboard: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._lanes = lanes
        self._domain = domain
        self._task_list = task_list
        self._schedule_to_start = str(sticky_schedule_to_start_s)
        self._holds = holds
        self._observer = observer
        self._rates = rates
        self._troubles = troubles
        self._dashboard = dashboard
        self._sleep = sleep
        self._histories = Histories(api=api, sleep=sleep)
        self._sticking = True

    def stop_sticking(self) -> None:
        """From now on hand executions back to the shared task list."""
        self._sticking = False

    def task_of(self, answer: JsonObject) -> DecisionTask:
        """The task in a poll's answer."""
        return DecisionTask.from_wire(answer, domain=self._domain)

    def is_resting(self, task: DecisionTask, now_s: float) -> bool:
        """True while the execution is held and not to be tried again yet, or its code has not come back from a task
        before this one: to run it twice at once would only take the processor from the others."""
        return self._holds.is_resting(task.run_id, now_s) or self._lane_of(task).still_runs(task.run_id)

    def handle(self, answer: JsonObject, poll_request: JsonObject) -> None:
        """Handle the task in `answer`, which was polled with `poll_request`."""
        since_s = time.monotonic()
        task = self.task_of(answer)
        if self.is_resting(task, since_s):
            self._observer.held(task, "resting")
            return
        if task.previous_started_event_id == 0:
            self._say_start(task)
        lane = self._lane_of(task)
        try:
            if task.next_page_token is not None or task.gap is not None:
                task = self._histories.complete(task, poll_request=poll_request)
            made = lane.decide(task)
            if isinstance(made, NeedsHistory):
                task = self._histories.whole(task)
                self._observer.history_read(task, len(task.events))
                made = lane.decide(task)
        except SwfError as error:
            self._not_answered(task, "history", f"its history cannot be read: {error}")
            return
        if isinstance(made, Decided):
            self.answer(task, made, lane, since_s, self.wait_for_rates(made, time.monotonic()))
        else:
            held = made if isinstance(made, Held) else Held(kind="framework", message=f"it came to {made!r}")
            self.hold(task, held.kind, held.message)

    def _lane_of(self, task: DecisionTask) -> Lane:
        return self._lanes[hash(task.run_id) % len(self._lanes)]

    def _say_start(self, task: DecisionTask) -> None:
        logger.info("Starting instance of %s", task.name)
        if self._dashboard is not None:
            url = self._dashboard.format(workflow_id=task.workflow_id, run_id=task.run_id)
            logger.info("Dashboard URL: %s", url)

    def _say_length(self, task: DecisionTask) -> None:
        # The decision that passes a mark says so: nothing needs to be remembered, whatever process decides next.
        if any(task.previous_started_event_id < mark <= task.started_event_id for mark in HISTORY_MARKS):
            logger.warning(
                "%s: its history has %s of the %s events at which SWF terminates it. Let its code continue as new: "
                "swf.should_continue_as_new says when",
                task.name,
                f"{task.started_event_id:,}",
                f"{HISTORY_EVENTS_MAX:,}",
            )

    def wait_for_rates(self, decided: Decided, now_s: float) -> float:
        """Take the decisions' tokens; how many seconds to wait before sending them: the task has a timeout."""
        return max(min(decided.answer_after_s, RATE_WAIT_MAX_S), self._rates.reserve(decided.decisions, now_s))

    def request_for(self, task: DecisionTask, decided: Decided, lane: Lane) -> JsonObject:
        """What to send to answer the task."""
        request: JsonObject = {"taskToken": task.token, "decisions": decided.decisions}
        if decided.execution_context is not None:
            request["executionContext"] = decided.execution_context
        if lane.sticky_task_list is not None and not decided.closed:
            if decided.cached and self._sticking:
                request["taskList"] = {"name": lane.sticky_task_list}
                request["taskListScheduleToStartTimeout"] = self._schedule_to_start
            else:
                # Whether leaving it out keeps an earlier override is not documented (SWF reference 7.8): say it.
                request["taskList"] = {"name": self._task_list}
        return request

    def answer(
        self,
        task: DecisionTask,
        decided: Decided,
        lane: Lane,
        since_s: float,
        wait_s: float,
        error: SwfError | None = None,
    ) -> None:
        """Wait `wait_s`, answer the task until that succeeds or cannot, and tell the lane what came of it.

        `error` is how a first attempt made elsewhere ended.
        """
        accepted = False
        try:
            if wait_s > 0:
                self._sleep(wait_s)
            accepted = self._respond(task, decided, lane, error)
        finally:
            lane.outcome(task.run_id, accepted=accepted)
        if accepted:
            self.accepted(task, decided, since_s)

    def accepted(self, task: DecisionTask, decided: Decided, since_s: float) -> None:
        """An answer was accepted."""
        self._holds.released(task)
        if task.started_event_id >= HISTORY_MARKS[0] and not decided.closed:
            self._say_length(task)
        self._observer.answered(task, decided, seconds=time.monotonic() - since_s)

    def hold(self, task: DecisionTask, kind: str, message: str) -> None:
        """Do not answer the task."""
        self._holds.hold(task, kind, message, time.monotonic())
        self._observer.held(task, kind)

    def _respond(self, task: DecisionTask, decided: Decided, lane: Lane, error: SwfError | None) -> bool:
        """Answer; True when SWF surely accepted it."""
        request = self.request_for(task, decided, lane)
        name = f"answers on task list {self._task_list!r}"
        give_up_s = time.monotonic() + ANSWER_PATIENCE_S
        attempt = 1
        may_be_given = False
        if error is not None:
            self._observer.call_failed(RESPOND_DECISION_TASK_COMPLETED, error)
        while True:
            if error is None:
                try:
                    self._api.respond_decision_task_completed(request)
                except SwfError as failed:
                    error = failed
                else:
                    self._troubles.over(name)
                    return True
            if isinstance(error, UnknownResource):
                self._gone(task, error, may_be_given=may_be_given or error.may_have_had_effect)
                return False
            if isinstance(error, (ValidationFailed, RequestTooLarge)):
                self.hold(task, "refused", f"SWF does not accept its decisions: {error}")
                return False
            self._troubles.had(name, type(error).__name__, f"cannot be given and are tried again: {error}")
            if not error.retryable or time.monotonic() >= give_up_s:
                self._not_answered(task, "respond", f"its answer could not be given: {error}")
                return False
            may_be_given = may_be_given or error.may_have_had_effect or isinstance(error, AnswerLost)
            self._sleep(backoff_s(attempt, first_s=ANSWER_BACKOFF_FIRST_S, max_s=ANSWER_BACKOFF_MAX_S))
            attempt += 1
            error = None

    def _gone(self, task: DecisionTask, error: UnknownResource, *, may_be_given: bool) -> None:
        if may_be_given:
            logger.info("%s: the answer was given, though its receipt was lost (%s)", task.name, error.message)
        else:
            logger.warning(
                "%s: the answer came too late (%s): the task timed out or the execution is closed",
                task.name,
                error.message,
            )
        self._observer.not_answered(task, "gone")

    def _not_answered(self, task: DecisionTask, kind: str, message: str) -> None:
        logger.error("%s: %s. SWF hands the task out again after its timeout.", task.name, message)
        self._observer.not_answered(task, kind)
