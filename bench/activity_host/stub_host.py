"""A host whose SWF side is a stub that answers at once: hands out N tasks, then prints how long they took.

python stub_host.py unix:/path N [POLLS]
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path

from pyflow_host.core.effects import Call, LookUpAttempt
from pyflow_host.core.values import SWF_OK, AttemptFacts, ListKey, SwfSaid, SwfTask, TypeDefaults, TypeKey
from pyflow_host.host import run
from pyflow_host.options import HostOptions
from pyflow_host.swf_side import Registered


class StubSwf:
    """Hands out `tasks` tasks of the no-op activity as fast as it is asked. Times are taken at its own edge."""

    def __init__(self, tasks: int) -> None:
        self._tasks = tasks
        self._lock = threading.Lock()
        self._given = 0
        self._ended = 0
        self._given_at: dict[str, float] = {}
        self._latencies: list[float] = []
        self._began_at = 0.0
        self._finished = threading.Event()

    def poll(self, list_key: ListKey) -> SwfTask | None:
        """See SwfSide."""
        with self._lock:
            self._given += 1
            number = self._given
            if number == 1:
                self._began_at = time.perf_counter()
            token = f"token-{number}"
            if number <= self._tasks:
                self._given_at[token] = time.perf_counter()
        if number > self._tasks:
            self._finished.wait()
            return None
        return SwfTask(
            swf_token=token,
            list_key=list_key,
            type=TypeKey("noop", "1.0"),
            workflow_id="bench",
            run_id="run",
            activity_id=f"activity{number}",
            input='{"n": 1}',
        )

    def call(self, call: Call, swf_token: str, members: dict[str, str]) -> SwfSaid:
        """See SwfSide."""
        if call is Call.HEARTBEAT:
            return SWF_OK
        with self._lock:
            now = time.perf_counter()
            self._latencies.append(now - self._given_at.pop(swf_token))
            self._ended += 1
            last = self._ended == self._tasks
        if last:
            self._report(now - self._began_at)
        return SWF_OK

    def look_up(self, wanted: LookUpAttempt) -> AttemptFacts | None:
        """See SwfSide."""
        return None

    def register(self, list_key: ListKey, types: dict[TypeKey, TypeDefaults]) -> Registered:
        """See SwfSide."""
        return Registered(types=types)

    def _report(self, seconds: float) -> None:
        latencies = sorted(self._latencies)
        used = resource.getrusage(resource.RUSAGE_SELF)
        result = {
            "tasks": self._tasks,
            "seconds": round(seconds, 3),
            "tasks_per_s": round(self._tasks / seconds),
            "latency_ms_median": round(latencies[len(latencies) // 2] * 1000, 2),
            "latency_ms_p99": round(latencies[int(len(latencies) * 0.99)] * 1000, 2),
            "host_cpu_us_per_task": round((used.ru_utime + used.ru_stime) / self._tasks * 1e6),
            "host_rss_mb": round(used.ru_maxrss / 1024),
        }
        print(f"RESULT {json.dumps(result)}", flush=True)
        self._finished.set()
        os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Run until all tasks are done."""
    logging.basicConfig(level=logging.WARNING)
    address, tasks = sys.argv[1], int(sys.argv[2])
    polls = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    key = Path(address.removeprefix("unix:")).with_name("token.key")
    options = HostOptions(domains=["bench"], listen=[address], token_key_file=key, polls_of_list_max=polls)
    return run(options, swf=StubSwf(tasks))


if __name__ == "__main__":
    sys.exit(main())
