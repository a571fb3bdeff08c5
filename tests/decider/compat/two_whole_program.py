"""A whole program for pyflow-swf 2.0.0, decider, activity worker and starter, against the SWF of its environment."""

import json
import threading
import time

import boto3
import pyflow
from pyflow import utils

PATIENCE_S = 90
TASKS, WORK = "program-tasks", "program-work"


class Program(pyflow.Workflow):
    NAME = "Program"
    VERSION = "1.0"
    OPTIONS = {"defaultTaskStartToCloseTimeout": 10}

    shout = pyflow.ActivityDescriptor("shout", "1.0", timeout=30, task_list=WORK)
    kid = pyflow.ChildWorkflowDescriptor("Kid", "1.0", task_list=TASKS, execution_start_to_close_timeout=60)

    def run(self, given):
        if given == "bad":
            raise pyflow.WorkflowFailedException("BAD_INPUT", "received bad input")
        both = [self.shout(each) for each in given]
        done = self.swf.wait_for_all(both)
        self.swf.sleep(1)
        try:
            self.shout("!").result()
        except pyflow.InvocationFailedException as error:
            failed = str(error)
        once = self.swf.invoke_once(len, "four").result()
        return [sorted(future.result() for future in done), failed, once, self.kid(3).result()]


class Kid(pyflow.Workflow):
    NAME = "Kid"
    VERSION = "1.0"

    def run(self, number):
        return number + 1


class OwnDecider(pyflow.Decider):
    """Counts what it decides, and sees the task and its answer."""

    decided = 0

    def process_decision_task(self, decision_task):
        answer = super().process_decision_task(decision_task)
        assert answer.decision_task is decision_task
        assert decision_task["events"][0]["eventTimestamp"].year > 2000
        OwnDecider.decided += 1
        return answer


def work(swf, domain, over):
    """An activity worker as one was written for 2.0.0."""
    while not over.is_set():
        task = utils.poll_for_activity_tasks(swf, domain, WORK, "worker")
        if not task.get("taskToken"):
            continue
        text = utils.decode_task_result(task["input"])
        if text == "!":
            swf.respond_activity_task_failed(taskToken=task["taskToken"], reason="SHY", details="no shouting")
        else:
            swf.respond_activity_task_completed(
                taskToken=task["taskToken"], result=utils.encode_task_input(text.upper())
            )


def main():
    swf = boto3.client("swf")
    domain = utils.init_domain(swf)
    swf.register_activity_type(
        domain=domain, name="shout", version="1.0", defaultTaskHeartbeatTimeout="NONE",
        defaultTaskScheduleToStartTimeout="60", defaultTaskScheduleToCloseTimeout="60",
    )  # fmt: skip
    over = threading.Event()
    threading.Thread(target=work, args=(swf, domain, over), daemon=True).start()
    decider = OwnDecider([Program, Kid], domain, TASKS, "me", client=swf)
    decider.ensure_workflows_registered()
    started = [
        pyflow.start_workflow(domain, "Program", "1.0", TASKS, "arn:aws:iam::123456789012:role/r", json.dumps(given))
        for given in (["a", "b"], "bad", 5)
    ]
    statuses = []
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        decider.poll_for_decision_tasks(max_time=1)
        pyflow.poll_for_executions([Program, Kid], domain=domain, task_list=TASKS, identity="me", max_time=1)
        statuses = [pyflow.get_workflow_status(domain, each["workflowId"], each["runId"]) for each in started]
        if all(status.execution_status == "CLOSED" for status in statuses):
            break
    over.set()
    seen = [
        [
            status.close_status,
            status.result,
            status.failure_reason,
            (status.failure_details or "").strip().split("\n")[-1],
        ]
        for status in statuses
    ]
    types = sorted(each["workflowType"]["name"] for each in utils.list_workflow_types(swf, domain))
    print(
        json.dumps(
            [seen, types, OwnDecider.decided > 0, pyflow.get_workflow_status(domain, "nobody", started[0]["runId"])]
        )
    )


if __name__ == "__main__":
    main()
