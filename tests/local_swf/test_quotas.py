"""The service's quotas (reference 10.1): each is enforced, has the service's figure, and can be lifted.

Those that fail a decision are in test_causes.py, those of sizes in test_validation.py, that of polls in test_tasks.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from local_swf_driver import ACTIVITY, DOMAIN, WORKFLOW, Driver, Refused
from pyflow_local.engine.limits import UNLIMITED, Quotas

SERVICE = {
    "domains": 100,
    "workflow_types_per_domain": 10_000,
    "activity_types_per_domain": 10_000,
    "open_executions_per_domain": 100_000,
    "history_events": 25_000,
    "open_activities": 1_000,
    "open_timers": 1_000,
    "open_children": 1_000,
    "open_lambdas": 1_000,
    "pollers_per_task_list": 1_000,
}


def test_the_figures_are_the_services_and_all_can_be_lifted() -> None:
    assert {field.name: getattr(Quotas(), field.name) for field in fields(Quotas)} == SERVICE
    assert {getattr(Quotas.relaxed(), field.name) for field in fields(Quotas)} == {UNLIMITED}


def register_domain(driver: Driver, number: int) -> None:
    """One more domain."""
    driver.call("RegisterDomain", name=f"d{number}", workflowExecutionRetentionPeriodInDays="1")


def start(driver: Driver, number: int) -> None:
    """One more execution."""
    driver.start(f"w{number}")


# quota -> (how one more is made, how many there are at first): DOMAIN and its two types are there already
MAKE: dict[str, tuple[Callable[[Driver, int], Any], int]] = {
    "domains": (register_domain, 1),
    "workflow_types_per_domain": (lambda driver, number: driver.workflow_type(f"wf{number}"), 1),
    "activity_types_per_domain": (lambda driver, number: driver.activity_type(f"act{number}"), 1),
    "open_executions_per_domain": (start, 0),
}


@pytest.mark.parametrize("quota", MAKE)
def test_one_too_many(quota: str) -> None:
    make, there = MAKE[quota]
    driver = Driver(quotas=Quotas(**{quota: 3}))
    for number in range(3 - there):
        make(driver, number)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            make(driver, 9)
        assert (refused.value.status, refused.value.code) == (400, "LimitExceededFault")
        assert "3" in str(refused.value.message)


@pytest.mark.parametrize("quota", MAKE)
def test_no_limit_when_it_is_lifted(quota: str) -> None:
    make, there = MAKE[quota]
    driver = Driver(quotas=Quotas.relaxed())
    for number in range(SERVICE[quota] + 1 - there if SERVICE[quota] < 1_000 else 20):
        make(driver, number)


def test_deprecated_domains_and_types_count() -> None:
    driver = Driver(quotas=Quotas(domains=1, workflow_types_per_domain=1, activity_types_per_domain=1))
    driver.call("DeprecateWorkflowType", domain=DOMAIN, workflowType=WORKFLOW)
    driver.call("DeprecateActivityType", domain=DOMAIN, activityType=ACTIVITY)
    for make in (driver.workflow_type, driver.activity_type):
        with pytest.raises(Refused, match="LimitExceededFault"):
            make("more")
    driver.call("DeprecateDomain", name=DOMAIN)
    with pytest.raises(Refused, match="LimitExceededFault"):
        register_domain(driver, 1)


def test_what_is_closed_or_deleted_makes_room() -> None:
    driver = Driver(quotas=Quotas(open_executions_per_domain=1, activity_types_per_domain=1))
    start(driver, 1)
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="w1")
    start(driver, 2)
    driver.call("DeprecateActivityType", domain=DOMAIN, activityType=ACTIVITY)
    driver.call("DeleteActivityType", domain=DOMAIN, activityType=ACTIVITY)
    driver.activity_type("another")


def test_children_count_as_open_executions() -> None:
    driver = Driver(quotas=Quotas(open_executions_per_domain=2))
    driver.start()
    child = {"workflowType": WORKFLOW, "workflowId": "c"}
    driver.decide(
        {"decisionType": "StartChildWorkflowExecution", "startChildWorkflowExecutionDecisionAttributes": child}
    )
    with pytest.raises(Refused, match="LimitExceededFault"):
        start(driver, 1)
