"""Every option of an invocation, given with the descriptor, for one call, and without a descriptor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyflow
import pytest
from pyflow.deciding.classes import WorkflowClasses
from pyflow.testing import Stepper, WorkflowEnvironment

ACTIVITY: list[tuple[str, Any, str, Any]] = [
    ("timeout", 60, "startToCloseTimeout", "60"),
    ("start_to_close_timeout", timedelta(minutes=2), "startToCloseTimeout", "120"),
    ("schedule_to_start_timeout", 1.5, "scheduleToStartTimeout", "2"),
    ("schedule_to_close_timeout", pyflow.NONE, "scheduleToCloseTimeout", "NONE"),
    ("heartbeat_timeout", 30, "heartbeatTimeout", "30"),
    ("task_list", "urgent", "taskList", {"name": "urgent"}),
    ("task_priority", -3, "taskPriority", "-3"),
]
CHILD: list[tuple[str, Any, str, Any]] = [
    ("child_policy", "ABANDON", "childPolicy", "ABANDON"),
    ("lambda_role", "arn:aws:iam::123456789012:role/other", "lambdaRole", "arn:aws:iam::123456789012:role/other"),
    ("task_list", "urgent", "taskList", {"name": "urgent"}),
    ("execution_start_to_close_timeout", timedelta(days=1), "executionStartToCloseTimeout", "86400"),
    ("task_start_to_close_timeout", 20, "taskStartToCloseTimeout", "20"),
    ("task_priority", 7, "taskPriority", "7"),
    ("tag_list", ("a", "b"), "tagList", ["a", "b"]),
    ("workflow_id", "order-7", "workflowId", "order-7"),
]
LAMBDA: list[tuple[str, Any, str, Any]] = [("timeout", 20, "startToCloseTimeout", "20")]

CASES = [
    *(("activity", *case) for case in ACTIVITY),
    *(("child", *case) for case in CHILD),
    *(("lambda", *case) for case in LAMBDA),
]

DESCRIPTORS: dict[str, Any] = {
    "activity": (pyflow.ActivityDescriptor, ("work", "1.0")),
    "child": (pyflow.ChildWorkflowDescriptor, ("Work", "1.0")),
    "lambda": (pyflow.LambdaDescriptor, ("work",)),
}
OPTIONS = {"activity": pyflow.ActivityOptions, "child": pyflow.ChildOptions, "lambda": pyflow.LambdaOptions}


def asking(kind: str, option: str, value: Any, how: str) -> type[pyflow.Workflow]:
    """A workflow that asks once, with the option given in one of three ways."""
    descriptor, arguments = DESCRIPTORS[kind]

    class Asks(pyflow.Workflow):
        NAME = "Asks"
        plain = descriptor(*arguments)
        special = descriptor(*arguments, **{option: value})

        def run(self, given: Any) -> Any:
            if how == "descriptor":
                return self.special(given).result()
            if how == "call":
                return self.plain.options(**{option: value})(given).result()
            options = OPTIONS[kind](**{("start_to_close_timeout" if spelled else option): value})
            invoke: Any = {
                "activity": self.swf.invoke_activity,
                "child": self.swf.invoke_child_workflow,
                "lambda": self.swf.invoke_lambda,
            }[kind]
            return invoke(*arguments, given, options=options).result()

    spelled = kind == "activity" and option == "timeout"  # 2.0.0's name, of descriptors and calls only
    return Asks


@pytest.mark.parametrize("how", ["descriptor", "call", "options"])
@pytest.mark.parametrize(("kind", "option", "value", "member", "expected"), CASES)
def test_an_option_reaches_swf(kind: str, option: str, value: Any, member: str, expected: Any, how: str) -> None:
    with Stepper(asking(kind, option, value, how), {"n": 1}) as step:
        attributes = step.attributes(step.decide().decisions[0])
        assert attributes[member] == expected
        assert attributes["input"] == '{"n": 1}'
        others = [name for name in attributes if name.endswith("Timeout") and name != member]
        assert others == [], "what was not given is the type's own"


def test_options_of_a_call_leave_the_descriptor_alone_and_add_up() -> None:
    class Asks(pyflow.Workflow):
        NAME = "Asks"
        work = pyflow.ActivityDescriptor("work", "1.0", timeout=5, task_priority=1)

        def run(self, given: Any) -> None:
            changed = self.work.options(heartbeat_timeout=2).options(task_priority=2)
            self.swf.gather(changed(), self.work())

    with Stepper(Asks) as step:
        first, second = map(step.attributes, step.decide().decisions)
        assert (first["startToCloseTimeout"], first["heartbeatTimeout"], first["taskPriority"]) == ("5", "2", "2")
        assert second["startToCloseTimeout"] == "5"
        assert "heartbeatTimeout" not in second
        assert second["taskPriority"] == "1"


def test_an_option_that_does_not_exist_is_named() -> None:
    class Asks(pyflow.Workflow):
        NAME = "Asks"
        work = pyflow.ActivityDescriptor("work", "1.0")

        def run(self, given: Any) -> None:
            self.work.options(start_to_close=5)()

    with Stepper(Asks) as step:
        details = step.attributes(step.decide().decisions[0])["details"]
        assert "TypeError: there is no option start_to_close here; there are start_to_close_timeout, " in details


class Registry:
    """Takes a registration and keeps it."""

    said: dict[str, Any]

    def register_workflow_type(self, **request: Any) -> dict[str, Any]:
        self.said = request
        return {}


def test_options_of_the_type_are_registered_as_swf_wants_them() -> None:
    class Typed(pyflow.Workflow):
        NAME = "Typed"
        OPTIONS = {  # noqa: RUF012 - as users write it
            "defaultExecutionStartToCloseTimeout": timedelta(days=30),
            "defaultTaskStartToCloseTimeout": "NONE",
            "defaultTaskPriority": 3,
        }

    registry: Any = Registry()
    WorkflowClasses([Typed]).register(registry, "domain", "tasks")
    assert registry.said == {
        "domain": "domain",
        "name": "Typed",
        "version": "1.0",
        "defaultTaskList": {"name": "tasks"},
        "defaultChildPolicy": "TERMINATE",
        "defaultExecutionStartToCloseTimeout": "2592000",
        "defaultTaskStartToCloseTimeout": "NONE",
        "defaultTaskPriority": "3",
    }
    with WorkflowEnvironment([Typed]):
        pass  # the test environment takes the same


class Steward(pyflow.Workflow):
    NAME = "Steward"
    OPTIONS = {"defaultExecutionStartToCloseTimeout": 3600}  # noqa: RUF012 - as users write it

    def run(self, other: str) -> str:
        self.swf.cancel_execution(other).result()
        return "asked"


class Sleeper(pyflow.Workflow):
    NAME = "Sleeper"
    OPTIONS = {"defaultExecutionStartToCloseTimeout": 3600}  # noqa: RUF012 - as users write it

    def run(self, given: Any) -> None:
        self.swf.sleep(3000)


def test_another_execution_is_canceled() -> None:
    with WorkflowEnvironment([Steward, Sleeper]) as env:
        sleeper = env.start(Sleeper, workflow_id="sleeper")
        env.skip(10)
        assert env.run(Steward, "sleeper") == "asked"
        env.settle()
        assert sleeper.close_status == "Canceled"
        assert sleeper.history()[-3]["eventType"] in ("DecisionTaskStarted", "DecisionTaskCompleted", "TimerCanceled")
