"""Every transport, the same tests: wire shapes in and out, every kind of failure, what may be repeated and what not."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from no_waiting import KINDS, Kind, NoWaiting, connected
from pyflow import swf
from pyflow.swf import SwfApi, SwfConnection, faults
from pyflow.swf.api import GET_WORKFLOW_EXECUTION_HISTORY, POLL_FOR_DECISION_TASK, JsonObject
from pyflow.swf.lean import CredentialSource, LeanTransport
from pyflow.swf.lean.credentials import Keys
from pyflow.swf.lean.transport import SENT_AT_ONCE_BYTES_MAX
from pyflow.swf.retry import Repeats
from scripted_swf import Answer, Request, ScriptedSwf, fault

POLL: JsonObject = {"domain": "d", "taskList": {"name": "t"}, "identity": "i"}
RESPOND: JsonObject = {"taskToken": "token", "decisions": []}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return cast(Kind, request.param)


@pytest.fixture
def connection(kind: Kind, scripted: ScriptedSwf) -> SwfConnection:
    return connected(scripted.url, kind)


@pytest.fixture
def api(connection: SwfConnection) -> SwfApi:
    """The hot operations with repeats that do not sleep."""
    return SwfApi(connection.api.transport, Repeats(attempts_max=3, sleep=lambda s: None))


def test_a_decision_task_in_wire_form(api: SwfApi, scripted: ScriptedSwf) -> None:
    task = {
        "taskToken": "tok",
        "startedEventId": 3,
        "previousStartedEventId": 0,
        "workflowExecution": {"workflowId": "w ü", "runId": "r"},
        "workflowType": {"name": "n", "version": "1"},
        "events": [
            {
                "eventId": 1,
                "eventType": "WorkflowExecutionStarted",
                "eventTimestamp": 1497371587.073,
                "workflowExecutionStartedEventAttributes": {"input": "ü\u2028", "childPolicy": "ABANDON"},
            }
        ],
    }
    scripted.answers(Answer(task))
    assert api.poll_for_decision_task({**POLL, "startAtPreviousStartedEvent": True}) == task
    request = scripted.requests[0]
    assert request.operation == POLL_FOR_DECISION_TASK
    assert request.body == {**POLL, "startAtPreviousStartedEvent": True}
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert request.headers["x-amz-target"] == "SimpleWorkflowService.PollForDecisionTask"
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=loopback/")


def test_empty_poll(api: SwfApi, scripted: ScriptedSwf) -> None:
    scripted.answers(Answer({"previousStartedEventId": 0, "startedEventId": 0}))
    assert "taskToken" not in api.poll_for_decision_task(POLL)


@pytest.mark.parametrize(
    ("call", "operation", "request_body"),
    [
        (SwfApi.poll_for_activity_task, "PollForActivityTask", POLL),
        (SwfApi.respond_decision_task_completed, "RespondDecisionTaskCompleted", RESPOND),
        (SwfApi.respond_activity_task_completed, "RespondActivityTaskCompleted", {"taskToken": "t", "result": "1"}),
        (SwfApi.respond_activity_task_failed, "RespondActivityTaskFailed", {"taskToken": "t", "reason": "r"}),
        (SwfApi.respond_activity_task_canceled, "RespondActivityTaskCanceled", {"taskToken": "t"}),
        (SwfApi.record_activity_task_heartbeat, "RecordActivityTaskHeartbeat", {"taskToken": "t", "details": "d"}),
        (
            SwfApi.get_workflow_execution_history,
            GET_WORKFLOW_EXECUTION_HISTORY,
            {"domain": "d", "execution": {"workflowId": "w", "runId": "r"}, "maximumPageSize": 1000},
        ),
    ],
)
def test_every_hot_operation(
    api: SwfApi,
    scripted: ScriptedSwf,
    call: Callable[[SwfApi, JsonObject], JsonObject],
    operation: str,
    request_body: JsonObject,
) -> None:
    scripted.answers(Answer({"cancelRequested": True} if "Heartbeat" in operation else {}))
    answer = call(api, request_body)
    assert scripted.operations() == [operation]
    assert scripted.requests[0].body == request_body
    assert answer == ({"cancelRequested": True} if "Heartbeat" in operation else {})


def test_an_empty_body_is_an_empty_answer(api: SwfApi, scripted: ScriptedSwf) -> None:
    scripted.answers(Answer(b""))
    assert api.respond_decision_task_completed(RESPOND) == {}


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (fault("UnknownResourceFault", "Unknown domain: d"), swf.UnknownResource, "Unknown domain: d"),
        (fault("ValidationException", "Invalid token"), swf.ValidationFailed, "Invalid token"),
        (fault("SerializationException"), swf.ValidationFailed, "without further words"),
        (fault("LimitExceededFault", "Limit on pollers"), swf.LimitExceeded, "fewer"),
        (fault("OperationNotPermittedFault", "no"), swf.AuthFailed, "IAM"),
        (fault("AccessDeniedException", "no", 400), swf.AuthFailed, "IAM"),
        (fault("UnrecognizedClientException", "bad", 400), swf.AuthFailed, "credentials"),
        (fault("NovelException", "new"), swf.OtherRefusal, "NovelException"),
        (Answer(b"<html>bad gateway</html>", status=413), swf.RequestTooLarge, "1 MB"),
    ],
)
def test_refusals_that_cannot_pass_are_raised_at_once(
    api: SwfApi, scripted: ScriptedSwf, answer: Answer, error: type[swf.SwfError], said: str
) -> None:
    scripted.answers(answer)
    with pytest.raises(error, match=said) as caught:
        api.respond_decision_task_completed(RESPOND)
    assert len(scripted.requests) == 1
    assert str(caught.value).startswith("RespondDecisionTaskCompleted: ")
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (fault("ThrottlingException", "Rate exceeded"), swf.Throttled),
        (fault("InternalFailure", status=500), swf.ServerFailed),
        (Answer(b"", status=503), swf.ServerFailed),
        (Answer(b"<html>bad gateway</html>", status=502), swf.ServerFailed),
        (Answer(reset=True), swf.AnswerLost),
        (Answer({"cancelRequested": False}, cut_after=3), swf.AnswerLost),
    ],
)
def test_passing_failures_are_repeated_but_not_for_polls(
    api: SwfApi, scripted: ScriptedSwf, answer: Answer, error: type[swf.SwfError]
) -> None:
    scripted.answers(answer, answer, Answer({"cancelRequested": False}))
    assert api.record_activity_task_heartbeat({"taskToken": "t"}) == {"cancelRequested": False}
    assert len(scripted.requests) == 3

    scripted.requests.clear()
    scripted.answers(answer, Answer({"taskToken": "lost"}))
    with pytest.raises(error) as caught:
        api.poll_for_decision_task(POLL)
    assert caught.value.retryable
    assert len(scripted.requests) == 1, "a poll must never be sent again by a transport: it may have been given a task"


def test_repeats_end(api: SwfApi, scripted: ScriptedSwf) -> None:
    scripted.answers(fault("ThrottlingException", "Rate exceeded"))
    with pytest.raises(swf.Throttled, match="Rate exceeded"):
        api.respond_decision_task_completed(RESPOND)
    assert len(scripted.requests) == 3


def test_a_lost_answer_followed_by_unknown_resource_is_marked(api: SwfApi, scripted: ScriptedSwf) -> None:
    gone = fault("UnknownResourceFault", "Unknown decision task, scheduledEventId = 2")
    scripted.answers(Answer(reset=True), gone)
    with pytest.raises(swf.UnknownResource) as caught:
        api.respond_decision_task_completed(RESPOND)
    assert caught.value.may_have_had_effect

    scripted.answers(gone)
    with pytest.raises(swf.UnknownResource) as caught:
        api.respond_decision_task_completed(RESPOND)
    assert not caught.value.may_have_had_effect


def test_a_further_page_of_a_poll_is_repeated(api: SwfApi, scripted: ScriptedSwf) -> None:
    scripted.answers(fault("ThrottlingException", "Rate exceeded"), Answer({"events": []}))
    assert api.poll_for_decision_task({**POLL, "nextPageToken": "p"}) == {"events": []}
    assert len(scripted.requests) == 2


def test_nobody_listens(kind: Kind) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    api = connected(f"http://127.0.0.1:{port}", kind).api
    with pytest.raises(swf.Unreachable, match="AWS_ENDPOINT_URL_SWF") as caught:
        api.poll_for_decision_task(POLL)
    assert str(port) in str(caught.value)


def test_a_connection_closed_while_idle_is_not_noticed_by_callers(api: SwfApi, scripted: ScriptedSwf) -> None:
    scripted.answers(Answer({}, close=True))
    for _ in range(5):
        api.poll_for_activity_task(POLL)
        scripted.wait_until_all_closed()
    assert len(scripted.requests) == 5


def test_many_threads_share_a_connection(api: SwfApi, scripted: ScriptedSwf) -> None:
    def echo(request: Request) -> Answer:
        return Answer({"taskToken": request.body["identity"]})

    scripted.script = echo
    wrong: list[str] = []

    def use(number: int) -> None:
        for turn in range(20):
            identity = f"{number}.{turn}"
            if api.poll_for_activity_task({**POLL, "identity": identity})["taskToken"] != identity:
                wrong.append(identity)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert len(scripted.requests) == 160


def test_expired_credentials_are_looked_up_anew(kind: Kind, scripted: ScriptedSwf, no_aws_configuration: Path) -> None:
    def write(key: str) -> None:
        no_aws_configuration.write_text(
            f"[default]\nregion = eu-west-1\naws_access_key_id = {key}\naws_secret_access_key = s\n"
            "aws_session_token = token\n"
        )

    def script(request: Request) -> Answer:
        if "Credential=OLD/" in request.headers["authorization"]:
            return fault("ExpiredTokenException", "The security token included in the request is expired", 400)
        return Answer({"startedEventId": 0})

    write("OLD")
    scripted.script = script
    connection = connected(scripted.url, kind)
    forget_last_search(connection)
    write("NEW")
    with pytest.raises(swf.CredentialsExpired, match="aws sso login"):
        connection.api.poll_for_activity_task(POLL)
    connection.api.poll_for_activity_task(POLL)
    assert "Credential=NEW/" in scripted.requests[-1].headers["authorization"]
    assert scripted.requests[-1].headers["x-amz-security-token"] == "token"


def forget_last_search(connection: SwfConnection) -> None:
    """Credentials are searched at most every few seconds; let the next search be due now."""
    transport = connection.api.transport
    if isinstance(transport, NoWaiting):
        transport = transport.lean
    if isinstance(transport, LeanTransport):
        transport._credentials.keys()
        transport._credentials._searched_at_s = float("-inf")


def test_what_can_be_begun_without_waiting(scripted: ScriptedSwf) -> None:
    api = connected(scripted.url, "no waiting").api
    transport = api.transport
    assert isinstance(transport, NoWaiting)
    api.respond_activity_task_completed({"taskToken": "t"})
    assert transport.begun_now == 0, "there was no connection"
    for _ in range(3):
        api.respond_activity_task_completed({"taskToken": "t"})
    assert transport.begun_now == 3
    api.respond_activity_task_completed({"taskToken": "t", "result": "x" * SENT_AT_ONCE_BYTES_MAX})
    assert transport.begun_now == 3, "the other side might not take so much at once"
    scripted.answers(Answer({}, close=True))
    api.respond_activity_task_completed({"taskToken": "t"})
    assert transport.begun_now == 4
    scripted.wait_until_all_closed()
    api.respond_activity_task_completed({"taskToken": "t"})
    assert transport.begun_now == 4, "the connection was closed meanwhile"
    assert scripted.connections == 2
    assert len(scripted.requests) == 7


def test_credentials_that_must_be_refreshed_are_waited_for() -> None:
    class Temporary:
        stale = False
        refreshed = 0

        def refresh_needed(self) -> bool:
            return self.stale

        def get_frozen_credentials(self) -> Keys:
            self.refreshed += self.stale
            self.stale = False
            return Keys("key", "secret", f"token {self.refreshed}")

    temporary, now_s = Temporary(), 0.0
    source = CredentialSource(lambda: temporary, clock=lambda: now_s)
    assert source.keys_at_hand() is None, "they have not been looked for yet"
    assert source.keys() == source.keys_at_hand() == Keys("key", "secret", "token 0")
    now_s, temporary.stale = 10.0, True
    assert source.keys_at_hand() is None
    assert temporary.refreshed == 0
    assert source.keys() == source.keys_at_hand() == Keys("key", "secret", "token 1")


def test_every_code_of_the_reference_is_mapped() -> None:
    refusal = faults.refusal("Op", "com.amazonaws.swf.base.model#TypeAlreadyExistsFault", "WorkflowType=[...]", 400)
    assert isinstance(refusal, swf.AlreadyExists)
    assert isinstance(faults.refusal("Op", "", "", 500), swf.ServerFailed)
    assert isinstance(faults.refusal("Op", "", "", 429), swf.Throttled)
    assert isinstance(faults.refusal("Op", "What", "", 418), swf.OtherRefusal)
    assert json.dumps(str(refusal))
