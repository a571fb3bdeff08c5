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
from pyflow.starter import WorkflowStatus, get_workflow_status, start_workflow
from pyflow.worker import Decider, poll_for_executions
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
    "Workflow",
    "WorkflowBlockedException",
    "WorkflowCanceledException",
    "WorkflowFailedException",
    "WorkflowInvocationHelper",
    "WorkflowStatus",
    "decider",
    "decision_task_helper",
    "event_handler",
    "exceptions",
    "future",
    "get_workflow_status",
    "invocation_descriptors",
    "logger",
    "poll_for_executions",
    "start_workflow",
    "utils",
    "workflow",
    "workflow_invocation_helper",
    "workflow_state",
]
