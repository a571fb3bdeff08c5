"""Carries out the steps of a host case: a real host process between a scripted SWF side and workers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shlex
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf import json_format
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_conformance import host_steps as steps
from pyflow_conformance.cases import Case
from pyflow_conformance.errors import BadCase, Mismatch
from pyflow_conformance.languages import Language
from pyflow_conformance.matching import message_differences, same_json, shown, value_differences
from pyflow_conformance.scripted_host import SERVICE
from pyflow_conformance.scripted_swf import Fault, ScriptedSwf, SwfTask
from pyflow_conformance.scripted_worker import ScriptedWorker, hello_of
from pyflow_conformance.swf_http import SwfHttp
from pyflow_conformance.texts import Names
from pyflow_conformance.worker_process import ChildProcess

HOST_COMMAND = f"{shlex.quote(sys.executable)} -m pyflow_host"
TASK_LIST = "conformance"
READY = "Activity host ready"
CONNECTED = "Connected: worker"
START_WITHIN_S = 90.0
CALL_WITHIN_S = 15.0
LOOK_S = 0.02
TOKEN_KEY = base64.b64encode(b"k" * 32).decode()


class HostScript:
    """One case with one host and, where the case has one, an executor of `language`."""

    def __init__(self, case: Case, language: Language | None, directory: Path) -> None:
        self._language = language
        self._directory = directory
        name = "" if language is None else language.name
        self._names = Names(case=case.name, directory=str(directory), language=name, more={})
        for file, text in case.files.items():
            (directory / file).write_text(self._names.text(text), "utf-8")
        self._swf = ScriptedSwf(TASK_LIST)
        self._http = SwfHttp(self._swf)
        self._endpoint = ""
        self._changed = self._swf.changed
        self._host: ChildProcess | None = None
        self._executor: ChildProcess | None = None
        self._workers: dict[str, ScriptedWorker] = {}
        self._left: list[ScriptedWorker] = []
        self._tokens: dict[tuple[str, str], bytes] = {}
        """The latest token a worker was given for a task."""
        self._beats_seen: dict[str, int] = {}
        self._do: dict[type, Callable[..., Awaitable[None]]] = {
            steps.Host: self._start_host, steps.HostSignal: self._host_signal, steps.HostExit: self._host_exit,
            steps.HostOutput: self._host_output, steps.Describe: self._describe, steps.Worker: self._worker,
            steps.Send: self._send, steps.Outcome: self._outcome, steps.Receive: self._receive,
            steps.Acked: self._acked, steps.Canceled: self._canceled, steps.SentAway: self._sent_away,
            steps.Leave: self._leave, steps.Complete: self._complete, steps.SwfTask: self._swf_task,
            steps.SwfEnd: self._swf_end, steps.SwfOpen: self._swf_open, steps.SwfHeartbeat: self._swf_heartbeat,
            steps.SwfCancel: self._swf_cancel, steps.SwfClose: self._swf_close, steps.SwfClock: self._swf_clock,
            steps.SwfFault: self._swf_fault, steps.SwfPolls: self._swf_polls, steps.Begun: self._begun,
            steps.SwfRegistered: self._swf_registered, steps.Executor: self._start_executor, steps.Go: self._go,
            steps.ExecutorSignal: self._executor_signal, steps.ExecutorExit: self._executor_exit,
        }  # fmt: skip

    @property
    def output(self) -> str:
        """What host and executor said last."""
        parts = [process.output() for process in (self._host, self._executor) if process is not None]
        return "\n".join(parts)

    async def run(self, step: steps.HostStep) -> None:
        """Carry out one step. Raises Mismatch."""
        await self._do[type(step)](step)

    async def close(self) -> None:
        """End everything."""
        for worker in [*self._workers.values(), *self._left]:
            await worker.close()
        for process in (self._executor, self._host):
            if process is not None:
                await process.kill()
        await self._http.close()

    @property
    def _address(self) -> str:
        return f"unix:{self._directory}/host.sock"

    async def _until(self, condition: Callable[[], Any], what: str, within_s: float) -> Any:
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            self._changed.clear()
            if found := condition():
                return found
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise Mismatch(f"{what}: not within {within_s:g} s")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left, LOOK_S * 5))

    def _of(self, name: str) -> ScriptedWorker:
        if name not in self._workers:
            raise BadCase(f"There is no worker called {name!r} yet.")
        return self._workers[name]

    def _token(self, worker: str, task: str) -> bytes:
        given = self._of(worker).tasks.get(task)
        if given:
            self._tokens[worker, task] = given[-1].task_token
        if (worker, task) not in self._tokens:
            raise BadCase(f"{worker!r} was not given the task {task!r}.")
        return self._tokens[worker, task]

    def _swf_of(self, task: str) -> SwfTask:
        if task not in self._swf.tasks:
            raise BadCase(f"There is no task {task!r} on SWF.")
        return self._swf.tasks[task]

    async def _host_process(self) -> ChildProcess:
        if self._host is None:
            raise BadCase("There is no host yet.")
        return self._host

    async def _start_host(self, step: steps.Host) -> None:
        if not self._endpoint:
            self._endpoint = await self._http.start()
        if self._host is not None:
            await self._host.kill()
        arguments = [
            "--domain", "conformance", "--listen", self._address, "--ping-interval", str(step.ping_interval_s),
            "--grace", str(step.grace_s), *(self._names.text(argument) for argument in step.arguments),
        ]  # fmt: skip
        environment = {
            "AWS_ENDPOINT_URL_SWF": self._endpoint, "AWS_ACCESS_KEY_ID": "conformance",
            "AWS_SECRET_ACCESS_KEY": "conformance", "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
            "PYFLOW_TOKEN_KEY": TOKEN_KEY, "XDG_STATE_HOME": str(self._directory), **step.environment,
        }  # fmt: skip
        self._host = await ChildProcess.start(f"{HOST_COMMAND} {shlex.join(arguments)}", environment)
        if not await self._host.wait_output(READY, START_WITHIN_S):
            raise Mismatch(f"the host did not say {READY!r}")

    async def _host_signal(self, step: steps.HostSignal) -> None:
        (await self._host_process()).signal(signal.Signals[f"SIG{step.name}"])

    async def _host_exit(self, step: steps.HostExit) -> None:
        host = await self._host_process()
        code = await host.wait(step.within_s)
        if code != step.code:
            raise Mismatch(f"the host should have ended with {step.code} but: {'it runs' if code is None else code}")
        for text in step.says:
            if not any(text in line for line in host.lines):
                raise Mismatch(f"the host ended without saying {text!r}")

    async def _host_output(self, step: steps.HostOutput) -> None:
        if not await (await self._host_process()).wait_output(step.says, step.within_s):
            raise Mismatch(f"the host did not say {step.says!r} within {step.within_s:g} s")

    async def _describe(self, step: steps.Describe) -> None:
        differences: list[str] = []
        deadline = asyncio.get_running_loop().time() + step.within_s
        while asyncio.get_running_loop().time() < deadline:
            answer = await self._unary("DescribeHost", host_pb.DescribeHostRequest(), step.token)
            if isinstance(answer, grpc.StatusCode):
                if answer.name == step.code:
                    return
                raise Mismatch(f"DescribeHost was refused with {answer.name}")
            if step.code is not None:
                raise Mismatch(f"DescribeHost should be refused with {step.code} but was answered")
            description = host_pb.DescribeHostResponse.FromString(answer)
            differences = message_differences(step.expect, description, "DescribeHost")
            if not differences:
                return
            await asyncio.sleep(LOOK_S)
        raise Mismatch("; ".join(differences))

    async def _unary(self, method: str, request: Any, token: str) -> bytes | grpc.StatusCode:
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        async with grpc.aio.insecure_channel(self._address) as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{SERVICE}/{method}")
            try:
                answer: bytes = await call(
                    request.SerializeToString(), metadata=metadata, timeout=CALL_WITHIN_S, wait_for_ready=True
                )
                return answer
            except grpc.aio.AioRpcError as error:
                return error.code()

    async def _worker(self, step: steps.Worker) -> None:
        resume = [
            pb.HeldTask(task_token=self._token(step.name, task), state=f"TASK_STATE_{state}")
            for task, state in step.resume.items()
        ]
        before = self._workers.get(step.name)
        key = step.key or (before.key if before else f"key of {step.name}")
        if before is not None:
            self._left.append(before)
        worker = self._workers[step.name] = ScriptedWorker(
            self._address, self._changed, key=key, mute=step.mute, forgetful=step.forgetful
        )
        worker.holding.update({held.task_token: None for held in resume if held.state == pb.TASK_STATE_RUNNING})
        if not step.say_hello:
            return
        await worker.send(pb.WorkerFrame(hello=hello_of(step, key, TASK_LIST, resume)))
        if step.go_away is not None:
            await self._sent_away(steps.SentAway(worker=step.name, reason=step.go_away))
            return
        await self._until(lambda: worker.welcome or worker.over, f"Welcome for {step.name!r}", steps.DEADLINE_S)
        if worker.welcome is None:
            raise Mismatch(f"{step.name!r} got no Welcome but {shown(str(worker.go_away))}")
        if step.wanted is not None:
            wanted = {self._tokens[step.name, task]: is_wanted for task, is_wanted in step.wanted.items()}
            answers = {answer.task_token: answer.wanted for answer in worker.welcome.resumed}
            if answers != wanted:
                raise Mismatch(f"Welcome.resumed should be {shown(wanted)} but is {shown(answers)}")
        if step.credits:
            await worker.send(pb.WorkerFrame(credits=step.credits))

    async def _send(self, step: steps.Send) -> None:
        frame = pb.WorkerFrame(credits=step.credits)
        if step.draining:
            frame.draining.SetInParent()
        json_format.ParseDict(self._names.members(step.json), frame)
        for _ in range(step.times):
            await self._of(step.worker).send(frame, bytes.fromhex(step.hex))

    async def _outcome(self, step: steps.Outcome) -> None:
        token = self._token(step.token_of or step.worker, step.task)
        outcome = json_format.ParseDict(self._names.members(step.json), pb.Outcome())
        outcome.task_token = forged(token) if step.forged else token
        if step.completed is not None:
            outcome.completed.result.data = self._names.text(step.completed).encode()
        self._tokens["", step.task] = outcome.task_token
        await self._of(step.worker).send(pb.WorkerFrame(outcomes=[outcome]))

    async def _receive(self, step: steps.Receive) -> None:
        worker = self._of(step.worker)
        given = await self._until(
            lambda: worker.tasks.get(step.task), f"the task {step.task!r} at {step.worker!r}", step.within_s
        )
        self._same(message_differences(self._names.value(step.expect), given[-1], f"the task {step.task!r}"))
        self._token(step.worker, step.task)
        if worker.received > worker.granted:
            raise Mismatch(f"{step.worker!r} was sent {worker.received} tasks for {worker.granted} credits")

    async def _acked(self, step: steps.Acked) -> None:
        worker, token = self._of(step.worker), self._tokens["", step.task]
        acks = await self._until(
            lambda: len(worker.acks.get(token, ())) >= step.times and worker.acks[token],
            f"{step.times} acks of {step.task!r}",
            step.within_s,
        )
        expected = {"status": step.status, **({} if step.message is None else {"message": step.message})}
        self._same(message_differences(expected, acks[-1], f"the ack of {step.task!r}"))

    async def _canceled(self, step: steps.Canceled) -> None:
        worker, token = self._of(step.worker), self._token(step.worker, step.task)
        cancels = await self._until(
            lambda: worker.cancels.get(token), f"Cancel of {step.task!r} at {step.worker!r}", step.within_s
        )
        self._same(message_differences({"reason": step.reason}, cancels[-1], f"Cancel of {step.task!r}"))

    async def _sent_away(self, step: steps.SentAway) -> None:
        worker = self._of(step.worker)
        await self._until(lambda: worker.over, f"the end of the stream of {step.worker!r}", step.within_s)
        if worker.go_away is None:
            raise Mismatch(f"the stream of {step.worker!r} ended without GoAway")
        self._same(message_differences({"reason": step.reason}, worker.go_away, "GoAway"))
        if not worker.go_away.message:
            raise Mismatch("GoAway says nothing for people")

    async def _leave(self, step: steps.Leave) -> None:
        for name, task in [(step.worker, task) for task in self._of(step.worker).tasks]:
            self._token(name, task)
        await self._of(step.worker).leave(cut=step.cut)

    async def _complete(self, step: steps.Complete) -> None:
        token = self._token(step.worker, step.task)
        outcome = pb.Outcome(task_token=forged(token) if step.forged else token)
        outcome.completed.result.data = self._names.text(step.completed).encode()
        answer = await self._unary("CompleteTask", host_pb.CompleteTaskRequest(outcome=outcome), step.token)
        if isinstance(answer, grpc.StatusCode):
            if answer.name != step.code:
                raise Mismatch(f"CompleteTask was refused with {answer.name}")
            return
        if step.code is not None:
            raise Mismatch(f"CompleteTask should be refused with {step.code} but was answered")
        ack = host_pb.CompleteTaskResponse.FromString(answer).ack
        self._same(message_differences({"status": step.ack}, ack, "the ack of CompleteTask"))

    async def _swf_task(self, step: steps.SwfTask) -> None:
        text = None if step.input is None else self._names.text(step.input)
        self._swf.schedule(step.id, step.activity, step.version, text, step.start_to_close_s, step.heartbeat_s)

    async def _swf_end(self, step: steps.SwfEnd) -> None:
        task, where = self._swf_of(step.task), f"{step.task!r} on SWF"
        await self._until(lambda: task.ended, f"the end of {where}", step.within_s)
        self._same(value_differences(step.how, task.ended, f"{where}: how it ended ({shown(task.members)})"))
        if step.result is not None:
            self._same(
                value_differences(self._names.value(step.result), task.members.get("result"), f"{where}: result")
            )
        if step.reason is not None:
            self._same(value_differences(step.reason, task.members.get("reason"), f"{where}: reason"))
        if step.details is not None:
            details = json.loads(task.members.get("details", "null"))
            self._same(value_differences(self._names.value(step.details), details, f"{where}: details"))
        if step.responds is not None and task.responds != step.responds:
            raise Mismatch(f"{where}: {task.responds} calls wanted to end it, {step.responds} expected")

    async def _swf_open(self, step: steps.SwfOpen) -> None:
        for name in step.tasks:
            if ended := self._swf_of(name).ended:
                raise Mismatch(f"{name!r} should be open on SWF but is {ended}")

    async def _swf_heartbeat(self, step: steps.SwfHeartbeat) -> None:
        task = self._swf_of(step.task)
        seen = self._beats_seen.get(step.task, 0)

        def told() -> bool:
            new = task.heartbeats[seen:]
            if step.details is None:
                return bool(new)
            return any(
                details is not None and same_json(json.loads(step.details or ""), json.loads(details))
                for details in new
            )

        await self._until(told, f"a heartbeat of {step.task!r} with {step.details}", step.within_s)
        self._beats_seen[step.task] = len(task.heartbeats)

    async def _swf_cancel(self, step: steps.SwfCancel) -> None:
        self._swf_of(step.task).cancel_requested = True

    async def _swf_close(self, step: steps.SwfClose) -> None:
        self._swf_of(step.task).ended = "closed"

    async def _swf_clock(self, step: steps.SwfClock) -> None:
        self._swf.advance(step.seconds)

    async def _swf_fault(self, step: steps.SwfFault) -> None:
        if step.times == 0:
            self._swf.faults = [fault for fault in self._swf.faults if fault.operation != step.operation]
        self._swf.faults.append(Fault(step.operation, step.times, step.how))

    async def _swf_polls(self, step: steps.SwfPolls) -> None:
        swf = self._swf
        await self._until(lambda: swf.polls_open == step.open, f"{step.open} open polls", step.within_s)
        if step.aborted is not None and swf.polls_aborted != step.aborted:
            raise Mismatch(f"{swf.polls_aborted} polls were aborted; {step.aborted} expected")

    async def _swf_registered(self, step: steps.SwfRegistered) -> None:
        key = f"RegisterActivityType {step.name} {step.version}"
        found = await self._until(lambda: self._swf.registered.get(key), key, steps.DEADLINE_S)
        self._same(value_differences(step.expect, found, key))

    async def _start_executor(self, step: steps.Executor) -> None:
        if self._language is None:
            raise BadCase("This step needs an executor.")
        environment = {
            "PYFLOW_HOST_ADDRESS": self._address, "PYFLOW_TASK_LIST": TASK_LIST, "PYFLOW_SLOTS": str(step.slots),
            **{name: self._names.text(value) for name, value in step.environment.items()},
        }  # fmt: skip
        if self._executor is not None:
            await self._executor.kill()
        host = await self._host_process()
        before = len(host.lines)
        self._executor = await ChildProcess.start(self._language.command, environment)

        def served() -> bool:
            # The poll may be an older one, of a worker that is gone: the line tells that this one is there.
            return self._swf.polls_open > 0 and any(CONNECTED in line for line in host.lines[before:])

        await self._until(served, "a poll for the executor", START_WITHIN_S)

    async def _executor_signal(self, step: steps.ExecutorSignal) -> None:
        assert self._executor is not None
        self._executor.signal(signal.Signals[f"SIG{step.name}"])

    async def _executor_exit(self, step: steps.ExecutorExit) -> None:
        assert self._executor is not None
        code = await self._executor.wait(step.within_s)
        if code != step.code:
            raise Mismatch(
                f"the executor should have ended with {step.code} but: {'it runs' if code is None else code}"
            )

    async def _begun(self, step: steps.Begun) -> None:
        path = self._directory / f"{step.gate}.begun"
        deadline = asyncio.get_running_loop().time() + steps.DEADLINE_S
        while not path.exists():
            if asyncio.get_running_loop().time() > deadline:
                raise Mismatch(f"the activity with the gate {step.gate!r} did not begin within {steps.DEADLINE_S:g} s")
            await asyncio.sleep(LOOK_S)

    async def _go(self, step: steps.Go) -> None:
        (self._directory / f"{step.gate}.go").touch()

    def _same(self, differences: list[str]) -> None:
        if differences:
            raise Mismatch("; ".join(differences))


def forged(token: bytes) -> bytes:
    """The token with one bit turned over in its middle."""
    middle = len(token) // 2
    return token[:middle] + bytes([token[middle] ^ 1]) + token[middle + 1 :]
