"""One codec for decider and host: activities see plain inputs of any size, and SWF sees none of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from console_processes import PYFLOW, Ended, Running, pyflow, wait_until_registered

FLOWS = """
import pyflow


class Shouts(pyflow.Workflow):
    NAME = "Shouts"
    VERSION = "1.0"
    shout = pyflow.ActivityDescriptor("shout", "1.0", task_list="coded")

    def run(self, size):
        loud = self.shout("secret " * size).result()
        return [len(loud), loud[-8:], self.shout("secret").result()]


class Sealed:
    def encode(self, text):
        return "sealed:" + text.encode().hex()

    def decode(self, text):
        return bytes.fromhex(text[7:]).decode() if text.startswith("sealed:") else text
"""
ACTIVITIES = """
from pyflow_activity import activity


@activity(version="1.0", start_to_close=60)
def shout(text: str) -> str:
    return text + "!"
"""
SIZE = 6_000  # seven letters each: more than SWF's 32,768 characters
DOMAIN = ("--domain", "coded")


@pytest.fixture
def stand(tmp_path: Path) -> Path:
    (tmp_path / "coded_flows.py").write_text(FLOWS, encoding="utf-8")
    (tmp_path / "shouting.py").write_text(ACTIVITIES, encoding="utf-8")
    return tmp_path


def run_shouts(
    stand: Path, env: dict[str, str], go: Callable[..., Running], workflow_id: str, host_options: tuple[str, ...]
) -> Ended:
    """The workflow's end, with a decider that has codec and store and a host with these options."""
    decider_options = ("--codec", "coded_flows:Sealed", "--large-payloads", "kept")
    decider = go("decider", "coded_flows:Shouts", *DOMAIN, "--task-list", "coded-decider", *decider_options, cwd=stand)
    decider.wait_for("Beginning to poll")
    worker = f"{PYFLOW} worker shouting --task-list coded"
    with tempfile.TemporaryDirectory(prefix="pf-") as short:
        address = f"unix:{short}/host.sock"
        options = (*DOMAIN, "--listen", address, "--worker", worker, *host_options)
        go("host", *options, cwd=stand, XDG_STATE_HOME=str(stand))
        wait_until_registered(env["AWS_ENDPOINT_URL_SWF"], "coded", "shout", "1.0")
        where = (*DOMAIN, "--workflow-id", workflow_id)
        return pyflow(
            "start", "Shouts", "1.0", *where, "--input", str(SIZE), "--wait", *decider_options, cwd=stand, env=env
        )


def test_activities_see_plain_payloads_of_any_size_and_swf_sees_none(
    stand: Path, env: dict[str, str], go: Callable[..., Running]
) -> None:
    ended = run_shouts(stand, env, go, "shouts", ("--codec", "coded_flows:Sealed", "--large-payloads", "kept"))
    assert ended.code == 0, ended
    assert json.loads(ended.out) == [7 * SIZE + 1, "secret !", "secret!"]
    sealed = pyflow("status", "shouts", *DOMAIN, cwd=stand, env=env)
    assert "sealed:" in sealed.out
    shown = pyflow("status", "shouts", *DOMAIN, "--codec", "coded_flows:Sealed", cwd=stand, env=env)
    assert '"secret!"]' in shown.out
    history = pyflow("history", "shouts", *DOMAIN, "--json", cwd=stand, env=env)
    payloads = [
        attributes[member]
        for event in json.loads(history.out)["events"]
        for attributes in event.values()
        if isinstance(attributes, dict)
        for member in ("input", "result")
        if member in attributes
    ]
    assert len(payloads) == 6, "the execution's own and those of two activities"
    assert all(payload.startswith(("sealed:", '{"pyflow.')) for payload in payloads), payloads


def test_a_host_that_lacks_the_store_fails_the_task_with_the_reason(
    stand: Path, env: dict[str, str], go: Callable[..., Running]
) -> None:
    ended = run_shouts(stand, env, go, "lacking", ("--codec", "coded_flows:Sealed", "--large-payloads", "another"))
    assert ended.code == 1, ended
    assert "pyflow.InputUnreadable" in ended.err
    assert "cannot be read" in ended.err
