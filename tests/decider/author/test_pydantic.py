"""pydantic models, the real ones: plain JSON on the wire, validated in code, from input to result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pydantic
import pyflow
import pytest
from pyflow.payloads import PayloadError, from_json, to_json
from pyflow.testing import WorkflowEnvironment


class Line(pydantic.BaseModel):
    sku: str
    price: Decimal


class Order(pydantic.BaseModel):
    """Strict, frozen, and with names on the wire that are not those in code."""

    model_config = pydantic.ConfigDict(strict=True, frozen=True)

    order_id: int = pydantic.Field(alias="orderId")
    placed: datetime
    lines: list[Line]


class Names(pydantic.RootModel[list[str]]):
    """A model that is a list on the wire."""


@dataclass(frozen=True)
class Parcel:
    order: Order
    names: Names | None = None


PLACED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
ORDER = Order(orderId=7, placed=PLACED, lines=[Line(sku="a", price=Decimal("1.50"))])


def test_models_are_plain_json_with_their_aliases() -> None:
    assert json.loads(to_json(ORDER)) == {
        "orderId": 7,
        "placed": "2026-01-02T03:04:05Z",
        "lines": [{"sku": "a", "price": "1.50"}],
    }


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (ORDER, Order),
        ([ORDER], list[Order]),
        ({"x": ORDER}, dict[str, Order]),
        (ORDER, Order | None),
        (Names(["a", "b"]), Names),
        (Parcel(ORDER, Names(["a"])), Parcel),
    ],
)
def test_models_come_back_as_they_were(value: Any, hint: Any) -> None:
    assert from_json(to_json(value), hint) == value


def test_what_a_model_refuses_is_told() -> None:
    with pytest.raises(PayloadError, match="sku"):
        from_json('{"price": "1"}', Line)


class Shop(pyflow.Workflow):
    NAME = "Shop"
    VERSION = "1.0"
    total = pyflow.ActivityDescriptor("total", "1.0", returns=Line)

    def run(self, order: Order) -> Parcel:
        assert isinstance(order, Order)
        names = self.swf.wait_for_signal("names", returns=Names).payload
        assert isinstance(names, Names)
        line = self.total(order).result()
        assert isinstance(line, Line)
        return Parcel(order.model_copy(update={"lines": [line]}), names)


def test_a_workflow_from_end_to_end() -> None:
    def total(order: Any) -> Any:
        assert order["orderId"] == 7, "an activity of any language sees plain JSON"
        return {"sku": "sum", "price": "2.50"}

    with WorkflowEnvironment([Shop], activities={"total": total}) as env:
        handle = env.start(Shop, ORDER)
        handle.signal("names", Names(["a"]))
        env.settle()
        assert handle.result() == {
            "order": {"orderId": 7, "placed": "2026-01-02T03:04:05Z", "lines": [{"sku": "sum", "price": "2.50"}]},
            "names": ["a"],
        }


def test_an_input_that_is_no_order_fails_the_workflow() -> None:
    with WorkflowEnvironment([Shop]) as env:
        handle = env.start(Shop, {"orderId": "seven"})
        env.settle()
        with pytest.raises(Exception, match="Invalid input to workflow"):
            handle.result()
