"""Runs cases: worker processes shared between cases where that is possible, several at a time, each in bounded time."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import grpc

from pyflow_conformance.cases import Case
from pyflow_conformance.certificates import Certificates
from pyflow_conformance.errors import ConformanceError
from pyflow_conformance.host_script import HostScript
from pyflow_conformance.languages import Language
from pyflow_conformance.report import Result, Verdict
from pyflow_conformance.scripted_host import ScriptedHost
from pyflow_conformance.texts import Names
from pyflow_conformance.worker_process import ChildProcess
from pyflow_conformance.worker_script import WorkerScript

CASE_WITHIN_S = 180.0
JOBS_DEFAULT = 6
"""Cases at a time, over all languages: most of them wait most of the time."""
HOST = "host"
"""The column of cases that try the host alone."""
TASK_LIST = "conformance"


@dataclass(slots=True, eq=False)
class _Worker:
    """A worker process and the scripted host it talks to."""

    process: ChildProcess
    host: ScriptedHost
    directory: tempfile.TemporaryDirectory[str]

    async def close(self) -> None:
        await self.process.kill()
        await self.host.close()
        self.directory.cleanup()


class Runner:
    """Runs cases of several languages. Use it as an async context manager."""

    def __init__(self, jobs: int = JOBS_DEFAULT) -> None:
        self._slots = asyncio.Semaphore(jobs)
        self._idle: dict[str, list[_Worker]] = {}
        """By the executor's command."""
        self._certificates = Certificates()

    async def __aenter__(self) -> Runner:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        idle = [worker for workers in self._idle.values() for worker in workers]
        self._idle.clear()
        await asyncio.gather(*(worker.close() for worker in idle))
        self._certificates.close()

    async def run(self, cases: Iterable[Case], languages: Sequence[Language]) -> list[Result]:
        """All results, in the order of the cases."""
        wanted: list[tuple[Case, Language | None]] = []
        for case in cases:
            wanted += [(case, language) for language in languages] if case.per_language else [(case, None)]
        # Long ones first would end sooner, but the order of the files groups what shares workers.
        return list(await asyncio.gather(*(self.run_one(case, language) for case, language in wanted)))

    async def run_one(self, case: Case, language: Language | None) -> Result:
        """One case with one language, or with the host alone."""
        name = HOST if language is None else language.name
        if language is not None and case.needs & language.lacks:
            return Result(case=case.name, language=name, verdict="-")
        async with self._slots:
            began = time.monotonic()
            wire: dict[str, bytes] = {}
            message = output = ""
            try:
                output = await asyncio.wait_for(self._run(case, language, wire), CASE_WITHIN_S)
            except CaseFailed as error:
                message, output = str(error), error.output
            except asyncio.TimeoutError:
                message = f"the case did not end within {CASE_WITHIN_S:g} s"
            known = language is not None and case.name in language.known_failing
            verdict: Verdict = ("known" if message else "FIXED") if known else ("FAIL" if message else "ok")
            if verdict == "FIXED":
                message = "it passes: take it off the list of known failures"
            seconds = time.monotonic() - began
            return Result(
                case=case.name,
                language=name,
                verdict=verdict,
                seconds=seconds,
                message=message,
                output=output,
                wire=wire,
            )

    async def _run(self, case: Case, language: Language | None, wire: dict[str, bytes]) -> str:
        if case.subject == "host":
            with tempfile.TemporaryDirectory(prefix="cf") as directory:
                script = HostScript(case, language, Path(directory))
                return await self._run_host(script, case)
        assert language is not None
        with tempfile.TemporaryDirectory(prefix="cf") as directory:
            return await self._run_worker(case, language, Path(directory), wire)

    async def _run_worker(self, case: Case, language: Language, directory: Path, wire: dict[str, bytes]) -> str:
        names = Names(
            case=case.name, directory=str(directory), language=language.name,
            more={f"{name}_pem": str(path) for name, path in self._pems(case).items()},
        )  # fmt: skip
        for file, text in case.files.items():
            (directory / file).write_text(names.text(text), "utf-8")
        worker = await self._worker(case, language, names)
        script = WorkerScript(worker.host, worker.process, names, slots=case.slots, directory=directory)
        keep, said_before = False, len(worker.process.lines)
        try:
            for number, step in enumerate(case.steps, 1):
                try:
                    await script.run(step)
                except ConformanceError as error:
                    raise CaseFailed(
                        f"step {number} ({_named(step)}): {error}", worker.process.output(said_before)
                    ) from error
            wire.update(script.wire)
            keep = not case.own and await script.is_clean()
        finally:
            if keep:
                self._idle[language.command].append(worker)
            else:
                await worker.close()
        return ""

    async def _run_host(self, script: HostScript, case: Case) -> str:
        try:
            for number, step in enumerate(case.steps, 1):
                try:
                    await script.run(step)
                except ConformanceError as error:
                    raise CaseFailed(f"step {number} ({_named(step)}): {error}", script.output) from error
        finally:
            await script.close()
        return ""

    async def _worker(self, case: Case, language: Language, names: Names) -> _Worker:
        idle = self._idle.setdefault(language.command, [])
        while idle and not case.own:
            worker = idle.pop()
            if worker.process.is_running:
                worker.host.streams[-1].end()  # it comes back with a new stream, which is the case's
                return worker
            await worker.close()
        return await self._start(case, language, names)

    async def _start(self, case: Case, language: Language, names: Names) -> _Worker:
        directory = tempfile.TemporaryDirectory(prefix="cf")
        host = ScriptedHost(
            Path(directory.name),
            case.slots,
            unix=case.transport == "unix",
            tls=self._server_credentials(case.transport),
        )
        await host.start()
        environment = {
            "PYFLOW_HOST_ADDRESS": host.relay.address,
            "PYFLOW_TASK_LIST": TASK_LIST,
            "PYFLOW_SLOTS": str(case.slots),
            **{name: names.text(value) for name, value in case.environment.items()},
        }
        try:
            process = await ChildProcess.start(language.command, environment)
        except BaseException:
            await host.close()
            directory.cleanup()
            raise
        return _Worker(process, host, directory)

    def _pems(self, case: Case) -> dict[str, Path]:
        return self._certificates.files() if case.transport in ("tls", "mtls") else {}

    def _server_credentials(self, transport: str) -> grpc.ServerCredentials | None:
        if transport not in ("tls", "mtls"):
            return None
        return self._certificates.server_credentials(mutual=transport == "mtls")


class CaseFailed(ConformanceError):
    """A case did not go as it says; with the last output of what was tried."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


def _named(step: object) -> str:
    kind = type(step).__name__
    detail = next((value for name in ("task", "id", "gate", "name") if (value := getattr(step, name, None))), "")
    return f"{kind} {detail}".strip()
