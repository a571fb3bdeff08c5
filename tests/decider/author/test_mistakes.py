"""Slips of an author end at the author's line, with words that help: never in a refused answer or a held execution."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyflow
import pytest
from pyflow.testing import Stepper

MISTAKES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a negative sleep": (lambda self: self.swf.sleep(-1), "ValueError: a duration of -1 s cannot be"),
    "a timer without end": (lambda self: self.swf.start_timer(pyflow.NONE), "ValueError: a timer must have an end"),
    "a timer of ages": (lambda self: self.swf.sleep(timedelta(days=4000)), "SWF takes 0 to 99,999,999 s"),
    "no duration": (lambda self: self.swf.sleep(None), "TypeError: None is no duration"),
    "a unit": (lambda self: self.work.options(timeout="60s")(), "ValueError: '60s' is no duration: give seconds"),
    "a negative timeout": (lambda self: self.call.options(timeout=-5)(1), "ValueError: a duration of -5 s cannot be"),
    "no policy": (lambda self: self.call.options(retry=3)(1), "TypeError: retry is 3; give a pyflow.RetryPolicy"),
    "tags": (lambda self: self.child.options(tag_list=["t"] * 6)(1), "ValueError: tag_list has 6 tags; SWF takes 5"),
    "one tag": (lambda self: self.child.options(tag_list="tag")(1), "TypeError: tag_list is 'tag'; give a list"),
    "tags of the next run": (lambda self: self.swf.continue_as_new(1, tag_list=["t"] * 6), "SWF takes 5"),
    "a future as argument": (lambda self: self.work(self.call(1)), "InvocationFuture is not known yet"),
    "a future as result": (lambda self: self.call(1), "call its result() and pass that"),
    "no JSON": (lambda self: self.work(object()), "TypeError: object has no JSON form; pass a dict"),
}


def slip(mistake: Callable[[Any], Any]) -> type[pyflow.Workflow]:
    class Slips(pyflow.Workflow):
        NAME = "Slips"
        work = pyflow.ActivityDescriptor("work", "1.0")
        call = pyflow.LambdaDescriptor("call")
        child = pyflow.ChildWorkflowDescriptor("Child", "1.0")

        def run(self, given: Any) -> Any:
            return mistake(self)

    return Slips


@pytest.mark.parametrize("name", MISTAKES)
def test_a_slip_fails_the_workflow_in_words(name: str) -> None:
    mistake, words = MISTAKES[name]
    with Stepper(slip(mistake)) as step:
        last = step.decide().decisions[-1]
        assert last["decisionType"] == "FailWorkflowExecution"
        assert words in step.attributes(last)["details"]


def test_a_slip_in_a_descriptor_is_told_when_the_class_is_made() -> None:
    with pytest.raises(ValueError, match="'1 h' is no duration"):
        pyflow.ActivityDescriptor("work", "1.0", heartbeat_timeout="1 h")
    with pytest.raises(TypeError, match="tag_list is 'tag'"):
        pyflow.ChildWorkflowDescriptor("Child", "1.0", tag_list="tag")  # type: ignore[call-overload]  # the slip


class Impatient(pyflow.Workflow):
    NAME = "Impatient"
    work = pyflow.ActivityDescriptor("work", "1.0", retry=pyflow.RetryPolicy())

    def run(self, given: Any) -> Any:
        return self.work().result()


def test_a_hint_that_no_timer_can_keep_is_cut() -> None:
    """The hint is a worker's: what it says must not hold the execution."""
    details = '{"pyflow.failure": 1, "type": "Oops", "next_retry_delay_s": 1e12}'
    with Stepper(Impatient) as step:
        step.decide()
        step.history.activity_failed("activity1", "Oops", details)
        assert step.attributes(step.decide().decisions[0])["startToFireTimeout"] == "99999999"
