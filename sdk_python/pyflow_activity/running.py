"""Runs one activity: input to arguments, the call, its end as an Outcome."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from pyflow_api.v1 import payload_pb2
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_activity.activity import Activity
from pyflow_activity.arguments import ABSENT
from pyflow_activity.context import ActivityContext, enter
from pyflow_activity.errors import ActivityCanceled, BadResult, ResultTooLarge, UnknownActivity
from pyflow_activity.failures import CAUSE_DEPTH_MAX, failure_of
from pyflow_activity.payloads import decoded, encoded, json_length

LIMITS_DEFAULT = pb.Limits(
    frame_bytes_max=4 * 1024 * 1024,
    payload_bytes_max=128 * 1024,
    result_chars_max=32_768,
    progress_chars_max=2_048,
    cause_depth_max=CAUSE_DEPTH_MAX,
)
"""What holds where a host names no limit of its own: SWF's."""


def outcome_of(
    activity: Activity | None, task: pb.Task, context: ActivityContext, limits: pb.Limits = LIMITS_DEFAULT
) -> pb.Outcome:
    """Run the activity for `task` in this thread. Never raises: whatever happens is an outcome."""
    try:
        enter(context)
        return _completed(_called(activity, task, context), task, context, limits)
    except ActivityCanceled as canceled:
        return pb.Outcome(task_token=task.task_token, canceled=_canceled(canceled))
    except BaseException as error:
        return pb.Outcome(task_token=task.task_token, failed=failure_of(error, limits.cause_depth_max))


def _called(activity: Activity | None, task: pb.Task, context: ActivityContext) -> object:
    if activity is None:
        raise UnknownActivity(f"This worker has no activity {task.activity_name!r} version {task.activity_version!r}.")
    value = decoded(task.input) if task.HasField("input") else ABSENT
    arguments, keywords = activity.signature.bind(value)
    if activity.is_async:
        return _called_async(activity.function, arguments, keywords, context)
    return activity.function(*arguments, **keywords)


def _called_async(
    function: Callable[..., Any],
    arguments: tuple[object, ...],
    keywords: Mapping[str, Any],
    context: ActivityContext,
) -> object:
    """An async function runs in a loop of its own; a cancel arrives as asyncio.CancelledError."""

    async def main() -> object:
        task = asyncio.ensure_future(function(*arguments, **keywords))
        loop = asyncio.get_running_loop()

        def cancel() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(task.cancel)

        context.on_cancel(cancel)
        try:
            return await task
        except asyncio.CancelledError:
            if context.cancel_requested:
                raise ActivityCanceled from None
            raise

    return asyncio.run(main())


def _completed(result: object, task: pb.Task, context: ActivityContext, limits: pb.Limits) -> pb.Outcome:
    outcome = pb.Outcome(task_token=task.task_token)
    if context.completes_later:
        outcome.will_complete_later.SetInParent()
        return outcome
    data = encoded(result)
    characters = json_length(data)
    if characters > limits.result_chars_max:
        raise _too_large(task, f"{characters} characters", limits.result_chars_max)
    if len(data) > limits.payload_bytes_max:
        raise _too_large(task, f"{len(data)} bytes", limits.payload_bytes_max)
    outcome.completed.result.data = data
    return outcome


def _too_large(task: pb.Task, length: str, most: int) -> ResultTooLarge:
    return ResultTooLarge(
        f"The result of {task.activity_name} has {length} as JSON; {most} are the most. Store it elsewhere and return "
        "a reference."
    )


def _canceled(canceled: ActivityCanceled) -> pb.Canceled:
    if canceled.details is None:
        return pb.Canceled()
    try:
        return pb.Canceled(details=payload_pb2.Payload(data=encoded(canceled.details)))
    except BadResult as unwritable:
        return pb.Canceled(details=payload_pb2.Payload(data=encoded({"pyflow.unwritable": unwritable.message})))
