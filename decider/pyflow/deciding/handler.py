"""What a poll thread does with a decision task: completes its events, has it decided, answers it, tells the outcome."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pyflow.deciding.histories import Histories
from pyflow.deciding.holds import HoldBook
from pyflow.deciding.lane import Lane
from pyflow.deciding.maker import Decided, Held, NeedsHistory
from pyflow.deciding.observer import Observer
from pyflow.deciding.rates import DecisionRates
from pyflow.deciding.task import DecisionTask
from pyflow.swf.api import JsonObject, SwfApi
from pyflow.swf.faults import RequestTooLarge, SwfError, UnknownResource, ValidationFailed
from pyflow.swf.retry import backoff_s
from pyflow.swf.trouble import TroubleLog

logger = logging.getLogger("pyflow")

ANSWER_PATIENCE_S = 120.0
"""How long an answer is tried again while SWF cannot be reached or throttles, in seconds; then its task times out."""

ANSWER_BACKOFF_FIRST_S = 0.5
ANSWER_BACKOFF_MAX_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sticky:
    """How the next decision task of a kept execution comes back to this process (SWF reference 7.8)."""

    task_list: str
    schedule_to_start_s: int


class TaskHandler:
    """Handles decision tasks of one domain and task list. Safe to use from many threads.

    `sticky` is None when executions are not kept. After `stop_sticking()` answers name the shared task list again, so
    that the executions leave this process.
    """

    def __init__(
        self,
        api: SwfApi,
        lanes: list[Lane],
        *,
        domain: str,
        task_list: str,
        sticky: Sticky | None,
        holds: HoldBook,
        observer: Observer,
        rates: DecisionRates,
        troubles: TroubleLog,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._lanes = lanes
        self._domain = domain
        self._task_list = task_list
        self._sticky = sticky
        self._holds = holds
        self._observer = observer
        self._rates = rates
        self._troubles = troubles
        self._sleep = sleep
        self._histories = Histories(api=api, sleep=sleep)
        self._sticking = threading.Event()
        if sticky is not None:
            self._sticking.set()

    def stop_sticking(self) -> None:
        """From now on hand executions back to the shared task list."""
        self._sticking.clear()

    def handle(self, answer: JsonObject, poll_request: JsonObject) -> None:
        """Handle the task in `answer`, which was polled with `poll_request`."""
        since_s = time.monotonic()
        task = DecisionTask.from_wire(answer, domain=self._domain)
        if self._holds.is_resting(task.run_id, since_s):
            self._observer.held(task, "resting")
            return
        lane = self._lanes[hash(task.run_id) % len(self._lanes)]
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
            self._answer(task, made, lane, since_s)
        else:
            held = made if isinstance(made, Held) else Held(kind="framework", message=f"it came to {made!r}")
            self._hold(task, held.kind, held.message)

    def _answer(self, task: DecisionTask, decided: Decided, lane: Lane, since_s: float) -> None:
        accepted = False
        try:
            wait_s = self._rates.reserve(decided.decisions, time.monotonic())
            if wait_s > 0:
                self._sleep(wait_s)
            accepted = self._respond(task, decided)
        finally:
            lane.outcome(task.run_id, accepted=accepted)
        if accepted:
            self._holds.released(task)
            self._observer.answered(task, decided, seconds=time.monotonic() - since_s)

    def _request(self, task: DecisionTask, decided: Decided) -> JsonObject:
        request: JsonObject = {"taskToken": task.token, "decisions": decided.decisions}
        if decided.execution_context is not None:
            request["executionContext"] = decided.execution_context
        if self._sticky is not None and not decided.closed:
            if decided.cached and self._sticking.is_set():
                request["taskList"] = {"name": self._sticky.task_list}
                request["taskListScheduleToStartTimeout"] = str(self._sticky.schedule_to_start_s)
            else:
                # Whether leaving it out keeps an earlier override is not documented (SWF reference 7.8): say it.
                request["taskList"] = {"name": self._task_list}
        return request

    def _respond(self, task: DecisionTask, decided: Decided) -> bool:
        """Answer; True when SWF surely accepted it."""
        request = self._request(task, decided)
        name = f"answers on task list {self._task_list!r}"
        give_up_s = time.monotonic() + ANSWER_PATIENCE_S
        attempt = 1
        may_be_given = False
        while True:
            try:
                self._api.respond_decision_task_completed(request)
            except UnknownResource as error:
                self._gone(task, error, may_be_given=may_be_given or error.may_have_had_effect)
                return False
            except (ValidationFailed, RequestTooLarge) as error:
                self._hold(task, "refused", f"SWF does not accept its decisions: {error}")
                return False
            except SwfError as error:
                self._troubles.had(name, type(error).__name__, f"cannot be given and are tried again: {error}")
                if not error.retryable or time.monotonic() >= give_up_s:
                    self._not_answered(task, "respond", f"its answer could not be given: {error}")
                    return False
                may_be_given = may_be_given or error.may_have_had_effect
                self._sleep(backoff_s(attempt, first_s=ANSWER_BACKOFF_FIRST_S, max_s=ANSWER_BACKOFF_MAX_S))
                attempt += 1
            else:
                self._troubles.over(name)
                return True

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

    def _hold(self, task: DecisionTask, kind: str, message: str) -> None:
        self._holds.hold(task, kind, message, time.monotonic())
        self._observer.held(task, kind)

    def _not_answered(self, task: DecisionTask, kind: str, message: str) -> None:
        logger.error("%s: %s. SWF hands the task out again after its timeout.", task.name, message)
        self._observer.not_answered(task, kind)
