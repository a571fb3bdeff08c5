"""Several processes of the same function: started, watched, replaced when they die, ended together."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from types import FrameType

logger = logging.getLogger("pyflow")

RESTART_AFTER_S = 1.0
RESTARTS_MAX = 20
"""A process that died this often in all is a fault nobody heals by restarting."""


class ProcessesFailed(Exception):
    """Processes kept dying, or one could not do its work from the beginning."""


def run_processes(
    count: int,
    function: Callable[..., object],
    arguments: Sequence[object],
    keywords: Mapping[str, object],
) -> None:
    """Run `function(*arguments, **keywords)` in `count` fresh processes until all have ended by themselves.

    SIGTERM and SIGINT are handed on. A process that dies by a signal is replaced; one that fails from its beginning
    (exit code not 0) ends them all and raises `ProcessesFailed`. The function must be importable.
    """
    context = multiprocessing.get_context("spawn")
    stopping = threading.Event()

    def begin() -> SpawnProcess:
        work = (function, tuple(arguments), dict(keywords))
        process = context.Process(target=_work, args=work, daemon=False)
        process.start()
        return process

    processes = [begin() for _ in range(count)]

    def hand_on(number: int, _frame: FrameType | None) -> None:
        stopping.set()
        for process in processes:
            if process.is_alive():
                process.terminate()

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        _watch(processes, begin, stopping)
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
        for process in processes:
            process.join()
        for number, handler in before.items():
            signal.signal(number, handler)


def _work(function: Callable[..., object], arguments: Sequence[object], keywords: Mapping[str, object]) -> None:
    """What each process runs: the function, and an end in good order when the parent is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), name="pyflow-parent", daemon=True).start()
    logging.basicConfig(level=logging.INFO, format="%(process)d %(message)s")
    function(*arguments, **keywords)


def _end_with(parent_sentinel: int) -> None:
    wait([parent_sentinel])
    signal.raise_signal(signal.SIGTERM)


def _watch(processes: list[SpawnProcess], begin: Callable[[], SpawnProcess], stopping: threading.Event) -> None:
    restarts = 0
    while processes:
        wait([process.sentinel for process in processes])
        for process in [process for process in processes if not process.is_alive()]:
            processes.remove(process)
            code = process.exitcode or 0
            if code == 0 or stopping.is_set():
                continue
            if code > 0:
                raise ProcessesFailed(f"Process {process.pid} failed with exit code {code}; see its messages above")
            restarts += 1
            if restarts > RESTARTS_MAX:
                raise ProcessesFailed(f"Processes died {restarts} times, the last one by signal {-code}")
            logger.error("Process %s was killed by signal %d; another takes its place", process.pid, -code)
            time.sleep(RESTART_AFTER_S)
            processes.append(begin())
