"""Asks deciders which executions they hold, and why, at their --metrics-address."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from pyflow_console.errors import NotReached

ANSWER_TIMEOUT_S = 5.0
PAGE_BYTES_MAX = 100_000_000


def hold_of(run_id: str, deciders: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], dict[str, Any]] | None:
    """The first decider (host, port) that holds the run, and its entry. Raises NotReached."""
    for host, port in deciders:
        for entry in _holds(f"http://[{host}]:{port}/holds" if ":" in host else f"http://{host}:{port}/holds"):
            if entry["run_id"] == run_id:
                return (host, port), entry
    return None


def _holds(url: str) -> list[dict[str, Any]]:
    # A decider is spoken to directly: it is no business of a web proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=ANSWER_TIMEOUT_S) as answer:
            found = json.loads(answer.read(PAGE_BYTES_MAX))
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise NotReached(
            f"no decider tells its holds at {url}: {reason}. --decider is the --metrics-address of a `pyflow decider`"
        ) from error
    if not isinstance(found, list):
        raise NotReached(f"what answers at {url} is no decider: it tells no list of holds")
    return found
