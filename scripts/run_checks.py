"""Runs every check that is no test: lint, format, types, the contract, drift of generated code. Changes nothing.

All of them run, whatever fails; the last lines name those that failed. Exit code 1 when one did.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUF = ("npx", "--yes", "--loglevel=error", "@bufbuild/buf@1.75.0")
PACKAGES = (
    "decider/pyflow",
    "activity_host/pyflow_host",
    "sdk_python/pyflow_activity",
    "local_swf/pyflow_local",
    "console/pyflow_console",
    "tests/conformance/pyflow_conformance",
)
GENERATED = {
    "python": "proto/gen/python/pyflow_api",
    "ruby": "sdk_ruby/lib/pyflow_api",
    "java": "sdk_java/src/generated/java/dev",
}
"""What scripts/generate writes, by language."""
BY_HAND = {"__init__.py", "py.typed"}
"""What was written by hand beside generated modules makes them a package; the generator knows nothing of it."""
CHECK_TIMEOUT_S = 15 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A named check; `run` returns what is wrong, empty for nothing."""

    name: str
    run: Callable[[], str]


def command(*words: str, directory: Path = ROOT) -> Callable[[], str]:
    """A check that is a command: its output is what is wrong, when its exit code is not 0."""

    def run() -> str:
        try:
            done = subprocess.run(
                words,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=CHECK_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{words[0]} cannot be run: {error}"
        return "" if done.returncode == 0 else done.stdout or f"exit code {done.returncode}"

    return run


def drift(language: str) -> Callable[[], str]:
    """A check that the committed code is what scripts/generate would write now."""

    def run() -> str:
        place = ROOT / GENERATED[language]
        with tempfile.TemporaryDirectory() as directory:
            wrong = command("scripts/generate", "--into", directory, language)()
            return wrong or differences(Path(directory) / place.name, place)

    return run


def differences(fresh: Path, committed: Path) -> str:
    """Names the files that are in one of the folders only, or differ."""

    def files(folder: Path) -> dict[str, bytes]:
        found = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.name not in BY_HAND}

    new, old = files(fresh), files(committed)
    lines = [f"{name}: differs" for name in sorted(new.keys() & old.keys()) if new[name] != old[name]]
    lines += [f"{name}: is not committed" for name in sorted(new.keys() - old.keys())]
    lines += [f"{name}: nothing generates it" for name in sorted(old.keys() - new.keys())]
    return "\n".join([*lines, "run make generate and commit what it writes"]) if lines else ""


def breaking_base() -> str:
    """The commit that the contract may only add to: where this branch left the published one, or the last commit."""
    for words in (("git", "merge-base", "origin/main", "HEAD"), ("git", "rev-parse", "HEAD")):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    return ""


def checks() -> list[Check]:
    """All checks of this repository."""
    python = sys.executable
    found = [
        Check(name="ruff", run=command(python, "-m", "ruff", "check", "--quiet", ".")),
        Check(name="ruff format", run=command(python, "-m", "ruff", "format", "--quiet", "--diff", ".")),
        *(Check(name=f"mypy {package}", run=command(python, "-m", "mypy", package)) for package in PACKAGES),
        Check(name="mypy scripts", run=command(python, "-m", "mypy", "scripts")),
        Check(name="rubocop", run=command("rubocop", "--format", "simple", directory=ROOT / "sdk_ruby")),
        Check(name="buf lint", run=command(*BUF, "lint", "proto")),
        Check(name="buf format", run=command(*BUF, "format", "--diff", "--exit-code", "proto")),
        *(Check(name=f"generated {language}", run=drift(language)) for language in GENERATED),
        Check(name="house rules", run=command(python, "-m", "pytest", "-q", "tests/house")),
    ]
    base = breaking_base()
    if base:
        against = f".git#ref={base},subdir=proto"
        found.append(Check(name="buf breaking", run=command(*BUF, "breaking", "proto", "--against", against)))
    return found


def main(names: Sequence[str]) -> int:
    """Run the checks whose names begin with one of these words, or all."""
    failed: list[str] = []
    asked = [check for check in checks() if not names or check.name.startswith(tuple(names))]
    for check in asked:
        wrong = check.run()
        print(f"{'FAILED' if wrong else 'ok':<8}{check.name}", flush=True)
        if wrong:
            failed.append(check.name)
            print("\n".join(f"    {line}" for line in wrong.rstrip().splitlines()), flush=True)
    print(f"{len(asked) - len(failed)} checks passed, {len(failed)} failed{': ' if failed else ''}{', '.join(failed)}")
    return 1 if failed or not asked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
