"""pyflow: durable workflows in ordinary blocking Python on Amazon SWF. Public names only."""

from pyflow import exceptions
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
    "exceptions",
    "get_workflow_status",
    "logger",
    "poll_for_executions",
    "start_workflow",
]
