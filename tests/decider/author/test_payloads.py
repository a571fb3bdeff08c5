"""Payloads: plain JSON on the wire, typed values in code, codecs, and texts too large for SWF kept elsewhere."""

from __future__ import annotations

import enum
import json
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyflow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyflow.core.values import ExecutionSettings
from pyflow.payloads import (
    DirectoryStore,
    GzipCodec,
    Offload,
    PayloadError,
    S3Store,
    chain,
    convert,
    from_json,
    to_json,
)
from pyflow.testing import Stepper, WorkflowEnvironment


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


@dataclass(frozen=True)
class Item:
    name: str
    price: Decimal
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Order:
    id: uuid.UUID
    items: list[Item]
    at: datetime
    colour: Colour
    note: str | None = None
    by_name: dict[str, Item] = field(default_factory=dict)
    pair: tuple[int, Item] | None = None


ITEM = Item("book", Decimal("1.10"))

ORDER = Order(
    id=uuid.UUID(int=7),
    items=[Item("book", Decimal("12.30"), ["paper"]), Item("pen", Decimal("0.10"))],
    at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
    colour=Colour.RED,
    by_name={"a": Item("a", Decimal(1))},
    pair=(1, Item("b", Decimal(2))),
)


def test_a_dataclass_goes_there_and_back() -> None:
    text = to_json(ORDER)
    assert json.loads(text)["items"][0] == {"name": "book", "price": "12.30", "tags": ["paper"]}
    assert from_json(text, Order) == ORDER


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (date(2026, 1, 2), date),
        (time(1, 2, 3), time),
        (timedelta(seconds=90.5), timedelta),
        (b"\x00\xff", bytes),
        (Path("/a/b"), Path),
        ({1, 2}, set[int]),
        (frozenset({"a"}), frozenset[str]),
        ((1, 2, 3), tuple[int, ...]),
        (Colour.RED, Colour | None),
        (None, Order | None),
        ([None, ORDER], list[Order | None]),
        (1.5, float),
        ({Colour.RED, Colour.BLUE}, set[Colour]),
        ({Colour.RED: 1, Colour.BLUE: 2}, dict[Colour, int]),
        ({1: "a", -2: "b"}, dict[int, str]),
        ({0.5: ITEM}, dict[float, Item]),
        ({date(2026, 1, 2): ITEM}, dict[date, Item]),
        ([{uuid.UUID(int=7): {Decimal("1.10"): ITEM}}], list[dict[uuid.UUID, dict[Decimal, Item]]]),
        ({Level.LOW: timedelta(seconds=1)}, dict[Level, timedelta]),
        ({timedelta(seconds=1.5): 1}, dict[timedelta, int]),
    ],
)
def test_types_go_there_and_back(value: Any, hint: Any) -> None:
    assert from_json(to_json(value), hint) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_plain_data_is_written_as_two_wrote_it(value: Any) -> None:
    assert to_json(value) == json.dumps(value)
    assert from_json(to_json(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize("text", ["", "{", "nope", "1 2", '"open', "[1,]"])
def test_what_is_no_json_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Extra|Unterminated|Illegal"):
        from_json(text)


def test_white_space_around_is_fine() -> None:
    assert from_json(' {"a": 1}\n') == {"a": 1}


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("x", Order),
        ({"name": "a"}, Item),
        ("green", Colour),
        ({"green": 1}, dict[Colour, int]),
        ({"a": 1}, dict[int, int]),
        ("x", datetime),
    ],
)
def test_what_does_not_fit_says_so(value: Any, hint: Any) -> None:
    with pytest.raises(PayloadError, match="does not fit"):
        convert(value, hint)


def test_members_a_build_does_not_know_are_left_out() -> None:
    assert convert({"name": "a", "price": "1", "newer": True}, Item) == Item("a", Decimal(1))


def test_what_has_no_json_form_names_the_type() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        to_json(object())
    with pytest.raises(TypeError, match="tuple has no JSON form as the key"):
        to_json({(1, 2): 3})


class Typed(pyflow.Workflow):
    NAME = "Typed"
    price = pyflow.LambdaDescriptor("price", returns=Decimal)

    def run(self, order: Order) -> Item:
        return Item(order.items[0].name, self.price(order.items[0]).result() * 2)


def test_a_workflow_with_types() -> None:
    with WorkflowEnvironment([Typed], lambdas={"price": lambda name, price, tags: price}) as env:
        assert env.run(Typed, ORDER) == {"name": "book", "price": "24.60", "tags": []}


def test_input_that_does_not_fit_fails_with_a_reason() -> None:
    with Stepper(Typed, {"id": 1}) as step:
        attributes = step.attributes(step.decide().decisions[-1])
        assert attributes["reason"] == "Invalid input to workflow"
        assert "Order" in attributes["details"]


def test_input_that_is_no_json_fails_with_a_reason() -> None:
    with Stepper(Typed, started={"input": "{oops"}) as step:
        assert step.attributes(step.decide().decisions[-1])["reason"] == "Invalid input to workflow"


def test_a_result_that_cannot_be_read_fails_the_future() -> None:
    class Reads(pyflow.Workflow):
        NAME = "Reads"
        f = pyflow.LambdaDescriptor("f", returns=Item)

        def run(self, given: Any) -> Any:
            future = self.f()
            self.swf.wait_for_all(future)
            return [future.succeeded, future.failed, str(future.exception)]

    with Stepper(Reads) as step:
        step.decide()
        step.history.lambda_completed("lambda1", "no item")
        result = step.attributes(step.decide().decisions[-1])["result"]
        assert result.startswith('[false, true, "Decoding result failed: ')


def test_gzip_leaves_short_and_foreign_texts_alone() -> None:
    codec = GzipCodec(minimum=100)
    long = json.dumps(["pyflow"] * 500)
    assert codec.decode(codec.encode(long)) == long
    assert len(codec.encode(long)) < len(long) / 10
    assert codec.encode('"short"') == '"short"'
    assert codec.decode('{"plain": 1}') == '{"plain": 1}'


class Big(pyflow.Workflow):
    NAME = "Big"
    grow = pyflow.LambdaDescriptor("grow")
    keep = pyflow.ActivityDescriptor("keep", "1.0")

    def run(self, text: str) -> Any:
        grown = self.grow(text).result()
        self.swf.invoke_once(lambda: grown + "once").result()
        return self.keep(grown).result()


@pytest.mark.parametrize("how", ["directory", "gzip", "both"])
def test_a_payload_over_the_limit_goes_through_a_whole_workflow(tmp_path: Path, how: str) -> None:
    codecs: dict[str, list[Any]] = {
        "directory": [Offload(DirectoryStore(tmp_path))],
        "gzip": [GzipCodec()],
        "both": [GzipCodec(), Offload(DirectoryStore(tmp_path), limit=100)],
    }
    encode, decode = chain(*codecs[how])
    settings = ExecutionSettings(payload_encode=encode, payload_decode=decode)
    with WorkflowEnvironment(
        [Big],
        lambdas={"grow": lambda text: text[:20_000] + "!"},
        activities={"keep": lambda text: text[::-1][:20_000]},
        settings=settings,
        cached=False,
    ) as env:
        handle = env.start(Big, "x" * 30_000)
        env.run_until_closed(handle)
        assert handle.result() == "!" + "x" * 19_999
        sizes = [len(json.dumps(event)) for event in handle.history()]
        assert max(sizes) < 34_000


def test_a_text_of_100000_characters_is_offloaded(tmp_path: Path) -> None:
    offload = Offload(DirectoryStore(tmp_path))
    text = json.dumps("x" * 100_000)
    reference = json.loads(offload.encode(text))
    assert reference["size"] == 100_002
    assert reference["content_type"] == "application/json"
    assert offload.decode(json.dumps(reference)) == text
    kept = tmp_path / reference["sha256"]
    kept.write_text("changed")
    with pytest.raises(PayloadError, match="SHA-256 differs"):
        offload.decode(json.dumps(reference))
    kept.unlink()
    with pytest.raises(PayloadError, match="cannot be read"):
        offload.decode(json.dumps(reference))


class FakeS3:
    """The two operations of boto3's S3 client that the store uses."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.objects[Bucket, Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        import io

        return {"Body": io.BytesIO(self.objects[Bucket, Key])}


@pytest.mark.parametrize("store", ["directory", "s3"])
def test_stores_answer_the_same_contract(store: str, tmp_path: Path) -> None:
    kept: Any = DirectoryStore(tmp_path / "new") if store == "directory" else S3Store(FakeS3(), "bucket", "prefix/")
    kept.write("a", "täxt")
    kept.write("a", "täxt")
    assert kept.read("a") == "täxt"
    assert kept.uri.startswith("file://" if store == "directory" else "s3://bucket/prefix/")
    with pytest.raises(Exception, match="b"):
        kept.read("b")


class Door:
    """A codec as encryption would be one: its key may be missing."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None

    def encode(self, text: str) -> str:
        return "shut:" + text

    def decode(self, text: str) -> str:
        if self.trouble is not None:
            raise self.trouble
        if text == '"foreign"':
            raise ValueError("not of this codec")
        return text.removeprefix("shut:")


class Reader(pyflow.Workflow):
    NAME = "Reader"
    f = pyflow.LambdaDescriptor("f")

    def run(self, how: str) -> Any:
        future = self.f()
        if how == "signal":
            return self.swf.wait_for_signal("go").payload
        if how == "handler":
            got: list[Any] = []
            self.swf.on_signal("go", lambda signal: got.append(signal.payload))
            self.swf.wait_until(lambda: bool(got))
            return got[0]
        if how == "condition":
            self.swf.wait_until(lambda: future.succeeded)
        try:
            return future.result()
        except Exception as error:
            return repr(error)


@pytest.mark.parametrize("how", ["input", "result", "condition", "signal", "handler"])
def test_a_codec_or_store_in_trouble_holds_the_execution_until_it_is_over(how: str) -> None:
    door = Door()
    settings = ExecutionSettings(payload_encode=door.encode, payload_decode=door.decode)
    with Stepper(Reader, settings=settings, started={"input": door.encode(to_json(how))}) as step:
        if how != "input":
            step.decide()
            step.history.lambda_completed("lambda1", "done")
            step.history.signal("go", "done")
        door.trouble = PayloadError("the offloaded payload s3://b/1 cannot be read: no route to host")
        step.history.decision_task()
        for execution in (step.execution, other := step.fresh()):
            held = step.advance(execution).held
            assert held is not None
            assert held.kind == "framework"
        other.evict()
        assert "s3://b/1 cannot be read: no route to host" in held.message
        assert "Make the store reachable, or give this decider the codec" in held.message
        door.trouble = None
        step.history.decision_task_timed_out()
        step.history.decision_task()
        execution = step.fresh()
        decisions = step.advance(execution).decisions
        execution.evict()
        if how == "input":
            assert decisions[-1]["decisionType"] == "ScheduleLambdaFunction"
        else:
            assert step.attributes(decisions[-1])["result"] == 'shut:"done"'


def test_a_text_that_no_codec_made_is_an_outcome_as_without_one() -> None:
    door = Door()
    settings = ExecutionSettings(payload_encode=door.encode, payload_decode=door.decode)
    with Stepper(Reader, settings=settings, started={"input": '"result"'}) as step:
        step.decide()
        step.history.lambda_completed("lambda1", "foreign")
        result = step.attributes(step.decide().decisions[-1])["result"]
        assert "InvocationFailedException" in result
        assert "not of this codec" in result
