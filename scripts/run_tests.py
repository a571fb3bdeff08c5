"""Runs the tests of every language and ends with one line `N passed, N failed`, the sum over all.

Exit code 1 when a test failed, a runner failed, or a language ran no tests at all.
`run_tests.py python ruby` runs only those languages.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build/test-results"
SUITE_TIMEOUT_S = 40 * 60
"""A language's tests that take longer hang; they are killed and count as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            skipped=self.skipped + other.skipped,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The tests of one language: the command that runs them and the files it leaves its results in."""

    language: str
    command: Sequence[str]
    directory: Path
    reports: Callable[[], list[Path]]
    count: Callable[[Path], Count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a suite; `trouble` is what went wrong beside failed tests, and counts as one more failure."""

    language: str
    count: Count
    trouble: str = ""


def count_junit(path: Path) -> Count:
    """The tests of a JUnit XML file, as pytest and Maven's Surefire write it. Errors count as failures."""
    root = ElementTree.parse(path).getroot()
    found = Count()
    for suite in [root] if root.tag == "testsuite" else root.iter("testsuite"):
        tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        # pytest counts a test whose teardown fails after it passed as one test and one error.
        found += Count(passed=max(0, tests - failed - skipped), failed=failed, skipped=skipped)
    return found


def count_rspec(path: Path) -> Count:
    """The examples of an RSpec JSON file; an error outside of examples counts as a failure."""
    summary = json.loads(path.read_text(encoding="utf-8"))["summary"]
    failed = summary["failure_count"] + summary.get("errors_outside_of_examples_count", 0)
    skipped = summary["pending_count"]
    passed = summary["example_count"] - summary["failure_count"] - skipped
    return Count(passed=passed, failed=failed, skipped=skipped)


def judge(language: str, count: Count, exit_code: int | None) -> Outcome:
    """What a suite's count and its runner's exit code (None: killed for its time limit) come to."""
    if exit_code is None:
        return Outcome(language=language, count=count, trouble=f"did not end within {SUITE_TIMEOUT_S} s and was killed")
    if count.passed + count.failed == 0:
        return Outcome(language=language, count=count, trouble=f"ran no tests (exit code {exit_code})")
    if exit_code != 0 and count.failed == 0:
        return Outcome(language=language, count=count, trouble=f"its runner failed with exit code {exit_code}")
    return Outcome(language=language, count=count)


def closing_lines(outcomes: Iterable[Outcome]) -> tuple[list[str], int]:
    """The last lines to print, the very last being the sum, and the exit code."""
    lines, total = [""], Count()
    for outcome in outcomes:
        count = outcome.count
        total += count
        lines.append(
            f"{outcome.language:<8}{count.passed:>6} passed {count.failed:>4} failed {count.skipped:>4} skipped"
        )
        if outcome.trouble:
            total += Count(failed=1)
            lines.append(f"{'':8}{outcome.language} {outcome.trouble}; counted as one failure")
    lines.append(f"{total.passed} passed, {total.failed} failed")
    return lines, 0 if total.failed == 0 and total.passed > 0 else 1


def suites() -> list[Suite]:
    """The suites of this repository."""
    python, ruby = RESULTS / "python.xml", RESULTS / "ruby.json"

    def java_reports() -> list[Path]:
        places = [ROOT / module for module in ("sdk_java", "examples/documents/java", "bench/sdk_java")]
        return sorted(report for place in places for report in place.glob("target/surefire-reports/TEST-*.xml"))

    return [
        Suite(
            language="Ruby",
            command=["rspec", "--format", "progress", "--format", "json", "--out", str(ruby)],
            directory=ROOT / "sdk_ruby",
            reports=lambda: [ruby],
            count=count_rspec,
        ),
        Suite(
            language="Java",
            command=["mvn", "--batch-mode", "-Dstyle.color=never", "--no-transfer-progress", "--fail-at-end", "verify"],
            directory=ROOT,
            reports=java_reports,
            count=count_junit,
        ),
        Suite(
            language="Python",
            command=[sys.executable, "-m", "pytest", "--durations=10", f"--junitxml={python}"],
            directory=ROOT,
            reports=lambda: [python],
            count=count_junit,
        ),
    ]


def run(suite: Suite, timeout_s: float = SUITE_TIMEOUT_S) -> Outcome:
    """Run one suite, its output passed through."""
    for stale in suite.reports():
        stale.unlink(missing_ok=True)
    print(f"\n== {suite.language}: {' '.join(suite.command)}", flush=True)
    try:
        exit_code = _exit_code(suite, timeout_s)
    except OSError as error:
        return Outcome(
            language=suite.language, count=Count(), trouble=f"cannot run {suite.command[0]}: {error.strerror}"
        )
    count, unreadable = Count(), ""
    for report in filter(Path.exists, suite.reports()):
        try:
            count += suite.count(report)
        except (ValueError, KeyError, ElementTree.ParseError) as error:
            unreadable = f"left results that cannot be read ({report}: {error})"
    outcome = judge(suite.language, count, exit_code)
    return Outcome(language=suite.language, count=count, trouble=unreadable) if unreadable else outcome


def _exit_code(suite: Suite, timeout_s: float) -> int | None:
    """The runner's exit code; None when it had to be killed, with all it started."""
    process = subprocess.Popen(suite.command, cwd=suite.directory, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def main(languages: Sequence[str]) -> int:
    """Run the suites of these languages, or all."""
    asked = [suite for suite in suites() if not languages or suite.language.lower() in languages]
    unknown = set(languages) - {suite.language.lower() for suite in asked}
    if unknown:
        print(f"run_tests: unknown language {', '.join(sorted(unknown))} (python, ruby, java)", file=sys.stderr)
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    lines, code = closing_lines([run(suite) for suite in asked])
    print("\n".join(lines), flush=True)
    return code


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main([language.lower() for language in sys.argv[1:]]))
