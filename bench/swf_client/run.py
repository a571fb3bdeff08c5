"""What `make bench` runs of this folder: CPU of SWF calls."""

from __future__ import annotations

import runpy
from pathlib import Path

if __name__ == "__main__":
    runpy.run_path(str(Path(__file__).with_name("calls.py")), run_name="__main__")
