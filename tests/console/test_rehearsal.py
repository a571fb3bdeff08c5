"""A rehearsal of code that does not come back: named by its line, and no thread of it is left."""

from __future__ import annotations

import threading

import pyflow
from pyflow.testing import HistoryBuilder
from pyflow_console.rehearsal import rehearse


class LoopsForEver(pyflow.Workflow):
    NAME = "LoopsForEver"

    def run(self, _: object) -> None:
        while True:
            try:
                sum(range(100))
            except Exception:
                continue


def test_code_that_loops_is_interrupted_once_its_line_is_known() -> None:
    history = HistoryBuilder(None, workflow_type=("LoopsForEver", "1.0"))
    history.decision_task()
    done = rehearse(LoopsForEver, history.events, workflow_id="w", run_id="r", within_s=0.2)
    assert done.loops
    assert f"{__file__}:" in str(done.held)
    assert "in run" in str(done.held)
    # An interpreter that ends with a thread inside a greenlet may crash.
    assert "pyflow-rehearsal" not in [thread.name for thread in threading.enumerate()]
