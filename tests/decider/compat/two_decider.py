"""Runs in an interpreter that has pyflow-swf 2.0.0: decision tasks in as JSON lines, its decisions out."""

import datetime
import json
import logging
import sys

import pyflow
import two_programs


def main():
    logging.disable(logging.CRITICAL)
    decider = pyflow.Decider(two_programs.WORKFLOWS, "test", "decider", "two", client=object())
    for line in sys.stdin:
        task = json.loads(line)
        for event in task["events"]:
            event["eventTimestamp"] = datetime.datetime.fromtimestamp(event["eventTimestamp"], datetime.timezone.utc)
        answer = decider.process_decision_task(task)
        print(json.dumps(answer.decisions), flush=True)


if __name__ == "__main__":
    main()
