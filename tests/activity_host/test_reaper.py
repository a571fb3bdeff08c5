"""The reaper ends what it started, whenever it is asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from host_rig import wait_for

ASKED_AT_ONCE = """
import os, subprocess, sys
from pyflow_host import reaper

class Popen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        print(self.pid, flush=True)
        os.kill(os.getpid(), int(sys.argv[1]))

subprocess.Popen = Popen
sys.exit(reaper.main(["30", "0", "256", "sleep", "300"]))
"""
"""A reaper that is sent a signal in the moment in which its worker has begun."""


@pytest.mark.parametrize(("asked", "ended_by"), [("SIGTERM", "SIGTERM"), ("SIGUSR1", "SIGKILL")])
def test_signal_in_the_moment_of_the_start_leaves_no_orphan(asked: str, ended_by: str) -> None:
    command = [sys.executable, "-c", ASKED_AT_ONCE, str(int(signal.Signals[asked]))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reaper:
        assert reaper.stdout is not None
        worker = int(reaper.stdout.readline())
        code = reaper.wait(60)
        try:
            assert code == 128 + signal.Signals[ended_by]
            wait_for(lambda: not os.path.exists(f"/proc/{worker}"), "the end of the worker")
        finally:
            if os.path.exists(f"/proc/{worker}"):
                os.kill(worker, signal.SIGKILL)
