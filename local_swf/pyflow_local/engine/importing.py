"""Taking in a history that was recorded elsewhere, so that it can be listed, described and read here."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from pyflow_local.engine.describing import execution_detail
from pyflow_local.engine.entities import UNLIMITED_TIMEOUT, Execution
from pyflow_local.engine.lifecycle import CLOSE_STATUS
from pyflow_local.engine.records import EventsAppended, RunClosed
from pyflow_local.engine.tokens import run_id as make_run_id
from pyflow_local.engine.validation import check_request
from pyflow_local.engine.values import JsonObject
from pyflow_local.engine.world import World

_ROWS_OF_EVENTS = 500
_NO_REQUEST = ("parentInitiatedEventId", "parentWorkflowExecution", "continuedExecutionRunId")


def import_run(world: World, domain_name: str, workflow_id: str, events: Sequence[bytes]) -> str:
    """Journal a run with these events (encoded, ids from 1) among the closed executions; its new run id.

    Nothing will ever happen to it. A history that does not end in a close event is described as OPEN, though it is
    listed among the closed ones. Raises UnknownResourceFault for an unknown domain, ValidationException or
    SerializationException for a workflow id or settings that no execution can have.
    """
    domain = world.domain(domain_name)
    first, last = orjson.loads(events[0]), orjson.loads(events[-1])
    settings = first["workflowExecutionStartedEventAttributes"]
    begun = {member: value for member, value in settings.items() if member not in _NO_REQUEST}
    if begun["executionStartToCloseTimeout"] == UNLIMITED_TIMEOUT:
        del begun["executionStartToCloseTimeout"]
    check_request("StartWorkflowExecution", {**begun, "domain": domain_name, "workflowId": workflow_id})
    start_ms, last_ms = round(first["eventTimestamp"] * 1000), round(last["eventTimestamp"] * 1000)
    run = world.new_run()
    execution = Execution(run, domain, workflow_id, make_run_id(world.secret, run), start_ms)
    execution.settle(settings)
    status = CLOSE_STATUS.get(last["eventType"])
    execution.close_status = status
    execution.cancel_requested = any(b'"eventType":"WorkflowExecutionCancelRequested"' in one for one in events)
    detail: JsonObject = execution_detail(execution, last_ms)
    journal = world.outbox.journal
    for start in range(0, len(events), _ROWS_OF_EVENTS):
        journal.append(EventsAppended(run, start + 1, list(events[start : start + _ROWS_OF_EVENTS])))
    journal.append(
        RunClosed(
            run=run,
            domain=domain.number,
            workflow_id=workflow_id,
            type_name=execution.type_name,
            type_version=execution.type_version,
            start_ms=start_ms,
            # Retention counts from the import: a file from last year must not vanish at once.
            close_ms=world.now_ms,
            close_status=status or "TERMINATED",
            tags=orjson.dumps(execution.tags or []).decode("utf-8"),
            detail=orjson.dumps(detail),
            events=len(events),
            heartbeats=False,
        )
    )
    return execution.run_id
