"""The pipeline's workflows alone, with stand-ins for their activities and time that is skipped."""

from __future__ import annotations

from typing import Any

import pyflow
import pytest
from pipeline import DOCUMENTS_AT_A_TIME, DocumentPipeline, IndexDocument
from pyflow.core.values import ExecutionSettings
from pyflow.testing import Takes, WorkflowEnvironment, WorkflowHandle

PAGE = 10
JOB = {"directory": "/documents", "output": "/output", "time_limit_s": 1000}


class Documents:
    """A directory of so many documents, and all the pipeline's activities over it."""

    def __init__(self, count: int, *, seconds_each: float = 0) -> None:
        self.names = [f"{number:03}" for number in range(count)]
        self.seconds_each = seconds_each
        self.stored: list[str] = []
        self.failed_first: list[str] = []
        self.running = 0
        self.running_max = 0

    def list_documents(self, directory: str, output: str, after: str) -> dict[str, Any]:
        left = [name for name in self.names if name > after]
        return {"directory": directory, "names": left[:PAGE], "more": len(left) > PAGE, "entries": f"{output}/entries"}

    def extract_words(self, path: str, fail_first: bool) -> dict[str, Any]:
        if fail_first:
            self.failed_first.append(path)
        self.running += 1
        self.running_max = max(self.running_max, self.running)
        return {"words": 1}

    def store_entry(self, entries: str, name: str, entry: dict[str, Any]) -> Any:
        self.running -= 1
        self.stored.append(name)
        return Takes(self.seconds_each)

    def environment(self, **settings: Any) -> WorkflowEnvironment:
        return WorkflowEnvironment(
            [DocumentPipeline, IndexDocument],
            lambdas={"detect_language": lambda text: {"language": "en"}},
            activities={
                "list_documents": self.list_documents,
                "extract_words": self.extract_words,
                "fingerprint": lambda path: {"sha256": path, "minhash": []},
                "summarise": lambda path, sentences: {"sentences": [], "opening": "", "bytes": 0},
                "store_entry": self.store_entry,
                "render_report": lambda entries, output: {"documents": len(self.stored)},
            },
            settings=ExecutionSettings(**settings),
        )


def last_run(env: WorkflowEnvironment, handle: WorkflowHandle) -> tuple[WorkflowHandle, int]:
    """The run in which it ended, and how many runs it took; published when it asks for that."""
    runs = 1
    while True:
        env.settle()
        handle.signal("publish")
        env.run_until_closed(handle)
        if handle.close_status != "ContinuedAsNew":
            return handle, runs
        event = handle.close_event
        assert event is not None
        attributes = event["workflowExecutionContinuedAsNewEventAttributes"]
        handle = WorkflowHandle(env, handle.workflow_id, attributes["newExecutionRunId"])
        runs += 1


def test_every_document_of_every_page_is_indexed_once_and_one_fails_on_purpose() -> None:
    documents = Documents(3 * PAGE + 1)
    with documents.environment() as env:
        handle, runs = last_run(env, env.start(DocumentPipeline, JOB))
        assert handle.result() == {"documents": 31}
    assert runs == 1
    assert sorted(documents.stored) == documents.names
    assert documents.failed_first == ["/documents/000"]
    assert documents.running_max == DOCUMENTS_AT_A_TIME


def test_a_directory_too_large_for_one_history_goes_on_in_another_run() -> None:
    documents = Documents(3 * PAGE + 1)
    with documents.environment(history_events_advice=60) as env:
        handle, runs = last_run(env, env.start(DocumentPipeline, JOB))
        assert handle.result() == {"documents": 31}
    assert runs > 1
    assert sorted(documents.stored) == documents.names
    assert documents.failed_first == ["/documents/000"]


@pytest.mark.parametrize("advice", [10_000, 60])
def test_the_time_limit_holds_for_all_runs_together(advice: int) -> None:
    documents = Documents(6 * PAGE, seconds_each=30)
    with documents.environment(history_events_advice=advice) as env:
        begun_ms = env.swf.now_ms
        handle, _ = last_run(env, env.start(DocumentPipeline, {**JOB, "time_limit_s": 200}))
        with pytest.raises(pyflow.PyflowException, match="TIME_LIMIT"):
            handle.result()
        assert env.swf.now_ms - begun_ms == pytest.approx(200_000, abs=1000)
