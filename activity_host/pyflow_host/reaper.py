"""Runs one worker command in a process group of its own and cleans the whole group up. Standard library only.

    python -I reaper.py GRACE_S MEMORY_BYTES FILES COMMAND...

Its standard input is the lifeline: when the host has gone, however it died, it reads the end of file and ends the
worker: SIGTERM, which lets the worker finish and report through the next host, and SIGKILL after GRACE_S. SIGTERM is
passed on to the group, SIGUSR1 kills it. What the worker leaves behind in its group is killed. Exits with the
worker's code.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time

NOT_FOUND = 127
MEMORY_LOOK_S = 0.5


def main(arguments: list[str]) -> int:
    """Run the command until it ends. MEMORY_BYTES 0: no limit. FILES: how many it may open (the soft limit)."""
    grace_s, memory_max, files_max, command = float(arguments[0]), int(arguments[1]), int(arguments[2]), arguments[3:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the host, which asks its workers to end
    worker: subprocess.Popen[bytes] | None = None
    early: list[signal.Signals] = []

    def kill(number: signal.Signals) -> None:
        if worker is None:
            early.append(number)
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, number)

    # Before the worker is there: a signal in the moment of its start would else end the reaper and leave an orphan.
    signal.signal(signal.SIGTERM, lambda *_: kill(signal.SIGTERM))
    signal.signal(signal.SIGUSR1, lambda *_: kill(signal.SIGKILL))
    try:
        worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"cannot be started: {error.strerror}: {command[0]}", file=sys.stderr)
        return NOT_FOUND
    group = worker.pid
    for number in early:
        kill(number)

    def watch_host() -> None:
        while True:
            try:
                if not os.read(0, 1024):
                    break
            except OSError:
                break
        kill(signal.SIGTERM)
        timer = threading.Timer(grace_s, kill, (signal.SIGKILL,))
        timer.daemon = True
        timer.start()

    def watch_memory() -> None:
        while (used := memory_of_group(group)) <= memory_max:
            time.sleep(MEMORY_LOOK_S)
        print(
            f"uses {used} bytes, more than its memory limit of {memory_max}; it is killed", file=sys.stderr, flush=True
        )
        kill(signal.SIGKILL)

    if memory_max:
        threading.Thread(target=watch_memory, daemon=True).start()
    threading.Thread(target=watch_host, daemon=True).start()
    code = worker.wait()
    kill(signal.SIGKILL)
    return code if code >= 0 else 128 - code


def memory_of_group(group: int) -> int:
    """Bytes of memory that the processes of a group occupy; 0 where /proc is not there."""
    total = 0
    for entry in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{entry}/stat", "rb") as stat:
                fields = stat.read().rpartition(b")")[2].split()
            if int(fields[2]) == group:
                total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return total


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
