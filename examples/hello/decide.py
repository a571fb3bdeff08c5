"""The decider of the example: runs executions of MyWorkflow until it is stopped, or for the seconds given."""

import sys

import pyflow
from hello import DOMAIN, TASK_LIST, MyWorkflow

max_time = float(sys.argv[1]) if len(sys.argv) > 1 else None
pyflow.poll_for_executions(
    [MyWorkflow], domain=DOMAIN, task_list=TASK_LIST, identity="My Workflow Worker", max_time=max_time
)
