"""The golden test of waking order. It is a contract: a change here changes decisions of running workflows."""

from __future__ import annotations

import pyflow
from pyflow.testing import Stepper


class Order(pyflow.Workflow):
    """Writes down who runs when."""

    NAME = "Order"

    def run(self, workflow_input: object) -> list[str]:
        log: list[str] = []
        swf = self.swf

        def branch(name: str, timer: str) -> None:
            log.append(f"{name} begins")
            self.timers[timer].result()
            log.append(f"{name} wakes")

        self.timers = {name: swf.start_timer(10) for name in ("x", "y")}
        swf.on_signal("hello", lambda signal: log.append(f"signal {signal.payload}"))
        swf.spawn(branch, "first", "y")
        swf.spawn(branch, "second", "x")
        swf.spawn(branch, "third", "y")
        swf.spawn(lambda: (swf.wait_until(lambda: "third wakes" in log), log.append("condition")))
        log.append("main waits")
        self.timers["x"].result()
        log.append("main wakes")
        swf.start_timer(1).result()
        return log


GOLDEN = [
    "main waits",
    # branches begin in the order in which they were spawned
    "first begins",
    "second begins",
    "third begins",
    # signal handlers come before anything else, in the order of the signals, although both timers fired earlier
    "signal 1",
    "signal 2",
    # then waiters in the order in which they began to wait, whatever fired first
    "main wakes",
    "first wakes",
    "second wakes",
    "third wakes",
    # conditions last
    "condition",
]


def test_waking_order() -> None:
    with Stepper(Order) as step:
        step.decide()
        step.history.timer_fired("sleep2")
        step.history.timer_fired("sleep1")
        step.history.signal("hello", 1)
        step.history.signal("hello", 2)
        step.decide()
        step.history.timer_fired("sleep3")
        closing = step.decide()
        result = step.attributes(closing.decisions[-1])["result"]
    assert result == str(GOLDEN).replace("'", '"')


class Pairs(pyflow.Workflow):
    """Branches that wake each other within one decision."""

    NAME = "Pairs"

    def run(self, workflow_input: object) -> list[str]:
        log: list[str] = []
        timer = self.swf.start_timer(5)

        def early() -> str:
            timer.result()
            log.append("early")
            return "e"

        def late() -> None:
            log.append("late got " + first.result())

        first = self.swf.spawn(early)
        second = self.swf.spawn(late)
        timer.result()
        log.append("main")
        second.result()
        return log


def test_a_branch_that_ends_wakes_its_waiters_in_the_same_decision() -> None:
    with Stepper(Pairs) as step:
        step.decide()
        step.history.timer_fired("sleep1")
        closing = step.decide()
        assert step.attributes(closing.decisions[-1])["result"] == '["main", "early", "late got e"]'
