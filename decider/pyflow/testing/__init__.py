"""Tools for tests of workflows: a time-skipping environment, histories by hand, replay of saved histories."""

from pyflow.replayer import Replayed, ReplayFailed, replay
from pyflow.testing.environment import (
    ActivityCanceled,
    Fails,
    HeldError,
    Never,
    Takes,
    WorkflowEnvironment,
    WorkflowHandle,
)
from pyflow.testing.history import HistoryBuilder
from pyflow.testing.stepper import Stepper

__all__ = [
    "ActivityCanceled",
    "Fails",
    "HeldError",
    "HistoryBuilder",
    "Never",
    "ReplayFailed",
    "Replayed",
    "Stepper",
    "Takes",
    "WorkflowEnvironment",
    "WorkflowHandle",
    "replay",
]
