"""Describe, history, list and count. Closed executions are in the store; the engine says what to look for."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from pyflow_local.engine.describing import execution_detail, execution_info
from pyflow_local.engine.entities import Domain, Execution
from pyflow_local.engine.faults import Fault, invalid, unknown_execution
from pyflow_local.engine.limits import DAY_MS, UNLIMITED
from pyflow_local.engine.paging import page_reply, page_size, position, scope_of
from pyflow_local.engine.tokens import page_token, read_run_id
from pyflow_local.engine.values import (
    ClosedCountQuery,
    ClosedFilter,
    ClosedLookup,
    ClosedPageQuery,
    ClosedRow,
    HistorySlice,
    JsonObject,
    Outcome,
    Reply,
)
from pyflow_local.engine.world import World

_EXCLUSIVE = ("executionFilter", "typeFilter", "tagFilter", "closeStatusFilter")


def retained_after_ms(domain: Domain, now_ms: int) -> int:
    """Executions of the domain that closed at or before this time have left no trace."""
    days = 0 if domain.retention == "NONE" else int(domain.retention)
    return now_ms - days * DAY_MS if days else UNLIMITED


# --- one execution ---------------------------------------------------------------------------------------------


def _named(world: World, request: JsonObject) -> tuple[Domain, Execution | None, int | None]:
    """The domain, the open run a request names, else the number of a run that may be closed."""
    domain = world.domain(request["domain"])
    named = request["execution"]
    execution = domain.open.get(named["workflowId"])
    if execution is not None and execution.run_id == named["runId"]:
        return domain, execution, execution.run
    return domain, None, read_run_id(world.secret, named["runId"])


def _kept(world: World, domain: Domain, named: JsonObject, row: ClosedRow | None) -> ClosedRow:
    """The row, if it is the execution that was named and is still retained. Raises UnknownResourceFault."""
    if row is not None and row.domain == domain.number and row.close_ms > retained_after_ms(domain, world.now_ms):
        found = orjson.loads(row.detail)["executionInfo"]["execution"]
        if found["workflowId"] == named["workflowId"]:
            return row
    raise unknown_execution(named["workflowId"], named["runId"])


def describe_workflow_execution(world: World, request: JsonObject) -> Outcome:
    """DescribeWorkflowExecution."""
    domain, execution, run = _named(world, request)
    named = request["execution"]
    if execution is not None:
        return Reply(200, orjson.dumps(execution_detail(execution, world.now_ms)))
    if run is None:
        raise unknown_execution(named["workflowId"], named["runId"])
    return ClosedLookup(run, lambda row: Reply(200, _kept(world, domain, named, row).detail))


def get_workflow_execution_history(world: World, request: JsonObject) -> Outcome:
    """GetWorkflowExecutionHistory."""
    domain, execution, run = _named(world, request)
    named = request["execution"]
    if run is None:
        raise unknown_execution(named["workflowId"], named["runId"])
    scope = scope_of("GetWorkflowExecutionHistory", request)
    at = position(world, scope, request)
    if execution is not None:
        return _history_page(world, request, scope, at, run, execution.next_id - 1)
    return ClosedLookup(
        run,
        lambda row: _history_page(world, request, scope, at, run, _kept(world, domain, named, row).events),
    )


def _history_page(
    world: World, request: JsonObject, scope: bytes, at: tuple[int, int] | None, run: int, last_id: int
) -> Reply:
    size, reverse = page_size(request), bool(request.get("reverseOrder"))
    if reverse:
        last = at[0] if at else last_id
        first = max(1, last - size + 1)
        rest = first - 1
    else:
        first = at[0] if at else 1
        last = min(last_id, first + size - 1)
        rest = last + 1 if last < last_id else 0
    tail = b"]}"
    if rest:
        token = page_token(world.secret, scope, (rest, 0), world.now_ms)
        tail = b'],"nextPageToken":"%b"}' % token.encode("ascii")
    return Reply(200, b'{"events":[', HistorySlice(run, first, last, reverse), tail)


# --- filters ---------------------------------------------------------------------------------------------------


def _time_range(chosen: JsonObject) -> tuple[int, int]:
    """Inclusive milliseconds. A whole number of seconds as upper bound means that very instant."""
    oldest, latest = chosen["oldestDate"], chosen.get("latestDate")
    return _millis(oldest), UNLIMITED if latest is None else _millis(latest)


def _millis(seconds: float) -> int:
    return max(-UNLIMITED, min(UNLIMITED, round(seconds * 1000)))


def _check_exclusive(request: JsonObject) -> None:
    given = [name for name in _EXCLUSIVE if request.get(name) is not None]
    if len(given) > 1:
        text = f"Cannot specify more than one exclusive filters in the same query: [{', '.join(given)}]"
        raise invalid(text)


def _closed_filter(world: World, domain: Domain, request: JsonObject) -> ClosedFilter:
    start, close = request.get("startTimeFilter"), request.get("closeTimeFilter")
    if start is None and close is None:
        raise invalid("Must specify time filter")
    if start is not None and close is not None:
        raise invalid("Cannot specify both a startTimeFilter and a closeTimeFilter")
    _check_exclusive(request)
    oldest_ms, latest_ms = _time_range(close if close is not None else start or {})
    kind = request.get("typeFilter") or {}
    return ClosedFilter(
        domain=domain.number,
        by_close_time=close is not None,
        oldest_ms=oldest_ms,
        latest_ms=latest_ms,
        closed_after_ms=retained_after_ms(domain, world.now_ms),
        workflow_id=(request.get("executionFilter") or {}).get("workflowId"),
        type_name=kind.get("name"),
        type_version=kind.get("version") or None,
        tag=(request.get("tagFilter") or {}).get("tag"),
        close_status=(request.get("closeStatusFilter") or {}).get("status"),
    )


def _open_matches(domain: Domain, request: JsonObject, oldest_first: bool) -> Iterator[Execution]:
    """Open executions in order of their start that fit the request's filters."""
    oldest_ms, latest_ms = _time_range(request["startTimeFilter"])
    by_id = request.get("executionFilter")
    kind = request.get("typeFilter")
    tag = request.get("tagFilter")
    source: Iterator[Execution]
    if by_id is not None:
        one = domain.open.get(by_id["workflowId"])
        source = iter(() if one is None else (one,))
    elif oldest_first:
        source = iter(domain.open.values())
    else:
        source = reversed(domain.open.values())
    for execution in source:
        if not oldest_ms <= execution.start_ms <= latest_ms:
            continue
        if kind is not None and kind["name"] != execution.type_name:
            continue
        if kind is not None and kind.get("version") and kind["version"] != execution.type_version:
            continue
        tags = execution.tags
        if tag is not None and not (isinstance(tags, list) and tag["tag"] in tags):
            continue
        yield execution


# --- lists and counts ------------------------------------------------------------------------------------------


def list_open_workflow_executions(world: World, request: JsonObject) -> Outcome:
    """ListOpenWorkflowExecutions: newest start first."""
    domain = world.domain(request["domain"])
    _check_exclusive(request)
    scope = scope_of("ListOpenWorkflowExecutions", request)
    at = position(world, scope, request)
    oldest_first, size = bool(request.get("reverseOrder")), page_size(request)
    found: list[Execution] = []
    token = None
    for execution in _open_matches(domain, request, oldest_first):
        if at is not None and (execution.run <= at[0] if oldest_first else execution.run >= at[0]):
            continue
        if len(found) == size:
            token = page_token(world.secret, scope, (found[-1].run, 0), world.now_ms)
            break
        found.append(execution)
    return page_reply("executionInfos", [execution_info(one, None) for one in found], token)


def count_open_workflow_executions(world: World, request: JsonObject) -> Outcome:
    """CountOpenWorkflowExecutions."""
    domain = world.domain(request["domain"])
    _check_exclusive(request)
    return _count_reply(sum(1 for _ in _open_matches(domain, request, oldest_first=True)))


def _count_reply(count: int) -> Reply:
    return Reply(200, b'{"count":%d,"truncated":false}' % count)


def list_closed_workflow_executions(world: World, request: JsonObject) -> Outcome:
    """ListClosedWorkflowExecutions: newest first by the time that is filtered by."""
    domain = world.domain(request["domain"])
    where = _closed_filter(world, domain, request)
    scope = scope_of("ListClosedWorkflowExecutions", request)
    at = position(world, scope, request)
    size = page_size(request)

    def finish(rows: list[ClosedRow]) -> Reply:
        token = None
        if len(rows) > size:
            rows = rows[:size]
            last = rows[-1]
            time_ms = last.close_ms if where.by_close_time else last.start_ms
            token = page_token(world.secret, scope, (time_ms, last.run), world.now_ms)
        return page_reply("executionInfos", [orjson.loads(row.detail)["executionInfo"] for row in rows], token)

    return ClosedPageQuery(where, at, size + 1, bool(request.get("reverseOrder")), finish)


def count_closed_workflow_executions(world: World, request: JsonObject) -> Outcome:
    """CountClosedWorkflowExecutions."""
    domain = world.domain(request["domain"])
    return ClosedCountQuery(_closed_filter(world, domain, request), _count_reply)


def count_pending_decision_tasks(world: World, request: JsonObject) -> Outcome:
    """CountPendingDecisionTasks: scheduled and not yet started."""
    key = (world.domain(request["domain"]).number, request["taskList"]["name"])
    tasks = world.decision_lists.get(key)
    return _count_reply(tasks.count if tasks is not None else 0)


def count_pending_activity_tasks(world: World, request: JsonObject) -> Outcome:
    """CountPendingActivityTasks: scheduled and not yet started."""
    key = (world.domain(request["domain"]).number, request["taskList"]["name"])
    tasks = world.activity_lists.get(key)
    return _count_reply(tasks.count if tasks is not None else 0)


def closed_run_fault(row: ClosedRow | None, run_id: str) -> Fault:
    """The fault for a token whose execution has closed (or was never there)."""
    workflow_id = "unknown"
    if row is not None:
        workflow_id = orjson.loads(row.detail)["executionInfo"]["execution"]["workflowId"]
    return unknown_execution(workflow_id, run_id)
