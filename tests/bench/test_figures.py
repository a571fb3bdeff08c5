"""bench/figures.py: verdicts, tables, ratios of pairs. Nothing here measures anything."""

from __future__ import annotations

import sys
from dataclasses import FrozenInstanceError
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(file: str, name: str) -> ModuleType:
    """A file of bench/, which is no package, as a module of this name."""
    spec = util.spec_from_file_location(name, ROOT / "bench" / file)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


figures = load("figures.py", "figures")  # bench/run.py imports it by this name
run = load("run.py", "bench_run")
Figure = figures.Figure


@pytest.mark.parametrize(
    ("sign", "value", "verdict"),
    [
        (">=", 20.0, "PASS"),
        (">=", 19.999, "MISS"),
        ("<=", 20.0, "PASS"),
        ("<=", 20.001, "MISS"),
        (">=", float("nan"), "MISS"),
        ("<=", float("nan"), "MISS"),
    ],
)
def test_verdict(sign: str, value: float, verdict: str) -> None:
    assert Figure(name="x", value=value, sign=sign, goal=20).verdict == verdict


def test_no_goal_no_verdict() -> None:
    assert Figure(name="x", value=1).verdict == ""


@pytest.mark.parametrize(("sign", "goal"), [(">=", None), (None, 3), (">", 3), ("", 3)])
def test_half_a_goal_is_refused(sign: str | None, goal: float | None) -> None:
    with pytest.raises(ValueError, match="a goal needs a sign"):
        Figure(name="x", value=1, sign=sign, goal=goal)


def test_a_figure_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Figure(name="x", value=1).value = 2


def test_ratio_is_the_median_of_the_pairs_and_not_of_the_sides() -> None:
    # The machine was three times slower in the second pair: both sides of it are, and its ratio is not.
    ratio = figures.ratio_of([1.0, 3.0, 1.0], [10.0, 30.0, 20.0])
    assert (ratio.ratio, ratio.low, ratio.high, ratio.pairs) == (10.0, 10.0, 20.0, 3)
    assert (ratio.ours, ratio.theirs) == (1.0, 20.0)


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1.0], []), ([1.0], [1.0, 2.0])])
def test_halves_of_pairs_are_refused(ours: list[float], theirs: list[float]) -> None:
    with pytest.raises(ValueError, match="pairs are needed"):
        figures.ratio_of(ours, theirs)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.034, "0.03"), (9.994, "9.99"), (42.25, "42.2"), (1234567.8, "1,234,568"), (-2.35, "-2.35")],
)
def test_numbers(value: float, text: str) -> None:
    assert figures.number(value) == text


def test_no_number_is_shown_as_it_is() -> None:
    assert figures.number(float("nan")) == "nan"
    assert figures.number(float("inf")) == "inf"


def test_table_lines_up() -> None:
    shown = figures.table(
        "Speed",
        [
            Figure(name="rate", value=1500, unit="wf/s", sign=">=", goal=1200),
            Figure(name="latency of one", value=7, unit="ms", sign="<=", goal=5, note="slow disk"),
            Figure(name="size", value=3),
        ],
    )
    assert shown.splitlines() == [
        "Speed",
        "-----",
        "                  measured  goal",
        "rate            1,500 wf/s  >= 1,200  PASS",
        "latency of one     7.00 ms  <= 5      MISS  slow disk",
        "size                  3.00",
    ]


def test_figures_come_back_from_a_file(tmp_path: Path) -> None:
    made = [Figure(name="a", value=1.5, unit="ms", sign="<=", goal=2, note="n"), Figure(name="b", value=2)]
    figures.write(tmp_path / "f.json", made)
    assert figures.read(tmp_path / "f.json") == made


def test_figures_may_leave_out_what_is_not_set(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('[{"name": "a", "value": 1}]', encoding="utf-8")
    assert figures.read(tmp_path / "f.json") == [Figure(name="a", value=1)]


@pytest.mark.parametrize("text", ["", "{", '[{"name": "a"}]', '[{"name": "a", "value": 1, "other": 2}]'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "f.json").write_text(text, encoding="utf-8")
    with pytest.raises((ValueError, TypeError)):
        figures.read(tmp_path / "f.json")


def test_closing_counts_goals_and_names_failed_parts() -> None:
    parts = [
        run.Part(
            name="decider",
            seconds=12.4,
            figures=[
                Figure(name="a", value=2, sign=">=", goal=1),
                Figure(name="b", value=2, sign="<=", goal=1),
                Figure(name="c", value=2),
            ],
        ),
        run.Part(name="peers", seconds=3.0, trouble="left no figures"),
    ]
    lines = run.closing(parts).splitlines()
    assert lines[0].startswith("Decider")
    assert "peers FAILED: left no figures" in lines
    assert lines[-1] == "1 goals met, 1 missed, 1 parts failed, 15 s: peers"


def test_every_part_has_a_title() -> None:
    assert {path.parent.name for path in (ROOT / "bench").glob("*/run.py")} == set(run.TITLES)
