"""`kill -9` in the middle of the pipeline: whoever dies and comes back, the report is the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pipeline_run import PipelineRun
from stack import Stack
from whole_runs import result_of, run_to_end, stack_in_short_path

DOCUMENTS_BEFORE_THE_KILL = 2


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("documents")
    for path in Path("/usr/share/common-licenses").iterdir():
        shutil.copy(path, directory / path.name)
    return directory


@pytest.fixture(scope="module")
def undisturbed(documents: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a run that nothing happened to."""
    return report_of(documents, tmp_path_factory.mktemp("undisturbed"), lambda stack: None)


def report_of(documents: Path, output: Path, strike: Callable[[Stack], None]) -> str:
    """Strikes once, when some documents are indexed and others are not, and gives the report's text."""
    struck = []
    with stack_in_short_path(supervised=False) as stack:

        def disturb(run: PipelineRun) -> None:
            done, all_of_them = run.progress.documents_done, run.progress.documents
            if not struck and all_of_them is not None and done >= DOCUMENTS_BEFORE_THE_KILL:
                assert done < all_of_them, "too late: everything was indexed before the strike"
                struck.append(done)
                strike(stack)

        _, end = run_to_end(stack, documents, output, disturb=disturb)
        found = result_of(end)
    assert struck
    assert found["failed"] == 0
    return (output / "report.html").read_text("utf-8")


def kill_and_start_again(name: str, start: Callable[[Stack], None]) -> Callable[[Stack], None]:
    def strike(stack: Stack) -> None:
        stack.processes[name].kill()
        start(stack)

    return strike


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("swf", Stack.restart_swf),
        ("decider", Stack.start_decider),
        ("host", Stack.start_host),
        ("ruby worker", lambda stack: stack.start_worker("ruby")),
        ("java worker", lambda stack: stack.start_worker("java")),
        ("python worker", lambda stack: stack.start_worker("python")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_report_is_the_same_after(
    name: str, start: Callable[[Stack], None], documents: Path, undisturbed: str, tmp_path: Path
) -> None:
    assert report_of(documents, tmp_path, kill_and_start_again(name, start)) == undisturbed
