"""What the host is compared with: a worker that polls SWF itself. `python direct_poller.py ENDPOINT TASK_LIST`.

It runs the same activity as the worker behind the host, from its JSON input to its JSON result.
"""

from __future__ import annotations

import json
import sys

from noop import noop
from pyflow.swf import connect


def main() -> None:
    """Poll and answer until killed."""
    endpoint, task_list = sys.argv[1:]
    api = connect(endpoint_url=endpoint).api
    print("polls", flush=True)
    while True:
        task = api.poll_for_activity_task({"domain": "bench", "taskList": {"name": task_list}})
        if task.get("taskToken"):
            result = json.dumps(noop(**json.loads(task["input"])))
            api.respond_activity_task_completed({"taskToken": task["taskToken"], "result": result})


if __name__ == "__main__":
    main()
