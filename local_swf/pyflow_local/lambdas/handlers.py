"""Handlers as Lambda sees them: with or without a context, and what their exceptions look like."""

from __future__ import annotations

import inspect
import json
import traceback
from collections.abc import Callable
from typing import Any


def takes_context(function: Callable[..., Any]) -> bool:
    """Whether the handler wants `handler(event, context)` rather than `handler(event)`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(positional) >= 2 or any(p.kind is p.VAR_POSITIONAL for p in parameters)


def failure_of(error: BaseException) -> str:
    """Lambda's error JSON for an exception."""
    frames = traceback.extract_tb(error.__traceback__)
    shown = [f'  File "{f.filename}", line {f.lineno}, in {f.name}\n    {f.line}\n' for f in frames[1:]]
    return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": shown})
