"""Steps of a case as messages of the contract."""

from __future__ import annotations

from google.protobuf import duration_pb2
from pyflow_api.v1 import payload_pb2
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_conformance import worker_steps as steps
from pyflow_conformance.texts import Names, Text

RUN_ID = "run-of-the-case"


def task_of(step: steps.Task, names: Names) -> pb.Task:
    """The task a step sends."""
    task = pb.Task(
        task_token=names.token(step.id),
        activity_name=step.activity,
        activity_version=step.version,
        workflow_id=f"workflow of {names.case}",
        run_id=RUN_ID,
        activity_id=step.activity_id or step.id,
        attempt=step.attempt,
        headers=step.headers,
    )
    if step.input_hex is not None:
        task.input.CopyFrom(payload_pb2.Payload(data=bytes.fromhex(step.input_hex), content_type=step.content_type))
    elif step.input is not None:
        task.input.CopyFrom(payload_of(step.input, names, step.content_type))
    if step.last_progress is not None:
        task.last_progress.CopyFrom(payload_of(step.last_progress, names))
    if step.start_to_close_left_s is not None:
        task.start_to_close_left.CopyFrom(duration_of(step.start_to_close_left_s))
    if step.heartbeat_s is not None:
        task.heartbeat_timeout.CopyFrom(duration_of(step.heartbeat_s))
    return task


def welcome_of(step: steps.Welcome, hello: pb.Hello, names: Names) -> pb.Welcome:
    """The answer to a Hello."""
    unwanted = {names.token(task) for task, wanted in step.wanted.items() if not wanted}
    limits = step.limits
    return pb.Welcome(
        contract_version=1,
        features=step.features,
        host_id="scripted",
        ping_interval=duration_of(step.ping_interval_s),
        limits=pb.Limits(
            frame_bytes_max=limits.frame_bytes_max,
            payload_bytes_max=limits.payload_bytes_max,
            result_chars_max=limits.result_chars_max,
            progress_chars_max=limits.progress_chars_max,
            cause_depth_max=limits.cause_depth_max,
        ),
        resumed=[
            pb.ResumeAnswer(task_token=held.task_token, wanted=held.task_token not in unwanted) for held in hello.resume
        ],
        domain=step.domain,
    )


def payload_of(text: Text, names: Names, content_type: str = "") -> payload_pb2.Payload:
    """A payload with this text."""
    return payload_pb2.Payload(data=names.text(text).encode(), content_type=content_type)


def duration_of(seconds: float) -> duration_pb2.Duration:
    """Seconds as a Duration, to the millisecond."""
    duration = duration_pb2.Duration()
    duration.FromMilliseconds(round(seconds * 1000))
    return duration
