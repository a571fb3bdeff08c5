"""docs/writing-workflows.md: every Python block runs, in the order of the page, and what it asserts holds."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pyflow
import pytest

PAGE = Path(__file__).parents[3] / "docs" / "writing-workflows.md"
TEXT = PAGE.read_text(encoding="utf-8")
MODULE = "writing_workflows"


def blocks() -> Iterator[tuple[int, str]]:
    """The line before each block, and the block."""
    for found in re.finditer(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        yield TEXT.count("\n", 0, found.start()) + 1, found.group(1)


@pytest.fixture
def page() -> Iterator[types.ModuleType]:
    """A module for the page's code: dataclasses and type hints look for theirs."""
    module = sys.modules[MODULE] = types.ModuleType(MODULE)
    yield module
    del sys.modules[MODULE]


def test_every_block_runs(page: types.ModuleType) -> None:
    ran = 0
    for line, block in blocks():
        exec(compile("\n" * line + block, str(PAGE), "exec"), page.__dict__)
        ran += 1
    assert ran == TEXT.count("```python") > 10


def test_headings_are_linked() -> None:
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
    assert re.findall(r"\]\(#([\w-]+)\)", TEXT) == anchors


def test_what_workflow_code_can_use_is_on_the_page() -> None:
    """Nothing that ``swf`` offers is left for the reader to find by chance."""
    offered = [name for name in dir(pyflow.WorkflowInvocationHelper) if name[0] not in "_C"]
    assert [name for name in offered if not re.search(rf"\b{name}\b", TEXT)] == []
