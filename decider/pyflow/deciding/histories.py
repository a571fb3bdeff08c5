"""Brings the events of a decision task together: pages, and the whole history when the cache does not have it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from pyflow.deciding.task import DecisionTask
from pyflow.swf.api import JsonObject, SwfApi
from pyflow.swf.faults import AnswerLost, SwfError
from pyflow.swf.limits import HISTORY_EVENTS_MAX, PAGE_EVENTS_MAX
from pyflow.swf.retry import backoff_s

logger = logging.getLogger("pyflow")

PAGES_MAX = 4 * HISTORY_EVENTS_MAX // 100
"""More pages than any history can have, even at the 100 events a page had in SWF's early years."""

CATCH_UP_ATTEMPTS_MAX = 6
CATCH_UP_FIRST_S = 0.2
CATCH_UP_MAX_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Histories:
    """Reads histories for the decision tasks of one task list (`task_list` as it was polled)."""

    api: SwfApi
    sleep: Callable[[float], None] = time.sleep

    def complete(self, task: DecisionTask, *, poll_request: JsonObject) -> DecisionTask:
        """`task` with all its pages. `poll_request` is what it was polled with; the pages are asked for the same way.

        A page that cannot be had, or events with a gap, are made good by reading the whole history. Raises `SwfError`.
        """
        if task.next_page_token is not None:
            try:
                task = self._with_pages(task, poll_request)
            except SwfError as error:
                logger.warning("%s: a page of its events could not be had, reading the history: %s", task.name, error)
                return self.whole(task)
        gap = task.gap
        if gap is None:
            return task
        logger.warning("%s: its events came incomplete (%s), reading the history", task.name, gap)
        return self.whole(task)

    def whole(self, task: DecisionTask) -> DecisionTask:
        """`task` with every event from 1 to its own DecisionTaskStarted, read with GetWorkflowExecutionHistory.

        That read may lag behind the task by seconds (SWF reference 7.11), so it is repeated until it has caught up.
        Raises `SwfError`.
        """
        gap: str | None = "nothing was read"
        for attempt in range(1, CATCH_UP_ATTEMPTS_MAX + 1):
            events = self._read(task)
            read = task.with_events(events)
            gap = read.gap if not events or events[0]["eventId"] == 1 else "event 1 is missing"
            if gap is None:
                return read
            if attempt < CATCH_UP_ATTEMPTS_MAX:
                self.sleep(backoff_s(attempt, first_s=CATCH_UP_FIRST_S, max_s=CATCH_UP_MAX_S))
        raise AnswerLost(f"The history of {task.name} stays incomplete: {gap}", operation="GetWorkflowExecutionHistory")

    def _with_pages(self, task: DecisionTask, poll_request: JsonObject) -> DecisionTask:
        events = list(task.events)
        token = task.next_page_token
        for _ in range(PAGES_MAX):
            if token is None:
                return task.with_events(events)
            page = self.api.poll_for_decision_task({**poll_request, "nextPageToken": token})
            events.extend(page.get("events", []))
            token = page.get("nextPageToken")
        raise AnswerLost(f"There is no end to the pages of {task.name}", operation="PollForDecisionTask")

    def _read(self, task: DecisionTask) -> list[JsonObject]:
        request: JsonObject = {
            "domain": task.domain,
            "execution": {"workflowId": task.workflow_id, "runId": task.run_id},
            "maximumPageSize": PAGE_EVENTS_MAX,
        }
        events: list[JsonObject] = []
        for _ in range(PAGES_MAX):
            page = self.api.get_workflow_execution_history(request)
            events.extend(page.get("events", []))
            token = page.get("nextPageToken")
            if token is None or (events and events[-1]["eventId"] >= task.started_event_id):
                return [event for event in events if event["eventId"] <= task.started_event_id]
            request = {**request, "nextPageToken": token}
        raise AnswerLost(f"There is no end to the pages of {task.name}", operation="GetWorkflowExecutionHistory")
