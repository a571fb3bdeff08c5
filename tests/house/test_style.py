"""The house's counts and words: lengths, first lines, names, spelling. Every violation is listed, none is tolerated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sources import ROOT, parsed, shown, written

FILE_LINES_MAX = 500
PYTHON_FUNCTION_LINES_MAX = 70
RUBY_METHOD_LINES_MAX = 25
FIRST_LINE_LENGTH_MAX = 120

VAGUE = re.compile(r"manager|helper|utils?(?![a-z])", re.IGNORECASE)
VAGUE_ALLOWED = {
    "decider/pyflow/workflow_invocation_helper.py": "a public name of pyflow-swf 2.0.0",
    "WorkflowInvocationHelper": "a public name of pyflow-swf 2.0.0",
    "decider/pyflow/utils.py": "a module of pyflow-swf 2.0.0 that programs import from",
    "decider/pyflow/decision_task_helper.py": "a module of pyflow-swf 2.0.0",
    "DecisionTaskHelper": "what process_decision_task of pyflow-swf 2.0.0 gives",
    "sdk_ruby/spec/spec_helper.rb": "the name RSpec looks for",
}
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
# SWF has one l in canceled. Names that others gave (gRPC, asyncio, Java) stay as they are.
TWO_LS = re.compile(r"\bcancell(?:ed|ing|ation)\b", re.IGNORECASE)
TWO_LS_GIVEN = re.compile(
    r"CANCELLED|reconnect/cancelled|cancelled_is_the_end|GRPC::Cancelled|CancelledError|\.cancelled\(|\bcancelled\(\)|isCancelled|[Cc]ancellation"
)


def none_of(lines: Iterable[str]) -> None:
    found = list(lines)
    assert not found, "\n".join(["", *found])


def test_files_are_short() -> None:
    def long() -> Iterator[str]:
        for path in written(".py", ".rb", ".java", ".proto", ".sh", "Makefile", "Dockerfile"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > FILE_LINES_MAX:
                yield f"{shown(path)}: {lines} lines; {FILE_LINES_MAX} is the limit"

    none_of(long())


def test_python_functions_are_short() -> None:
    def long() -> Iterator[str]:
        for path in written(".py"):
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = (node.end_lineno or node.lineno) - node.lineno + 1
                    if lines > PYTHON_FUNCTION_LINES_MAX:
                        yield f"{shown(path)}:{node.lineno}: {node.name} has {lines} lines"

    none_of(long())


def ruby_methods(text: str) -> Iterator[tuple[int, str, int]]:
    """Line, name and body length of every method that has an `end`, found by its indentation."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        opening = re.match(r"(\s*)(?:private(?:_class_method)? )?def ([\w.?!=\[\]<>+*/%~^&|-]+)", line)
        if opening is None or re.search(r"\)\s*=\s|def [\w.?!]+\s*=\s|;\s*end\b", line):
            continue
        for end in range(number + 1, len(lines)):
            if re.match(rf"{opening.group(1)}end\b", lines[end]):
                yield number + 1, opening.group(2), end - number - 1
                break


def test_ruby_methods_are_short() -> None:
    none_of(
        f"{shown(path)}:{line}: {name} has {length} lines"
        for path in written(".rb", "exe/pyflow-activity")
        for line, name, length in ruby_methods(path.read_text(encoding="utf-8"))
        if length > RUBY_METHOD_LINES_MAX
    )


def test_ruby_methods_are_measured() -> None:
    body = "\n".join(["    step"] * 26)
    text = f"class A\n  def short = 1\n\n  def long(a)\n{body}\n  end\n\n  def self.other\n    1\n  end\nend\n"
    assert [(name, length) for _, name, length in ruby_methods(text)] == [("long", 26), ("self.other", 1)]


def test_python_modules_say_their_duty_in_the_first_line() -> None:
    def silent() -> Iterator[str]:
        for path in written(".py"):
            tree = parsed(path)
            if not tree.body:
                continue
            first = (ast.get_docstring(tree) or "").splitlines()[:1]
            if not first or not first[0].strip():
                yield f"{shown(path)}: has no docstring that says its duty in the first line"
            elif len(first[0]) > FIRST_LINE_LENGTH_MAX:
                yield f"{shown(path)}: the first line has {len(first[0])} characters"

    none_of(silent())


def test_ruby_files_say_their_duty_first() -> None:
    def silent() -> Iterator[str]:
        for path in written(".rb"):
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
            said = [line for line in lines if line.startswith("# ") and "frozen_string_literal" not in line]
            if "# frozen_string_literal: true" not in lines[:3]:
                yield f"{shown(path)}: has no `# frozen_string_literal: true`"
            if not said and "describe" not in " ".join(lines):
                yield f"{shown(path)}: has no comment that says its duty"

    none_of(silent())


def test_names_say_one_duty() -> None:
    def vague() -> Iterator[str]:
        for path in written(".py", ".rb", ".java"):
            if VAGUE.search(path.stem) and shown(path) not in VAGUE_ALLOWED:
                yield f"{shown(path)}: a vague name hides two duties"
        for path in written(".py"):
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.ClassDef) and VAGUE.search(node.name) and node.name not in VAGUE_ALLOWED:
                    yield f"{shown(path)}:{node.lineno}: class {node.name}: a vague name hides two duties"

    none_of(vague())


def test_words_are_spelled_as_swf_spells_them() -> None:
    def misspelled() -> Iterator[str]:
        for path in written(".py", ".rb", ".java", ".md", ".proto"):
            if path == Path(__file__).resolve():
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if TWO_LS.search(TWO_LS_GIVEN.sub("", line)):
                    yield f"{shown(path)}:{number}: SWF writes canceled with one l: {line.strip()}"

    none_of(misspelled())


def test_nothing_is_left_unfinished() -> None:
    none_of(
        f"{shown(path)}:{number}: {line.strip()}"
        for path in written(".py", ".rb", ".java", ".md", ".proto", ".toml", ".xml", "Makefile", "Dockerfile")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    )


def test_files_are_looked_at() -> None:
    for ending in (".py", ".rb", ".java", ".proto", ".md", "Dockerfile"):
        assert written(ending), f"no {ending} files under {ROOT}: the rules above would look at nothing"
