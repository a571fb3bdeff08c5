"""Carries out the steps of a host case."""

from __future__ import annotations

from pathlib import Path

from pyflow_conformance.cases import Case
from pyflow_conformance.host_steps import HostStep
from pyflow_conformance.languages import Language


class HostScript:
    """One case with one host."""

    def __init__(self, case: Case, language: Language | None, directory: Path) -> None:
        self.output = ""

    async def run(self, step: HostStep) -> None:
        """Carry out one step. Raises Mismatch."""

    async def close(self) -> None:
        """End everything."""
