"""Carries out the steps of a worker case: plays the host, and holds the worker to what the case expects."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
from google.protobuf import json_format
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_conformance import worker_steps as steps
from pyflow_conformance.errors import BadCase, Mismatch
from pyflow_conformance.frames import duration_of, task_of, welcome_of
from pyflow_conformance.matching import message_differences, payload_differences, shown
from pyflow_conformance.scripted_host import ScriptedHost, Stream
from pyflow_conformance.texts import Names
from pyflow_conformance.worker_process import ChildProcess

GATE_LOOK_S = 0.01
START_WITHIN_S = 90.0
STATUS_AGAIN_S = 0.05


class WorkerScript:
    """One case with one worker. `wire` has the bytes of outcomes and progress, to compare languages."""

    def __init__(self, host: ScriptedHost, process: ChildProcess, names: Names, *, slots: int, directory: Path) -> None:
        self._host = host
        self._process = process
        self._names = names
        self._slots = slots
        self._directory = directory
        self._streams_before = len(host.streams)
        self._stream: Stream | None = None
        self._nonce = self._rounds = 0
        self._step_began = 0.0
        self._unary_seen = len(host.unary_seen)
        self.wire: dict[str, bytes] = {}
        host.deaf, host.unary_code, host.cancel_requested = False, None, False
        host.ack_status = "ACK_STATUS_REPORTED"
        self._do: dict[type, Callable[..., Awaitable[None]]] = {
            steps.Connect: self._connect, steps.Hello: self._hello, steps.Welcome: self._welcome,
            steps.Credits: self._credits, steps.Task: self._task, steps.Tasks: self._tasks,
            steps.Outcome: self._outcome, steps.Progress: self._progress, steps.Ack: self._ack,
            steps.Cancel: self._cancel, steps.Status: self._status, steps.Calls: self._calls, steps.Cut: self._cut,
            steps.Listen: self._listen, steps.GoAway: self._go_away, steps.Frame: self._frame,
            steps.Signal: self._signal, steps.Draining: self._draining, steps.Closed: self._closed,
            steps.Exit: self._exit, steps.Output: self._output, steps.Begun: self._begun, steps.Go: self._go,
            steps.Write: self._write, steps.Answer: self._answer, steps.Unary: self._unary, steps.Deaf: self._deaf,
        }  # fmt: skip

    async def run(self, step: steps.WorkerStep) -> None:
        """Carry out one step. Raises Mismatch."""
        before = asyncio.get_running_loop().time()
        await self._do[type(step)](step)
        self._step_began = before
        self._host.check()

    async def is_clean(self) -> bool:
        """Whether another case can go on with this worker: it is there, holds nothing and has all its slots."""
        stream = self._stream
        if not self._process.is_running or stream is None or stream.over or stream.draining:
            return False
        try:
            await self._status(steps.Status(slots_free=self._slots, within_s=2.0))
        except Mismatch:
            return False
        return True

    @property
    def _open(self) -> Stream:
        if self._stream is None:
            raise BadCase("A step needs a stream, but there was no `hello` or `connect` before.")
        return self._stream

    async def _connect(self, step: steps.Connect) -> None:
        await self._hello(steps.Hello())
        await self._welcome(steps.Welcome(ping_interval_s=step.ping_interval_s))
        await self._credits(steps.Credits(total=self._slots))

    async def _hello(self, step: steps.Hello) -> None:
        began = self._step_began

        def new_stream() -> Stream | None:
            new = [stream for stream in self._host.streams[self._streams_before :] if stream.hello is not None]
            return new[0] if new else None

        def or_dead() -> Stream | None:
            found = new_stream()
            if found is None and not self._process.is_running:
                raise Mismatch(f"the worker ended with {self._process.exit_code} instead of connecting")
            return found

        # A process that has just been started may need its time on a busy machine.
        within_s = step.within_s if self._host.streams else START_WITHIN_S
        stream: Stream = await self._host.until(or_dead, "a stream with Hello", within_s)
        self._stream, self._streams_before = stream, stream.number
        waited_s = asyncio.get_running_loop().time() - began
        if waited_s < step.not_before_s:
            raise Mismatch(
                f"the worker came back after {waited_s:.2f} s, earlier than the {step.not_before_s:g} s asked"
            )
        hello = stream.hello
        assert hello is not None
        self._same(message_differences(self._names.value(step.expect), hello, "Hello"))
        resumed = {held.task_token: pb.TaskState.Name(held.state).removeprefix("TASK_STATE_") for held in hello.resume}
        wanted = {self._names.token(task): state for task, state in step.resume.items()}
        if resumed != wanted or len(hello.resume) != len(wanted):
            raise Mismatch(f"Hello.resume should be {shown(wanted)} but is {shown(resumed)}")

    async def _welcome(self, step: steps.Welcome) -> None:
        hello = self._open.hello
        assert hello is not None
        self._send(pb.HostFrame(welcome=welcome_of(step, hello, self._names)))

    async def _credits(self, step: steps.Credits) -> None:
        referee = self._host.referee
        await self._host.until(
            lambda: referee.credits_granted == step.total,
            f"{step.total} credits on this stream (there are {referee.credits_granted})",
            step.within_s,
        )

    async def _task(self, step: steps.Task) -> None:
        await self._tasks(steps.Tasks(tasks=[step]))

    async def _tasks(self, step: steps.Tasks) -> None:
        self._send(pb.HostFrame(tasks=[task_of(task, self._names) for task in step.tasks]))

    async def _outcome(self, step: steps.Outcome) -> None:
        token, stream = self._names.token(step.task), self._open
        found = await self._host.until(
            lambda: stream.outcomes.get(token), f"the outcome of {step.task!r}", step.within_s
        )
        outcome, raw = found[-1]
        where = f"the outcome of {step.task!r}"
        kinds = {"completed": step.completed, "failed": step.failed, "canceled": step.canceled}
        wanted = "will_complete_later" if step.later else next(k for k, v in kinds.items() if v is not None)
        if outcome.WhichOneof("result") != wanted:
            raise Mismatch(f"{where} should be {wanted} but is {shown(str(outcome))}")
        if step.completed is not None:
            if not outcome.completed.HasField("result"):
                raise Mismatch(f"{where} has no result; a function that returns nothing sends null")
            result = outcome.completed.result
            expected = self._names.value(step.completed)
            self._same(payload_differences(expected, result.data, result.content_type, f"{where}: result"))
            if "bytes" in step.completed:
                self._compare_wire(step.task, outcome, raw)
        elif step.failed is not None:
            self._same(message_differences(self._names.value(step.failed), outcome.failed, f"{where}: failed"))
            if isinstance(step.failed.get("message"), str):
                self.wire[step.task] = without_its_language(outcome).SerializeToString(deterministic=True)
        elif step.canceled is not None:
            self._same(message_differences(self._names.value(step.canceled), outcome.canceled, f"{where}: canceled"))
            self._compare_wire(step.task, outcome, raw)
        else:
            self._compare_wire(step.task, outcome, raw)

    def _compare_wire(self, task: str, outcome: pb.Outcome, raw: bytes) -> None:
        if raw != outcome.SerializeToString(deterministic=True):
            raise Mismatch(f"the outcome of {task!r} has other bytes on the wire than its fields: {shown(raw.hex())}")
        self.wire[task] = raw

    async def _progress(self, step: steps.Progress) -> None:
        token, stream = self._names.token(step.task), self._open
        where, latest = f"the progress of {step.task!r}", ["there was none"]

        def arrived() -> bool:
            told = stream.progress.get(token)
            if not told:
                return False
            details = told[-1].details
            if not step.details:
                return True
            found = payload_differences(self._names.value(step.details), details.data, details.content_type, where)
            latest[:] = found
            return not found

        try:
            await self._host.until(arrived, where, step.within_s)
        except Mismatch as error:
            raise Mismatch(f"{error}: {'; '.join(latest)}") from None
        if "bytes" in step.details:
            self.wire[f"{step.task}, progress"] = stream.progress[token][-1].details.SerializeToString()
        if step.before_outcome:
            order = [kind for kind, of in stream.order if of == token]
            if "outcome" in order and order.index("outcome") < len(order) - 1:
                raise Mismatch(f"{where} came after its outcome: the host ignores it")

    async def _ack(self, step: steps.Ack) -> None:
        tasks = [step.tasks] if isinstance(step.tasks, str) else step.tasks
        status = f"ACK_STATUS_{step.status}"
        acks = [pb.OutcomeAck(task_token=self._names.token(t), status=status, message=step.message) for t in tasks]
        self._send(pb.HostFrame(acks=acks))

    async def _cancel(self, step: steps.Cancel) -> None:
        reason = f"CANCEL_REASON_{step.reason}"
        self._send(pb.HostFrame(cancels=[pb.Cancel(task_token=self._names.token(step.task), reason=reason)]))

    async def _status(self, step: steps.Status) -> None:
        deadline = asyncio.get_running_loop().time() + step.within_s
        while True:
            left = deadline - asyncio.get_running_loop().time()
            differences = await self._ask_status(step, max(left, 0.1))
            if not differences:
                return
            if not step.until_held or left <= 0:
                raise Mismatch("; ".join(differences))
            await asyncio.sleep(STATUS_AGAIN_S)

    async def _ask_status(self, step: steps.Status, within_s: float) -> list[str]:
        stream = self._open
        self._nonce += 1
        nonce = (1 << 63) + self._nonce
        self._send(pb.HostFrame(ping=pb.Ping(nonce=nonce)))
        status: pb.Status = await self._host.until(
            lambda: stream.statuses.get(nonce), "the Status that answers a Ping", within_s
        )
        held = {held.task_token: pb.TaskState.Name(held.state).removeprefix("TASK_STATE_") for held in status.held}
        wanted = {self._names.token(task): state for task, state in step.held.items()}
        found = [] if held == wanted else [f"Status.held should be {shown(wanted)} but is {shown(held)}"]
        if step.slots_free is not None and status.slots_free != step.slots_free:
            found.append(f"Status.slots_free should be {step.slots_free} but is {status.slots_free}")
        for task, count in step.outcomes.items():
            came = len(stream.outcomes.get(self._names.token(task), ()))
            if came != count:
                found.append(f"{task!r} should have had {count} outcomes on this stream but had {came}")
        return found

    async def _calls(self, step: steps.Calls) -> None:
        stream, referee = self._open, self._host.referee
        self._rounds += 1
        tokens = {self._names.token(f"{self._rounds}.{number}"): number for number in range(step.count)}
        waiting, acked = list(tokens.items()), set[bytes]()
        deadline = asyncio.get_running_loop().time() + step.within_s
        while len(acked) < step.count:
            ended = [token for token in stream.outcomes if token in tokens and token not in acked]
            for token in ended:
                result = stream.outcomes[token][-1][0].completed.result.data
                if result != str(tokens[token]).encode():
                    raise Mismatch(f"call {tokens[token]} gave {shown(str(stream.outcomes[token][-1][0]))}")
            acked.update(ended)
            frame = pb.HostFrame(acks=[pb.OutcomeAck(task_token=t, status=pb.ACK_STATUS_REPORTED) for t in ended])
            for token, number in waiting[: min(step.bundle, referee.credits_left)]:
                frame.tasks.append(self._numbered(step.activity, token, number))
            del waiting[: len(frame.tasks)]
            if frame.ByteSize():
                self._send(frame)
                continue
            left = max(0.05, deadline - asyncio.get_running_loop().time())
            what = f"outcomes or credits ({len(acked)} of {step.count} calls are done)"
            await self._host.until(lambda: self._calls_go_on(tokens, acked, bool(waiting)), what, left)
        await self._host.until(
            lambda: referee.credits_left + referee.running == self._slots,
            "a credit for each free slot after the calls",
            steps.DEADLINE_S,
        )

    def _calls_go_on(self, tokens: dict[bytes, int], acked: set[bytes], waiting: bool) -> bool:
        new = any(token in tokens and token not in acked for token in self._open.outcomes)
        return new or (waiting and self._host.referee.credits_left > 0)

    def _numbered(self, activity: str, token: bytes, number: int) -> pb.Task:
        task = task_of(steps.Task(id="calls", activity=activity, input=str(number)), self._names)
        task.task_token = token
        return task

    async def _cut(self, step: steps.Cut) -> None:
        stream = self._open
        if step.how == "reset":
            self._host.relay.reset()
        elif step.how == "refuse":
            await self._host.relay.refuse()
        elif step.how == "stall":
            self._host.relay.stall()
            return
        elif step.how in grpc.StatusCode.__members__:
            stream.end(grpc.StatusCode[step.how], "as the case says")
        else:
            raise BadCase(f"cut: {step.how!r} is neither a gRPC status nor reset, refuse or stall.")
        await self._host.until(lambda: stream.over, "the end of the stream", steps.DEADLINE_S)

    async def _listen(self, step: steps.Listen) -> None:
        await self._host.relay.listen()

    async def _go_away(self, step: steps.GoAway) -> None:
        stream = self._open
        go_away = pb.GoAway(reason=f"GO_AWAY_REASON_{step.reason}", message=step.message)
        if step.reconnect_after_s is not None:
            go_away.reconnect_after.CopyFrom(duration_of(step.reconnect_after_s))
        self._send(pb.HostFrame(go_away=go_away))
        stream.end()

    async def _frame(self, step: steps.Frame) -> None:
        frame = json_format.ParseDict(self._names.members(step.json), pb.HostFrame())
        self._host.referee.sent(frame)
        self._open.to_send.put_nowait(frame.SerializeToString() + bytes.fromhex(step.hex))

    async def _signal(self, step: steps.Signal) -> None:
        self._process.signal(signal.Signals[f"SIG{step.name}"])

    async def _draining(self, step: steps.Draining) -> None:
        stream = self._open
        await self._host.until(lambda: stream.draining, "Draining", step.within_s)

    async def _closed(self, step: steps.Closed) -> None:
        stream = self._open
        await self._host.until(
            lambda: stream.half_closed or stream.over, "the worker's end of the stream", step.within_s
        )

    async def _exit(self, step: steps.Exit) -> None:
        code = await self._process.wait(step.within_s)
        if code is None:
            raise Mismatch(f"the worker did not end within {step.within_s:g} s")
        if (code == 0) if step.code == "failure" else (code != step.code):
            raise Mismatch(f"the worker ended with {code}; expected: {step.code}")
        for text in step.says:
            wanted = self._names.text(text)
            if not any(wanted in line for line in self._process.lines):
                raise Mismatch(f"the worker ended without saying {wanted!r}")
        opened = len(self._host.streams)
        if step.streams is not None and opened != step.streams:
            raise Mismatch(f"the worker opened {opened} streams; expected: {step.streams}")

    async def _output(self, step: steps.Output) -> None:
        text = self._names.text(step.says)
        if not await self._process.wait_output(text, step.within_s):
            raise Mismatch(f"the worker did not say {text!r} within {step.within_s:g} s")

    async def _begun(self, step: steps.Begun) -> None:
        for gate in [step.gate] if isinstance(step.gate, str) else step.gate:
            path = self._directory / f"{gate}.begun"
            deadline = asyncio.get_running_loop().time() + steps.DEADLINE_S
            while not path.exists():
                self._host.check()
                if asyncio.get_running_loop().time() > deadline:
                    raise Mismatch(f"the activity with the gate {gate!r} did not begin within {steps.DEADLINE_S:g} s")
                await asyncio.sleep(GATE_LOOK_S)

    async def _go(self, step: steps.Go) -> None:
        for gate in [step.gate] if isinstance(step.gate, str) else step.gate:
            (self._directory / f"{gate}.go").touch()

    async def _write(self, step: steps.Write) -> None:
        if step.text is None:
            (self._directory / step.file).unlink()
            return
        path = self._directory / f".{step.file}.new"
        path.write_text(self._names.text(step.text), "utf-8")
        path.replace(self._directory / step.file)

    async def _answer(self, step: steps.Answer) -> None:
        self._host.ack_status = f"ACK_STATUS_{step.ack}"
        self._host.cancel_requested = step.cancel_requested
        self._host.unary_code = None if step.code is None else grpc.StatusCode[step.code]

    async def _unary(self, step: steps.Unary) -> None:
        seen = self._host.unary_seen
        await self._host.until(lambda: len(seen) > self._unary_seen, f"a call of {step.method}", step.within_s)
        method, request, authorization = seen[self._unary_seen]
        self._unary_seen += 1
        if method != step.method:
            raise Mismatch(f"a call of {step.method} was expected, {method} came")
        if authorization != step.authorization:
            raise Mismatch(f"{method}: authorization should be {step.authorization!r} but is {authorization!r}")
        self._same(message_differences(self._names.value(step.request), request, method))

    async def _deaf(self, step: steps.Deaf) -> None:
        self._host.deaf = step.deaf

    def _send(self, frame: pb.HostFrame) -> None:
        self._host.send(self._open, frame)

    def _same(self, differences: list[str]) -> None:
        if differences:
            raise Mismatch("; ".join(differences))


def without_its_language(outcome: pb.Outcome) -> pb.Outcome:
    """A failure without what no two languages can have in common: stacks, and the language's own name."""
    copy = pb.Outcome.FromString(outcome.SerializeToString())
    failure = copy.failed
    while True:
        failure.ClearField("stack_trace")
        failure.ClearField("source_language")
        if not failure.HasField("cause"):
            return copy
        failure = failure.cause
