"""How the ends of invocations are worded, and kept within SWF's limits."""

from __future__ import annotations

import json

from pyflow_local.engine.values import LambdaOutcome

DATA_LENGTH_MAX = 32768
REASON_LENGTH_MAX = 256
ERROR_REASON = "UnhandledError"  # what live histories show for a function that raised (reference 8.11)


def unhandled(kind: str, text: str) -> LambdaOutcome:
    """A failure of the runtime itself, in Lambda's form."""
    return LambdaOutcome(reason=ERROR_REASON, details=json.dumps({"errorMessage": text, "errorType": kind}))


def cut(outcome: LambdaOutcome) -> LambdaOutcome:
    """Keep within SWF's limit for data: a result that is too long is a failure, a long stack is left out."""
    if outcome.result is not None and len(outcome.result) > DATA_LENGTH_MAX:
        text = f"The function returned {len(outcome.result)} characters; SWF takes at most {DATA_LENGTH_MAX}"
        return unhandled("Function.ResponseSizeTooLarge", text)
    details, reason = outcome.details, outcome.reason
    if details is not None and len(details) > DATA_LENGTH_MAX:
        details = _shorten(details)
    if reason is not None:
        reason = reason[:REASON_LENGTH_MAX]
    return LambdaOutcome(result=outcome.result, reason=reason, details=details)


def _shorten(details: str) -> str:
    """The failure without its stack and with a shorter message, still JSON."""
    try:
        failure = json.loads(details)
    except ValueError:
        return details[:DATA_LENGTH_MAX]
    if not isinstance(failure, dict):
        return details[:DATA_LENGTH_MAX]
    message = str(failure.get("errorMessage", ""))[: DATA_LENGTH_MAX // 8]
    kind = str(failure.get("errorType", ""))[:REASON_LENGTH_MAX]
    return json.dumps({"errorMessage": message, "errorType": kind, "stackTrace": []})
