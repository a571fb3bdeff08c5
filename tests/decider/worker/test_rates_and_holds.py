"""Token buckets over time, the back-off of holds, and what is told of them; with a clock that is a number."""

from __future__ import annotations

import json
import logging
import time
import urllib.request

import pytest
from prometheus_client import CollectorRegistry
from pyflow.deciding.holds import HOLD_FIRST_S, HOLD_MAX_S, HoldBook
from pyflow.deciding.rates import RATE_WAIT_MAX_S, SWF_RATES, DecisionRates, Rate, TokenBucket
from pyflow.deciding.task import DecisionTask
from pyflow.metrics import serve_metrics
from pyflow.swf import JsonObject


def decisions(kind: str, count: int) -> list[JsonObject]:
    return [{"decisionType": kind}] * count


def test_a_bucket_empties_and_refills() -> None:
    bucket = TokenBucket(Rate(size=10, per_s=2))
    assert bucket.take(10, 100.0) == 0
    assert bucket.take(4, 100.0) == 2.0
    assert bucket.take(0, 102.0) == 0
    assert bucket.take(10, 107.0) == 0
    assert bucket.take(1, 107.0) == 0.5
    assert bucket.take(20, 10_000.0) == 5.0, "it holds no more than its size"
    assert bucket.take(0, 9_000.0) == 5.0, "time does not run backwards"


def test_rates_of_an_account() -> None:
    rates = DecisionRates(SWF_RATES)
    assert rates.reserve(decisions("StartChildWorkflowExecution", 500), 1.0) == 0
    assert rates.reserve(decisions("RecordMarker", 5_000), 1.0) == 0
    assert rates.reserve(decisions("StartChildWorkflowExecution", 12), 1.0) == pytest.approx(1.0)
    assert rates.reserve(decisions("StartChildWorkflowExecution", 5_000), 1.0) == RATE_WAIT_MAX_S
    assert DecisionRates().reserve(decisions("StartTimer", 9_999), 1.0) == 0


def task(timeout: str = "60") -> DecisionTask:
    started = {"workflowExecutionStartedEventAttributes": {"taskStartToCloseTimeout": timeout}}
    return DecisionTask(
        token="t",
        domain="d",
        workflow_id="w",
        run_id="r",
        workflow_type=("n", "1"),
        previous_started_event_id=0,
        started_event_id=1,
        events=[{"eventId": 1, **started}],
    )


def test_holds_back_off_and_are_said_when_they_change(caplog: pytest.LogCaptureFixture) -> None:
    book = HoldBook()
    now_s = 0.0
    rests = []
    with caplog.at_level(logging.WARNING, logger="pyflow"):
        for _ in range(9):
            book.hold(task(), "nondeterminism", "differs", now_s)
            assert book.is_resting("r", now_s)
            begin_s = now_s
            while book.is_resting("r", now_s):
                now_s += 1
            rests.append(now_s - begin_s)
        assert rests == [5, 10, 20, 40, 80, 160, HOLD_MAX_S, HOLD_MAX_S, HOLD_MAX_S]
        assert caplog.text.count("HELD") == 1
        assert "after its timeout of 60 s" in caplog.text
        assert "pyflow why w --run-id r --domain d" in caplog.text
        book.hold(task(), "nondeterminism", "differs elsewhere", now_s)
        assert caplog.text.count("HELD") == 2
        book.released(task())
        assert caplog.text.count("RELEASED") == 1
    assert book.entries(now_s) == []
    assert not book.is_resting("r", now_s)


def test_a_task_that_will_not_come_again_is_said(caplog: pytest.LogCaptureFixture) -> None:
    HoldBook().hold(task("NONE"), "framework", "failed", 0.0)
    assert "will NOT come again by itself" in caplog.text


@pytest.mark.parametrize(("timeout", "forgotten"), [("60", True), ("NONE", False)])
def test_what_was_terminated_or_is_with_another_decider_is_not_held_for_ever(timeout: str, forgotten: bool) -> None:
    book = HoldBook()
    book.hold(task(timeout), "nondeterminism", "differs", 0.0)
    for now_s in range(60, 6_001, 60):  # its task comes again and again
        book.is_resting("r", float(now_s))
        assert [entry.run_id for entry in book.entries(float(now_s))] == ["r"]
    assert book.entries(6_200.0)
    assert (book.entries(6_241.0) == []) is forgotten
    assert book.entries(1e9) == [] or not forgotten


def test_moments_of_holds_are_told_in_epoch_seconds() -> None:
    now_s = time.monotonic()
    book = HoldBook()
    book.hold(task(), "nondeterminism", "differs", now_s)
    port = serve_metrics(0, registry=CollectorRegistry(), holds=lambda: book.entries(now_s))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/holds", timeout=10) as answer:
        (told,) = json.loads(answer.read())
    assert told["next_try_s"] - told["seen_s"] == pytest.approx(HOLD_FIRST_S)
    assert told["seen_s"] == pytest.approx(told["since_s"], abs=5.0)
