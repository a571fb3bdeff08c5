"""Holds answers against botocore's output shapes: nothing missing, nothing unknown, nothing of the wrong type."""

from __future__ import annotations

from typing import Any

import botocore.session

MODEL = botocore.session.get_session().get_service_model("swf")
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "timestamp": (int, float),
    "boolean": (bool,),
    "structure": (dict,),
    "list": (list,),
}
MEMBERS_SEEN: set[tuple[str, str]] = set()
"""(structure, member) of every answer that was checked so far."""
_POLLS = {"PollForDecisionTask", "PollForActivityTask"}


def problems_of(value: Any, shape: Any, where: str) -> list[str]:
    """What is wrong with a value of the wire."""
    kind = shape.type_name
    if type(value) not in _PYTHON_TYPES[kind]:
        return [f"{where}: {value!r} is no {kind}"]
    found: list[str] = []
    if kind == "structure":
        found += [f"{where}: {name} is missing" for name in shape.required_members if name not in value]
        found += [f"{where}: {name} is unknown" for name in value if name not in shape.members]
        for name, member in value.items():
            MEMBERS_SEEN.add((shape.name, name))
            if name in shape.members:
                found += problems_of(member, shape.members[name], f"{where}.{name}")
    elif kind == "list":
        for index, item in enumerate(value):
            found += problems_of(item, shape.member, f"{where}[{index}]")
    elif kind == "string":
        limits = shape.metadata
        if limits.get("enum") and value not in limits["enum"]:
            found.append(f"{where}: {value!r} is not in the enum")
        if not limits.get("min", 0) <= len(value) <= limits.get("max", 1 << 31):
            found.append(f"{where}: length {len(value)}")
    return found


def check_answer(operation: str, body: Any) -> None:
    """Assert that a successful answer fits the operation's output shape. An empty poll is a form of its own."""
    shape = MODEL.operation_model(operation).output_shape
    if shape is None:
        assert body in ({}, None, b""), f"{operation} has no output, but answered {body!r}"
        return
    if operation in _POLLS and "taskToken" not in body:
        zeros = {"startedEventId": 0}
        if operation == "PollForDecisionTask":
            zeros["previousStartedEventId"] = 0
        assert body == zeros
        return
    found = problems_of(body, shape, operation)
    for event in body.get("events", ()):
        kind = event["eventType"]
        wanted = kind[0].lower() + kind[1:] + "EventAttributes"
        if [name for name in event if name.endswith("Attributes")] != [wanted]:
            found.append(f"event {event} does not carry exactly {wanted}")
    assert not found, "\n".join(found)
