"""The command `pyflow-conformance`: runs the cases against the suite's executors, or one of yours; prints a table."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pyflow_conformance.cases import FEATURES, Case, chosen, load_cases
from pyflow_conformance.errors import BadUsage, ConformanceError
from pyflow_conformance.introduction import hello_of
from pyflow_conformance.languages import SUITE, Language, built_in, check_built, read_known_failing
from pyflow_conformance.report import Result, complaints, table, wire_differences
from pyflow_conformance.runner import HOST, JOBS_DEFAULT, Runner

EXIT_FAILED = 1
EXIT_USAGE = 2


def default_cases() -> Path:
    """The directory of the suite's cases, in a checkout or an installed package."""
    packaged = Path(__file__).resolve().parent / "cases"
    return packaged if packaged.is_dir() else SUITE / "cases"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code: 0 all is well, 1 a case failed, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        cases = chosen(load_cases(options.cases), options.case)
        if options.list:
            print("\n".join(f"{case.name:<50} {case.about}" for case in cases))
            return 0
        languages = _languages(options)
        if options.executor:
            cases = [case for case in cases if case.per_language]
        return asyncio.run(_run(cases, languages, options.jobs, slow=options.slow))
    except ConformanceError as error:
        print(f"pyflow-conformance: {error}", file=sys.stderr)
        return EXIT_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyflow-conformance", description="Hold workers to the contract.")
    add = parser.add_argument
    add(
        "--executor",
        metavar="COMMAND",
        help="a worker that serves the activities of the suite's README; else: all of the suite",
    )
    add(
        "--language",
        metavar="NAME",
        action="append",
        default=[],
        help="with --executor: its Hello.language, if it is not to be asked; else: only these",
    )
    add("--without", metavar="FEATURE", action="append", default=[], choices=list(FEATURES),
        help=f"with --executor: what it does not have ({', '.join(FEATURES)})")  # fmt: skip
    add("--case", metavar="NAME", action="append", default=[], help="only these; * stands for any text")
    add("--known-failing", metavar="FILE", type=Path, help="with --executor: cases that must fail, one a line")
    add("--cases", metavar="DIRECTORY", type=Path, default=default_cases(), help="where the cases are")
    add("--jobs", metavar="N", type=int, default=JOBS_DEFAULT, help=f"cases at a time; default {JOBS_DEFAULT}")
    add("--slow", metavar="N", type=int, default=0, help="tell the N slowest cases")
    add("--list", action="store_true", help="name the cases and what each is about, and run nothing")
    return parser


def _languages(options: argparse.Namespace) -> list[Language]:
    if options.executor:
        if len(options.language) > 1:
            raise BadUsage("An executor has one language.")
        known = read_known_failing(options.known_failing) if options.known_failing else frozenset()
        name = options.language[0] if options.language else asyncio.run(hello_of(options.executor)).language
        return [Language(name=name, command=options.executor, lacks=frozenset(options.without), known_failing=known)]
    languages = built_in()
    unknown = set(options.language) - {language.name for language in languages} - {HOST}
    if unknown:
        raise BadUsage(f"There is no executor for {', '.join(sorted(unknown))} here; give --executor COMMAND.")
    languages = [language for language in languages if not options.language or language.name in options.language]
    check_built(languages)
    return languages


async def _run(cases: Sequence[Case], languages: Sequence[Language], jobs: int, *, slow: int) -> int:
    began = time.monotonic()
    async with Runner(jobs) as runner:
        results = await runner.run(cases, languages)
    names = [language.name for language in languages]
    if any(result.language == HOST for result in results):
        names.append(HOST)
    print(table(results, names))
    for result in sorted(results, key=lambda result: -result.seconds)[:slow]:
        print(f"{result.seconds:6.1f} s  {result.case} ({result.language})")
    differences = wire_differences(results)
    _tell(results, differences)
    bad = sum(result.is_bad for result in results) + len(differences)
    print(
        f"{len(results)} results in {time.monotonic() - began:.0f} s: {'all is well' if not bad else f'{bad} are bad'}"
    )
    return EXIT_FAILED if bad else 0


def _tell(results: Sequence[Result], differences: Sequence[str]) -> None:
    told = complaints(results)
    if told:
        print(f"\n{told}\n")
    for difference in differences:
        print(f"other bytes on the wire: {difference}")
