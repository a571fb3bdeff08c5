"""2.0.0's module name for the decider and the functions around it."""

from pyflow.starter import WorkflowStatus, get_workflow_status, start_workflow
from pyflow.worker import DASHBOARD_URL as dashboard_url_template
from pyflow.worker import Decider, poll_for_executions

__all__ = [
    "Decider",
    "WorkflowStatus",
    "dashboard_url_template",
    "get_workflow_status",
    "poll_for_executions",
    "start_workflow",
]
