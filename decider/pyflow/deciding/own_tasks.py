"""A lane's own task list: tasks of kept executions, decided and answered in the lane's thread.

The common case stays in that thread: a task without gap, an execution at hand, an answer that is accepted. Everything
else (pages, a lost cache, an answer that fails) goes to a few threads aside and from there the way of poll threads.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from pyflow.deciding.handler import TaskHandler
from pyflow.deciding.lane import Lane, LaneThread
from pyflow.deciding.maker import Decided, Held
from pyflow.deciding.observer import Observer
from pyflow.deciding.own_polls import AnswerUnderWay, OwnPolls, PollUnderWay
from pyflow.deciding.task import DecisionTask
from pyflow.swf.api import JsonObject
from pyflow.swf.faults import SwfError

ASIDE_THREADS = 4


class OwnTasks:
    """Handles the tasks of `polls` for `lane`."""

    def __init__(
        self, lane: Lane, polls: OwnPolls, handler: TaskHandler, observer: Observer, aside: ThreadPoolExecutor
    ) -> None:
        self._lane = lane
        self._polls = polls
        self._handler = handler
        self._observer = observer
        self._aside = aside
        self._task_list = str(polls.request["taskList"]["name"])

    def watch(self, wake_fd: int) -> None:
        """See `OwnTasksLike.watch`."""
        self._polls.watch(wake_fd)

    def stop(self) -> None:
        """Begin no further poll."""
        self._polls.stopping.set()
        self._lane.wake()

    def wait_until_drained(self) -> None:
        """Wait, after `stop`, until no poll and no answer is under way."""
        self._polls.drained.wait()

    def turn(self, thread: LaneThread) -> None:
        """See `OwnTasksLike.turn`."""
        self._polls.fill()
        lane = self._lane
        # Announce the wait before looking into the inbox: who puts a message in after this look wakes the thread.
        lane.is_waiting = True
        if not lane.inbox.empty():
            lane.is_waiting = False
            return
        come = self._polls.ready()
        lane.is_waiting = False
        if self._polls.woken:
            lane.woken()
        for under_way in come:
            if not thread.is_current:
                # Workflow code blocked this thread and another has taken over while answers were at hand here.
                self._aside.submit(self._late, under_way)
            elif isinstance(under_way, PollUnderWay):
                answer = self._polls.finish_poll(under_way)
                if answer is not None:
                    self._task(thread, answer)
            else:
                self._receipt(thread, under_way)

    def _task(self, thread: LaneThread, answer: JsonObject) -> None:
        has_task = bool(answer.get("taskToken"))
        self._observer.polled(self._task_list, empty=not has_task)
        if not has_task:
            return
        since_s = time.monotonic()
        task = self._handler.task_of(answer)
        if task.next_page_token is not None or task.gap is not None or self._handler.is_resting(task, since_s):
            self._aside.submit(self._handler.handle, answer, self._polls.request)
            return
        made = thread.make(task)
        if isinstance(made, Decided):
            self._answer(thread, task, made, since_s)
        elif isinstance(made, Held):
            self._handler.hold(task, made.kind, made.message)
        else:
            self._aside.submit(self._handler.handle, answer, self._polls.request)

    def _answer(self, thread: LaneThread, task: DecisionTask, decided: Decided, since_s: float) -> None:
        wait_s = self._handler.wait_for_rates(decided, since_s)
        error: SwfError | None = None
        if thread.is_current and wait_s == 0:
            try:
                self._polls.begin_answer(self._handler.request_for(task, decided, self._lane), task, decided, since_s)
            except SwfError as failed:
                error = failed
            else:
                return
        self._aside.submit(self._handler.answer, task, decided, self._lane, since_s, wait_s, error)

    def _receipt(self, thread: LaneThread, answer: AnswerUnderWay) -> None:
        task, decided, since_s = answer.task, answer.decided, answer.handled_since_s
        try:
            self._polls.finish_answer(answer)
        except SwfError as error:
            self._aside.submit(self._handler.answer, task, decided, self._lane, since_s, 0.0, error)
            return
        thread.outcome(task.run_id, accepted=True)
        self._handler.accepted(task, decided, since_s)

    def _late(self, under_way: PollUnderWay | AnswerUnderWay) -> None:
        if isinstance(under_way, PollUnderWay):
            answer = self._polls.finish_poll(under_way)
            if answer is not None and answer.get("taskToken"):
                self._handler.handle(answer, self._polls.request)
            return
        task, decided, since_s = under_way.task, under_way.decided, under_way.handled_since_s
        try:
            self._polls.finish_answer(under_way)
        except SwfError as error:
            self._handler.answer(task, decided, self._lane, since_s, 0.0, error)
            return
        self._lane.outcome(task.run_id, accepted=True)
        self._handler.accepted(task, decided, since_s)
