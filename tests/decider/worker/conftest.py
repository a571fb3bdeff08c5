"""Fixtures of the worker tests: an embedded SWF for the module, a domain for the test, workers that are ended."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from pyflow.worker import DeciderWorker, WorkerSettings
from worker_embedded import EmbeddedSwf
from worker_fault_proxy import FaultProxy

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def no_aws_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away whatever AWS configuration the machine has."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))


@pytest.fixture(scope="module")
def swf_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSwf]:
    """An embedded SWF."""
    server = EmbeddedSwf(tmp_path_factory.mktemp("swf") / "swf.db")
    yield server
    server.stop()


@pytest.fixture
def domain() -> str:
    """A domain name nobody else uses."""
    return f"domain-{next(_numbers)}"


@pytest.fixture
def proxy(swf_server: EmbeddedSwf) -> Iterator[FaultProxy]:
    """A fault proxy in front of the embedded SWF."""
    faults = FaultProxy(swf_server.url)
    yield faults
    faults.harm = lambda operation, body: None
    faults.close()


@pytest.fixture
def run_worker(swf_server: EmbeddedSwf, domain: str) -> Iterator[Callable[..., DeciderWorker]]:
    """Start workers on the test's domain and task list `t`; they are ended with the test."""
    workers: list[DeciderWorker] = []

    def run(*classes: Any, endpoint_url: str | None = None, observer: Any = None, **settings: Any) -> DeciderWorker:
        from pyflow.swf import connect

        worker = DeciderWorker(
            classes,
            domain,
            "t",
            f"worker-{len(workers)}",
            connection=connect(endpoint_url=endpoint_url or swf_server.url),
            settings=WorkerSettings(**settings),
            observer=observer,
        )
        worker.start()
        workers.append(worker)
        return worker

    yield run
    for worker in workers:
        worker.stop()
    for worker in workers:
        worker.join()
