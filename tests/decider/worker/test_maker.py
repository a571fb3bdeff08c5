"""The cache's rules: when a kept execution may be used, when it is thrown away, and that a replay has the last word."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyflow.core.values import Advance, Hold
from pyflow.deciding.maker import AwaitsOutcome, Decided, DecisionMaker, ExecutionLike, Held, NeedsHistory
from pyflow.deciding.task import DecisionTask
from pyflow.exceptions import WorkflowStuck
from pyflow.swf import JsonObject


@dataclass
class Scripted:
    """An execution that notes what it is given and answers what it is told to."""

    seen: list[list[int]] = field(default_factory=list)
    answers: list[Advance | BaseException] = field(default_factory=list)
    evicted: int = 0

    def advance(self, events: list[JsonObject], *, previous_started_event_id: int, started_event_id: int) -> Advance:
        self.seen.append([event["eventId"] for event in events])
        answer = self.answers.pop(0) if self.answers else Advance(last_event_id=started_event_id)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def evict(self) -> None:
        self.evicted += 1


class Bench:
    """A maker whose executions are all noted."""

    def __init__(self, max_cached: int = 10) -> None:
        self.built: list[Scripted] = []
        self.next_answers: list[Advance | BaseException] = []
        self.maker = DecisionMaker(self._build, max_cached=max_cached)

    def _build(self, task: DecisionTask) -> ExecutionLike | None:
        if task.workflow_type[0] == "unknown":
            return None
        self.built.append(Scripted(answers=self.next_answers))
        self.next_answers = []
        return self.built[-1]


def task(first: int, last: int, previous: int = 0, run: str = "r", name: str = "n") -> DecisionTask:
    events: list[JsonObject] = [{"eventId": number} for number in range(first, last + 1)]
    return DecisionTask(
        token="t",
        domain="d",
        workflow_id="w",
        run_id=run,
        workflow_type=(name, "1"),
        previous_started_event_id=previous,
        started_event_id=last,
        events=events,
    )


def test_new_events_alone_go_to_a_kept_execution() -> None:
    bench = Bench()
    assert isinstance(bench.maker.make(task(1, 3)), Decided)
    bench.maker.outcome("r", accepted=True)
    made = bench.maker.make(task(3, 8, previous=3))
    assert isinstance(made, Decided)
    assert made.from_cache
    assert made.new_events == 5
    assert bench.built[0].seen == [[1, 2, 3], [4, 5, 6, 7, 8]]


def test_a_whole_history_does_not_repeat_events_to_a_kept_execution() -> None:
    bench = Bench()
    bench.maker.make(task(1, 3))
    bench.maker.outcome("r", accepted=True)
    bench.maker.make(task(1, 8, previous=3))
    assert bench.built[0].seen == [[1, 2, 3], [4, 5, 6, 7, 8]]


def test_the_fate_of_the_last_answer_is_awaited() -> None:
    bench = Bench()
    bench.maker.make(task(1, 3))
    assert isinstance(bench.maker.make(task(3, 8, previous=3)), AwaitsOutcome)


def test_a_refused_answer_throws_the_execution_away() -> None:
    bench = Bench()
    bench.maker.make(task(1, 3))
    bench.maker.outcome("r", accepted=False)
    assert bench.built[0].evicted == 1
    assert isinstance(bench.maker.make(task(3, 8, previous=3)), NeedsHistory)
    assert isinstance(bench.maker.make(task(1, 8, previous=3)), Decided)
    assert bench.built[1].seen == [[1, 2, 3, 4, 5, 6, 7, 8]]


def test_another_decider_has_answered_meanwhile() -> None:
    bench = Bench()
    bench.maker.make(task(1, 3))
    bench.maker.outcome("r", accepted=True)
    assert isinstance(bench.maker.make(task(9, 14, previous=9)), NeedsHistory)
    assert bench.built[0].evicted == 1


def test_the_least_recently_used_goes_first() -> None:
    bench = Bench(max_cached=2)
    for run in ("a", "b"):
        bench.maker.make(task(1, 3, run=run))
        bench.maker.outcome(run, accepted=True)
    bench.maker.make(task(3, 8, previous=3, run="a"))
    bench.maker.outcome("a", accepted=True)
    bench.maker.make(task(1, 3, run="c"))
    assert [built.evicted for built in bench.built] == [0, 1, 0]
    assert len(bench.maker) == 2


def test_nothing_is_kept_without_a_cache() -> None:
    bench = Bench(max_cached=0)
    made = bench.maker.make(task(1, 3))
    assert isinstance(made, Decided)
    assert not made.cached
    assert bench.built[0].evicted == 1


def test_a_closed_execution_is_thrown_away_once_its_answer_is_accepted() -> None:
    bench = Bench()
    bench.next_answers = [Advance(closed=True, last_event_id=3)]
    made = bench.maker.make(task(1, 3))
    assert isinstance(made, Decided)
    assert not made.cached
    bench.maker.outcome("r", accepted=True)
    assert len(bench.maker) == 0


def test_an_unknown_type_is_held() -> None:
    made = Bench().maker.make(task(1, 3, name="unknown"))
    assert isinstance(made, Held)
    assert made.kind == "unknown_type"


def test_what_the_core_raises_is_held_with_its_trace() -> None:
    bench = Bench()
    bench.next_answers = [ZeroDivisionError("oh")]
    made = bench.maker.make(task(1, 3))
    assert isinstance(made, Held)
    assert made.kind == "framework"
    assert "ZeroDivisionError: oh" in made.message
    assert "test_maker.py" in made.message
    assert bench.built[0].evicted == 1


def test_a_hold_from_the_cache_is_tried_from_the_whole_history() -> None:
    bench = Bench()
    hold = Advance(held=Hold(kind="nondeterminism", message="differs"))
    bench.next_answers = [Advance(last_event_id=3), hold]
    bench.maker.make(task(1, 3))
    bench.maker.outcome("r", accepted=True)
    assert isinstance(bench.maker.make(task(3, 8, previous=3)), NeedsHistory)
    assert bench.built[0].evicted == 1
    assert isinstance(bench.maker.make(task(1, 8, previous=3)), Decided)

    bench.next_answers = [hold]
    assert isinstance(bench.maker.make(task(1, 3, run="other")), Held)


def test_code_that_did_not_come_back_is_not_tried_again_at_once() -> None:
    bench = Bench()
    bench.next_answers = [Advance(last_event_id=3), WorkflowStuck("at x.py:1")]
    bench.maker.make(task(1, 3))
    bench.maker.outcome("r", accepted=True)
    made = bench.maker.make(task(3, 8, previous=3))
    assert isinstance(made, Held)
    assert (made.kind, made.message) == ("stuck", "at x.py:1")


def test_closing_throws_everything_away() -> None:
    bench = Bench()
    for run in ("a", "b"):
        bench.maker.make(task(1, 3, run=run))
    bench.maker.close()
    assert [built.evicted for built in bench.built] == [1, 1]
