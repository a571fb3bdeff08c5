"""The decorator, what a worker finds, and the context, run in tests without a host."""

from __future__ import annotations

import threading
import types

import pytest
from pyflow_activity import ActivityCanceled, NotInActivity, ProgressTooLarge, activity, current
from pyflow_activity.activity import activities_of
from pyflow_activity.errors import BadUsage
from pyflow_activity.testing import ActivityEnvironment, run


@activity(version="2.1", start_to_close=1.5, heartbeat=None, name="other", description="what it does")
def named(text: str) -> str:
    return text.upper()


@activity
def plain() -> str:
    """First line.

    More.
    """
    return current().workflow_id


def test_function_stays_callable() -> None:
    assert named("x") == "X"


def test_registration() -> None:
    found = activities_of([named, plain])
    assert set(found) == {("other", "2.1"), ("plain", "1.0")}
    kind = found["other", "2.1"].as_type()
    assert (kind.start_to_close_timeout.seconds, kind.start_to_close_timeout.nanos) == (1, 500_000_000)
    assert not kind.HasField("heartbeat_timeout")
    assert not kind.HasField("schedule_to_start_timeout")
    assert kind.description == "what it does"
    plain_kind = found["plain", "1.0"].as_type()
    assert plain_kind.heartbeat_timeout.seconds == 30
    assert plain_kind.description == "First line."


def test_module_and_object() -> None:
    module = types.ModuleType("some")
    module.named, module.unmarked = named, len  # type: ignore[attr-defined]
    assert set(activities_of(module)) == {("other", "2.1")}

    class Words:
        @activity
        def count(self, text: str) -> int:
            return len(text)

        def not_one(self) -> None: ...

    found = activities_of([Words()])
    assert found["count", "1.0"].function("abc") == 3


def test_wrong_uses_are_told() -> None:
    with pytest.raises(BadUsage, match="no activities"):
        activities_of(types.ModuleType("empty"))
    with pytest.raises(BadUsage, match="not marked"):
        activities_of([len])
    with pytest.raises(BadUsage, match="seconds above 0"):
        activity(start_to_close=0)(lambda: None)
    with pytest.raises(BadUsage, match="name of 1 to 256"):
        activity(name="x" * 257)(lambda: None)

    @activity(name="other", version="2.1")
    def twin() -> None: ...

    with pytest.raises(BadUsage, match="Two activities"):
        activities_of([named, twin])


def test_current_outside_is_told() -> None:
    with pytest.raises(NotInActivity, match=r"testing\.run"):
        current()


def test_run_in_a_test() -> None:
    assert run(plain) == "test-workflow"
    with pytest.raises(NotInActivity):
        current()


def test_environment() -> None:
    def works() -> tuple[object, ...]:
        me = current()
        me.progress({"at": 1})
        me.progress([2])
        return me.attempt, me.last_progress, me.idempotency_key, me.activity_id, me.time_left_s

    environment = ActivityEnvironment(attempt=3, last_progress={"at": 0})
    assert environment.run(works) == (3, {"at": 0}, "test-run/activity1", "activity1.attempt3", None)
    assert environment.progress == [{"at": 1}, [2]]
    left = ActivityEnvironment(time_left_s=60).run(lambda: current().time_left_s)
    assert left is not None
    assert 0 < left <= 60


def test_progress_that_is_too_long_raises_to_the_author() -> None:
    environment = ActivityEnvironment()
    environment.run(lambda: current().progress("x" * 2_046))
    with pytest.raises(ProgressTooLarge, match="2049 characters"):
        environment.run(lambda: current().progress("x" * 2_047))


def test_cancel() -> None:
    def stops() -> None:
        assert current().wait_canceled(30)
        current().raise_if_canceled({"at": 1})

    environment = ActivityEnvironment()
    called = threading.Event()
    environment.context.on_cancel(called.set)
    environment.context.on_cancel(lambda: 1 // 0)  # a broken callback harms nobody
    environment.run(lambda: current().raise_if_canceled())
    threading.Timer(0.01, environment.cancel).start()
    with pytest.raises(ActivityCanceled) as caught:
        environment.run(stops)
    assert caught.value.details == {"at": 1}
    assert called.is_set()
    assert environment.context.cancel_reason == "REQUESTED"
    late = threading.Event()
    environment.context.on_cancel(late.set)
    assert late.is_set()


def test_canceled_is_not_an_exception() -> None:
    assert not issubclass(ActivityCanceled, Exception), "an author's `except Exception` must not swallow it"
