"""What came of the cases, as one table and a list of what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["ok", "FAIL", "known", "FIXED", "-"]
"""known: fails and is listed as failing. FIXED: passes although it is listed, which is an error. -: does not apply."""

BAD: frozenset[str] = frozenset({"FAIL", "FIXED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One case with one language."""

    case: str
    language: str
    verdict: Verdict
    seconds: float = 0.0
    message: str = ""
    output: str = ""
    wire: dict[str, bytes] = field(default_factory=dict)
    """Bytes of outcomes and progress by task, to compare languages."""

    @property
    def is_bad(self) -> bool:
        """Whether it fails the run."""
        return self.verdict in BAD


def wire_differences(results: Iterable[Result]) -> list[str]:
    """Outcomes that are other bytes in one language than in another."""
    first: dict[tuple[str, str], tuple[str, bytes]] = {}
    found = []
    for result in results:
        for task, raw in result.wire.items():
            language, seen = first.setdefault((result.case, task), (result.language, raw))
            if seen != raw:
                found.append(
                    f"{result.case}: the outcome of {task!r} is {raw.hex()[:200]} in {result.language}, "
                    f"{seen.hex()[:200]} in {language}"
                )
    return found


def table(results: Sequence[Result], languages: Sequence[str]) -> str:
    """One line for each case, one column for each language, and the sums."""
    by_case: dict[str, dict[str, Result]] = {}
    for result in results:
        by_case.setdefault(result.case, {})[result.language] = result
    width = max((len(case) for case in by_case), default=4)
    columns = [max(6, len(language)) for language in languages]
    lines = [
        "  ".join(["case".ljust(width), *(name.ljust(size) for name, size in zip(languages, columns, strict=True))])
    ]
    for case, found in by_case.items():
        cells = [
            (found[name].verdict if name in found else "").ljust(size)
            for name, size in zip(languages, columns, strict=True)
        ]
        lines.append("  ".join([case.ljust(width), *cells]).rstrip())
    lines.append("")
    for name in languages:
        lines.append(_sum(name, [result for result in results if result.language == name]))
    return "\n".join(lines)


def complaints(results: Iterable[Result]) -> str:
    """What went wrong, case by case, with the last lines of the worker."""
    parts = []
    for result in results:
        if result.is_bad:
            said = "".join(f"\n    | {line}" for line in result.output.splitlines())
            parts.append(f"{result.verdict} {result.case} ({result.language}): {result.message}{said}")
    return "\n\n".join(parts)


def _sum(name: str, results: Sequence[Result]) -> str:
    counts = {
        verdict: sum(result.verdict == verdict for result in results) for verdict in ("ok", "FAIL", "known", "FIXED")
    }
    text = f"{name}: {counts['ok']} passed, {counts['FAIL']} failed"
    if counts["known"]:
        text += f", {counts['known']} known to fail"
    if counts["FIXED"]:
        text += f", {counts['FIXED']} listed as failing but passed"
    return text
