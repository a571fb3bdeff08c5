"""Every fault that botocore's model has for any operation is reached, and boto3 raises it by its own name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_swf_shapes import MODEL
from pyflow_local import LocalSwf, ManualClock, Quotas, Restrictions

WF = {"name": "wf", "version": "1"}
BARE = {"name": "bare", "version": "1"}


def begin(swf: Any, kind: dict[str, str] = WF) -> None:
    """One more execution with this id."""
    swf.start_workflow_execution(domain="d", workflowId="w", workflowType=kind)


def tags(count: int) -> list[dict[str, str]]:
    """So many of them."""
    return [{"key": str(number), "value": "v"} for number in range(count)]


def tag(swf: Any, count: int) -> None:
    """Tag the domain."""
    swf.tag_resource(resourceArn=swf.describe_domain(name="d")["domainInfo"]["arn"], tags=tags(count))


def register(swf: Any, name: str) -> None:
    """One more domain."""
    swf.register_domain(name=name, workflowExecutionRetentionPeriodInDays="1")


# fault -> calls of which the last one is refused with it
REACHED: dict[str, list[Callable[[Any], object]]] = {
    "UnknownResourceFault": [lambda swf: swf.describe_domain(name="nope")],
    "DomainAlreadyExistsFault": [lambda swf: register(swf, "d")],
    "DomainDeprecatedFault": [lambda swf: swf.deprecate_domain(name="d")] * 2,
    "TypeAlreadyExistsFault": [lambda swf: swf.register_workflow_type(domain="d", **WF)],
    "TypeDeprecatedFault": [lambda swf: swf.deprecate_workflow_type(domain="d", workflowType=WF), begin],
    "TypeNotDeprecatedFault": [lambda swf: swf.delete_workflow_type(domain="d", workflowType=WF)],
    "WorkflowExecutionAlreadyStartedFault": [begin, begin],
    "DefaultUndefinedFault": [
        lambda swf: swf.register_workflow_type(domain="d", **BARE),
        lambda swf: begin(swf, BARE),
    ],
    "LimitExceededFault": [lambda swf: register(swf, "e"), lambda swf: register(swf, "f")],
    "TooManyTagsFault": [lambda swf: tag(swf, 50), lambda swf: tag(swf, 51)],
    "OperationNotPermittedFault": [lambda swf: swf.list_domains(registrationStatus="REGISTERED")],
}


def test_these_are_all_faults_of_the_model() -> None:
    modeled = {shape.name for name in MODEL.operation_names for shape in MODEL.operation_model(name).error_shapes}
    assert modeled == set(REACHED)


@pytest.mark.parametrize("fault", REACHED)
def test_a_fault_is_raised_by_its_own_name(fault: str) -> None:
    restrictions = Restrictions(denied=frozenset({"swf:ListDomains"}))
    with LocalSwf(clock=ManualClock(), quotas=Quotas(domains=2), restrictions=restrictions) as local:
        swf: Any = local.client()
        register(swf, "d")
        swf.register_workflow_type(
            domain="d", **WF, defaultTaskList={"name": "tl"}, defaultExecutionStartToCloseTimeout="60",
            defaultTaskStartToCloseTimeout="60", defaultChildPolicy="ABANDON",
        )  # fmt: skip
        *before, last = REACHED[fault]
        for call in before:
            call(swf)
        with pytest.raises(ClientError) as refused:
            last(swf)
        assert type(refused.value) is getattr(swf.exceptions, fault)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
