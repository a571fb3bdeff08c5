"""Starts one execution and waits for its end. The first argument is the input, "Hello" unless given."""

import json
import sys
import time

import pyflow
from hello import DOMAIN, LAMBDA_ROLE, TASK_LIST

execution = pyflow.start_workflow(
    domain=DOMAIN,
    workflow_name="MyWorkflow",
    workflow_version="1.0",
    task_list=TASK_LIST,
    lambda_role=LAMBDA_ROLE,
    input=json.dumps(sys.argv[1] if len(sys.argv) > 1 else "Hello"),
)
print("Workflow started with workflow_id {workflowId}".format(**execution))

while True:
    status = pyflow.get_workflow_status(DOMAIN, execution["workflowId"], execution["runId"])
    if status.execution_status == "CLOSED":
        break
    time.sleep(0.2)
print(status.close_status, status.result or f"{status.failure_reason}: {status.failure_details}")
