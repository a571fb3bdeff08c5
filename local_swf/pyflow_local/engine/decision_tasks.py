"""Decision tasks: scheduling with coalescing, handing out, paging, timing out, the task list override."""

from __future__ import annotations

import orjson

from pyflow_local.engine.entities import UNLIMITED_TIMEOUT, DecisionTask, Execution, timeout_ms
from pyflow_local.engine.limits import PAGE_SIZE_MAX
from pyflow_local.engine.tasklists import TaskList, Waiter
from pyflow_local.engine.tokens import DECISION, PollPage, poll_page_token, read_poll_page_token, task_token
from pyflow_local.engine.values import PARKED, HistorySlice, JsonObject, Outcome, Reply
from pyflow_local.engine.world import World

EMPTY_DECISION_POLL = Reply(200, b'{"previousStartedEventId":0,"startedEventId":0}')


def schedule_decision(world: World, execution: Execution) -> None:
    """Schedule a decision task unless one is queued already (reference 7.3)."""
    if execution.queued is not None or execution.close_status is not None:
        return
    sticky = execution.sticky_list
    list_name = sticky if sticky is not None else execution.last_task_list
    schedule_to_start = execution.sticky_timeout if sticky is not None else UNLIMITED_TIMEOUT
    attributes: JsonObject = {
        "taskList": {"name": list_name},
        "startToCloseTimeout": execution.task_timeout,
        "scheduleToStartTimeout": schedule_to_start,
    }
    if execution.priority:
        attributes["taskPriority"] = execution.priority
    event_id = world.emit(execution, "DecisionTaskScheduled", attributes)
    task = DecisionTask(execution, event_id, list_name, schedule_to_start)
    execution.queued = task
    if execution.started is None:
        make_pollable(world, task)


def make_pollable(world: World, task: DecisionTask, since_ms: int | None = None) -> None:
    """Show a queued task to polls; only now its schedule-to-start clock begins, nobody could start it before.

    `since_ms` is given when that was earlier, before a restart.
    """
    limit_ms = timeout_ms(task.schedule_to_start)
    if limit_ms is not None:
        begin_ms = world.now_ms if since_ms is None else since_ms
        task.entry = world.arm(task.entry, begin_ms + limit_ms, task)
    world.offer_decision(task)


def match_decisions(world: World, tasks: TaskList[DecisionTask]) -> None:
    """Give waiting tasks to waiting polls."""
    tasks.dirty = False
    while tasks.count:
        waiter = world.next_waiter(tasks)
        if waiter is None:
            break
        task = tasks.pop()
        assert task is not None
        _start(world, task, waiter)
    world.drop_if_idle(tasks)


def _start(world: World, task: DecisionTask, waiter: Waiter) -> None:
    execution = task.execution
    attributes: JsonObject = {"scheduledEventId": task.scheduled_id}
    if waiter.identity is not None:
        attributes["identity"] = waiter.identity
    task.started_id = world.emit(execution, "DecisionTaskStarted", attributes)
    execution.started, execution.queued = task, None
    limit_ms = timeout_ms(execution.task_timeout)
    task.entry = world.arm(task.entry, None if limit_ms is None else world.now_ms + limit_ms, task)
    page_size, reverse, at_previous = waiter.options
    page = PollPage(execution.run, task.scheduled_id, task.started_id, execution.previous_started_id, 0, at_previous)
    world.answer(waiter.poll, _page_reply(world, execution, page, page_size, reverse))


def _page_reply(world: World, execution: Execution, page: PollPage, page_size: int, reverse: bool) -> Reply:
    """One page of a decision task; `page.next_id` 0 means the first."""
    lowest = page.previous_id if page.start_at_previous and page.previous_id else 1
    if reverse:
        last = page.next_id or page.started_id
        first = max(lowest, last - page_size + 1)
        rest = first - 1 if first > lowest else 0
    else:
        first = page.next_id or lowest
        last = min(page.started_id, first + page_size - 1)
        rest = last + 1 if last < page.started_id else 0
    token = task_token(world.secret, DECISION, execution.run, page.scheduled_id, page.started_id)
    tail: JsonObject = {
        "previousStartedEventId": page.previous_id,
        "startedEventId": page.started_id,
        "taskToken": token,
        "workflowExecution": execution.reference,
        "workflowType": execution.type_reference,
    }
    if rest:
        following = PollPage(
            page.run, page.scheduled_id, page.started_id, page.previous_id, rest, page.start_at_previous
        )
        tail["nextPageToken"] = poll_page_token(world.secret, following, world.now_ms)
    history = HistorySlice(execution.run, first, last, reverse)
    return Reply(200, b'{"events":[', history, b"]," + orjson.dumps(tail)[1:])


def poll_for_decision_task(world: World, request: JsonObject, poll: int) -> Outcome:
    """PollForDecisionTask: waits; with a page token it answers at once with the next page."""
    domain = world.domain(request["domain"])
    page_size = request.get("maximumPageSize") or PAGE_SIZE_MAX
    reverse = bool(request.get("reverseOrder"))
    token = request.get("nextPageToken")
    if token:
        page = read_poll_page_token(world.secret, token, world.now_ms)
        execution = world.runs.get(page.run)
        if execution is None or execution.domain is not domain:
            return EMPTY_DECISION_POLL
        return _page_reply(world, execution, page, page_size, reverse)
    options = (page_size, reverse, bool(request.get("startAtPreviousStartedEvent")))
    world.park_decision_poll(domain, request["taskList"]["name"], Waiter(poll, request.get("identity"), options))
    return PARKED


def time_out_decision(world: World, task: DecisionTask) -> None:
    """A decision task was not started or not completed in time: back to the ordinary list, again and again."""
    execution = task.execution
    kind = "START_TO_CLOSE" if task.started_id else "SCHEDULE_TO_START"
    attributes: JsonObject = {
        "timeoutType": kind,
        "scheduledEventId": task.scheduled_id,
        "startedEventId": task.started_id,
    }
    task.entry = None
    world.emit(execution, "DecisionTaskTimedOut", attributes)
    execution.sticky_list = None
    if task.started_id:
        execution.started = None
        queued = execution.queued
        if queued is not None:
            make_pollable(world, queued)
            return
    else:
        world.withdraw_decision(task)
        execution.queued = None
    schedule_decision(world, execution)
