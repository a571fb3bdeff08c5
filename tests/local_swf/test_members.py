"""No member of any answer is missing for good: one long story sees every member that the model's output shapes have."""

from __future__ import annotations

from typing import Any

from local_swf_driver import DOMAIN, WORKFLOW, Driver, decision
from local_swf_shapes import MEMBERS_SEEN, MODEL
from pyflow_local.engine.restrictions import Restrictions
from pyflow_local.engine.values import LambdaOutcome

ROLE = "arn:aws:iam::123456789012:role/r"
ALL_SETTINGS: dict[str, Any] = {
    "taskList": {"name": "tl"},
    "taskPriority": "3",
    "executionStartToCloseTimeout": "600",
    "taskStartToCloseTimeout": "60",
    "childPolicy": "ABANDON",
    "tagList": ["t"],
    "lambdaRole": ROLE,
    "input": "in",
}
COMPLETE = decision("CompleteWorkflowExecution", result="r")


def known_members() -> set[tuple[str, str]]:
    """Every member of every structure that an answer can hold."""
    found: set[tuple[str, str]] = set()
    seen: set[str] = set()
    waiting = [MODEL.operation_model(name).output_shape for name in MODEL.operation_names]
    while waiting:
        shape = waiting.pop()
        if shape is None or shape.name in seen:
            continue
        seen.add(shape.name)
        if shape.type_name == "structure":
            found |= {(shape.name, name) for name in shape.members}
            waiting += shape.members.values()
        elif shape.type_name == "list":
            waiting.append(shape.member)
    return found


def close(driver: Driver, kind: str, **attributes: Any) -> None:
    """A run that is closed by this decision; its history is read."""
    run = driver.start("closing", **ALL_SETTINGS)
    driver.decide(decision(kind, **attributes))
    driver.history(run, "closing")


def registry(driver: Driver) -> None:
    """Domains, types and tags, with everything one can say of them, in pages."""
    tags = [{"key": "k", "value": "v"}]
    for name in ("x", "y"):
        driver.call(
            "RegisterDomain", name=name, workflowExecutionRetentionPeriodInDays="7", description="text", tags=tags
        )
        settings = {"description": "text", "defaultTaskPriority": "1"}
        driver.workflow_type(name, defaultLambdaRole=ROLE, **settings)
        driver.activity_type(name, **settings)
    arn = driver.call("DescribeDomain", name="x")["domainInfo"]["arn"]
    driver.call("ListTagsForResource", resourceArn=arn)
    driver.call("ListDomains", registrationStatus="REGISTERED", maximumPageSize=1)
    for kind in ("Workflow", "Activity"):
        member = f"{kind.lower()}Type"
        named = {"name": "x", "version": "1"}
        driver.call(f"Describe{kind}Type", domain=DOMAIN, **{member: named})
        driver.call(f"List{kind}Types", domain=DOMAIN, registrationStatus="REGISTERED", maximumPageSize=1)
        driver.call(f"Deprecate{kind}Type", domain=DOMAIN, **{member: named})
        driver.call(f"List{kind}Types", domain=DOMAIN, registrationStatus="DEPRECATED")


def activities(driver: Driver) -> None:
    """Activities that end in every way, under a sticky decider; decision tasks that time out."""
    run = driver.start(**ALL_SETTINGS)
    driver.poll(identity="d")
    driver.advance(60)  # the decision task times out
    names = [str(number) for number in range(5)]
    more = {"input": "i", "control": "c", "taskPriority": "1"}
    driver.decide(
        *[driver.schedule(name, heartbeatTimeout="30", **more) for name in names],
        driver.schedule("never", taskList={"name": "nobody"}),
        taskList={"name": "tl"}, taskListScheduleToStartTimeout="10", executionContext="context",
    )  # fmt: skip
    driver.call("CountPendingActivityTasks", domain=DOMAIN, taskList={"name": "al"})
    tokens = {task["activityId"]: task["taskToken"] for name in names if (task := driver.poll_activity(identity=name))}
    driver.call("RecordActivityTaskHeartbeat", taskToken=tokens["0"], details="beat")
    driver.call("RespondActivityTaskCompleted", taskToken=tokens["1"], result="r")
    driver.call("RespondActivityTaskFailed", taskToken=tokens["2"], reason="r", details="d")
    driver.call("CountPendingDecisionTasks", domain=DOMAIN, taskList={"name": "tl"})
    driver.decide(*[decision("RequestCancelActivityTask", activityId=one) for one in ("3", "never", "unknown")])
    driver.call("RespondActivityTaskCanceled", taskToken=tokens["3"], details="d")
    driver.advance(40)  # the others' heartbeats end, and so does the wait on the sticky list
    driver.describe(run)
    page = driver.poll(maximumPageSize=1)
    nope = {"name": "nope", "version": "1"}
    driver.respond(page, decision("ScheduleActivityTask", activityType=nope, activityId="x"), COMPLETE)
    driver.history(run)
    execution = {"workflowId": "w", "runId": run}
    driver.call("GetWorkflowExecutionHistory", domain=DOMAIN, execution=execution, maximumPageSize=1)


def timers_markers_and_lambdas(driver: Driver) -> None:
    """Timers, markers and Lambda tasks, and what fails of them."""
    run = driver.start(**ALL_SETTINGS)
    functions = [decision("ScheduleLambdaFunction", id=one, name="f", control="c", input="{}") for one in "abcc"]
    driver.decide(
        *[decision("StartTimer", timerId=one, startToFireTimeout="5", control="c") for one in "abb"],
        *[decision("CancelTimer", timerId=one) for one in "bz"],
        decision("RecordMarker", markerName="m", details="d"),
        *functions,
    )
    driver.lambda_ends(LambdaOutcome(result="1"))
    driver.lambda_ends(LambdaOutcome(reason="r", details="d"))
    driver.history(run)
    driver.advance(600)
    driver.history(run)
    run = driver.start(executionStartToCloseTimeout="3600")  # no role; and then one that outlives its function
    driver.decide(functions[0])
    driver.history(run)
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="w", reason="r", details="d")
    run = driver.start(lambdaRole=ROLE, executionStartToCloseTimeout="3600")
    driver.decide(decision("ScheduleLambdaFunction", id="a", name="f", startToCloseTimeout="5"))
    driver.advance(5)
    driver.history(run)
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="w", reason="r", details="d")
    driver.history(run)


def children(driver: Driver) -> None:
    """Children that end in every way, and one that cannot begin."""
    run = driver.start(**ALL_SETTINGS)
    ends: list[dict[str, Any]] = [
        COMPLETE,
        decision("FailWorkflowExecution", reason="r", details="d"),
        decision("CancelWorkflowExecution", details="d"),
    ]
    own = {**ALL_SETTINGS, "taskList": {"name": "ctl"}, "executionStartToCloseTimeout": "30"}
    names = ["c0", "c1", "c2", "terminated", "late", "late"]
    driver.decide(
        *[
            decision("StartChildWorkflowExecution", workflowId=n, workflowType=WORKFLOW, control="c", **own)
            for n in names
        ]
    )
    driver.call("ListOpenWorkflowExecutions", domain=DOMAIN, startTimeFilter={"oldestDate": 0}, maximumPageSize=1)
    driver.describe(driver.open_run("c0"), "c0")
    child_run = driver.open_run("c0")
    for end in ends:
        driver.decide(end, task_list="ctl")
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="terminated")
    driver.advance(30)
    driver.history(child_run, "c0")
    driver.decide(COMPLETE)
    driver.history(run)


def others(driver: Driver) -> None:
    """Signals and cancel requests from one execution to another, and to none."""
    target = driver.start("target", taskList={"name": "quiet"})
    run = driver.start(**ALL_SETTINGS)
    reached = {"workflowId": "target", "runId": target, "control": "c"}
    missed = {**reached, "runId": "nobody"}
    driver.decide(
        *[decision("SignalExternalWorkflowExecution", signalName="s", input="i", **one) for one in (reached, missed)],
        *[decision("RequestCancelExternalWorkflowExecution", **one) for one in (reached, missed)],
    )
    driver.decide(COMPLETE)
    driver.history(run)
    driver.history(target, "target")
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="target")
    driver.start(childPolicy="REQUEST_CANCEL")
    driver.decide(
        decision("StartChildWorkflowExecution", workflowId="c", workflowType=WORKFLOW, taskList={"name": "q"})
    )
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="w")
    driver.history(driver.open_run("c"), "c")


def closings(driver: Driver) -> None:
    """Every way to close, and every way in which that fails."""
    kinds = ("CompleteWorkflowExecution", "FailWorkflowExecution", "CancelWorkflowExecution")
    attributes: dict[str, dict[str, Any]] = {
        kinds[0]: {"result": "r"},
        kinds[1]: {"reason": "r", "details": "d"},
        kinds[2]: {"details": "d"},
        "ContinueAsNewWorkflowExecution": ALL_SETTINGS,
    }
    for kind in attributes:
        run = driver.start("unhandled", **ALL_SETTINGS)
        task = driver.poll()
        driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="unhandled", signalName="s", input="i")
        driver.respond(task, decision(kind))
        driver.history(run, "unhandled")
        driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="unhandled")
        close(driver, kind, **attributes[kind])
    driver.history(driver.open_run("closing"), "closing")
    driver.call("RequestCancelWorkflowExecution", domain=DOMAIN, workflowId="closing")
    since = {"closeTimeFilter": {"oldestDate": 0}}
    driver.call("ListClosedWorkflowExecutions", domain=DOMAIN, maximumPageSize=1, **since)
    driver.call("CountClosedWorkflowExecutions", domain=DOMAIN, **since)
    driver.call("CountOpenWorkflowExecutions", domain=DOMAIN, startTimeFilter={"oldestDate": 0})


def refused_markers() -> None:
    """RecordMarkerFailed has one cause only."""
    driver = Driver(restrictions=Restrictions(denied=frozenset({"swf:RecordMarker"})))
    run = driver.start()
    driver.decide(decision("RecordMarker", markerName="m"))
    driver.history(run)


def test_every_member_of_every_answer_is_seen() -> None:
    MEMBERS_SEEN.clear()
    for story in (registry, activities, timers_markers_and_lambdas, children, others, closings):
        story(Driver())
    refused_markers()
    known = known_members()
    assert len(known) > 350
    assert known - MEMBERS_SEEN == set()
