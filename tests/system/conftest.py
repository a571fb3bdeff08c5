"""Makes the modules of examples/documents importable, as they are for its own processes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/documents"))
