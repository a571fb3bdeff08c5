"""Prints the part of requirements.lock that the distribution needs to run, hashes included: what images install.

The closure is taken over the packages installed in this environment, whose versions the lock gave.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTION = "pyflow-swf"


def closure(name: str) -> set[str]:
    """The canonical names of all packages `name` needs here, extras left out, itself not included."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        for text in requires(ahead.pop()) or []:
            requirement = Requirement(text)
            needed = canonicalize_name(requirement.name)
            if needed in found or (requirement.marker is not None and not requirement.marker.evaluate({"extra": ""})):
                continue
            found.add(needed)
            ahead.append(needed)
    return found


def blocks(lock: str) -> dict[str, str]:
    """The lock's entries by canonical name: a line `name==version ...` and the indented lines after it."""
    entries = re.finditer(r"^([A-Za-z0-9._-]+)==.*\n(?:[ \t]+.*\n)*", lock, re.MULTILINE)
    return {canonicalize_name(entry.group(1)): entry.group() for entry in entries}


def main() -> int:
    """Print the entries; exit code 1 when the lock or the environment lacks one."""
    known = blocks((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    try:
        needed = sorted(closure(DISTRIBUTION))
    except PackageNotFoundError as error:
        print(f"runtime_lock: {error} is not installed; run make setup", file=sys.stderr)
        return 1
    absent = [name for name in needed if name not in known]
    if absent:
        print(f"runtime_lock: requirements.lock has no {', '.join(absent)}; make it anew", file=sys.stderr)
        return 1
    print("".join(known[name] for name in needed), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
