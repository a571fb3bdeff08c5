"""The document pipeline from end to end, in four languages' processes: is what it reports true?"""

from __future__ import annotations

import json
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import texts
from report import NEAR_DUPLICATE_FROM, Entry, near_duplicates
from whole_runs import result_of, run_to_end, stack_in_short_path

LICENSES = Path("/usr/share/common-licenses")
# Four standard deviations of a 128-place MinHash estimate near one half: 4 * sqrt(0.25 / 128).
ESTIMATE_ERROR_MAX = 0.18


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The licence texts of Debian, small texts with known traps, and a file that is not UTF-8."""
    directory = tmp_path_factory.mktemp("documents")
    for path in LICENSES.iterdir():
        shutil.copy(path, directory / path.name)
    (directory / "traps.txt").write_text("Don't stop-now… Ünïcödé 3.14 e.g. this! Really?! No end", "utf-8")
    (directory / "empty.txt").write_text("", "utf-8")
    (directory / "latin1.txt").write_bytes("fünf Wörter, falsch kodiert".encode("latin-1"))
    return directory


@pytest.fixture(scope="module")
def finished(documents: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    output = tmp_path_factory.mktemp("output")
    with stack_in_short_path(supervised=True) as stack:
        run, end = run_to_end(stack, documents, output)
        found = result_of(end)
    stored = [json.loads(path.read_text("utf-8")) for path in (output / "entries").glob("*.json")]
    entries = {entry["name"]: entry for entry in stored}
    return {"run": run, "found": found, "entries": entries, "page": (output / "report.html").read_text("utf-8")}


def good(finished: dict[str, Any]) -> dict[str, Any]:
    return {name: entry for name, entry in finished["entries"].items() if "failed" not in entry}


def test_every_document_is_in_the_report(documents: Path, finished: dict[str, Any]) -> None:
    names = {path.name for path in documents.iterdir()}
    assert set(finished["entries"]) == names
    assert finished["found"]["documents"] == len(names)
    assert all(f"<td>{name}<" in finished["page"] for name in names)


def test_the_counts_agree_with_an_independent_count(documents: Path, finished: dict[str, Any]) -> None:
    for name, entry in good(finished).items():
        text = (documents / name).read_bytes().decode("utf-8")
        assert entry["words"]["words"] == len(texts.words(text)), name
        assert entry["words"]["sentences"] == texts.sentences(text), name
        assert entry["words"]["characters"] == len(text), name
        top = [(word["word"], word["count"]) for word in entry["words"]["top_words"]]
        assert top == texts.top_words(text, 10), name
        assert entry["bytes"] == (documents / name).stat().st_size, name
        assert entry["fingerprint"]["sha256"] == texts.sha256(documents / name), name


def test_the_near_duplicates_agree_with_a_brute_force_comparison(documents: Path, finished: dict[str, Any]) -> None:
    entries = [Entry.from_json(json.dumps(entry)) for entry in good(finished).values()]
    reported = {frozenset((pair.first, pair.second)): pair.similarity for pair in near_duplicates(entries)}
    shingles = {name: texts.shingles((documents / name).read_text("utf-8")) for name in good(finished)}
    for first, second in combinations(sorted(shingles), 2):
        exact = texts.similarity(shingles[first], shingles[second])
        pair = frozenset((first, second))
        if pair in reported:
            assert abs(reported[pair] - exact) <= ESTIMATE_ERROR_MAX, (first, second, exact)
        else:
            assert exact < NEAR_DUPLICATE_FROM + ESTIMATE_ERROR_MAX, (first, second, exact)
    identical = {
        frozenset((first, second))
        for first, second in combinations(sorted(shingles), 2)
        if texts.sha256(documents / first) == texts.sha256(documents / second)
    }
    assert identical <= set(reported)
    assert all(reported[pair] == 1.0 for pair in identical)
    assert finished["found"]["duplicates"] == len(reported)


def test_one_bad_document_is_listed_with_its_reason_and_loses_none_of_the_others(finished: dict[str, Any]) -> None:
    assert finished["found"]["failed"] == 1
    assert "NotUtf8" in finished["entries"]["latin1.txt"]["failed"]
    assert "latin1.txt" in finished["entries"]["latin1.txt"]["failed"]
    assert "<td>latin1.txt<td>NotUtf8" in finished["page"]


def events_of_children(finished: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    runs = finished["run"].progress.runs
    return [event for run in runs for event in run.events.values() if event["eventType"] == kind]


def test_one_activity_fails_on_its_first_attempt_and_is_retried_by_policy(finished: dict[str, Any]) -> None:
    failures = events_of_children(finished, "ActivityTaskFailed")
    reasons = [event["activityTaskFailedEventAttributes"]["reason"] for event in failures]
    assert reasons.count("FlakyOnPurpose") == 1
    scheduled = events_of_children(finished, "ActivityTaskScheduled")
    ids = [event["activityTaskScheduledEventAttributes"]["activityId"] for event in scheduled]
    assert sum(".attempt2" in activity_id for activity_id in ids) == 1, reasons


def test_every_document_went_through_all_three_languages_and_the_lambda_function(finished: dict[str, Any]) -> None:
    scheduled = events_of_children(finished, "ActivityTaskScheduled")
    types = [event["activityTaskScheduledEventAttributes"]["activityType"]["name"] for event in scheduled]
    done = len(good(finished))
    assert {name: types.count(name) >= done for name in ("extract_words", "fingerprint", "summarise")} == {
        "extract_words": True,
        "fingerprint": True,
        "summarise": True,
    }
    assert len(events_of_children(finished, "LambdaFunctionCompleted")) >= done


def test_at_most_eight_children_are_open_at_a_time(finished: dict[str, Any]) -> None:
    root = finished["run"].progress.runs[0]
    open_children = most = 0
    for event in sorted(root.events.values(), key=lambda event: event["eventId"]):
        if event["eventType"] == "StartChildWorkflowExecutionInitiated":
            open_children += 1
        elif event["eventType"] in ("ChildWorkflowExecutionCompleted", "ChildWorkflowExecutionFailed"):
            open_children -= 1
        most = max(most, open_children)
    assert most == 8


def test_the_report_waits_for_the_signal(finished: dict[str, Any]) -> None:
    events = sorted(finished["run"].progress.runs[0].events.values(), key=lambda event: event["eventId"])
    kinds = [
        event.get("activityTaskScheduledEventAttributes", {}).get("activityType", {}).get("name") or event["eventType"]
        for event in events
    ]
    assert kinds.index("WorkflowExecutionSignaled") < kinds.index("render_report")


def test_a_directory_without_text_files_fails_with_that_reason(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/picture.bin").write_bytes(b"\0\1\2")
    with stack_in_short_path(supervised=True) as stack:
        _, end = run_to_end(stack, tmp_path / "empty", tmp_path / "out")
    assert end["kind"] == "WorkflowExecutionFailed"
    assert end["reason"] == "NoTextFiles"
    assert "holds no text files" in end["details"]


def test_every_request_is_valid_under_botocores_service_model(documents: Path, tmp_path: Path) -> None:
    """boto3 checks each request against AWS's own model before it sends it; the lean transport does not."""
    with stack_in_short_path(supervised=True, env={"PYFLOW_SWF_TRANSPORT": "boto3"}) as stack:
        _, end = run_to_end(stack, documents, tmp_path)
        assert result_of(end)["failed"] == 1
        output = [line for process in stack.processes.values() for line in process.output]
    assert not [line for line in output if "Parameter validation failed" in line or "ValidationException" in line]
