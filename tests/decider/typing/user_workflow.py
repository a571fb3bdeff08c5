"""A user's workflow file, as strict as users write them. `test_typing.py` runs mypy over it."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyflow
from pyflow.future import BranchFuture, InvocationFuture
from pyflow.testing import WorkflowEnvironment
from typing_extensions import assert_type


@dataclass
class Order:
    id: str
    total: Decimal


class Shop(pyflow.Workflow):
    NAME = "Shop"
    VERSION = "1.0"

    tax = pyflow.LambdaDescriptor("tax", timeout=timedelta(seconds=20), returns=Decimal)
    charge = pyflow.ActivityDescriptor(
        "charge", "1.0", heartbeat_timeout=10, retry=pyflow.RetryPolicy(maximum_attempts=5), returns=str
    )
    pack = pyflow.ChildWorkflowDescriptor("Pack", "1.0", returns=Order)
    untyped = pyflow.LambdaDescriptor("anything")

    def run(self, order: Order) -> str:
        future = self.tax(order)
        assert_type(future, InvocationFuture[Decimal])
        assert_type(future.result(), Decimal)
        assert_type(self.charge.options(start_to_close_timeout=60)(order).result(timeout=30), str)
        assert_type(self.pack(order).result(), Order)
        assert_type(self.untyped(a=1).result(), Any)
        assert_type(self.swf.invoke_once(len, "four").result(), int)
        branch = self.swf.spawn(self.count, "words", by=2)
        assert_type(branch, BranchFuture[int])
        assert_type(self.swf.map(lambda n: n * 1.5, [1, 2]), list[float])
        assert_type(self.swf.map(self.tax, [order]), list[Decimal])
        assert_type(self.swf.spawn(self.charge, order).result(), str)
        signal = self.swf.wait_for_signal("go", timeout=5)
        assert_type(signal.name, str)
        assert_type(signal.payload, Any)
        assert_type(self.swf.wait_for_signal("order", returns=Order).payload, Order)
        changed = self.swf.signal("change", returns=Decimal)
        assert_type(changed.result(timeout=timedelta(days=1)).payload, Decimal)
        self.swf.on_signal("note", self.note)
        self.swf.wait_for_any(changed, future)
        assert_type(self.swf.gather(future, [branch]), list[Any])
        with self.swf.saga() as saga:
            saga.compensate(self.untyped, order)
        with self.swf.shield():
            self.swf.set_status({"step": 1})
        assert_type(self.swf.version("part", 1, 2), int)
        assert_type(self.swf.random().random(), float)
        self.swf.logger.info("at %s", self.swf.workflow_time())
        try:
            branch.result()
        except pyflow.InvocationFailedException as error:
            assert_type(error.failure, pyflow.Failure | None)
        with self.swf.cancel_scope(timeout=5) as scope:
            self.swf.sleep(1)
        if scope.timed_out:
            raise pyflow.WorkflowFailedException("LATE", "too late")
        if self.swf.patched("new"):
            self.swf.continue_as_new(order)
        return str(self.swf.uuid4())

    def count(self, text: str, by: int) -> int:
        return len(text) * by

    def note(self, signal: pyflow.Signal[Any]) -> None:
        self.swf.logger.info("%s from %s", signal.payload, signal.sender)


class Old(pyflow.Workflow):
    """As it was written for 2.0.0, with types added by nobody but the checker."""

    NAME = "Old"

    some_func = pyflow.LambdaDescriptor("some_lambda_func", timeout=120)

    def run(self, workflow_input: Any) -> Any:
        first = self.some_func(workflow_input)
        second = self.swf.invoke_lambda("other", first.result(), timeout=5)
        done = self.swf.timed_wait_for_all(60, first, second)
        try:
            return [each.result() for each in done]
        except pyflow.InvocationException as error:
            raise pyflow.WorkflowFailedException("BAD", str(error)) from error


def no_tax(order: object) -> str:
    return "0"


with WorkflowEnvironment([Shop], lambdas={"tax": no_tax}) as environment:
    handle = environment.start(Shop, Order("1", Decimal(2)))
    assert_type(handle.close_status, str | None)
