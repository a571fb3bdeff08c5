"""Runs one worker command in a process group of its own and cleans the whole group up. Standard library only.

    python -I reaper.py GRACE_S COMMAND...

Its standard input is the lifeline: when the host has gone, however it died, it reads the end of file and ends the
worker: SIGTERM, which lets the worker finish and report through the next host, and SIGKILL after GRACE_S. SIGTERM is
passed on to the group, SIGUSR1 kills it. What the worker leaves behind in its group is killed. Exits with the
worker's code.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

NOT_FOUND = 127


def main(arguments: list[str]) -> int:
    """Run the command until it ends."""
    grace_s, command = float(arguments[0]), arguments[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the host, which asks its workers to end
    try:
        worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"cannot be started: {error.strerror}: {command[0]}", file=sys.stderr)
        return NOT_FOUND

    def kill(number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, number)

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

    signal.signal(signal.SIGTERM, lambda *_: kill(signal.SIGTERM))
    signal.signal(signal.SIGUSR1, lambda *_: kill(signal.SIGKILL))
    threading.Thread(target=watch_host, daemon=True).start()
    code = worker.wait()
    kill(signal.SIGKILL)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
