"""A real server in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

STOP_SECONDS_MAX = 10


class RunningServer:
    """A server process; `client` is an unmodified boto3 client of it. `wrapper` is a command that runs it."""

    def __init__(self, arguments: list[str], cwd: Path, wrapper: Sequence[str] = ()) -> None:
        self.arguments = arguments
        self.cwd = cwd
        self.wrapper = wrapper
        self.begin()

    def begin(self) -> None:
        """Start the process and wait until it serves."""
        command = [*self.wrapper, sys.executable, "-m", "pyflow_local", "--port", "0", *self.arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.cwd
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise AssertionError(f"the server did not start: {self.process.stderr.read()}")
        self.url = line.split()[-1]
        self.client = self.new_client()

    def new_client(self, **config: Any) -> Any:
        """Another boto3 client."""
        return boto3.client(
            "swf",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(read_timeout=75, retries={"total_max_attempts": 1}, max_pool_connections=50, **config),
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the process; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()
