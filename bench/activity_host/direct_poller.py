"""What the host is compared with: polls SWF for activity tasks itself. `python direct_poller.py ENDPOINT TASK_LIST`."""

from __future__ import annotations

import sys

from pyflow.swf import connect


def main() -> None:
    """Poll and answer until killed."""
    endpoint, task_list = sys.argv[1:]
    api = connect(endpoint_url=endpoint).api
    print("polls", flush=True)
    while True:
        task = api.poll_for_activity_task({"domain": "bench", "taskList": {"name": task_list}})
        if task.get("taskToken"):
            api.respond_activity_task_completed({"taskToken": task["taskToken"], "result": "1"})


if __name__ == "__main__":
    main()
