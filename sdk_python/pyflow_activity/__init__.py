"""Activities in Python: functions that workflows call, run by a worker that an activity host feeds.

from pyflow_activity import activity, current

@activity(version="1.0", start_to_close=60, heartbeat=10)
def summarise(path, sentences=3):
    current().progress({"read": 0})
    ...

$ pyflow worker MODULE --host unix:/run/pyflow.sock --task-list docs       (or: python -m pyflow_activity MODULE ...)
"""

from pyflow_activity.activity import activity
from pyflow_activity.client import HostClient
from pyflow_activity.context import ActivityContext, current
from pyflow_activity.errors import (
    ActivityCanceled,
    ActivityError,
    ActivityFailure,
    NotInActivity,
    ProgressTooLarge,
    WorkerError,
)
from pyflow_activity.worker import Worker

__all__ = [
    "ActivityCanceled",
    "ActivityContext",
    "ActivityError",
    "ActivityFailure",
    "HostClient",
    "NotInActivity",
    "ProgressTooLarge",
    "Worker",
    "WorkerError",
    "activity",
    "current",
]
