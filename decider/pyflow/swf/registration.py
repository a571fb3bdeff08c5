"""Idempotent registration of domains, workflow types and activity types: existing ones are left as they are."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from pyflow.swf.api import JsonObject
from pyflow.swf.boto_transport import as_both, swf_error
from pyflow.swf.faults import AlreadyExists
from pyflow.swf.limits import RETENTION_DAYS_MAX

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

logger = logging.getLogger("pyflow")

RETENTION_DAYS_DEFAULT = 7


def ensure_domain(client: SWFClient, name: str, *, retention_days: int = RETENTION_DAYS_DEFAULT) -> bool:
    """Register the domain unless it is there; closed executions are kept `retention_days`. True when it is new."""
    if not 0 <= retention_days <= RETENTION_DAYS_MAX:
        raise ValueError(f"retention_days is {retention_days}; SWF takes 0 to {RETENTION_DAYS_MAX}")
    request: JsonObject = {"name": name, "workflowExecutionRetentionPeriodInDays": str(retention_days)}
    return _register(client, "RegisterDomain", request, f"domain {name!r}")


def ensure_workflow_type(
    client: SWFClient, domain: str, name: str, version: str, *, task_list: str | None = None, **options: object
) -> bool:
    """Register the workflow type unless it is there; True when it is new.

    `options` are members of RegisterWorkflowType such as `defaultChildPolicy`; numbers become strings as SWF wants
    them, None means left out. An existing type keeps its defaults.
    """
    return _ensure_type(client, "RegisterWorkflowType", domain, name, version, task_list, options)


def ensure_activity_type(
    client: SWFClient, domain: str, name: str, version: str, *, task_list: str | None = None, **options: object
) -> bool:
    """Register the activity type unless it is there; True when it is new. As `ensure_workflow_type`."""
    return _ensure_type(client, "RegisterActivityType", domain, name, version, task_list, options)


def _ensure_type(
    client: SWFClient,
    operation: str,
    domain: str,
    name: str,
    version: str,
    task_list: str | None,
    options: dict[str, object],
) -> bool:
    request: JsonObject = {"domain": domain, "name": name, "version": version}
    if task_list is not None:
        request["defaultTaskList"] = {"name": task_list}
    for member, value in options.items():
        if value is not None:
            request[member] = value if isinstance(value, (str, dict)) else str(value)
    kind = operation.removeprefix("Register").removesuffix("Type").lower()
    return _register(client, operation, request, f"{kind} type {name!r} version {version!r} in domain {domain!r}")


def _register(client: SWFClient, operation: str, request: JsonObject, what: str) -> bool:
    try:
        cold_call(client, operation, request)
    except AlreadyExists:
        logger.debug("%s is registered already", what)
        return False
    logger.info("Registered %s", what)
    return True


def cold_call(client: SWFClient, operation: str, request: JsonObject) -> JsonObject:
    """Any SWF operation through boto3; the answer is boto3's (datetimes stay).

    Its errors are `SwfError`, and still what botocore raised: `except ClientError` catches them too.
    """
    try:
        answer: JsonObject = getattr(client, xform_name(operation))(**request)
    except (BotoCoreError, ClientError) as error:
        raise as_both(swf_error(operation, error), error) from error
    return answer
