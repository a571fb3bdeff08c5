"""The core is pure: it imports nothing that does I/O, tells the time or starts threads, and greenlet in one file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pyflow
import pytest

CORE = Path(pyflow.__file__).parent / "core"
BANNED = {"boto3", "botocore", "grpc", "sqlite3", "threading", "asyncio", "time", "os", "socket", "subprocess"}
ALLOWED_OF_PYFLOW = ("pyflow.core", "pyflow.exceptions", "pyflow.options")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


@pytest.mark.parametrize("path", sorted(CORE.glob("*.py")), ids=lambda path: path.name)
def test_core_imports(path: Path) -> None:
    for name in imports(path):
        assert name.split(".")[0] not in BANNED, f"{path.name} imports {name}"
        if name.startswith("pyflow"):
            assert name.startswith(ALLOWED_OF_PYFLOW), f"{path.name} imports {name}"
        if name == "greenlet":
            assert path.name == "hub.py"


@pytest.mark.parametrize("path", sorted(CORE.glob("*.py")), ids=lambda path: path.name)
def test_core_iterates_no_sets(path: Path) -> None:
    """Order is behaviour: a set has none."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.For | ast.comprehension):
            assert not isinstance(node.iter, ast.Set | ast.SetComp), f"{path.name}:{getattr(node.iter, 'lineno', 0)}"
