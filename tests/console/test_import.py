"""From `pyflow history --json` into an SWF of one's own: the same events, and the same decisions made again."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from console_processes import Ended
from pyflow.testing import replay
from pyflow_local import LocalSwf


def module_of(path: Path) -> ModuleType:
    """The workflows of the folder, in this process."""
    spec = importlib.util.spec_from_file_location("imported_console_flows", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_out_of_one_swf_into_another(run: Callable[..., Ended], decider: object, folder: Path, tmp_path: Path) -> None:
    started = run("start", "Double", "1.0", "--domain", "console", "--workflow-id", "é", "--input", "4", "--wait")
    assert started.code == 0, started
    printed = run("history", "é", "--domain", "console", "--json").out
    path = str(tmp_path / "elsewhere.db")
    with LocalSwf(path) as local:
        local.client().register_domain(name="elsewhere", workflowExecutionRetentionPeriodInDays="1")
        run_id = local.import_history("elsewhere", "copied", printed)
    with LocalSwf(path) as local:  # it is in the file
        execution = {"workflowId": "copied", "runId": run_id}
        kept = local.client().get_workflow_execution_history(domain="elsewhere", execution=execution)["events"]
    events = [{**event, "eventTimestamp": event["eventTimestamp"].timestamp()} for event in kept]
    assert events == json.loads(printed)["events"]
    assert len(events) == 5
    replayed = replay(module_of(folder / "console_flows.py").Double, events)
    assert replayed.decisions_checked == 1
