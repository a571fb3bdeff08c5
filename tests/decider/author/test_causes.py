"""Every cause of SWF for not taking a decision is waited out, explained, or one that no decider here brings about."""

from __future__ import annotations

import sys
import traceback

import botocore.session
import pyflow
import pytest
from pyflow.causes import advice
from pyflow.core.retries import is_passing
from pyflow.testing import WorkflowEnvironment

MODEL = botocore.session.get_session().get_service_model("swf")
CAUSES = sorted(
    {cause for name in MODEL.shape_names if name.endswith("FailedCause") for cause in MODEL.shape_for(name).enum}
)
NEVER = {
    "ACTIVITY_ID_ALREADY_IN_USE",
    "ACTIVITY_ID_UNKNOWN",
    "ID_ALREADY_IN_USE",
    "TIMER_ID_ALREADY_IN_USE",
    "TIMER_ID_UNKNOWN",
}
"""Ids are made by the decider, which knows what is open."""
ASKED_AGAIN = {"UNHANDLED_DECISION"}
"""A close that came too early."""


@pytest.mark.parametrize("cause", CAUSES)
def test_cause(cause: str) -> None:
    assert (advice(cause) is None) == (is_passing(cause) or cause in NEVER | ASKED_AGAIN)


def test_an_undefined_default_is_named_as_the_descriptor_names_it() -> None:
    assert "gives schedule_to_close_timeout" in str(advice("DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED"))


class Asks(pyflow.Workflow):
    NAME = "Asks"
    nobody_has = pyflow.ActivityDescriptor("nobody_has", "1.0")

    def run(self, _: object) -> list[str | None]:
        try:
            self.nobody_has().result()
        except pyflow.InvocationFailedException as error:
            return [error.reason, error.details, str(error), "".join(traceback.format_exception(error))]
        return []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exceptions have notes from Python 3.11 on")
def test_the_traceback_says_what_to_do_and_the_exception_is_that_of_2_0_0() -> None:
    with WorkflowEnvironment([Asks]) as env:
        reason, details, text, shown = env.run(Asks)
    assert (reason, details, text) == ("ACTIVITY_TYPE_DOES_NOT_EXIST", None, "ACTIVITY_TYPE_DOES_NOT_EXIST")
    assert "An activity host registers the types of its workers" in shown
