"""The runner of all tests: what it counts, what it takes for a failure, how it ends."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    """scripts/run_tests.py as a module."""
    spec = importlib.util.spec_from_file_location("run_tests", ROOT / "scripts/run_tests.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["run_tests"] = module
    spec.loader.exec_module(module)
    return module


def suite_of(runner: ModuleType, report: Path, program: str) -> object:
    """A suite whose runner is a Python program that may write `report` (its first argument)."""
    return runner.Suite(
        language="Test",
        command=[sys.executable, "-c", program, str(report)],
        directory=report.parent,
        reports=lambda: [report],
        count=runner.count_junit,
    )


def writing(xml: str, exit_code: int = 0) -> str:
    return f"import sys; open(sys.argv[1], 'w').write({xml!r}); sys.exit({exit_code})"


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_counts_pytest_results(runner: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "r.xml"
    report.write_text(
        '<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/></testsuites>', encoding="utf-8"
    )
    assert runner.count_junit(report) == runner.Count(passed=3, failed=2, skipped=2)


def test_counts_surefire_results(runner: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "r.xml"
    report.write_text('<testsuite tests="5" failures="0" errors="1" skipped="1"><testcase/></testsuite>', "utf-8")
    assert runner.count_junit(report) == runner.Count(passed=3, failed=1, skipped=1)


def test_counts_rspec_results(runner: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    report.write_text(
        '{"summary": {"example_count": 9, "failure_count": 2, "pending_count": 1, '
        '"errors_outside_of_examples_count": 1}}',
        encoding="utf-8",
    )
    assert runner.count_rspec(report) == runner.Count(passed=6, failed=3, skipped=1)


def test_sum_is_the_last_line(runner: ModuleType) -> None:
    lines, code = runner.closing_lines(
        [
            runner.Outcome(language="A", count=runner.Count(passed=2, skipped=1)),
            runner.Outcome(language="B", count=runner.Count(passed=3)),
        ]
    )
    assert lines[-1] == "5 passed, 0 failed"
    assert code == 0


def test_failed_test_is_a_failure(runner: ModuleType) -> None:
    lines, code = runner.closing_lines([runner.Outcome(language="A", count=runner.Count(passed=2, failed=1))])
    assert (lines[-1], code) == ("2 passed, 1 failed", 1)


def test_language_without_tests_is_a_failure(runner: ModuleType, tmp_path: Path) -> None:
    outcome = runner.run(suite_of(runner, tmp_path / "r.xml", writing('<testsuite tests="4" skipped="4"/>')))
    assert "ran no tests" in outcome.trouble
    lines, code = runner.closing_lines([runner.Outcome(language="A", count=runner.Count(passed=2)), outcome])
    assert (lines[-1], code) == ("2 passed, 1 failed", 1)


def test_results_of_an_earlier_run_do_not_count(runner: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "r.xml").write_text('<testsuite tests="4"/>', encoding="utf-8")
    assert "ran no tests" in runner.run(suite_of(runner, tmp_path / "r.xml", "pass")).trouble


def test_runner_that_fails_by_itself_is_a_failure(runner: ModuleType, tmp_path: Path) -> None:
    outcome = runner.run(suite_of(runner, tmp_path / "r.xml", writing('<testsuite tests="4"/>', exit_code=3)))
    assert outcome.count == runner.Count(passed=4)
    assert "exit code 3" in outcome.trouble


def test_results_cut_short_are_a_failure(runner: ModuleType, tmp_path: Path) -> None:
    outcome = runner.run(suite_of(runner, tmp_path / "r.xml", writing('<testsuite tests="4">')))
    assert "cannot be read" in outcome.trouble


def test_runner_that_is_not_there_is_a_failure(runner: ModuleType, tmp_path: Path) -> None:
    suite = runner.Suite(
        language="Test", command=["no-such-runner"], directory=tmp_path, reports=list, count=runner.count_junit
    )
    assert "no-such-runner" in runner.run(suite).trouble


def test_runner_that_hangs_is_killed_with_all_it_started(runner: ModuleType, tmp_path: Path) -> None:
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(sys.argv[1] + '.pid', 'w').write(str(child.pid))\n"
        "child.wait()"
    )
    report = tmp_path / "r.xml"
    pid_file = tmp_path / "r.xml.pid"
    suite = suite_of(runner, report, program)
    timeout_s = 1.0
    while not pid_file.exists():  # a slow machine needs longer to start two processes
        outcome = runner.run(suite, timeout_s)
        timeout_s *= 2
        assert timeout_s < 60
    assert "was killed" in outcome.trouble
    deadline_s = time.monotonic() + 10
    while is_alive(int(pid_file.read_text())):  # a killed process is gone a moment later
        assert time.monotonic() < deadline_s
