"""Holds requests against the shape tables: a fast yes/no pass, and a slow pass that words every violation.

Wrong JSON types give SerializationException, broken constraints one ValidationException that lists them all, in the
service's own wording (reference 1.3 and 1.5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pyflow_local.engine.decision_shapes import CLOSING_DECISIONS, DECISIONS, attributes_member
from pyflow_local.engine.faults import Fault, invalid
from pyflow_local.engine.limits import (
    EXECUTION_SECONDS_MAX,
    LAMBDA_SECONDS_MAX,
    LAMBDA_SECONDS_MIN,
    RETENTION_DAYS_MAX,
    TASK_PRIORITY_MAX,
    TASK_PRIORITY_MIN,
)
from pyflow_local.engine.operations import OPERATIONS
from pyflow_local.engine.shapes import Fields, Flag, Items, Moment, Rule, Shape, Text, Whole
from pyflow_local.engine.values import JsonObject

_Check = Callable[[object], bool]

_DIGITS = re.compile(r"(?:0|[1-9][0-9]{0,7})\Z")
_PRIORITY = re.compile(r"-?[0-9]{1,10}\Z")
_FORBIDDEN = re.compile(r"[:/|\x00-\x1f\x7f-\x9f]")

_PATTERN_TEXT = {
    Rule.NAME: r"^(?!arn$)(?!\s)[^:/|\u0000-\u001f\u007f-\u009f]*(?<!\s)$",
    Rule.ID: r"^(?!arn$)[^:/|\u0000-\u001f\u007f-\u009f]*$",
    Rule.SECONDS: "0|[1-9][0-9]*",
    Rule.SECONDS_OR_NONE: "NONE|0|[1-9][0-9]*",
    Rule.EXECUTION_SECONDS: f"0|[1-9][0-9]* (at most {EXECUTION_SECONDS_MAX})",
    Rule.LAMBDA_SECONDS: f"[1-9][0-9]* ({LAMBDA_SECONDS_MIN} to {LAMBDA_SECONDS_MAX})",
    Rule.RETENTION_DAYS: f"NONE|0|[1-9][0-9]* (at most {RETENTION_DAYS_MAX})",
    Rule.PRIORITY: f"-?[0-9]+ ({TASK_PRIORITY_MIN} to {TASK_PRIORITY_MAX})",
}


def _is_name(text: str) -> bool:
    return _is_id(text) and text == text.strip()


def _is_id(text: str) -> bool:
    return text != "arn" and not _FORBIDDEN.search(text)


def _is_seconds(text: str) -> bool:
    return _DIGITS.match(text) is not None


def _is_seconds_or_none(text: str) -> bool:
    return text in {"NONE", ""} or _DIGITS.match(text) is not None


def _is_execution_seconds(text: str) -> bool:
    return text == "" or (_DIGITS.match(text) is not None and int(text) <= EXECUTION_SECONDS_MAX)


def _is_lambda_seconds(text: str) -> bool:
    return text == "" or (_DIGITS.match(text) is not None and LAMBDA_SECONDS_MIN <= int(text) <= LAMBDA_SECONDS_MAX)


def _is_retention(text: str) -> bool:
    return text == "NONE" or (_DIGITS.match(text) is not None and int(text) <= RETENTION_DAYS_MAX)


def _is_priority(text: str) -> bool:
    return _PRIORITY.match(text) is not None and TASK_PRIORITY_MIN <= int(text) <= TASK_PRIORITY_MAX


_RULES: dict[Rule, Callable[[str], bool]] = {
    Rule.NAME: _is_name,
    Rule.ID: _is_id,
    Rule.SECONDS: _is_seconds,
    Rule.SECONDS_OR_NONE: _is_seconds_or_none,
    Rule.EXECUTION_SECONDS: _is_execution_seconds,
    Rule.LAMBDA_SECONDS: _is_lambda_seconds,
    Rule.RETENTION_DAYS: _is_retention,
    Rule.PRIORITY: _is_priority,
}


def utf16_length(text: str) -> int:
    """The length Java sees: characters beyond the basic plane count twice."""
    return len(text) if text.isascii() else len(text) + sum(1 for c in text if c > "\uffff")


# --- the fast pass -------------------------------------------------------------------------------------------


def _text_check(shape: Text) -> _Check:
    low, enum = shape.min, frozenset(shape.enum)
    # Non-ASCII text may count double, so half the maximum is surely fine; the slow pass decides the rest.
    high = shape.max if shape.max is not None else 2**31
    rule = _RULES[shape.rule] if shape.rule is not None else None

    def check(value: object) -> bool:
        if type(value) is not str:
            return False
        size = len(value)
        if size < low or size > high or (size * 2 > high and not value.isascii()):
            return False
        return (rule is None or rule(value)) and (not enum or value in enum)

    return check


def _whole_check(shape: Whole) -> _Check:
    low = shape.min if shape.min is not None else -(2**63)
    high = shape.max if shape.max is not None else 2**63
    return lambda value: type(value) is int and low <= value <= high


def _items_check(shape: Items) -> _Check:
    item, high, nulls = _compile(shape.item), shape.max, shape.null_items

    def check(value: object) -> bool:
        if type(value) is not list or (high is not None and len(value) > high):
            return False
        return all(item(one) or (nulls and one is None) for one in value)

    return check


def _fields_check(shape: Fields) -> _Check:
    checks = {name: _compile(member) for name, member, _ in shape.members}
    required = tuple(name for name, _, needed in shape.members if needed)

    def check(value: object) -> bool:
        if type(value) is not dict:
            return False
        for name in required:
            if value.get(name) is None:
                return False
        for name, member in value.items():
            one = checks.get(name)
            if one is not None and member is not None and not one(member):
                return False
        return True

    return check


def _compile(shape: Shape) -> _Check:
    if isinstance(shape, Text):
        return _text_check(shape)
    if isinstance(shape, Whole):
        return _whole_check(shape)
    if isinstance(shape, Flag):
        return lambda value: type(value) is bool
    if isinstance(shape, Moment):
        return lambda value: type(value) is int or type(value) is float
    if isinstance(shape, Items):
        return _items_check(shape)
    return _fields_check(shape)


_CHECKS = {name: _compile(shape) for name, shape in OPERATIONS.items()}


# --- the slow pass -------------------------------------------------------------------------------------------

_JAVA_NAMES: dict[type, str] = {
    bool: "java.lang.Boolean",
    int: "java.lang.Integer",
    float: "java.lang.Double",
    str: "java.lang.String",
    list: "java.util.ArrayList",
    dict: "java.util.LinkedHashMap",
}
_WANTED: dict[type, tuple[str, tuple[type, ...]]] = {
    Text: ("an String", (str,)),
    Whole: ("an Integer", (int,)),
    Flag: ("an Boolean", (bool,)),
    Moment: ("milliseconds since epoch", (int, float)),
    Items: ("an List", (list,)),
    Fields: ("an Object", (dict,)),
}


def _require_type(value: object, shape: Shape) -> None:
    wanted, types = _WANTED[type(shape)]
    if type(value) not in types:
        found = _JAVA_NAMES.get(type(value), "java.lang.Object")
        raise Fault("SerializationException", f"class {found} can not be converted to {wanted}")


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return str(value)


def _violation(value: object, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{_shown(value)}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


_NOT_NULL = "Member must not be null"


def _explain_text(value: str, shape: Text, path: str) -> Iterator[str]:
    size = utf16_length(value)
    if shape.max is not None and size > shape.max:
        yield _violation(value, path, f"Member must have length less than or equal to {shape.max}")
    if size < shape.min:
        yield _violation(value, path, f"Member must have length greater than or equal to {shape.min}")
    if shape.enum and value not in shape.enum:
        yield _violation(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    if shape.rule is not None and not _RULES[shape.rule](value):
        pattern = _PATTERN_TEXT[shape.rule]
        yield _violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _explain(value: object, shape: Shape, path: str) -> Iterator[str]:
    _require_type(value, shape)
    if isinstance(shape, Text):
        assert isinstance(value, str)
        yield from _explain_text(value, shape, path)
    elif isinstance(shape, Whole):
        assert isinstance(value, int)
        if shape.max is not None and value > shape.max:
            yield _violation(value, path, f"Member must have value less than or equal to {shape.max}")
        if shape.min is not None and value < shape.min:
            yield _violation(value, path, f"Member must have value greater than or equal to {shape.min}")
    elif isinstance(shape, Items):
        assert isinstance(value, list)
        if shape.max is not None and len(value) > shape.max:
            yield _violation(value, path, f"Member must have length less than or equal to {shape.max}")
        for index, one in enumerate(value, 1):
            where = f"{path}.{index}.member"
            if one is None:
                if not shape.null_items:
                    yield _violation(None, where, _NOT_NULL)
            else:
                yield from _explain(one, shape.item, where)
    elif isinstance(shape, Fields):
        assert isinstance(value, dict)
        yield from _explain_fields(value, shape, path)


def _explain_fields(value: JsonObject, shape: Fields, path: str) -> Iterator[str]:
    for name, member, required in shape.members:
        where = f"{path}.{name}" if path else name
        one = value.get(name)
        if one is not None:
            yield from _explain(one, member, where)
        elif required:
            yield _violation(None, where, _NOT_NULL)


def _absent_attributes(decisions: list[JsonObject]) -> Iterator[str]:
    """Decisions whose whole attributes structure is missing although the type has required members."""
    for index, decision in enumerate(decisions, 1):
        kind = decision.get("decisionType")
        shape = DECISIONS.get(kind) if kind is not None else None
        if kind is None or shape is None:
            continue
        member = attributes_member(kind)
        if decision.get(member) is None:
            for name, _, required in shape.members:
                if required:
                    yield _violation(None, f"decisions.{index}.member.{member}.{name}", _NOT_NULL)


_NEED_ATTRIBUTES = frozenset(name for name, shape in DECISIONS.items() if any(need for _, _, need in shape.members))


def _refuse(problems: list[str]) -> Fault:
    count = len(problems)
    noun = "error" if count == 1 else "errors"
    return invalid(f"{count} validation {noun} detected: {'; '.join(problems)}")


def _check_decisions(decisions: list[JsonObject]) -> None:
    last = len(decisions) - 1
    misplaced = False
    for index, decision in enumerate(decisions):
        kind = decision["decisionType"]
        if kind in _NEED_ATTRIBUTES and decision.get(attributes_member(kind)) is None:
            raise _refuse(list(_absent_attributes(decisions)))
        if kind in CLOSING_DECISIONS and index != last:
            misplaced = True
    if misplaced:
        raise invalid("Close must be last decision in list")


def check_request(operation: str, body: object) -> JsonObject:
    """The body, known to fit the operation's shape. Raises Fault (SerializationException, ValidationException)."""
    if not _CHECKS[operation](body):
        problems = list(_explain(body, OPERATIONS[operation], ""))
        if operation == "RespondDecisionTaskCompleted" and isinstance(body, dict):
            problems += _absent_attributes(body.get("decisions") or [])
        if problems:
            raise _refuse(problems)
    assert isinstance(body, dict)
    if operation == "RespondDecisionTaskCompleted" and (decisions := body.get("decisions")):
        _check_decisions(decisions)
    return body
