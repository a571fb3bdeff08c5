"""pyflow: durable workflows in ordinary blocking Python on Amazon SWF. Public names only, 2.0.0's modules too."""

from pyflow import (
    decider,
    decision_task_helper,
    event_handler,
    exceptions,
    future,
    invocation_descriptors,
    utils,
    workflow,
    workflow_invocation_helper,
    workflow_state,
)
from pyflow.core.values import ExecutionSettings
from pyflow.descriptors import ActivityDescriptor, ChildWorkflowDescriptor, LambdaDescriptor
from pyflow.exceptions import (
    DeciderException,
    Failure,
    InvocationCanceledException,
    InvocationException,
    InvocationFailedException,
    InvocationTimedOutException,
    NondeterminismError,
    PayloadTooLargeException,
    PyflowException,
    WaitTimedOutException,
    WorkflowBlockedException,
    WorkflowCanceledException,
    WorkflowFailedException,
)
from pyflow.future import Future
from pyflow.options import NONE, ActivityOptions, ChildOptions, LambdaOptions, RetryPolicy
from pyflow.replay_logging import logger
from pyflow.starter import (
    WorkflowStatus,
    WorkflowWaitTimedOut,
    cancel_workflow,
    get_workflow_status,
    signal_workflow,
    start_workflow,
    terminate_workflow,
    wait_for_workflow,
)
from pyflow.worker import Decider, DeciderWorker, WorkerSettings, poll_for_executions
from pyflow.workflow import Workflow
from pyflow.workflow_invocation_helper import Signal, WorkflowInvocationHelper

__all__ = [
    "NONE",
    "ActivityDescriptor",
    "ActivityOptions",
    "ChildOptions",
    "ChildWorkflowDescriptor",
    "Decider",
    "DeciderException",
    "DeciderWorker",
    "ExecutionSettings",
    "Failure",
    "Future",
    "InvocationCanceledException",
    "InvocationException",
    "InvocationFailedException",
    "InvocationTimedOutException",
    "LambdaDescriptor",
    "LambdaOptions",
    "NondeterminismError",
    "PayloadTooLargeException",
    "PyflowException",
    "RetryPolicy",
    "Signal",
    "WaitTimedOutException",
    "WorkerSettings",
    "Workflow",
    "WorkflowBlockedException",
    "WorkflowCanceledException",
    "WorkflowFailedException",
    "WorkflowInvocationHelper",
    "WorkflowStatus",
    "WorkflowWaitTimedOut",
    "cancel_workflow",
    "decider",
    "decision_task_helper",
    "event_handler",
    "exceptions",
    "future",
    "get_workflow_status",
    "invocation_descriptors",
    "logger",
    "poll_for_executions",
    "signal_workflow",
    "start_workflow",
    "terminate_workflow",
    "utils",
    "wait_for_workflow",
    "workflow",
    "workflow_invocation_helper",
    "workflow_state",
]
