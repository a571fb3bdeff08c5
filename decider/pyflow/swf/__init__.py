"""The only place that speaks to SWF. What it offers, and to whom:

    connection = connect()                     found as every AWS tool does; connect(client=...) uses yours
    connection.api                             SwfApi: the hot operations, wire dictionaries in and out
    connection.client                          boto3 client for all other operations

    api.poll_for_activity_task({"domain": "d", "taskList": {"name": "t"}, "identity": "me"})
        -> {"taskToken": "...", "activityId": "...", "activityType": {...}, "workflowExecution": {...},
            "startedEventId": 7, "input": "..."}          no "taskToken": no task within 60 s, poll again
    api.poll_for_decision_task, respond_decision_task_completed, respond_activity_task_completed / _failed /
    _canceled, record_activity_task_heartbeat, get_workflow_execution_history: one wire dictionary each.
        Timestamps are floats (epoch seconds). Failures are SwfError. Polls are attempted once and never aborted:
        stop by no longer polling and wait for the polls under way (60 s). All other calls are repeated on throttling,
        5xx and network failures (five attempts, full jitter) before they raise.

    make_client(region=, profile=, endpoint_url=, ...)    a boto3 client alone
    ensure_domain, ensure_workflow_type, ensure_activity_type(client, ...)    idempotent registration
    cold_call(client, "DescribeActivityType", {...})      any operation through boto3, errors as SwfError
    PollThread(poll, handle, name=...)                     one poller with back-off and a stop that waits the poll out
    is_loopback(url)                                      does the endpoint lie on this machine

Errors: see `faults` (SwfError and its kinds: UnknownResource, Throttled, Unreachable, AnswerLost, ...). A respond
that raises UnknownResource found its task no longer open; `may_have_had_effect` says whether an earlier attempt
whose answer was lost may have closed it. Limits and cuts: see `limits` (cut_reason, cut_details, ...).
"""

from pyflow.swf.api import JsonObject, SwfApi, SwfTransport
from pyflow.swf.client import is_loopback, make_client
from pyflow.swf.connect import SwfConnection, connect
from pyflow.swf.faults import (
    AlreadyExists,
    AnswerLost,
    AuthFailed,
    CredentialsExpired,
    DefaultUndefined,
    Deprecated,
    ExecutionAlreadyStarted,
    LimitExceeded,
    NotConfigured,
    OtherRefusal,
    Refused,
    RequestTooLarge,
    ServerFailed,
    SwfError,
    Throttled,
    UnknownResource,
    Unreachable,
    ValidationFailed,
)
from pyflow.swf.polling import PollThread
from pyflow.swf.registration import cold_call, ensure_activity_type, ensure_domain, ensure_workflow_type

__all__ = [
    "AlreadyExists",
    "AnswerLost",
    "AuthFailed",
    "CredentialsExpired",
    "DefaultUndefined",
    "Deprecated",
    "ExecutionAlreadyStarted",
    "JsonObject",
    "LimitExceeded",
    "NotConfigured",
    "OtherRefusal",
    "PollThread",
    "Refused",
    "RequestTooLarge",
    "ServerFailed",
    "SwfApi",
    "SwfConnection",
    "SwfError",
    "SwfTransport",
    "Throttled",
    "UnknownResource",
    "Unreachable",
    "ValidationFailed",
    "cold_call",
    "connect",
    "ensure_activity_type",
    "ensure_domain",
    "ensure_workflow_type",
    "is_loopback",
    "make_client",
]
