"""What `make bench` runs of this folder: replay beside other deciders, and the embedded SWF beside moto's."""

from __future__ import annotations

import argparse
import runpy
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from figures import Figure, read, write  # noqa: E402 - it is in the folder above


def main() -> int:
    """Run both, join their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    parser.add_argument("--figures", type=Path, help="leave the figures in this file")
    options = parser.parse_args()
    figures: list[Figure] = []
    for script in ("replay.py", "moto.py"):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            left = Path(folder) / "figures.json"
            sys.argv = [script, "--figures", str(left), *(["--quick"] if options.quick else [])]
            try:
                runpy.run_path(str(HERE / script), run_name="__main__")
            except SystemExit as ended:
                if ended.code:
                    raise
            figures += read(left)
    if options.figures:
        write(options.figures, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
