"""A trouble that lasts is said once for each kind, and its end once, however many have it together."""

from __future__ import annotations

import logging

import pytest
from pyflow.swf.trouble import TroubleLog


@pytest.fixture
def troubles(caplog: pytest.LogCaptureFixture) -> TroubleLog:
    caplog.set_level(logging.INFO)
    return TroubleLog(logging.getLogger("troubles"))


def test_each_kind_is_said_once_and_the_end_with_how_often(
    troubles: TroubleLog, caplog: pytest.LogCaptureFixture
) -> None:
    for kind in ("Throttled", "Unreachable", "Throttled", "Unreachable", "Throttled"):
        troubles.had("polls", kind, f"had {kind}")
    troubles.over("polls")
    troubles.over("polls")
    assert caplog.messages == [
        "polls: had Throttled",
        "polls: had Unreachable",
        "polls: works again after 3 x Throttled, 2 x Unreachable",
    ]
    troubles.had("polls", "Throttled", "had again")
    assert caplog.messages[-1] == "polls: had again", "a new trouble is said anew"


def test_it_is_over_when_it_is_for_all_who_have_it(troubles: TroubleLog, caplog: pytest.LogCaptureFixture) -> None:
    for who in ("one", "two"):
        troubles.had("polls", "Unreachable", "it is gone", who=who)
    troubles.over("polls", who="three")
    troubles.over("polls", who="one")
    troubles.had("polls", "Unreachable", "it is gone", who="two")
    assert caplog.messages == ["polls: it is gone"]
    troubles.over("polls", who="two")
    assert caplog.messages[1:] == ["polls: works again after 3 x Unreachable"]
