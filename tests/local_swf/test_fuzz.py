"""Hypothesis against the service: any JSON for any operation, and any bytes for the transport.

Bounded in time by the number of examples; PYFLOW_FUZZ multiplies it.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import botocore.session
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_swf_checker import check_history
from local_swf_driver import DOMAIN, SOME_RESTRICTIONS, Driver
from local_swf_server import RunningServer
from pyflow_local.engine.faults import NAMESPACES
from pyflow_local.engine.operations import OPERATIONS
from pyflow_local.engine.restrictions import Restrictions
from pyflow_local.engine.shapes import Fields, Flag, Items, Moment, Rule, Shape, Text, Whole

FACTOR = int(os.environ.get("PYFLOW_FUZZ", "1"))
MODEL = botocore.session.get_session().get_service_model("swf")


def bounded(examples: int) -> settings:
    """So many examples, without a deadline for each."""
    return settings(
        max_examples=examples * FACTOR,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


_KNOWN = ["d", "w", "wf", "act", "tl", "al", "1", "a", "t"]
_RULED = {
    Rule.SECONDS: ["0", "1", "60", "x"],
    Rule.SECONDS_OR_NONE: ["0", "5", "NONE", "", "-1"],
    Rule.EXECUTION_SECONDS: ["10", "3600", "NONE", "99999999"],
    Rule.LAMBDA_SECONDS: ["1", "900", "901"],
    Rule.RETENTION_DAYS: ["0", "7", "NONE", "91"],
    Rule.PRIORITY: ["0", "-5", "7", "x"],
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def plausible(shape: Shape) -> st.SearchStrategy[Any]:
    """Values that mostly fit a shape, so that requests get past validation often enough."""
    if isinstance(shape, Text):
        if shape.enum:
            return st.sampled_from([*shape.enum, "NOPE"])
        if shape.rule in _RULED:
            return st.sampled_from(_RULED[shape.rule])
        return st.sampled_from(_KNOWN) | st.text(max_size=6)
    if isinstance(shape, Whole):
        return st.integers(-1, 1001)
    if isinstance(shape, Flag):
        return st.booleans()
    if isinstance(shape, Moment):
        return st.sampled_from([0, 1.5, 2e9, -1, 1e300])
    if isinstance(shape, Items):
        return st.lists(plausible(shape.item), max_size=3)
    return structures(shape)


def structures(shape: Fields) -> st.SearchStrategy[dict[str, Any]]:
    required = {name: plausible(member) for name, member, needed in shape.members if needed}
    optional = {name: plausible(member) for name, member, needed in shape.members if not needed}
    return st.fixed_dictionaries(required, optional=optional)


REQUESTS = {name: structures(shape) for name, shape in OPERATIONS.items()}


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, Any]:
    name = draw(st.sampled_from(sorted(OPERATIONS)))
    body = draw(REQUESTS[name])
    if draw(st.integers(0, 9)) == 0:
        body[draw(st.sampled_from([member for member, _, _ in OPERATIONS[name].members]))] = draw(anything)
    return name, body


def check_refusal(answer: dict[str, Any], operation: str) -> None:
    namespace, _, code = answer["body"]["__type"].partition("#")
    assert f"{namespace}#" == NAMESPACES[code]
    assert answer["status"] == 400, answer
    modeled = {shape.name for shape in MODEL.operation_model(operation).error_shapes}
    generic = {"ValidationException", "SerializationException", "DomainDeprecatedFault", "ThrottlingException"}
    assert code in modeled | generic, f"{operation} answered {code}"


class Fuzzed(Driver):
    """A driver that feeds live task tokens into the requests, so that answers reach real tasks."""

    def fuzz(self, operation: str, body: Any, tokens: list[str]) -> None:
        if operation.startswith(("Respond", "Record")) and tokens and isinstance(body, dict):
            body = {**body, "taskToken": tokens[-1]}
        ident = self.send(operation, json.dumps(body).encode())
        answer = self.answers.pop(ident, None)
        if answer is None:
            assert operation.startswith("Poll")
            self.service.expire_poll(ident)
        elif answer["status"] != 200:
            check_refusal(answer, operation)
        elif "taskToken" in answer["body"]:
            tokens.append(answer["body"]["taskToken"])


@bounded(60)
@given(script=st.lists(requests(), min_size=5, max_size=40), restrictions=st.sampled_from([None, *SOME_RESTRICTIONS]))
def test_any_request_gets_an_answer_of_the_model(
    script: list[tuple[str, Any]], restrictions: Restrictions | None
) -> None:
    driver = Fuzzed(restrictions=restrictions)
    driver.start()
    tokens: list[str] = []
    for operation, body in script:
        driver.fuzz(operation, body, tokens)
        driver.advance(1)
    assert driver.service._engine is not None, "a step failed: an internal error"
    for kind, operation in (("startTimeFilter", "ListOpen"), ("closeTimeFilter", "ListClosed")):
        infos = driver.call(f"{operation}WorkflowExecutions", domain=DOMAIN, **{kind: {"oldestDate": 0}})
        for info in infos["executionInfos"]:
            execution = info["execution"]
            check_history(driver.history(execution["runId"], execution["workflowId"]))


@bounded(150)
@given(operation=st.sampled_from(sorted(OPERATIONS)), body=anything)
def test_any_json_for_any_operation(operation: str, body: Any) -> None:
    driver = Fuzzed()
    driver.fuzz(operation, body, [])
    assert driver.service._engine is not None


@bounded(150)
@given(operation=st.text(max_size=12) | st.sampled_from(sorted(OPERATIONS)), body=st.binary(max_size=300))
def test_any_bytes_as_a_body(operation: str, body: bytes) -> None:
    driver = Driver(setup=False)
    ident = driver.send(operation, body)
    assert driver.answers[ident]["status"] in {400, 404}
    assert driver.service._engine is not None


GOOD = (
    b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SimpleWorkflowService.ListDomains\r\n"
    b'Content-Length: 35\r\n\r\n{"registrationStatus":"REGISTERED"}'
)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A good request with bytes changed, removed and inserted."""
    data = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        how = draw(st.integers(0, 2))
        if how == 0:
            data[at] = draw(st.integers(0, 255))
        elif how == 1:
            del data[at : at + draw(st.integers(1, 5))]
        else:
            data[at:at] = draw(st.binary(min_size=1, max_size=8))
        if not data:
            break
    return bytes(data)


def exchange(server: RunningServer, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            found = b""
            while part := sock.recv(65536):
                found += part
        except (ConnectionResetError, BrokenPipeError):
            return b""
        return found


@pytest.mark.usefixtures("shared_server")
@bounded(150)
@given(data=mutations() | st.binary(min_size=1, max_size=400))
def test_any_bytes_on_the_wire(shared_server: RunningServer, data: bytes) -> None:
    answer = exchange(shared_server, data)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in answer[:20]
    assert exchange(shared_server, GOOD).startswith(b"HTTP/1.1 200 OK"), "other clients are harmed"
