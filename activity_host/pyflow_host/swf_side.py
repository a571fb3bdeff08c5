"""The host's calls to SWF, blocking, one method each; errors of SWF become values of the core where it decides."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from pyflow.swf import (
    AuthFailed,
    LimitExceeded,
    OtherRefusal,
    RequestTooLarge,
    SwfApi,
    SwfConnection,
    SwfError,
    UnknownResource,
    ValidationFailed,
    cold_call,
    ensure_activity_type,
    ensure_domain,
    is_loopback,
)
from pyflow.swf.api import JsonObject

from pyflow_host.core.attempts import LOOK_BACK_EVENTS, facts_from, seconds_of
from pyflow_host.core.effects import Call, LookUpAttempt
from pyflow_host.core.values import (
    SWF_OK,
    AttemptFacts,
    ListKey,
    Said,
    SwfSaid,
    SwfTask,
    TypeDefaults,
    TypeKey,
    spelled,
)

logger = logging.getLogger("pyflow.host")

UNKNOWN_EXECUTION = "Unknown execution"
_QUOTED_VALUE = re.compile(r"Value '.*?'( at '\w+' failed to satisfy)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What a registration found. `types` with the defaults SWF has for them."""

    types: dict[TypeKey, TypeDefaults] = field(default_factory=dict)
    trouble: str = ""
    """Why the list cannot be polled yet; empty: it can."""


class SwfSide(Protocol):
    """What the host needs of SWF; blocking and safe to use from many threads."""

    def poll(self, list_key: ListKey) -> SwfTask | None:
        """One long poll; None when there was no task. Raises SwfError."""

    def call(self, call: Call, swf_token: str, members: dict[str, str]) -> SwfSaid:
        """Report the end of a task, or a heartbeat."""

    def look_up(self, wanted: LookUpAttempt) -> AttemptFacts | None:
        """What the newest page of the history tells of an attempt; None when it cannot be read."""

    def register(self, list_key: ListKey, types: dict[TypeKey, TypeDefaults]) -> Registered:
        """See that domain and types exist."""


class ConnectedSwf:
    """SWF through `pyflow.swf`."""

    def __init__(self, connection: SwfConnection, *, identity: str, register_domain: bool | None = None) -> None:
        """`register_domain` None: on an endpoint of this machine only."""
        self._connection = connection
        self._api: SwfApi = connection.api
        self._identity = identity
        wanted = is_loopback(connection.endpoint) if register_domain is None else register_domain
        self._register_domain = wanted
        self._methods = {
            Call.COMPLETED: self._api.respond_activity_task_completed,
            Call.FAILED: self._api.respond_activity_task_failed,
            Call.CANCELED: self._api.respond_activity_task_canceled,
            Call.HEARTBEAT: self._api.record_activity_task_heartbeat,
        }

    @property
    def api(self) -> SwfApi:
        """For who begins and ends calls of its own."""
        return self._api

    def poll(self, list_key: ListKey) -> SwfTask | None:
        """See SwfSide."""
        return task_in(self._api.poll_for_activity_task(self.poll_request(list_key)), list_key)

    def poll_request(self, list_key: ListKey) -> JsonObject:
        """What a poll of the list sends."""
        return {
            "domain": list_key.domain,
            "taskList": {"name": list_key.task_list},
            "identity": self._identity,
        }

    def call(self, call: Call, swf_token: str, members: dict[str, str]) -> SwfSaid:
        """See SwfSide."""
        try:
            return said_in(self._methods[call]({"taskToken": swf_token, **members}))
        except SwfError as error:
            return said_of(error)

    def go_on(self, call: Call, request: JsonObject, first: Callable[[], JsonObject]) -> SwfSaid:
        """As `call`, with a first attempt that somebody else has made: `first` gives its answer or raises its error."""
        try:
            return said_in(self._api.go_on(call.value, request, first))
        except SwfError as error:
            return said_of(error)

    def look_up(self, wanted: LookUpAttempt) -> AttemptFacts | None:
        """See SwfSide."""
        request = {
            "domain": wanted.domain,
            "execution": {"workflowId": wanted.workflow_id, "runId": wanted.run_id},
            "reverseOrder": True,
            "maximumPageSize": LOOK_BACK_EVENTS,
        }
        try:
            answer = self._api.get_workflow_execution_history(request)
        except SwfError as error:
            logger.warning("The history of %s cannot be read, so its last progress is not known: %s", wanted, error)
            return None
        return facts_from(answer.get("events", ()), wanted.activity_id)

    def register(self, list_key: ListKey, types: dict[TypeKey, TypeDefaults]) -> Registered:
        """See SwfSide."""
        found: dict[TypeKey, TypeDefaults] = {}
        try:
            if self._register_domain:
                ensure_domain(self._connection.client, list_key.domain)
            for key, offered in types.items():
                try:
                    found[key] = self._registered_type(list_key, key, offered)
                except (ValidationFailed, RequestTooLarge, LimitExceeded) as error:
                    # One type that SWF does not take must not keep the others of the list, and their workers, waiting.
                    logger.error("Activity type %s cannot be registered, and no workflow can use it: %s", key, error)
                    found[key] = offered
        except AuthFailed as error:
            # A host may lack the right to register while it has the right to poll; the types may well be there.
            logger.warning("Activity types cannot be registered and are taken to be there: %s", error)
            return Registered(types={**types, **found})
        except SwfError as error:
            return Registered(types=found, trouble=str(error))
        return Registered(types=found)

    def _registered_type(self, list_key: ListKey, key: TypeKey, offered: TypeDefaults) -> TypeDefaults:
        client = self._connection.client
        members = {
            "defaultTaskStartToCloseTimeout": spelled(offered.start_to_close_s),
            "defaultTaskHeartbeatTimeout": spelled(offered.heartbeat_s),
            "defaultTaskScheduleToStartTimeout": spelled(offered.schedule_to_start_s),
            "defaultTaskScheduleToCloseTimeout": spelled(offered.schedule_to_close_s),
            "description": offered.description or None,
        }
        if ensure_activity_type(
            client, list_key.domain, key.name, key.version, task_list=list_key.task_list, **members
        ):
            return offered
        request = {"domain": list_key.domain, "activityType": key._asdict()}
        described = cold_call(client, "DescribeActivityType", request)
        has = described["configuration"]
        if described["typeInfo"]["status"] == "DEPRECATED":
            logger.warning("Activity type %s is deprecated on SWF: no workflow can ask for it any more.", key)
        there = TypeDefaults(
            start_to_close_s=seconds_of(has.get("defaultTaskStartToCloseTimeout")),
            heartbeat_s=seconds_of(has.get("defaultTaskHeartbeatTimeout")),
            schedule_to_start_s=seconds_of(has.get("defaultTaskScheduleToStartTimeout")),
            schedule_to_close_s=seconds_of(has.get("defaultTaskScheduleToCloseTimeout")),
            description=offered.description,
        )
        differences = offered.differences_to(there)
        if differences:
            logger.warning(
                "Activity type %s is registered on SWF with other defaults than the worker's: %s. SWF's are in force "
                "and cannot be changed; register another version to have the worker's.",
                key,
                ", ".join(differences),
            )
        return there


def task_in(answer: JsonObject, list_key: ListKey) -> SwfTask | None:
    """The task of an answered poll; None when there was none."""
    token = answer.get("taskToken")
    if not token:
        return None
    execution, kind = answer["workflowExecution"], answer["activityType"]
    return SwfTask(
        swf_token=token,
        list_key=list_key,
        type=TypeKey(kind["name"], kind["version"]),
        workflow_id=execution["workflowId"],
        run_id=execution["runId"],
        activity_id=answer["activityId"],
        input=answer.get("input"),
        started_event_id=answer.get("startedEventId", 0),
    )


def said_in(answer: JsonObject) -> SwfSaid:
    """What the answer to a respond or a heartbeat means for the task."""
    return SwfSaid(said=Said.OK, cancel_requested=True) if answer.get("cancelRequested") else SWF_OK


def said_of(error: SwfError) -> SwfSaid:
    """What an error of a respond or a heartbeat means for the task."""
    message = _without_values(str(error))
    match error:
        case UnknownResource():
            said = Said.PROBABLY_DONE if error.may_have_had_effect else Said.GONE
            closed = error.message.startswith(UNKNOWN_EXECUTION)
            return SwfSaid(said=said, message=_without_values(error.message), execution_closed=closed)
        case ValidationFailed() | RequestTooLarge():
            return SwfSaid(said=Said.INVALID, message=message)
        case OtherRefusal() if not error.retryable:
            return SwfSaid(said=Said.INVALID, message=message)
        case _:  # unreachable, throttled, 5xx, credentials: it can be put right while the worker keeps its outcome
            return SwfSaid(said=Said.LATER, message=message)


def _without_values(message: str) -> str:
    """SWF quotes the value it refuses: a result or a task token, which no log may have."""
    return _QUOTED_VALUE.sub(r"a value\1", message)
