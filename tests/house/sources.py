"""What the house rules look at: the files of this repository, and what a Python module imports."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "pyflow": "decider/pyflow",
    "pyflow_host": "activity_host/pyflow_host",
    "pyflow_api": "proto/gen/python/pyflow_api",
    "pyflow_activity": "sdk_python/pyflow_activity",
    "pyflow_local": "local_swf/pyflow_local",
    "pyflow_console": "console/pyflow_console",
}
"""Our packages and where they lie."""

GENERATED = ("proto/gen/", "sdk_ruby/lib/pyflow_api/", "sdk_java/src/generated/")


@functools.cache
def written(*endings: str) -> tuple[Path, ...]:
    """The files with these endings that people wrote: known to git or new, not ignored, not generated."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    names = sorted(name for name in listed if name.endswith(endings) and not name.startswith(GENERATED))
    return tuple(ROOT / name for name in names if (ROOT / name).is_file())


def shown(path: Path) -> str:
    """The path as it is named in this repository."""
    return str(path.relative_to(ROOT))


@functools.cache
def parsed(path: Path) -> ast.Module:
    """The module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported module. `for_types`: it is imported for the type checker only."""

    module: str
    line: int
    for_types: bool


def imports(path: Path) -> Iterator[Import]:
    """All modules a file imports, anywhere in it; `from a import b` counts as a.b, which may be a module or a name."""
    tree = parsed(path)
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{shown(path)}:{node.lineno}: a relative import; the house writes absolute ones"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield Import(module=name, line=node.lineno, for_types=node in typing_only)


def is_within(module: str, *places: str) -> bool:
    """Whether a dotted name is one of these modules or lies in one."""
    return any(module == place or module.startswith(f"{place}.") for place in places)


def modules(package: str) -> Iterator[tuple[str, Path]]:
    """Dotted name and path of every module of one of our packages."""
    folder = ROOT / PACKAGES[package]
    for path in sorted(folder.rglob("*.py")):
        name = ".".join((package, *path.relative_to(folder).with_suffix("").parts))
        yield name.removesuffix(".__init__"), path
