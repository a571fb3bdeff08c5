"""Writes frames.txt, the golden frames of the contract: `python proto/golden/generate.py [--check]`.

One frame a line, four columns parted by tabs: name, message, the bytes in hex, and the JSON form of protobuf (sorted,
on one line). `-` as JSON form: the bytes hold what this version of the contract does not know. Lines that begin with
`#` are comments. Every SDK decodes each frame, looks at what it says by its JSON form, and encodes it again to the
same bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import failure_pb2, payload_pb2
from pyflow_api.v1 import worker_pb2 as pb

FRAMES = Path(__file__).parent / "frames.txt"
TOKEN = bytes([0, 1, 127, 128, 255])
INT64_MAX = (1 << 63) - 1
UINT64_MAX = (1 << 64) - 1
UINT32_MAX = (1 << 32) - 1


def payload(text: str) -> payload_pb2.Payload:
    """A JSON payload."""
    return payload_pb2.Payload(data=text.encode())


def failure() -> failure_pb2.Failure:
    """A failure with every field and two causes."""
    inner = failure_pb2.Failure(type="ENOENT", message="no such file", source_language="ruby")
    middle = failure_pb2.Failure(
        type="LedgerError", message="ü😀", stack_trace="a\n\tb", source_language="python", cause=inner
    )
    return failure_pb2.Failure(
        type="PaymentRefused",
        message="card expired",
        stack_trace="Traceback ...\n",
        cause=middle,
        details=payload_pb2.Payload(data=b'{"card":"1234"}', content_type="application/json"),
        non_retryable=True,
        next_retry_delay=Duration(seconds=2, nanos=500_000_000),
        source_language="java",
    )


def worker_frames() -> Iterator[tuple[str, Message]]:
    """What workers send."""
    kind = pb.ActivityType(
        name="summarise", version="1.0",
        start_to_close_timeout=Duration(seconds=60), heartbeat_timeout=Duration(seconds=10),
        schedule_to_start_timeout=Duration(nanos=500_000_000), schedule_to_close_timeout=Duration(seconds=31_536_000),
        description="one line",
    )  # fmt: skip
    hello = pb.Hello(
        contract_version=1, features=["a", "b"], worker_key="0123456789abcdef", worker_name="box:42", language="python",
        sdk_version="3.0.0", runtime_version="3.11.7", build_id="2026-11-25", auth_token="s3cret", domain="documents",
        task_list="docs", activity_types=[kind, pb.ActivityType(name="ü", version="2")], slots=UINT32_MAX,
        resume=[
            pb.HeldTask(task_token=TOKEN, state=pb.TASK_STATE_RUNNING),
            pb.HeldTask(task_token=b"t", state=pb.TASK_STATE_FINISHED),
        ],
    )  # fmt: skip
    yield "worker-empty", pb.WorkerFrame()
    yield "worker-hello", pb.WorkerFrame(hello=hello)
    yield "worker-credits", pb.WorkerFrame(credits=UINT32_MAX)
    outcomes = [
        pb.Outcome(task_token=TOKEN, completed=pb.Completed(result=payload('{"ü":[1,9223372036854775807,null]}'))),
        pb.Outcome(task_token=TOKEN, completed=pb.Completed()),
        pb.Outcome(task_token=TOKEN, completed=pb.Completed(result=payload_pb2.Payload())),
        pb.Outcome(task_token=TOKEN, failed=failure()),
        pb.Outcome(task_token=TOKEN, canceled=pb.Canceled(details=payload("1.5"))),
        pb.Outcome(task_token=TOKEN, canceled=pb.Canceled()),
        pb.Outcome(task_token=TOKEN, will_complete_later=pb.WillCompleteLater()),
        pb.Outcome(task_token=TOKEN),
    ]
    for outcome in outcomes:
        kind_of = outcome.WhichOneof("result") or "none"
        yield f"worker-outcome-{kind_of}-{outcomes.index(outcome)}", pb.WorkerFrame(outcomes=[outcome])
    yield (
        "worker-progress",
        pb.WorkerFrame(progress=[pb.Progress(task_token=TOKEN, details=payload("[]")), pb.Progress()]),
    )
    yield "worker-status", pb.WorkerFrame(status=pb.Status(nonce=UINT64_MAX, held=hello.resume, slots_free=3))
    yield "worker-draining", pb.WorkerFrame(draining=pb.Draining())
    yield "worker-bundle", pb.WorkerFrame(
        outcomes=outcomes[:2], progress=[pb.Progress(task_token=b"x", details=payload("0"))], credits=2,
        status=pb.Status(nonce=1), draining=pb.Draining(),
    )  # fmt: skip


def host_frames() -> Iterator[tuple[str, Message]]:
    """What hosts send."""
    limits = pb.Limits(
        frame_bytes_max=4_194_304, payload_bytes_max=131_072, result_chars_max=32_768, progress_chars_max=2_048,
        cause_depth_max=16,
    )  # fmt: skip
    welcome = pb.Welcome(
        contract_version=1, features=["a"], host_id="host", ping_interval=Duration(seconds=10), limits=limits,
        resumed=[pb.ResumeAnswer(task_token=TOKEN, wanted=True), pb.ResumeAnswer(task_token=b"t")], domain="documents",
    )  # fmt: skip
    task = pb.Task(
        task_token=TOKEN, activity_name="summarise", activity_version="1.0", input=payload('{"path":"/a"}'),
        workflow_id="w-1", run_id="r-1", activity_id="activity1.attempt2", attempt=2,
        start_to_close_left=Duration(seconds=59, nanos=250_000_000), heartbeat_timeout=Duration(seconds=10),
        last_progress=payload('{"read":4096}'), headers={"traceparent": "00-a-b-01"},
    )  # fmt: skip
    yield "host-empty", pb.HostFrame()
    yield "host-welcome", pb.HostFrame(welcome=welcome)
    yield "host-task", pb.HostFrame(tasks=[task])
    yield (
        "host-task-bare",
        pb.HostFrame(tasks=[pb.Task(task_token=b"t", activity_name="nothing", activity_version="1.0")]),
    )
    yield "host-task-empty-input", pb.HostFrame(tasks=[pb.Task(task_token=b"t", input=payload_pb2.Payload())])
    yield (
        "host-cancels",
        pb.HostFrame(
            cancels=[pb.Cancel(task_token=TOKEN, reason=pb.CancelReason.Name(n)) for n in pb.CancelReason.values()]
        ),
    )
    yield (
        "host-acks",
        pb.HostFrame(
            acks=[
                pb.OutcomeAck(task_token=TOKEN, status=pb.AckStatus.Name(n), message="x" * n)
                for n in pb.AckStatus.values()
            ]
        ),
    )
    yield "host-ping", pb.HostFrame(ping=pb.Ping(nonce=INT64_MAX))
    yield "host-ping-zero", pb.HostFrame(ping=pb.Ping())
    for reason in pb.GoAwayReason.values():
        yield (
            f"host-go-away-{reason}",
            pb.HostFrame(go_away=pb.GoAway(reason=pb.GoAwayReason.Name(reason), message="why")),
        )
    yield "host-go-away-later", pb.HostFrame(go_away=pb.GoAway(reconnect_after=Duration(seconds=1, nanos=1_000_000)))
    yield "host-bundle", pb.HostFrame(
        tasks=[task, task], cancels=[pb.Cancel(task_token=b"c")],
        acks=[pb.OutcomeAck(task_token=b"a", status=pb.ACK_STATUS_REPORTED)],
        ping=pb.Ping(nonce=7),
    )  # fmt: skip


def unary_messages() -> Iterator[tuple[str, Message]]:
    """Unary calls and their answers."""
    outcome = pb.Outcome(task_token=TOKEN, completed=pb.Completed(result=payload("true")))
    yield "complete-task", host_pb.CompleteTaskRequest(outcome=outcome)
    yield (
        "complete-task-answer",
        host_pb.CompleteTaskResponse(ack=pb.OutcomeAck(task_token=TOKEN, status=pb.ACK_STATUS_DUPLICATE, message="m")),
    )
    yield "record-progress", host_pb.RecordTaskProgressRequest(progress=pb.Progress(task_token=TOKEN))
    yield "record-progress-answer", host_pb.RecordTaskProgressResponse(cancel_requested=True)
    worker = host_pb.ConnectedWorker(
        worker_key="k", worker_name="n", language="ruby", domain="d", task_list="t", credits=1, tasks_held=2,
        activity_types=[pb.ActivityType(name="a", version="1")],
    )  # fmt: skip
    ledger = host_pb.Ledger(
        polls_opened=1, tasks_received=UINT64_MAX, tasks_dispatched=3, tasks_reported=4, tasks_gone=5, tasks_lost=6,
        tasks_held=7, tasks_resumed=8,
    )  # fmt: skip
    yield (
        "describe-host-answer",
        host_pb.DescribeHostResponse(host_id="h", domains=["d", "e"], workers=[worker], ledger=ledger, draining=True),
    )


def later_versions() -> Iterator[tuple[str, Message, bytes]]:
    """Bytes with fields and enum values that this version does not know."""
    unknown_field = bytes.fromhex("7a0166")  # field 15, text "f"
    yield "worker-unknown-field", pb.WorkerFrame(credits=1), unknown_field
    yield "host-unknown-field", pb.HostFrame(ping=pb.Ping(nonce=1)), unknown_field
    # cancels: token "t", reason 77
    yield "host-unknown-cancel-reason", pb.HostFrame(), bytes.fromhex("1a050a0174104d")


def corpus() -> str:
    """The text of frames.txt."""
    lines = ["# Golden frames of pyflow_api.v1, written by generate.py: name, message, hex, JSON form. Do not edit."]
    for name, message in [*worker_frames(), *host_frames(), *unary_messages()]:
        form = json.dumps(json_format.MessageToDict(message), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        data = message.SerializeToString(deterministic=True)
        lines.append("\t".join((name, message.DESCRIPTOR.name, data.hex(), form)))
    for name, message, more in later_versions():
        lines.append("\t".join((name, message.DESCRIPTOR.name, (message.SerializeToString() + more).hex(), "-")))
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the corpus, or with --check say whether it is what it should be."""
    text = corpus()
    if "--check" in sys.argv[1:]:
        same = FRAMES.is_file() and FRAMES.read_text("utf-8") == text
        print(f"{FRAMES}: {'as it should be' if same else 'differs; run proto/golden/generate.py'}")
        return 0 if same else 1
    FRAMES.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
