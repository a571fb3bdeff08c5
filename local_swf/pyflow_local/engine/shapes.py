"""The vocabulary of SWF's shapes: what a member may hold (sizes, enums, forms), as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Rule(Enum):
    """Forms that the service documents in prose and not in its model (reference 2.2 to 2.4)."""

    NAME = "a name: no ':' '/' '|' or control characters, not 'arn', no whitespace at the ends"
    ID = "an id: no ':' '/' '|' or control characters, not 'arn'"
    SECONDS = "whole seconds"
    SECONDS_OR_NONE = "whole seconds or NONE"
    EXECUTION_SECONDS = "whole seconds up to one year"
    LAMBDA_SECONDS = "1 to 900 seconds"
    RETENTION_DAYS = "0 to 90 days or NONE"
    PRIORITY = "a signed 32-bit integer"


@dataclass(frozen=True, slots=True)
class Text:
    """A string; lengths count UTF-16 units as Java does."""

    min: int = 0
    max: int | None = None
    enum: tuple[str, ...] = ()
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer."""

    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A timestamp: a JSON number of epoch seconds."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    item: Shape
    max: int | None = None
    null_items: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """A structure; a member whose name ends in '!' is required."""

    members: tuple[tuple[str, Shape, bool], ...]


Shape: TypeAlias = "Text | Whole | Flag | Moment | Items | Fields"


def fields(**members: Shape) -> Fields:
    """A structure from keyword arguments; a trailing underscore marks a required member."""
    return Fields(tuple((name.rstrip("_"), shape, name.endswith("_")) for name, shape in members.items()))


ACTIVITY_ID = Text(1, 256, rule=Rule.ID)
ACTIVITY_ID_REF = Text(1, 256)
ARN = Text(1, 1600)
CHILD_POLICY = Text(enum=("TERMINATE", "REQUEST_CANCEL", "ABANDON"))
CLOSE_STATUS = Text(enum=("COMPLETED", "FAILED", "CANCELED", "TERMINATED", "CONTINUED_AS_NEW", "TIMED_OUT"))
DATA = Text(0, 32768)
DESCRIPTION = Text(0, 1024)
DOMAIN_NAME = Text(1, 256)
NEW_DOMAIN_NAME = Text(1, 256, rule=Rule.NAME)
RETENTION_DAYS = Text(1, 8, rule=Rule.RETENTION_DAYS)
TIMER_SECONDS = Text(1, 8, rule=Rule.SECONDS)
EXECUTION_SECONDS = Text(0, 8, rule=Rule.EXECUTION_SECONDS)
LAMBDA_SECONDS = Text(0, 8, rule=Rule.LAMBDA_SECONDS)
SECONDS_OR_NONE = Text(0, 8, rule=Rule.SECONDS_OR_NONE)
FAILURE_REASON = Text(0, 256)
FUNCTION_ID = Text(1, 256)
FUNCTION_NAME = Text(1, 64)
IDENTITY = Text(0, 256)
LIMITED_DATA = Text(0, 2048)
MARKER_NAME = Text(1, 256)
NAME = Text(1, 256)
NEW_NAME = Text(1, 256, rule=Rule.NAME)
PAGE_SIZE = Whole(0, 1000)
PAGE_TOKEN = Text(0, 2048)
REGISTRATION_STATUS = Text(enum=("REGISTERED", "DEPRECATED"))
TAG_KEY = Text(1, 128)
TAG_VALUE = Text(0, 256)
SIGNAL_NAME = Text(1, 256)
TAG = Text(0, 256)
TAG_LIST = Items(TAG, 5, null_items=True)
TASK_PRIORITY = Text(rule=Rule.PRIORITY)
TASK_TOKEN = Text(1, 1024)
TERMINATE_REASON = Text(0, 256)
TIMER_ID = Text(1, 256, rule=Rule.ID)
TIMER_ID_REF = Text(1, 256)
VERSION = Text(1, 64)
NEW_VERSION = Text(1, 64, rule=Rule.ID)
VERSION_OPTIONAL = Text(0, 64)
WORKFLOW_ID = Text(1, 256)
NEW_WORKFLOW_ID = Text(1, 256, rule=Rule.ID)
RUN_ID = Text(1, 64)
RUN_ID_OPTIONAL = Text(0, 64)
REVERSE_ORDER = Flag()

TYPE_REF = fields(name_=NAME, version_=VERSION)
TASK_LIST = fields(name_=NEW_NAME)
TASK_LIST_REF = fields(name_=NAME)
EXECUTION_REF = fields(workflowId_=WORKFLOW_ID, runId_=RUN_ID)
RESOURCE_TAG = fields(key_=TAG_KEY, value=TAG_VALUE)
TIME_FILTER = fields(oldestDate_=Moment(), latestDate=Moment())
EXECUTION_FILTER = fields(workflowId_=WORKFLOW_ID)
TYPE_FILTER = fields(name_=NAME, version=VERSION_OPTIONAL)
TAG_FILTER = fields(tag_=TAG)
CLOSE_STATUS_FILTER = fields(status_=CLOSE_STATUS)
