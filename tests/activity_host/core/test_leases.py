"""Every transition of a lease is in the table; every other one is refused with the path so far."""

from __future__ import annotations

import itertools

import pytest
from host_desk import LIST
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host.core import leases
from pyflow_host.core.leases import IllegalTransition, Lease, LeaseEvent, LeaseState, LeaseTable
from pyflow_host.core.values import TypeKey

PAIRS = list(itertools.product(LeaseState, LeaseEvent))


def lease(state: LeaseState, token: str = "swf") -> Lease:
    return Lease(
        swf_token=token,
        list_key=LIST,
        type=TypeKey("act", "1"),
        workflow_id="wf",
        run_id="run",
        activity_id="activity1",
        state=state,
    )


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=[f"{state.name}-{event.name}" for state, event in PAIRS])
def test_transition(state: LeaseState, event: LeaseEvent) -> None:
    one = lease(state)
    after = leases.TRANSITIONS.get((state, event))
    if after is None:
        with pytest.raises(IllegalTransition, match="cannot happen to a task that is"):
            one.happen(event)
        assert one.state is state
    else:
        one.happen(event)
        assert one.state is after


def test_every_state_can_be_reached_and_left() -> None:
    reached = {LeaseState.WAITING, LeaseState.LOOKING_UP, LeaseState.RUNNING, LeaseState.DETACHED}  # where leases begin
    reached |= set(leases.TRANSITIONS.values())
    assert reached == set(LeaseState)
    assert {state for state, _ in leases.TRANSITIONS} == set(LeaseState) - {LeaseState.CLOSED}


def test_refusal_tells_the_path() -> None:
    one = lease(LeaseState.WAITING)
    one.happen(LeaseEvent.DISPATCHED)
    one.happen(LeaseEvent.STREAM_CUT)
    with pytest.raises(IllegalTransition, match="so far: dispatched, stream cut"):
        one.happen(LeaseEvent.DISPATCHED)


def test_table_forgets_the_oldest_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "CLOSED_REMEMBERED_MAX", 2)
    table = LeaseTable()
    for name in "abc":
        table.add(one := lease(LeaseState.REPORTING, name))
        table.close(one, pb.ACK_STATUS_DUPLICATE)
    assert [table.closed_as(name) for name in "abc"] == [None, pb.ACK_STATUS_DUPLICATE, pb.ACK_STATUS_DUPLICATE]
