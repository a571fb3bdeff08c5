"""Lets the tests of the activity host find the parts they share."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "core"), str(HERE.parent / "decider/swf")]

from host_rig import Rig, embedded_swf  # noqa: E402 - after the path to it


@pytest.fixture(scope="session")
def swf_endpoint() -> Iterator[str]:
    """One embedded SWF for all tests; each has a domain of its own."""
    with embedded_swf() as endpoint:
        yield endpoint


@pytest.fixture
def rig(swf_endpoint: str) -> Iterator[Rig]:
    """Processes of one test. The directory's path is short: Unix sockets have at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ah") as directory:
        rig = Rig(swf_endpoint, Path(directory))
        try:
            yield rig
            rig.check_ledgers()
        finally:
            rig.close()
