"""Whatever happens in whatever order: no credit is overdrawn, every task ends once, the ledger balances."""

from __future__ import annotations

import random

import pytest
from host_desk import LIST, Desk, completed, finished, running
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host.core.effects import Call
from pyflow_host.core.leases import LeaseState
from pyflow_host.core.values import SWF_OK, Said, SwfSaid

STEPS = 400
SAID = (
    SWF_OK,
    SWF_OK,
    SWF_OK,
    SwfSaid(said=Said.LATER),
    SwfSaid(said=Said.GONE, message="gone"),
    SwfSaid(said=Said.OK, cancel_requested=True),
)


class Crowd:
    """Workers, SWF and the network, all driven by one random source."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.desk = Desk(polls_of_list_max=8)
        self.streams: dict[str, int] = {}
        self.granted: dict[int, int] = {}
        self.held: dict[str, dict[bytes, bool]] = {f"w{number}": {} for number in range(4)}
        self.read: dict[int, int] = {}
        self.ends: dict[str, int] = {}

    def step(self) -> None:
        getattr(self, self.random.choice(ACTIONS))()
        for key in list(self.streams):
            self.receive(key)
        counts = self.desk.ledger()
        assert counts["lost"] == 0
        for stream, credits in self.granted.items():
            assert len(self.desk.sent(stream, pb.Task)) <= credits
        self.check_sums()

    def check_sums(self) -> None:
        """The running sums of the core are what counting anew gives."""
        state = self.desk.core._state
        demand = state.demand(LIST)
        assert demand.credits == sum(worker.credits for worker in state.workers.values())
        unplaced = [lease for lease in state.leases if lease.state in (LeaseState.WAITING, LeaseState.LOOKING_UP)]
        assert demand.unplaced == len(unplaced)
        assert demand.polls_open == len(self.desk.polls)
        held = {token for worker in state.workers.values() for token in worker.held}
        assert held <= {lease.swf_token for lease in state.leases}

    def do_connect(self) -> None:
        key = self.random.choice(sorted(self.held))
        if key in self.streams and self.random.random() < 0.8:
            return
        resume = tuple(finished(token) if done else running(token) for token, done in self.held[key].items())
        stream = self.desk.connect(key, types=("act",) if key != "w3" else ("act", "odd"), resume=resume)
        self.streams[key] = stream
        self.granted[stream] = self.read[stream] = 0
        for answer in self.desk.last(stream, pb.Welcome).resumed:
            if not answer.wanted:
                del self.held[key][answer.task_token]
            elif self.held[key][answer.task_token]:
                self.desk.frame(stream, outcomes=[completed(answer.task_token)])

    def do_credit(self) -> None:
        if self.streams:
            stream = self.streams[self.random.choice(sorted(self.streams))]
            more = self.random.randrange(4)
            self.granted[stream] += more
            self.desk.frame(stream, credits=more)

    def do_cut(self) -> None:
        if self.streams and self.random.random() < 0.4:
            self.desk.cut(self.streams.pop(self.random.choice(sorted(self.streams))))

    def do_poll(self) -> None:
        if not self.desk.polls:
            return
        if self.random.random() < 0.2:
            self.desk.take(self.desk.core.poll_failed(self.desk.polls.pop(0), self.desk.now))
        else:
            self.desk.task(name=self.random.choice(("act", "act", "odd", "unknown")))

    def do_finish(self) -> None:
        for key in sorted(self.held):
            unfinished = [token for token, done in self.held[key].items() if not done]
            if unfinished and self.random.random() < 0.5:
                token = self.random.choice(unfinished)
                self.held[key][token] = True
                if key in self.streams:
                    self.desk.frame(self.streams[key], outcomes=[completed(token)] * self.random.choice((1, 1, 2)))

    def do_answer(self) -> None:
        if self.desk.calls:
            said = self.random.choice(SAID)
            call = self.desk.answer(said)
            if call.call is not Call.HEARTBEAT and said.said is Said.OK:
                self.ends[call.swf_token] = self.ends.get(call.swf_token, 0) + 1

    def do_time(self) -> None:
        for key, stream in list(self.streams.items()):
            if self.random.random() < 0.95:
                self.desk.frame(stream, status=pb.Status(held=[running(token) for token in self.held[key]]))
        self.desk.pass_time(self.random.choice((0.1, 1.0, 3.0, 7.0)), beats=None)
        self.streams = {key: stream for key, stream in self.streams.items() if stream not in self.desk.ended}

    def receive(self, key: str) -> None:
        stream = self.streams[key]
        items = self.desk.items[stream]
        for item in items[self.read[stream] :]:
            if isinstance(item, pb.Task):
                assert item.task_token not in self.held[key]
                self.held[key][item.task_token] = False
            elif isinstance(item, pb.OutcomeAck):
                self.held[key].pop(item.task_token, None)
        self.read[stream] = len(items)

    def settle(self) -> None:
        """No new tasks; everybody comes back, finishes and reads its acks."""
        self.desk.take(self.desk.core.drain(self.desk.now))
        while self.desk.polls:
            self.desk.no_task()
        for _ in range(60):
            for key in sorted(self.streams):
                self.receive(key)
                tokens = list(self.held[key])
                self.held[key] = dict.fromkeys(tokens, True)
                self.desk.frame(self.streams[key], outcomes=[completed(token) for token in tokens])
                self.receive(key)
                self.desk.frame(self.streams[key], status=pb.Status(held=[finished(token) for token in self.held[key]]))
            while self.desk.calls:
                call = self.desk.answer()
                if call.call is not Call.HEARTBEAT:
                    self.ends[call.swf_token] = self.ends.get(call.swf_token, 0) + 1
            self.desk.pass_time(2.0, beats=None)


ACTIONS = [name for name in dir(Crowd) if name.startswith("do_")]


@pytest.mark.parametrize("seed", range(40))
def test_any_order(seed: int) -> None:
    crowd = Crowd(seed)
    crowd.do_connect()
    for _ in range(STEPS):
        crowd.step()
    crowd.settle()
    counts = crowd.desk.ledger()
    assert counts["held"] == 0, "every task has ended"
    assert all(count == 1 for count in crowd.ends.values()), "and each once"
    assert counts["received"] > 20, "a run in which nothing happens proves nothing"
    assert all(not crowd.held[key] for key in crowd.streams), "every connected worker has its acks"
