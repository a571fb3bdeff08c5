"""Every public name of pyflow-swf 2.0.0 is here, with the same parameters in the same places."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PYFLOW_2 = HERE.parents[2] / ".setup" / "pyflow2"

INTERNAL = {
    # Modules and classes of 2.0.0's own machinery, which no program of its users had a reason to name.
    "decision_task_helper",
    "event_handler",
    "workflow_state",
    "ws",
    "dateutil",
}
NEW_BASES = {"WorkflowInvocationHelper", "InvocationFuture", "InvokeOnceFuture"}
"""Made by pyflow only: their constructors were never a program's to call."""


@pytest.fixture(scope="module")
def surface() -> dict[str, Any]:
    if not (PYFLOW_2 / "pyflow" / "decider.py").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(PYFLOW_2), "pyflow-swf==2.0.0"]
        subprocess.run(command, check=True, timeout=300)
    done = subprocess.run(
        [sys.executable, str(HERE / "two_surface.py")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(PYFLOW_2)},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _fits(ours: Any, theirs: list[list[Any]], where: str) -> None:
    signature = inspect.signature(ours)
    mine = [p for p in signature.parameters.values() if p.name != "self"]
    takes_any = {p.kind for p in mine} >= {inspect.Parameter.VAR_POSITIONAL}
    for position, (name, kind, required) in enumerate(theirs):
        if kind in ("VAR_POSITIONAL", "VAR_KEYWORD"):
            assert any(p.kind.name == kind for p in mine), f"{where}: *{name} is missing"
            continue
        assert takes_any or mine[position].name == name, f"{where}: parameter {position} was {name}"
        if not required and not takes_any:
            assert mine[position].default is not inspect.Parameter.empty, f"{where}: {name} had a default"
    many = ("VAR_POSITIONAL", "VAR_KEYWORD")
    extra = [p for p in mine[len(theirs) :] if p.default is p.empty and p.kind.name not in many]
    assert not extra, f"{where}: {extra} are new and required"


@pytest.mark.parametrize(
    "module", ["pyflow", "pyflow.exceptions", "pyflow.future", "pyflow.workflow_invocation_helper"]
)
def test_names_and_parameters(surface: dict[str, Any], module: str) -> None:
    ours = importlib.import_module(module)
    for submodule in ("decider", "invocation_descriptors", "utils", "future", "workflow_invocation_helper"):
        importlib.import_module(f"pyflow.{submodule}")
    checked = 0
    for name, theirs in surface[module].items():
        if name in INTERNAL:
            continue
        assert hasattr(ours, name), f"{module}.{name} is missing"
        thing = getattr(ours, name)
        if theirs["parameters"] is not None and name not in NEW_BASES:
            _fits(thing, theirs["parameters"], f"{module}.{name}")
        for member, parameters in theirs["members"].items():
            if name == "WorkflowStatus" or member in ("with_traceback", "add_note", "args"):
                continue
            assert hasattr(thing, member), f"{module}.{name}.{member} is missing"
            if parameters is not None:
                _fits(getattr(thing, member), parameters, f"{module}.{name}.{member}")
            checked += 1
    assert checked or len(surface[module]) > 5


def test_exception_tree_is_that_of_two_except_for_the_block() -> None:
    import pyflow

    assert issubclass(pyflow.InvocationTimedOutException, pyflow.InvocationException)
    assert issubclass(pyflow.InvocationFailedException, pyflow.InvocationException)
    assert issubclass(pyflow.InvocationCanceledException, pyflow.InvocationException)
    assert issubclass(pyflow.InvocationException, pyflow.PyflowException)
    assert issubclass(pyflow.WorkflowFailedException, pyflow.PyflowException)
    assert issubclass(pyflow.WaitTimedOutException, pyflow.PyflowException)
    assert not issubclass(pyflow.WorkflowBlockedException, pyflow.PyflowException)
