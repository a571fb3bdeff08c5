"""Every case with every language, and the host alone: one test each. All run at once when the first is asked for."""

from __future__ import annotations

import asyncio

import pytest
from pyflow_conformance.cases import Case, load_cases
from pyflow_conformance.languages import Language, built_in, check_built
from pyflow_conformance.main import default_cases
from pyflow_conformance.report import Result, wire_differences
from pyflow_conformance.runner import HOST, Runner

CASES = load_cases(default_cases())
LANGUAGES = {language.name: language for language in built_in()}


def _wanted() -> list[tuple[str, str]]:
    found = []
    for case in CASES:
        found += [
            (case.name, language.name)
            for language in (LANGUAGES.values() if case.per_language else ())
            if not case.needs & language.lacks
        ]
        if not case.per_language:
            found.append((case.name, HOST))
    return found


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> dict[tuple[str, str], Result]:
    """The results of the cases that were selected."""
    asked = {
        (item.callspec.params["case"], item.callspec.params["language"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "language" in item.callspec.params
    }
    pairs: list[tuple[Case, Language | None]] = [
        (case, LANGUAGES.get(language)) for case in CASES for name, language in _wanted()
        if name == case.name and (name, language) in asked
    ]  # fmt: skip
    check_built(language for _, language in pairs if language is not None)

    async def run() -> list[Result]:
        async with Runner() as runner:
            return list(await asyncio.gather(*(runner.run_one(case, language) for case, language in pairs)))

    return {(result.case, result.language): result for result in asyncio.run(run())}


@pytest.mark.parametrize(("case", "language"), _wanted())
def test_case(case: str, language: str, results: dict[tuple[str, str], Result]) -> None:
    result = results[case, language]
    if result.verdict == "known":
        pytest.xfail(f"listed as known to fail: {result.message}")
    assert not result.is_bad, f"{result.message}\n{result.output}"


def test_same_bytes_on_the_wire(results: dict[tuple[str, str], Result]) -> None:
    assert wire_differences(results.values()) == []


def test_nothing_is_known_to_fail() -> None:
    assert [name for name, language in LANGUAGES.items() if language.known_failing] == []
