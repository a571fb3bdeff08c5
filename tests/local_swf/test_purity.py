"""The walls: the engine does no I/O and reads no clock, the package stands alone, every event type is written."""

from __future__ import annotations

import ast
from pathlib import Path

import pyflow_local
from pyflow_local.engine.event_types import EVENT_TYPES

PACKAGE = Path(pyflow_local.__file__).parent
OURS = {"pyflow", "pyflow_api", "pyflow_host", "pyflow_activity", "pyflow_console"}
IMPURE = {"sqlite3", "asyncio", "time", "os", "threading", "random", "secrets", "socket", "subprocess", "datetime"}


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    return found


def test_the_engine_is_pure() -> None:
    files = sorted((PACKAGE / "engine").glob("*.py"))
    assert len(files) > 20
    for path in files:
        for name in imports_of(path):
            assert name.partition(".")[0] not in IMPURE | {"boto3", "botocore"}, f"{path.name} imports {name}"
            if name.startswith("pyflow_local."):
                assert name.startswith(("pyflow_local.engine", "pyflow_local.errors")), f"{path.name} imports {name}"


def test_the_package_stands_alone() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert not {name.partition(".")[0] for name in imports_of(path)} & OURS, path


def test_every_event_type_is_written_by_some_rule() -> None:
    texts = set()
    for path in (PACKAGE / "engine").glob("*.py"):
        if path.name in {"event_types.py", "rebuild.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
    assert set(EVENT_TYPES) - texts == set()
