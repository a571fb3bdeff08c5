"""SWF's causes for a decision it did not take, in words: whose doing it is and what to do next (swf-reference 5.2)."""

from __future__ import annotations

from collections.abc import Mapping

_ADVICE: Mapping[str, str] = {
    "ACTIVITY_TYPE_DOES_NOT_EXIST": (
        "no such activity type is registered in the domain. An activity host registers the types of its workers: start "
        "it before workflows ask for them, or correct name and version"
    ),
    "ACTIVITY_TYPE_DEPRECATED": "the activity type is deprecated: undeprecate it, or ask for a version that is not",
    "WORKFLOW_TYPE_DOES_NOT_EXIST": (
        "no such workflow type is registered in the domain. A decider registers its classes: start it before others "
        "ask for them, or correct name and version"
    ),
    "WORKFLOW_TYPE_DEPRECATED": "the workflow type is deprecated: undeprecate it, or ask for a version that is not",
    "WORKFLOW_ALREADY_RUNNING": "an open execution of the domain has this workflow id: choose another, or wait for it",
    "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION": "no open execution of the domain has these ids: it has ended or never began",
    "OPERATION_NOT_PERMITTED": "the decider's credentials lack the permission for this decision: see its IAM policy",
    "ASSUME_ROLE_FAILED": "SWF may not assume the execution's Lambda role: see the role's trust policy",
    "LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION": "this region has no AWS Lambda: use an activity, or another region",
}


def advice(cause: str | None) -> str | None:
    """What a person should know about a cause; None where the cause says it all."""
    if cause is None:
        return None
    if cause.startswith("DEFAULT_") and cause.endswith("_UNDEFINED"):
        option = cause.removeprefix("DEFAULT_").removesuffix("_UNDEFINED").lower()
        return f"neither the call nor the registered type gives {option}: give it in the descriptor or to the type"
    return _ADVICE.get(cause)
