"""Figures of the benchmarks: a value beside its goal, tables of them, and ratios of interleaved pairs. Pure."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

AT_LEAST, AT_MOST = ">=", "<="


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. `sign` and `goal` are both None when no goal is set; `note` says what else must be known."""

    name: str
    value: float
    unit: str = ""
    sign: str | None = None
    goal: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if (self.sign is None) != (self.goal is None) or self.sign not in (None, AT_LEAST, AT_MOST):
            raise ValueError(f"{self.name}: a goal needs a sign, {AT_LEAST} or {AT_MOST}, and a sign needs a goal")

    @property
    def verdict(self) -> str:
        """PASS or MISS, or nothing without a goal. A value that is no number misses."""
        if self.goal is None:
            return ""
        met = self.value >= self.goal if self.sign == AT_LEAST else self.value <= self.goal
        return "PASS" if met else "MISS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Theirs divided by ours over interleaved pairs: median and range of the pairs' ratios, medians of both sides."""

    ours: float
    theirs: float
    ratio: float
    low: float
    high: float
    pairs: int


def ratio_of(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Aggregate pairs that were measured right after each other. ValueError when there are none, or halves of pairs."""
    if not ours or len(ours) != len(theirs):
        raise ValueError(f"pairs are needed, not {len(ours)} and {len(theirs)} values")
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    return Ratio(
        ours=statistics.median(ours),
        theirs=statistics.median(theirs),
        ratio=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        pairs=len(ratios),
    )


def number(value: float) -> str:
    """Three digits that matter, thousands separated."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def rows(figures: Iterable[Figure]) -> list[tuple[str, str, str, str, str]]:
    """Name, value with unit, goal, verdict and note of each."""
    return [
        (
            figure.name,
            f"{number(figure.value)} {figure.unit}".strip(),
            "" if figure.goal is None else f"{figure.sign} {figure.goal:,g}",
            figure.verdict,
            figure.note,
        )
        for figure in figures
    ]


def table(title: str, figures: Sequence[Figure]) -> str:
    """A part's figures for reading: values to the right, goals beside them."""
    lines = [("", "measured", "goal", "", ""), *rows(figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    shown = [
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {goal:<{widths[2]}}  {verdict:<{widths[3]}}  {note}".rstrip()
        for name, value, goal, verdict, note in lines
    ]
    return "\n".join([title, "-" * len(title), *shown])


def count(figures: Iterable[Figure]) -> tuple[int, int]:
    """How many goals are met and how many are missed."""
    verdicts = [figure.verdict for figure in figures]
    return verdicts.count("PASS"), verdicts.count("MISS")


def write(path: Path, figures: Sequence[Figure]) -> None:
    """Leave figures in a file for whoever asked for them."""
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> list[Figure]:
    """What `write` left. ValueError or TypeError when it is something else."""
    return [Figure(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
