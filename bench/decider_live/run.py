"""What `make bench` runs of this folder: live sticky decisions."""

from __future__ import annotations

import runpy
from pathlib import Path

if __name__ == "__main__":
    runpy.run_path(str(Path(__file__).with_name("live.py")), run_name="__main__")
