"""The suite tests itself: a worker with a fault switched on must be caught, and a case file with a fault refused."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from pathlib import Path

import pytest
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_conformance.cases import chosen, load_cases
from pyflow_conformance.errors import BadCase, BadUsage
from pyflow_conformance.introduction import hello_of
from pyflow_conformance.languages import ROOT, Language, read_known_failing
from pyflow_conformance.main import default_cases
from pyflow_conformance.matching import message_differences, payload_differences, same_json, value_differences
from pyflow_conformance.report import Result, complaints, table, wire_differences
from pyflow_conformance.runner import Runner
from pyflow_conformance.scripted_host import raw_items
from pyflow_conformance.worker_script import without_its_language

FAULTY = Path(__file__).parent / "executors/python/faulty.py"
CAUGHT_BY = {
    "too_many_credits": "hello/slots",
    "no_credit_back": "credits/one-back-for-each-finished-task",
    "forgets_what_it_holds": "outcomes/ack-lost",
    "forgets_before_the_ack": "outcomes/kept-until-acked",
    "sends_outcomes_twice": "outcomes/kept-until-acked",
    "runs_duplicates": "credits/duplicate-dispatch",
    "answers_no_ping": "liveness/status",
    "answers_with_another_nonce": "liveness/status",
    "hears_the_end_of_a_stream_as_its_own": "reconnect/canceled-by-the-other-side",
    "exits_with_0_when_refused": "reconnect/unauthenticated",
    "new_key_at_each_connect": "reconnect/stream-ends-ok",
    "never_notices_silence": "liveness/silent-stream",
    "drops_tasks_when_asked_to_stop": "drain/three-running-tasks",
    "escapes_all_but_ascii": "payloads/unicode",
    "sends_nothing_for_null": "results/nothing-is-null",
    "writes_nan": "results/nan",
    "knows_no_limits": "results/one-too-long",
    "loses_causes": "failures/cause-chain",
    "loses_the_last_progress": "progress/last-before-a-failure",
    "treats_a_cancel_as_unheard": "cancel/requested",
    "tries_for_ever": "reconnect/no-host-at-the-start",
    "gives_up_a_host_that_was_there": "reconnect/start-timeout-is-for-the-start",
}


def faulty(fault: str, known_failing: frozenset[str] = frozenset()) -> Language:
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(FAULTY))} {fault}"
    return Language(name="python", command=command, known_failing=known_failing, lacks=frozenset({"typed"}))


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    """Each fault with its case, all at once."""

    async def run() -> list[Result]:
        async with Runner() as runner:
            pairs = ((cases[case], faulty(fault)) for fault, case in CAUGHT_BY.items())
            return list(await asyncio.gather(*(runner.run_one(*pair) for pair in pairs)))

    cases = {case.name: case for case in load_cases(default_cases())}
    return dict(zip(CAUGHT_BY, asyncio.run(run()), strict=True))


@pytest.mark.parametrize("fault", list(CAUGHT_BY))
def test_fault_is_caught(fault: str, results: dict[str, Result]) -> None:
    result = results[fault]
    assert result.verdict == "FAIL", f"{fault} passes {result.case}"
    assert result.message
    assert result.is_bad


def test_without_a_fault_the_same_worker_passes() -> None:
    cases = chosen(load_cases(default_cases()), set(CAUGHT_BY.values()))

    async def run() -> list[Result]:
        async with Runner() as runner:
            return await runner.run(cases, [faulty("none")])

    assert {result.case: result.message for result in asyncio.run(run()) if result.verdict != "ok"} == {}


def test_known_failures_must_fail() -> None:
    cases = chosen(load_cases(default_cases()), ["results/nan", "results/infinity", "payloads/int64-max"])
    listed = frozenset({"results/nan", "payloads/int64-max"})

    async def run() -> list[Result]:
        async with Runner() as runner:
            return await runner.run(cases, [faulty("writes_nan", listed)])

    verdicts = {result.case: result.verdict for result in asyncio.run(run())}
    assert verdicts == {"results/nan": "known", "results/infinity": "FAIL", "payloads/int64-max": "FIXED"}


def test_list_of_known_failures(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# why\n\na/b  # a reason\nc/d\n")
    assert read_known_failing(tmp_path / "list.txt") == {"a/b", "c/d"}


BAD_FILES = {
    "unknown step": "cases: [{name: a, about: b, steps: [dance]}]",
    "unknown member": "cases: [{name: a, about: b, steps: [{ack: {tasks: a, colour: red}}]}]",
    "wrong type": "cases: [{name: a, about: b, steps: [{calls: many}]}]",
    "unknown reason": "cases: [{name: a, about: b, steps: [{go_away: BORED}]}]",
    "missing member": "cases: [{name: a, about: b, steps: [{task: {id: a}}]}]",
    "unknown feature": "cases: [{name: a, about: b, needs: [wings], steps: [connect]}]",
    "no expectation": "calls: [{name: a, activity: echo}]",
    "two with one name": "cases: [{name: a, about: b, steps: [connect]}, {name: a, about: b, steps: [connect]}]",
    "no YAML": "cases: [",
}


@pytest.mark.parametrize("text", BAD_FILES.values(), ids=BAD_FILES)
def test_bad_case_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(BadCase):
        load_cases(tmp_path)


def test_values_are_compared_by_kind() -> None:
    assert same_json({"a": [1, 2.0, None]}, {"a": [1, 2.0, None]})
    for one, other in ((1, 1.0), (1, True), (0.0, -0.0), ([1], [1, 1]), ({"a": 1}, {"b": 1}), (None, False)):
        assert not same_json(one, other)
    assert value_differences({"at_least": 2, "at_most": 4}, 3, "x") == []
    assert value_differences({"at_least": 4}, 3, "x") == ["x should at least 4 but is 3"]
    assert value_differences({"contains": ["a", "b"]}, "abc", "x") == []
    assert value_differences({"matches": "^b"}, "abc", "x")


def test_messages_are_compared_field_by_field() -> None:
    outcome = pb.Outcome(failed=pb.Outcome().failed)
    outcome.failed.type = "A"
    assert message_differences({"failed": {"type": "A", "cause": None}}, outcome, "x") == []
    assert message_differences({"failed": {"type": "B"}}, outcome, "x") == ["x.failed.type should be 'B' but is 'A'"]
    assert message_differences({"failed": {"cause": {}}}, outcome, "x") == ["x.failed.cause should be set but is not"]
    assert message_differences({"completed": None}, outcome, "x") == []
    with pytest.raises(BadCase):
        message_differences({"colour": 1}, outcome, "x")
    assert payload_differences({"bytes": "1"}, b"1", "", "x") == []
    assert payload_differences({"bytes": "1"}, b"1 ", "", "x")
    assert payload_differences({"json": 1}, b"1 ", "application/json", "x") == []
    assert payload_differences({"json": 1}, b"1", "text/plain", "x")
    assert payload_differences({"length": 4}, '"😀"'.encode(), "", "x") == []


def test_bytes_of_repeated_fields_are_found() -> None:
    outcomes = [pb.Outcome(task_token=b"a" * 200), pb.Outcome(task_token=b"b")]
    frame = pb.WorkerFrame(hello=pb.Hello(slots=3), outcomes=outcomes, credits=300)
    assert raw_items(frame.SerializeToString(), 2) == [outcome.SerializeToString() for outcome in outcomes]


def test_languages_with_other_bytes_are_told() -> None:
    same = [Result(case="c", language=name, verdict="ok", wire={"a": b"1"}) for name in ("python", "ruby")]
    assert wire_differences(same) == []
    other = Result(case="c", language="java", verdict="ok", wire={"a": b"2"})
    assert len(wire_differences([*same, other])) == 1


def test_what_was_learned_names_cases_and_tests_that_exist() -> None:
    text = (Path(__file__).parent / "README.md").read_text("utf-8")
    rows = text.partition("## Learned from others' bugs")[2].partition("\n## ")[0].splitlines()
    names = {name for row in rows if row.startswith("| ") for name in re.findall(r"`([^`]+)`", row)}
    cases = {case.name for case in load_cases(default_cases())}
    assert len(names) >= 30
    assert [name for name in sorted(names) if name not in cases and not (ROOT / name).is_file()] == []


def test_failures_are_compared_without_stack_and_language() -> None:
    def raw(language: str, type_of_cause: str) -> bytes:
        outcome = pb.Outcome(task_token=b"t")
        outcome.failed.type, outcome.failed.stack_trace, outcome.failed.source_language = (
            "A",
            f"at {language}",
            language,
        )
        outcome.failed.cause.type, outcome.failed.cause.source_language = type_of_cause, language
        return without_its_language(outcome).SerializeToString()

    assert raw("ruby", "B") == raw("java", "B")
    assert raw("ruby", "B") != raw("java", "C")


def test_an_executor_is_asked_for_its_language() -> None:
    assert asyncio.run(hello_of(faulty("none").command)).language == "python"
    with pytest.raises(BadUsage, match=r"does not connect \(it ended with 3\)(.|\n)*\| not mine"):
        asyncio.run(hello_of("sh -c 'echo not mine; exit 3'"))


def test_report() -> None:
    good = Result(case="a/b", language="python", verdict="ok")
    bad = Result(case="a/b", language="ruby", verdict="FAIL", message="it did not", output="last words")
    text = table([good, bad], ["python", "ruby"])
    assert "a/b  ok      FAIL" in text
    assert "ruby: 0 passed, 1 failed" in text
    assert "FAIL a/b (ruby): it did not\n    | last words" in complaints([good, bad])
