"""Shows the defects of pyflow-swf 2.0.0, numbered as in the guide: 2.0.0 has each of them, this package none."""

import json
import threading

import pyflow
from two_stage import client, event, fault, second, task

SHOWN = {}


def defect(number):
    """Run at once: true if the defect is there."""

    def note(function):
        SHOWN[number] = bool(function())
        return function

    return note


def decided(workflow, given):
    """The decision types, or None if the task is not to be answered."""
    decider = pyflow.Decider([workflow], "d", "t", "i", client=client())
    try:
        answer = decider.process_decision_task(given)
    except Exception as error:
        if type(error).__name__ != "DecisionHeld":
            raise
        return None
    return answer.decisions


def types(decisions):
    return None if decisions is None else [each["decisionType"] for each in decisions]


class Base(pyflow.Workflow):
    NAME = "Doubles"
    VERSION = "2.1"

    double = pyflow.LambdaDescriptor("double")
    other = pyflow.ActivityDescriptor("other", "1")
    child = pyflow.ChildWorkflowDescriptor("Child", "1")


@defect(1)
def a_canceled_invocation_cannot_be_told():
    try:
        pyflow.InvocationCanceledException("r", "d")
    except TypeError:
        return True


@defect(2)
def children_of_two_runs_have_one_id():
    class Parent(Base):
        def run(self, number):
            self.child(1).result()

    ids = set()
    for run_id in ("a", "b"):
        given = task()
        given["workflowExecution"]["runId"] = run_id
        ids.add(decided(Parent, given)[0]["startChildWorkflowExecutionDecisionAttributes"]["workflowId"])
    return len(ids) == 1


@defect(3)
def a_bad_deploy_ends_the_execution():
    class Changed(Base):
        def run(self, number):
            return self.other(1).result() if number == 0 else None

    return "CompleteWorkflowExecution" in (types(decided(Changed, second())) or ())


@defect(4)
def a_throttled_poll_ends_the_process():
    decider = pyflow.Decider([Base], "d", "t", "i", client=client(PollForDecisionTask=fault("ThrottlingException")))
    ended = []

    def poll():
        try:
            decider.poll_for_decision_tasks(max_time=1)
        except Exception as error:
            ended.append(error)

    polling = threading.Thread(target=poll)
    polling.start()
    polling.join()
    return ended


@defect(5)
def except_exception_swallows_the_block():
    class Swallows(Base):
        def run(self, number):
            try:
                return self.double(number).result()
            except Exception:
                return "nonsense"

    return types(decided(Swallows, task())) == ["ScheduleLambdaFunction", "CompleteWorkflowExecution"]


@defect(6)
def a_long_reason_is_sent_as_it_is():
    class Fails(Base):
        def run(self, number):
            raise pyflow.WorkflowFailedException("r" * 1000, "d")

    return len(decided(Fails, task())[0]["failWorkflowExecutionDecisionAttributes"]["reason"]) > 256


class Counted(list):
    """A list that counts how often it is gone through."""

    times = 0

    def __iter__(self):
        Counted.times += 1
        return super().__iter__()


@defect(7)
def history_is_gone_through_for_every_event():
    class Sleeps(Base):
        def run(self, number):
            for _ in range(20):
                self.swf.sleep(1)

    events = task()["events"]
    for number in range(20):
        base = 4 + 5 * number
        sleep = {"timerId": f"sleep{number + 1}"}
        by = {"startToFireTimeout": "1", "decisionTaskCompletedEventId": base}
        events += [
            event(base, "DecisionTaskCompleted", scheduledEventId=base - 2, startedEventId=base - 1),
            event(base + 1, "TimerStarted", **sleep, **by),
            event(base + 2, "TimerFired", **sleep, startedEventId=base + 1),
            event(base + 3, "DecisionTaskScheduled", taskList={"name": "t"}),
            event(base + 4, "DecisionTaskStarted", scheduledEventId=base + 3),
        ]
    given = {**task(), "events": Counted(events), "previousStartedEventId": 98, "startedEventId": 103}
    assert types(decided(Sleeps, given)) == ["CompleteWorkflowExecution"]
    return Counted.times >= 20


@defect(8)
def a_cancel_request_closes_twice():
    given = second(
        event(6, "WorkflowExecutionCancelRequested"),
        event(7, "LambdaFunctionStarted", scheduledEventId=5),
        event(8, "LambdaFunctionCompleted", scheduledEventId=5, startedEventId=7, result="1"),
    )

    class Doubles(Base):
        def run(self, number):
            return self.double(number).result()

    return len([kind for kind in types(decided(Doubles, given)) if kind.endswith("WorkflowExecution")]) > 1


@defect(9)
def much_is_missing():
    swf = pyflow.workflow_invocation_helper.WorkflowInvocationHelper
    return not all(hasattr(swf, name) for name in ("wait_for_signal", "on_signal", "continue_as_new", "spawn"))


@defect(11)
def invoke_once_signals_itself():
    class Once(Base):
        def run(self, number):
            return self.swf.invoke_once(int).result()

    return "SignalExternalWorkflowExecution" in types(decided(Once, task()))


@defect(12)
def timed_waits_take_no_lists():
    class Waits(Base):
        def run(self, number):
            return len(self.swf.timed_wait_for_any(10, [self.double(1)]))

    by = {"decisionTaskCompletedEventId": 4}
    given = task(
        event(4, "DecisionTaskCompleted", scheduledEventId=2, startedEventId=3),
        event(5, "LambdaFunctionScheduled", id="lambda1", name="double", input="1", **by),
        event(6, "TimerStarted", timerId="sleep1", startToFireTimeout="10", **by),
        event(7, "LambdaFunctionStarted", scheduledEventId=5),
        event(8, "LambdaFunctionCompleted", scheduledEventId=5, startedEventId=7, result="1"),
        event(9, "DecisionTaskScheduled", taskList={"name": "t"}),
        event(10, "DecisionTaskStarted", scheduledEventId=9),
        previous=3,
    )
    return "FailWorkflowExecution" in types(decided(Waits, given))


@defect(13)
def bad_input_fails_and_runs_on():
    class Runs(Base):
        def run(self, number):
            return number

    return len(decided(Runs, task(input="{oops"))) > 1


print(json.dumps(SHOWN))
