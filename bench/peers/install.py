"""Puts each peer into a virtual environment of its own under .setup/peers; what is in place is left alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".setup" / "peers"
INSTALL_TIMEOUT_S = 300
REASON_LENGTH_MAX = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A peer as its registry names it; `extras` as in `name[extras]==version`."""

    name: str
    version: str
    extras: str = ""

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.name}{f'[{self.extras}]' if self.extras else ''}=={self.version}"

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return PEERS / self.name / "bin" / "python"


PYFLOW_2 = Package(name="pyflow-swf", version="2.0.0")
SIMPLEFLOW = Package(name="simpleflow", version="0.36.0")
BOTOFLOW = Package(name="botoflow", version="0.8")
TEMPORAL = Package(name="temporalio", version="1.35.0")
MOTO = Package(name="moto", version="5.2.5", extras="server,swf")


class NotInstalled(Exception):
    """A peer cannot be had here; the message says why."""


def install(package: Package) -> Path:
    """The peer's interpreter. Raises `NotInstalled`, and leaves nothing half done."""
    place = PEERS / package.name
    stamp = place / "installed"
    wanted = f"{package.requirement} {sys.version}"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return package.python
    shutil.rmtree(place, ignore_errors=True)
    print(f"installing {package.requirement} into {place.relative_to(ROOT)}", flush=True)
    try:
        _run(sys.executable, "-m", "venv", str(place))
        _run(str(package.python), "-m", "pip", "install", "-q", "--disable-pip-version-check", package.requirement)
    except NotInstalled as error:
        shutil.rmtree(place, ignore_errors=True)
        raise NotInstalled(f"{package.requirement} could not be installed: {error}") from None
    stamp.write_text(wanted, encoding="utf-8")
    return package.python


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(str(error)[:REASON_LENGTH_MAX]) from None
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        raise NotInstalled(errors[-1][:REASON_LENGTH_MAX])
