"""Every transition of every table is taken once; whatever is not in a table is refused with the path so far."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pyflow.core.history import EVENT_TYPES
from pyflow.core.lifecycle import ENDS, REFERENCES
from pyflow.core.machines import TABLES, Table, diagram, step
from pyflow.exceptions import IllegalTransitionError

DIAGRAM = Path(__file__).parents[3] / "docs" / "state-machines.md"


@dataclass
class Walker:
    """Something that moves through a table."""

    table: Table
    state: str
    path: tuple[str, ...] = field(default=())

    def describe(self) -> str:
        return "walker"


def _transitions() -> list[tuple[str, str, str, str]]:
    return [
        (name, state, happening, target)
        for name, table in TABLES.items()
        for state, row in table.items()
        for happening, target in row.items()
    ]


def _way_to(table: Table, goal: str) -> list[str]:
    """The shortest way from the first state: every state must have one."""
    first = next(iter(table))
    queue: deque[tuple[str, list[str]]] = deque([(first, [])])
    seen = {first}
    while queue:
        state, way = queue.popleft()
        if state == goal:
            return way
        for happening, target in table[state].items():
            if target not in seen:
                seen.add(target)
                queue.append((target, [*way, happening]))
    raise AssertionError(f"{goal} cannot be reached")


@pytest.mark.parametrize(("name", "state", "happening", "target"), _transitions())
def test_transition(name: str, state: str, happening: str, target: str) -> None:
    table = TABLES[name]
    walker = Walker(table, next(iter(table)))
    for each in _way_to(table, state):
        step(walker, each)
    assert walker.state == state
    step(walker, happening)
    assert walker.state == target
    assert walker.path[-1] == happening
    assert target in table


@pytest.mark.parametrize("name", TABLES)
def test_everything_else_is_refused_with_the_path(name: str) -> None:
    table = TABLES[name]
    happenings = {happening for row in table.values() for happening in row}
    refused = 0
    for state, row in table.items():
        for happening in sorted(happenings - set(row)):
            walker = Walker(table, next(iter(table)))
            way = _way_to(table, state)
            for each in way:
                step(walker, each)
            with pytest.raises(IllegalTransitionError, match=f"{state!r} and cannot take {happening}") as caught:
                step(walker, happening)
            assert (" -> ".join(way) or "nothing") in str(caught.value)
            assert walker.state == state
            refused += 1
    assert refused > 0


def test_names_in_tables_are_event_types_of_swf() -> None:
    own = {"withdraw", "request_cancel", "retry", "attempt", "close"}
    for name, _, happening, _ in _transitions():
        assert happening in own or happening in EVENT_TYPES, (name, happening)


def test_every_event_that_ends_something_is_read() -> None:
    assert set(REFERENCES) <= set(EVENT_TYPES)
    progress = {"ActivityTaskStarted", "LambdaFunctionStarted", "ChildWorkflowExecutionStarted"}
    assert set(REFERENCES) - set(ENDS) == progress


def test_the_diagram_is_current() -> None:
    assert DIAGRAM.read_text() == diagram(), "write it anew: python -m pyflow.core.machines > docs/state-machines.md"
