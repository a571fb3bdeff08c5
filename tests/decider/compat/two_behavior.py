"""A program for pyflow-swf 2.0.0 that tries what it can and prints what it saw, as JSON. Runs under both packages."""

import json
import logging
import re

import pyflow
from botocore.exceptions import ClientError
from pyflow import exceptions, utils
from pyflow.future import Future, WrappedFuture
from two_stage import NOW, SEEN, caught, client, event, fault, second, sees, task


class Doubles(pyflow.Workflow):
    NAME = "Doubles"
    VERSION = "2.1"
    OPTIONS = {"defaultTaskStartToCloseTimeout": 77, "description": "d"}

    double = pyflow.LambdaDescriptor("double", timeout=9)
    work = pyflow.ActivityDescriptor("work", "1.0", timeout=5, task_list="tl")
    child = pyflow.ChildWorkflowDescriptor("Child", "1.0", "ABANDON", "role", "tl", 50)

    def run(self, number):
        return self.double(number).result() + 1


class Base(pyflow.Workflow):
    NAME = "Base"

    def run(self, workflow_input):
        return super().run(workflow_input=workflow_input)


class StandIn:
    """Instead of swf: knows 2.0.0's arguments only, and what a program's own tests would expect."""

    def invoke_lambda(self, function_name, input_arg, timeout=None):
        return ["lambda", function_name, input_arg, timeout]

    def invoke_activity(self, name, version, input_arg=None, timeout=None, task_list=None):
        return ["activity", name, version, input_arg, timeout, task_list]

    def invoke_child_workflow(
        self, name, version, input_arg=None, child_policy=None, lambda_role=None, task_list=None,
        execution_start_to_close_timeout=None,
    ):  # fmt: skip
        return [
            "child",
            name,
            version,
            input_arg,
            child_policy,
            lambda_role,
            task_list,
            execution_start_to_close_timeout,
        ]


def decider(**answers):
    return pyflow.Decider([Doubles, Base], "domain", "tasks", "me", client=client(**answers))


def exception_line(traceback):
    """The exception itself: what follows the frames, without the notes that 3 adds for people."""
    lines = traceback.strip().splitlines()
    last_of_frames = max(number for number, line in enumerate(lines) if line.startswith("  "))
    return lines[last_of_frames + 1]


def plain(answer):
    """Decisions without what 3 adds, and without the lines of a traceback."""
    decisions = json.loads(json.dumps(answer.decisions))
    for decision in decisions:
        for attributes in decision.values():
            if isinstance(attributes, dict):
                attributes.pop("control", None)
                if attributes.get("details", "").startswith("Traceback"):
                    attributes["details"] = exception_line(attributes["details"])
    return decisions


@sees
def exceptions_of_workflows():
    failed = pyflow.WorkflowFailedException("R", "D")
    return [
        [failed.reason, failed.details, str(failed), repr(failed), list(failed.args)],
        caught(pyflow.WorkflowFailedException, details="d", reason="r").__class__.__name__,
        [str(each) for each in map(pyflow.PyflowException, ("a", "b"))],
        str(pyflow.PyflowException()), str(pyflow.WaitTimedOutException()), str(pyflow.DeciderException("x")),
    ]  # fmt: skip


@sees
def exceptions_of_invocations():
    made = [
        pyflow.InvocationFailedException(), pyflow.InvocationFailedException("r"),
        pyflow.InvocationFailedException(details="d"), pyflow.InvocationFailedException("r", "d"),
        pyflow.InvocationFailedException(reason="r", details="d"), pyflow.InvocationTimedOutException("t"),
        pyflow.InvocationTimedOutException(), pyflow.InvocationException("i"),
    ]  # fmt: skip
    return [[type(each).__name__, str(each), repr(each), list(each.args)] for each in made]


@sees
def modules_and_logger():
    same = [
        pyflow.decider.Decider is pyflow.Decider, pyflow.workflow.Workflow is pyflow.Workflow,
        pyflow.invocation_descriptors.LambdaDescriptor is pyflow.LambdaDescriptor,
        pyflow.utils.logger is pyflow.logger, pyflow.logger is logging.getLogger("pyflow"),
        pyflow.exceptions is exceptions, pyflow.exceptions.PyflowException is pyflow.PyflowException,
        isinstance(pyflow.workflow_state.InvocationState("a").done, bool),
    ]  # fmt: skip
    return [same, pyflow.decider.dashboard_url_template.format(region="r", domain="d", workflow_id="w", run_id="i")]


@sees
def descriptors():
    swf = StandIn()
    workflow = Doubles(swf)
    return [
        repr(pyflow.LambdaDescriptor("f")), repr(pyflow.LambdaDescriptor("f", 3)),
        repr(pyflow.ActivityDescriptor("a", "1", 2, "tl")),
        repr(pyflow.ChildWorkflowDescriptor("c", "1", task_list="x")),
        pyflow.LambdaDescriptor("f", timeout=2) == pyflow.LambdaDescriptor("f", 2),
        pyflow.LambdaDescriptor("f") == pyflow.LambdaDescriptor("g"),
        workflow.double(1), workflow.double(a=1, b=2), workflow.double(), workflow.work([1]), workflow.child(None),
        caught(workflow.double, 1, 2), caught(workflow.work, 1, a=2), caught(workflow.double, 1, b=2),
    ]  # fmt: skip


@sees
def workflow_class():
    workflow = Doubles(None)
    changed = workflow.options
    changed["description"] = "other"
    return [
        workflow.name, workflow.version, workflow.options, workflow.swf, pyflow.Workflow.DEFAULT_OPTIONS,
        pyflow.Workflow.NAME, pyflow.Workflow.VERSION, caught(pyflow.Workflow, None)[:2],
        caught(Base(None).run, 1), caught(Base(None).run, workflow_input=1),
    ]  # fmt: skip


class Given(Future):
    """A future of a program's own."""

    def __init__(self, value):
        self.value = value

    done = succeeded = property(lambda self: True)
    failed = property(lambda self: False)
    exception = property(lambda self: None)

    def result(self):
        return self.value


@sees
def futures_of_a_program():
    wrapped = WrappedFuture(Given(3))
    abstract = Future()
    names = ("done", "succeeded", "failed", "exception")
    return [
        wrapped.result(), [getattr(wrapped, name) for name in names],
        [caught(lambda name=name: getattr(abstract, name)) for name in names], caught(abstract.result),
    ]  # fmt: skip


@sees
def payload_functions():
    return [
        utils.encode_task_input({"a": [1, None, "ü", 1.5, True]}), utils.decode_task_result('{"a": 1}'),
        utils.decode_task_result(None), caught(utils.decode_task_result, "nonsense")[:2],
    ]  # fmt: skip


@sees
def functions_on_a_client():
    swf = client(
        ListDomains=[{"domainInfos": [{"name": "a"}], "nextPageToken": "p"}, {"domainInfos": [{"name": "b"}]}] * 2,
        ListWorkflowTypes={"typeInfos": ["t"]}, ListActivityTypes={"typeInfos": ["u"]},
        GetWorkflowExecutionHistory={"events": ["e"]},
        PollForDecisionTask=[{"taskToken": "x", "events": [1], "nextPageToken": "p"}, {"events": [2]}],
        PollForActivityTask={"taskToken": "y"},
    )  # fmt: skip
    utils.schedule_activity_task(swf, {"taskToken": "t"}, "tl", {"name": "n", "version": "v"}, input="1")
    swf.calls[-1][1]["decisions"][0]["scheduleActivityTaskDecisionAttributes"]["activityId"] = "any"
    return [
        [each["name"] for each in utils.list_domains(swf)], list(utils.list_workflow_types(swf, "d")),
        list(utils.list_activity_types(swf, domain="d")), list(utils.list_workflow_history(swf, "d", "w", "r")),
        list(utils.list_workflow_history(swf, "d", "w", "r", reverse=True)),
        utils.poll_for_decision_tasks(swf, "d", "tl", "me")["events"],
        utils.poll_for_activity_tasks(swf, "d", "tl", "me")["taskToken"],
        utils.init_domain(swf), list(utils.iter_collection([{"k": [1, 2]}, {"k": [3]}], "k")), swf.calls,
    ]  # fmt: skip


@sees
def start_workflow():
    swf = client(StartWorkflowExecution={"runId": "run"})
    all_of_it = pyflow.start_workflow(
        "d", "W", "1", "tl", "role", '"in"', swf, 10, 20, 3, ["a", "b"], "ABANDON",
    )  # fmt: skip
    by_name = pyflow.start_workflow(
        domain="d", workflow_name="W", workflow_version="1", task_list="tl", lambda_role="r", input="1", client=swf
    )
    name, unique = all_of_it["workflowId"].split("@")
    for call in swf.calls:
        call[1]["workflowId"] = "any"
    return [name, len(unique), all_of_it["runId"], sorted(by_name), swf.calls]


@sees
def faults_of_start_workflow():
    seen = []
    for code in ("UnknownResourceFault", "DefaultUndefinedFault", "TypeDeprecatedFault", "AccessDeniedException"):
        swf = client(StartWorkflowExecution=fault(code))
        try:
            pyflow.start_workflow("d", "W", "1", "tl", "role", "1", client=swf)
        except ClientError as error:
            named = getattr(swf.exceptions, code, ClientError)
            seen.append([error.response["Error"], error.operation_name, isinstance(error, named)])
    return seen


@sees
def get_workflow_status():
    def look(described, *events):
        first_page = {"events": [event(9, "TimerFired")], "nextPageToken": "p"}
        swf = client(
            DescribeWorkflowExecution={"executionInfo": described, "latestActivityTaskTimestamp": NOW},
            GetWorkflowExecutionHistory=[first_page, {"events": events}],
        )
        status = pyflow.get_workflow_status("d", "w", "r", swf)
        return [
            status.execution_status, status.close_status, status.result, status.failure_reason, status.failure_details,
            status.latest_activity_timestamp == NOW, status.workflow_description["executionInfo"],
            status.exit_event and status.exit_event["eventType"],
        ]  # fmt: skip

    closed = {"executionStatus": "CLOSED"}
    return [
        look({"executionStatus": "OPEN"}),
        look({**closed, "closeStatus": "COMPLETED"}, event(8, "WorkflowExecutionCompleted", result='"x"')),
        look({**closed, "closeStatus": "COMPLETED"}, event(8, "WorkflowExecutionCompleted")),
        look({**closed, "closeStatus": "FAILED"}, event(8, "WorkflowExecutionFailed", reason="r", details="d")),
        look({**closed, "closeStatus": "CANCELED"}, event(8, "WorkflowExecutionCanceled")),
        look({**closed, "closeStatus": "TERMINATED"}, event(8, "WorkflowExecutionTerminated")),
        look({**closed, "closeStatus": "CONTINUED_AS_NEW"}, event(8, "WorkflowExecutionContinuedAsNew")),
        look({**closed, "closeStatus": "TIMED_OUT"}, event(8, "WorkflowExecutionTimedOut")),
        pyflow.get_workflow_status("d", "w", "r", client(DescribeWorkflowExecution=fault("UnknownResourceFault"))),
        caught(
            pyflow.get_workflow_status, "d", "w", "r", client=client(DescribeWorkflowExecution=fault("AccessDenied"))
        )[0] in ("ClientError", "AuthFailed"),
    ]  # fmt: skip


@sees
def workflow_status_as_a_value():
    status = pyflow.WorkflowStatus("OPEN", {"a": 1})
    status.close_status = "FAILED"
    return [
        repr(status), status == pyflow.WorkflowStatus("OPEN", {"a": 1}, "FAILED"),
        repr(pyflow.WorkflowStatus("CLOSED", {}, "COMPLETED", None, "r", "fr", "fd", {"e": 1})),
        pyflow.WorkflowStatus("A", {}) < pyflow.WorkflowStatus("B", {}),
    ]  # fmt: skip


@sees
def registration():
    new = decider()
    new.ensure_workflows_registered()
    known = decider(RegisterWorkflowType=fault("TypeAlreadyExistsFault"))
    known.ensure_workflows_registered()
    refused = decider(RegisterWorkflowType=fault("UnknownResourceFault"))
    try:
        refused.ensure_workflows_registered()
    except ClientError as error:
        code = error.response["Error"]["Code"]
    return [sorted(new._client.calls, key=lambda call: call[1]["name"]), len(known._client.calls), code]


@sees
def registration_of_a_subclass():
    """Somebody else registers the types; this program may not."""
    swf = client(RegisterWorkflowType=fault("AccessDeniedException"))

    class Registered(pyflow.Decider):
        def ensure_workflows_registered(self):
            asked.append(self._domain)

    asked = []
    Registered([Doubles], "domain", "tasks", "me", client=swf).poll_for_decision_tasks(max_time=0)
    return [asked, [name for name, _ in swf.calls if name == "RegisterWorkflowType"]]


@sees
def answer_to_a_task():
    given = task()
    answer = decider().process_decision_task(given)
    state = answer.workflow_state
    return [
        type(answer).__name__, answer.task_token, answer.workflow_id, answer.run_id, answer.workflow_name,
        answer.workflow_version, len(answer.events), answer.previous_started_event_id, answer.started_event_id,
        answer.decision_task is given, answer.is_replaying, answer.last_event_timestamp == NOW, plain(answer),
        state.workflow_id, state.run_id, state.lambda_role, state.workflow_start_time == NOW, state.input,
        state.completed, state.last_seen_event_id, answer.process_next_decision_task(),
    ]  # fmt: skip


@sees
def answers_to_later_tasks():
    seen = []
    started = event(6, "LambdaFunctionStarted", scheduledEventId=5)
    for happened in (
        [started, event(7, "LambdaFunctionCompleted", scheduledEventId=5, startedEventId=6, result="40")],
        [started, event(7, "LambdaFunctionFailed", scheduledEventId=5, startedEventId=6, reason="BAD", details="d")],
        [started, event(7, "LambdaFunctionFailed", scheduledEventId=5, startedEventId=6, reason="ServiceException")],
        [
            started,
            event(7, "LambdaFunctionTimedOut", scheduledEventId=5, startedEventId=6, timeoutType="START_TO_CLOSE"),
        ],
        [event(6, "StartLambdaFunctionFailed", scheduledEventId=5, cause="ASSUME_ROLE_FAILED")],
        [event(6, "WorkflowExecutionSignaled", signalName="s")],
    ):
        answer = decider().process_decision_task(second(*happened))
        # Under 2.0.0 the state is filled as the code runs, and holds what the code asks for next too.
        state = answer.workflow_state.invocation_states["lambda1"]
        shown = [state.state, state.done, state.result, state.failure_reason, state.failure_details]
        seen.append([plain(answer), answer.workflow_state.completed, shown])
    return seen


@sees
def tools_of_the_answer():
    answer = decider().process_decision_task(second(event(6, "LambdaFunctionStarted", scheduledEventId=5)))
    started = answer.events[5]
    return [
        answer.event_invocation_id(started), answer.root_event_attributes(started)["name"],
        answer.event_attributes(started), answer.is_replay_event(started), answer.is_replay_event(answer.events[2]),
        answer.event_invocation_id(answer.events[1]),
    ]  # fmt: skip


@sees
def decisions_by_hand():
    answer = decider().process_decision_task(task())
    answer.decisions = []
    answer.schedule_lambda_invocation("i", "f", {"a": 1}, timeout=5)
    answer.schedule_lambda_invocation("i", "f", None)
    answer.schedule_activity_invocation("i", "n", "v", 1, timeout=5, task_list="tl")
    answer.schedule_child_workflow_invocation("i", "n", "v")
    answer.schedule_child_workflow_invocation("i", "n", "v", 1, "ABANDON", "role", "tl", 60)
    answer.start_timer("i", 5)
    answer.set_marker("i", {"v": 1})
    answer.schedule_signal("s", "w", 1, run_id="r", control="c")
    answer.complete_workflow([1])
    answer.fail_workflow("r", "d" * 40000)
    answer.cancel_workflow("d")
    answer.cancel_workflow(None)
    return [answer.decisions, answer.workflow_state.completed]


@sees
def a_loop_of_a_programs_own():
    """What 2.0.0's own loop did when SWF refused an answer, as a program may have copied it."""
    swf = client(RespondDecisionTaskCompleted=[fault("ValidationException"), {}], PollForDecisionTask=task())
    own = pyflow.Decider([Doubles], "domain", "tasks", "me", client=swf)
    answer = own.process_decision_task(task())
    try:
        swf.respond_decision_task_completed(taskToken=answer.task_token, decisions=answer.decisions)
    except Exception:
        answer.decisions = []
        answer.fail_workflow("respond_decision_task_completed failed", "trace")
        swf.respond_decision_task_completed(taskToken=answer.task_token, decisions=answer.decisions)
    return swf.calls[-1]


@sees
def states():
    State = pyflow.workflow_state.InvocationState
    one, other = State("a"), State("a")
    one.update_state(State.FAILED, failure_reason="r")
    one.update_state(result=3)
    workflow = pyflow.workflow_state.WorkflowState("w", run_id="r")
    made = workflow.get_invocation_state("x", State.STARTED, num_retries=2, invocation_args={"a": 1})
    return [repr(one), repr(other), one.done, repr(made), workflow.get_invocation_state("x") is made, repr(workflow)]


@sees
def results_that_are_no_json():
    class Waits(pyflow.Workflow):
        NAME = "Doubles"
        VERSION = "2.1"
        work = pyflow.ActivityDescriptor("work", "1")
        child = pyflow.ChildWorkflowDescriptor("child", "1")

        def run(self, kind):
            future = self.work(1) if kind == "work" else self.child(1)
            self.swf.wait_for_all(future)
            return [future.failed, str(future.exception).split(":")[0]]

    child = {"workflowId": "child_workflow1", "runId": "x"}
    kind = {"name": "child", "version": "1"}
    work = {"name": "work", "version": "1"}
    by = {"decisionTaskCompletedEventId": 4}
    histories = {
        "work": [
            event(5, "ActivityTaskScheduled", activityId="activity1", activityType=work, **by),
            event(6, "ActivityTaskStarted", scheduledEventId=5),
            event(7, "ActivityTaskCompleted", scheduledEventId=5, startedEventId=6, result="{oops"),
        ],
        "child": [
            event(5, "StartChildWorkflowExecutionInitiated", workflowId="child_workflow1", workflowType=kind, **by),
            event(6, "ChildWorkflowExecutionStarted", initiatedEventId=5, workflowExecution=child, workflowType=kind),
            event(7, "ChildWorkflowExecutionCompleted", initiatedEventId=5, workflowExecution=child, result="{oops"),
        ],
    }
    seen = []
    for name, events in histories.items():
        given = second(*events[1:])
        given["events"][4] = events[0]
        given["events"][0]["workflowExecutionStartedEventAttributes"]["input"] = json.dumps(name)
        seen.append(plain(pyflow.Decider([Waits], "d", "t", "i", client=client()).process_decision_task(given)))
    return seen


@sees
def log_of_a_failing_workflow():
    lines = []

    class Collects(logging.Handler):
        def emit(self, record):
            lines.append([record.levelname, record.getMessage()])

    class Breaks(pyflow.Workflow):
        NAME = "Doubles"
        VERSION = "2.1"

        def run(self, number):
            raise (ValueError("oops") if number == 20 else pyflow.WorkflowFailedException("R", "D"))

    handler = Collects()
    pyflow.logger.addHandler(handler)
    pyflow.logger.setLevel(logging.INFO)
    made = pyflow.Decider([Breaks], "d", "t", "i", client=client())
    made.process_decision_task(task())
    made.process_decision_task(task(input="1"))
    pyflow.logger.removeHandler(handler)
    texts = [[level, bool(re.search("Caught exception|'R'|: R:", text))] for level, text in lines]
    return [each for each in texts if each[1]]


print(json.dumps(SEEN, default=str))
