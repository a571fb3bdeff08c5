"""What two_behavior.py stands on: noting what was seen, a boto3 client that answers here, decision tasks by hand."""

import datetime
import json
import traceback

import boto3

NOW = datetime.datetime(2015, 1, 1, 20, 0, 3, tzinfo=datetime.timezone.utc)
SEEN = {}


def sees(function):
    """Run at once; what it gives, or the exception, is noted under the function's name."""
    try:
        SEEN[function.__name__] = function()
    except Exception as error:
        SEEN[function.__name__] = "".join(traceback.format_exception_only(type(error), error)).strip()
    return function


def caught(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return [type(error).__name__, str(error), [str(each) for each in error.args]]


def client(**answers):
    """A real boto3 client whose calls are noted and answered here: what it would send is what botocore has checked."""
    made = boto3.client("swf", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    made.calls = []

    def answer(model, params, context, **_):
        made.calls.append([model.name, json.loads(params["body"] or "{}")])
        found = answers.get(model.name, {})
        if isinstance(found, list):
            found = found.pop(0)
        status = 400 if "Error" in found else 200

        class Http:
            status_code = status

        return Http(), {"ResponseMetadata": {"HTTPStatusCode": status}, **found}

    made.meta.events.register("before-call.swf", answer)
    return made


def fault(code, message="m"):
    return {"Error": {"Code": code, "Message": message}}


def event(number, kind, **attributes):
    key = kind[0].lower() + kind[1:] + "EventAttributes"
    return {"eventId": number, "eventType": kind, "eventTimestamp": NOW, key: attributes}


def task(*more, kind=("Doubles", "2.1"), input="20", previous=0):
    events = [
        event(
            1, "WorkflowExecutionStarted", input=input, lambdaRole="arn", workflowType={"name": kind[0]},
            taskList={"name": "t"}, childPolicy="TERMINATE",
        ),
        event(2, "DecisionTaskScheduled", taskList={"name": "t"}),
        event(3, "DecisionTaskStarted", scheduledEventId=2),
        *more,
    ]  # fmt: skip
    return {
        "taskToken": "token",
        "workflowExecution": {"workflowId": "w", "runId": "r"},
        "workflowType": {"name": kind[0], "version": kind[1]},
        "events": events,
        "previousStartedEventId": previous,
        "startedEventId": events[-1]["eventId"],
    }


def second(*happened):
    """The task after the first lambda was asked for, and what happened to it."""
    scheduled = event(
        5, "LambdaFunctionScheduled", id="lambda1", name="double", input="20", decisionTaskCompletedEventId=4
    )
    number = 6 + len(happened)
    return task(
        event(4, "DecisionTaskCompleted", scheduledEventId=2, startedEventId=3),
        scheduled,
        *happened,
        event(number, "DecisionTaskScheduled", taskList={"name": "t"}),
        event(number + 1, "DecisionTaskStarted", scheduledEventId=number),
        previous=3,
    )
