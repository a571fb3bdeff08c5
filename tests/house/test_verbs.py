"""The Makefile's verbs: all there, all explained, and their scripts runnable. Generated Python is current."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from sources import ROOT

VERBS = ("setup", "demo", "test", "check", "generate", "bench", "images", "clean")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run_checks() -> ModuleType:
    """scripts/run_checks.py as a module."""
    spec = importlib.util.spec_from_file_location("run_checks", ROOT / "scripts/run_checks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["run_checks"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("verb", VERBS)
def test_verb_is_there_and_explained(verb: str) -> None:
    assert re.search(rf"^{verb}: ## \S", MAKEFILE, re.MULTILINE)
    assert verb in re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE).group(1).split()  # type: ignore[union-attr]  # None fails as well


def test_make_lists_its_verbs() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"make {verb}" in listed for verb in VERBS)


@pytest.mark.parametrize("script", sorted(set(re.findall(r"scripts/[\w.]+|\.ci/run", MAKEFILE)) | {".ci/run"}))
def test_scripts_are_there(script: str) -> None:
    path = ROOT / script
    assert path.is_file()
    assert script.endswith(".py") or os.access(path, os.X_OK), f"{script} cannot be executed"


def test_generated_python_is_current(run_checks: ModuleType) -> None:
    assert run_checks.drift("python")() == ""


def test_drift_is_seen(run_checks: ModuleType, tmp_path: Path) -> None:
    fresh, committed = tmp_path / "a", tmp_path / "b"
    for folder in (fresh, committed):
        folder.mkdir()
        (folder / "same.py").write_text("1", encoding="utf-8")
    (fresh / "other.py").write_text("1", encoding="utf-8")
    (committed / "other.py").write_text("2", encoding="utf-8")
    (fresh / "new.py").write_text("", encoding="utf-8")
    (committed / "gone.py").write_text("", encoding="utf-8")
    lines = run_checks.differences(fresh, committed).splitlines()
    assert lines[:3] == ["other.py: differs", "new.py: is not committed", "gone.py: nothing generates it"]
