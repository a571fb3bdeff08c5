"""Our shape tables against the service model that AWS ships in botocore: an independent witness."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from pyflow_local.engine import shapes as s
from pyflow_local.engine.decision_shapes import DECISIONS
from pyflow_local.engine.event_types import EVENT_TYPES
from pyflow_local.engine.faults import NAMESPACES
from pyflow_local.engine.operations import OPERATIONS

MODEL = botocore.session.get_session().get_service_model("swf")


def compare(ours: s.Shape, theirs: Any, where: str) -> None:
    kind = theirs.type_name
    limits = theirs.metadata
    if kind == "structure":
        assert isinstance(ours, s.Fields), where
        members = {name: (shape, required) for name, shape, required in ours.members}
        assert set(members) == set(theirs.members), where
        for name, (shape, required) in members.items():
            assert required == (name in theirs.required_members), f"{where}.{name}"
            compare(shape, theirs.members[name], f"{where}.{name}")
    elif kind == "list":
        assert isinstance(ours, s.Items), where
        assert ours.max == limits.get("max"), where
        compare(ours.item, theirs.member, f"{where}[]")
    elif kind == "string":
        assert isinstance(ours, s.Text), where
        assert (ours.min, ours.max) == (limits.get("min", 0), limits.get("max")), where
        assert set(ours.enum) == set(limits.get("enum", ())), where
    elif kind in {"integer", "long"}:
        assert isinstance(ours, s.Whole), where
        assert (ours.min, ours.max) == (limits.get("min"), limits.get("max")), where
    else:
        assert isinstance(ours, {"boolean": s.Flag, "timestamp": s.Moment}[kind]), where


def test_the_operations_are_all_39() -> None:
    assert set(OPERATIONS) == set(MODEL.operation_names)
    assert len(OPERATIONS) == 39


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_input_shape(operation: str) -> None:
    compare(OPERATIONS[operation], MODEL.operation_model(operation).input_shape, operation)


def test_decision_types() -> None:
    assert set(DECISIONS) == set(MODEL.shape_for("DecisionType").enum)


def test_event_types_in_the_models_order() -> None:
    assert list(EVENT_TYPES) == MODEL.shape_for("EventType").enum


def test_every_modeled_fault_is_known() -> None:
    modeled = {shape.name for name in MODEL.operation_names for shape in MODEL.operation_model(name).error_shapes}
    assert modeled <= set(NAMESPACES)
