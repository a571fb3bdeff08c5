"""CPU of one SWF call in the client: the lean transport beside boto3, both in this run.

    python bench/swf_client/calls.py [--quick]

Both sides make the same calls against the same server (prepared bytes, a process of its own), interleaved A B A B;
figures are medians of this process's CPU time. The lean side is what the decider and the host use: credentials looked
up for each call, repeats and error mapping included. The boto3 side is a client as `boto3.client("swf")` gives it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pyflow.swf import JsonObject, SwfApi, connect, make_client
from pyflow.swf.boto_transport import BotoTransport

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

PAIRS = 7
PAIRS_QUICK = 3
GOAL_SMALL = 8.0
GOAL_PAGE = 20.0
SLACK = 0.7
"""A run fails only below this part of a goal: other processes share the machine."""


def decision(number: int) -> JsonObject:
    """A ScheduleLambdaFunction decision with a payload of about a hundred characters."""
    attributes = {"id": f"lambda{number}", "name": "work", "input": "x" * 100}
    return {"decisionType": "ScheduleLambdaFunction", "scheduleLambdaFunctionDecisionAttributes": attributes}


def poll(events: int) -> JsonObject:
    """A poll that is answered with so many events."""
    return {"domain": f"events-{events}", "taskList": {"name": "t"}, "identity": "bench"}


def respond(decisions: int) -> JsonObject:
    """An answer with so many decisions."""
    return {"taskToken": "t" * 200, "decisions": [decision(number) for number in range(decisions)]}


CASES: list[tuple[str, str, JsonObject, int, float]] = [
    # what, operation, request, calls in a batch of boto3, goal
    ("poll, 6 events", "PollForDecisionTask", poll(6), 300, GOAL_SMALL),
    ("poll, 100 events", "PollForDecisionTask", poll(100), 100, GOAL_SMALL),
    ("poll, 1,000 events", "PollForDecisionTask", poll(1_000), 12, GOAL_PAGE),
    ("respond, 1 decision", "RespondDecisionTaskCompleted", respond(1), 300, GOAL_SMALL),
    ("respond, 10 decisions", "RespondDecisionTaskCompleted", respond(10), 250, GOAL_SMALL),
    ("respond, 100 decisions", "RespondDecisionTaskCompleted", respond(100), 80, GOAL_SMALL),
    ("heartbeat", "RecordActivityTaskHeartbeat", {"taskToken": "t" * 200, "details": "d" * 50}, 300, GOAL_SMALL),
]


def cpu_us(call: Callable[[], object], count: int) -> float:
    """CPU of one call in microseconds, over `count` of them."""
    begin = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - begin) / count * 1e6


def main() -> int:
    """Print the table; 1 when a ratio is far below its goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter batches")
    parser.add_argument("--figures", type=Path, help="leave the figures in this file")
    options = parser.parse_args()
    quick = options.quick
    left: list[dict[str, object]] = []
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("canned_swf.py"))], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    failed = False
    try:
        lean = connect(endpoint_url=url, transport="lean").api
        client = make_client(endpoint_url=url)
        print(f"{'call':24}{'lean us':>10}{'boto3 us':>10}{'ratio':>8}{'min':>7}{'max':>7}{'goal':>7}")
        for what, operation, request, count, goal in CASES:
            ratios, ours, theirs = compare(lean, client, operation, request, count // 3 if quick else count, quick)
            ratio = statistics.median(ratios)
            failed = failed or ratio < goal * SLACK
            note = f"boto3 {statistics.median(theirs):.0f} / {statistics.median(ours):.1f} us"
            left.append({"name": what, "value": ratio, "unit": "x", "sign": ">=", "goal": goal, "note": note})
            print(
                f"{what:24}{statistics.median(ours):>10.1f}{statistics.median(theirs):>10.0f}{ratio:>7.1f}x"
                f"{min(ratios):>6.1f}x{max(ratios):>6.1f}x{goal:>6.0f}x{'' if ratio >= goal else '  BELOW THE GOAL'}"
            )
    finally:
        server.kill()
        server.wait()
    if options.figures:
        options.figures.write_text(json.dumps(left))
    return 1 if failed else 0


def compare(
    lean: SwfApi, client: SWFClient, operation: str, request: JsonObject, count: int, quick: bool
) -> tuple[list[float], list[float], list[float]]:
    """Ratios and figures of interleaved batches; the first pair warms up and is not counted."""
    method = {
        "PollForDecisionTask": "poll_for_decision_task",
        "RespondDecisionTaskCompleted": "respond_decision_task_completed",
        "RecordActivityTaskHeartbeat": "record_activity_task_heartbeat",
    }[operation]
    call = getattr(lean, method)
    bare = getattr(client, method)
    assert call(request) == BotoTransport(client).call(operation, request), "both sides must read the same answer"
    ours, theirs = [], []
    for _ in range((PAIRS_QUICK if quick else PAIRS) + 1):
        ours.append(cpu_us(lambda: call(request), count * 8))
        theirs.append(cpu_us(lambda: bare(**request), count))
    ours, theirs = ours[1:], theirs[1:]
    return [their / our for our, their in zip(ours, theirs, strict=True)], ours, theirs


if __name__ == "__main__":
    sys.exit(main())
