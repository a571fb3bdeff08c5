"""Half-open TCP: one direction, or both, of a connection goes silent without an end; both sides get over it."""

from __future__ import annotations

import contextlib
import json

import pytest
from half_open import Direction, Proxy
from host_rig import Rig, wait_for

INTERVAL = ("--ping-interval", "0.4")


@pytest.mark.parametrize(
    "directions", [("to the host",), ("to the worker",), ("to the host", "to the worker")], ids=" and ".join
)
def test_half_open_connection_is_noticed_and_its_task_goes_on(directions: tuple[Direction, ...], rig: Rig) -> None:
    host = rig.host(*INTERVAL, "--grace", "20", listen="127.0.0.1:0")
    with contextlib.closing(Proxy(host.line_with("Activity host ready: ").split()[-1])) as proxy:
        rig.address = proxy.address
        worker = rig.worker()
        run = rig.run()
        run.schedule("hold", json.dumps({"path": str(rig.path("a"))}))
        wait_for(rig.path("a.begun").exists, "the activity")
        for direction in directions:
            proxy.swallow(direction)
        wait_for(proxy.swallowed.is_set, "something that does not arrive")
        if "to the host" in directions:
            host.line_with("is silent and given up")
        if "to the worker" in directions:
            worker.line_with("The host was silent for")
        else:
            worker.line_with("The host says goodbye (SILENT)")
        host.line_with("resuming 1 tasks")
        rig.path("a.go").write_text("")
        assert run.end()[1].get("result") == '"went on"'
        kinds = [event["eventType"] for event in run.events()]
        assert kinds.count("ActivityTaskStarted") == 1, "the same attempt, resumed over a new connection"
