"""The process that runs one handler: requests in on standard input, answers out, one JSON line each.

Run as `python -m pyflow_local.lambdas.child NAME module:function`. What the handler prints goes to standard error.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from pyflow_local.lambdas.context import LambdaContext
from pyflow_local.lambdas.handlers import failure_of, takes_context

_PR_SET_PDEATHSIG = 1


def load(target: str) -> Callable[..., Any]:
    """The function that `module:function` names. Raises ValueError saying what is wrong with it."""
    module_name, colon, function_name = target.partition(":")
    if not colon or not module_name or not function_name:
        raise ValueError(f"'{target}' is not of the form module:function")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise ValueError(f"module {module_name} cannot be imported: {type(error).__name__}: {error}") from error
    for part in function_name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"module {module_name} has no {function_name}")
        found = getattr(found, part)
    if not callable(found):
        raise ValueError(f"{target} is not callable")
    function: Callable[..., Any] = found
    return function


def answer(function: Callable[..., Any], with_context: bool, name: str, request: dict[str, Any]) -> dict[str, Any]:
    """Run the handler once."""
    try:
        event = json.loads(request["payload"])
        if with_context:
            result = function(event, LambdaContext(name, request["arn"], request["id"], request["timeout_s"]))
        else:
            result = function(event)
        return {"id": request["id"], "result": json.dumps(result)}
    except Exception as error:
        return {"id": request["id"], "failure": failure_of(error)}


def main() -> int:
    """Serve until standard input ends."""
    name, target = sys.argv[1], sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the server's business
    out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    with open(os.devnull, encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), 0)  # a handler that reads standard input must not take requests
    try:
        function = load(target)
    except ValueError as error:
        print(json.dumps({"broken": str(error)}), file=out)
        return 1
    with_context = takes_context(function)
    print(json.dumps({"ready": True}), file=out)
    for line in requests:
        print(json.dumps(answer(function, with_context, name, json.loads(line))), file=out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
