"""Runs the benchmarks, one part after the other: bench/NAME/run.py of every part, or of those named.

    python bench/run.py [--quick] [NAME...]

Each part prints what it does and leaves its figures. At the end comes one table for each part, every figure beside its
goal, and build/bench/results.json. BENCH_QUICK=1 is the same as --quick. The exit code is 1 when a part could not be
measured; a goal that is missed is shown, and no error: on a busy machine figures are what they can be.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from figures import Figure, count, read, table

BENCH = Path(__file__).resolve().parent
RESULTS = BENCH.parent / "build" / "bench" / "results.json"
PART_TIMEOUT_S = 6 * 60
PART_TIMEOUT_QUICK_S = 2 * 60
TITLES = {
    "activity_host": "Activity host and workers",
    "decider": "Decider: replay, live decisions, memory",
    "decider_live": "Live sticky decision, calls included",
    "local_swf": "Embedded SWF",
    "peers": "Beside the peers: how many times less CPU than each",
    "swf_client": "SWF client: how many times less CPU than boto3",
}


@dataclass(slots=True, kw_only=True)
class Part:
    """What came of one part."""

    name: str
    seconds: float = 0.0
    load_before: float = 0.0
    """What else ran: the machine's load average when the part began."""
    trouble: str = ""
    figures: list[Figure] = field(default_factory=list)


def measure(name: str, quick: bool) -> Part:
    """Run one part in a process group of its own, its output passed through."""
    print(f"== {name}", flush=True)
    part = Part(name=name, load_before=os.getloadavg()[0])
    limit_s = PART_TIMEOUT_QUICK_S if quick else PART_TIMEOUT_S
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        left = Path(folder) / "figures.json"
        command = [sys.executable, str(BENCH / name / "run.py"), "--figures", str(left)]
        process = subprocess.Popen([*command, *(["--quick"] if quick else [])], start_new_session=True)
        try:
            code: int | None = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            code, part.trouble = None, f"did not end within {limit_s} s"
        finally:
            _end_group(process)
        try:
            part.figures = read(left)
        except (OSError, ValueError, TypeError) as error:
            part.trouble = part.trouble or f"left no figures (exit code {code}): {error}"
    part.seconds = time.monotonic() - begun
    return part


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Nothing that a part started outlives it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def closing(parts: list[Part]) -> str:
    """The tables of all parts, and one last line."""
    shown = []
    met = missed = 0
    for part in parts:
        if part.figures:
            title = f"{TITLES.get(part.name, part.name)} ({part.seconds:.0f} s, load before {part.load_before:.1f})"
            shown.append(table(title, part.figures))
        if part.trouble:
            shown.append(f"{part.name} FAILED: {part.trouble}")
        passes, misses = count(part.figures)
        met, missed = met + passes, missed + misses
    failed = [part.name for part in parts if part.trouble]
    seconds = sum(part.seconds for part in parts)
    last = f"{met} goals met, {missed} missed, {len(failed)} parts failed, {seconds:.0f} s"
    return "\n\n".join([*shown, f"{last}{': ' if failed else ''}{', '.join(failed)}"])


def save(parts: list[Part], quick: bool) -> None:
    """Leave everything for machines."""
    machine = {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    found = {
        part.name: {
            "seconds": round(part.seconds, 1),
            "load_before": round(part.load_before, 2),
            "trouble": part.trouble,
            "figures": [{**asdict(figure), "verdict": figure.verdict} for figure in part.figures],
        }
        for part in parts
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"quick": quick, "machine": machine, "parts": found}, indent=1) + "\n")


def main() -> int:
    """Run the parts that are asked for."""
    known = sorted(path.parent.name for path in BENCH.glob("*/run.py"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements: under three minutes")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in known]
    if unknown:
        print(f"bench: there is no bench/{unknown[0]}/run.py (there are: {', '.join(known)})", file=sys.stderr)
        return 2
    quick = options.quick or os.environ.get("BENCH_QUICK", "") not in ("", "0")
    parts = [measure(name, quick) for name in options.names or known]
    save(parts, quick)
    print(f"\n{closing(parts)}\n\nall figures: {RESULTS.relative_to(BENCH.parent)}", flush=True)
    return 1 if any(part.trouble for part in parts) else 0


if __name__ == "__main__":
    sys.exit(main())
