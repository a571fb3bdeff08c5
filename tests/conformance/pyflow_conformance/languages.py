"""The executors that come with the suite: how each is started, and what its language cannot have."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pyflow_conformance.errors import BadUsage

SUITE = Path(__file__).resolve().parent.parent
ROOT = SUITE.parent.parent
JAVA_JAR = SUITE / "executors/java/target/conformance-executor.jar"
FAST_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -Xmx256m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """An executor."""

    name: str
    command: str
    lacks: frozenset[str] = frozenset()
    """Features (cases.FEATURES) it does not have."""
    known_failing: frozenset[str] = field(default_factory=frozenset)
    """Names of cases that are known to fail; one that passes is an error."""


def built_in() -> list[Language]:
    """Python, Ruby, Java."""
    ruby = ROOT / "sdk_ruby"
    commands = {
        "python": (
            f"{shlex.quote(sys.executable)} -m pyflow_activity {_quoted('executors/python/executor.py')}",
            {"typed"},
        ),
        "ruby": (
            f"ruby -I {ruby / 'lib'} {ruby / 'exe/pyflow-activity'} {_quoted('executors/ruby/executor.rb')}",
            {"typed"},
        ),
        "java": (f"java {FAST_START} -jar {shlex.quote(str(JAVA_JAR))}", set[str]()),
    }
    return [
        Language(name=name, command=command, lacks=frozenset(lacks), known_failing=known_failing_of(name))
        for name, (command, lacks) in commands.items()
    ]


def check_built(languages: Iterable[Language]) -> None:
    """Raises BadUsage when the Java executor is among them and was not built."""
    if any(language.name == "java" for language in languages) and not JAVA_JAR.is_file():
        build = "mvn -q -DskipTests -pl tests/conformance/executors/java -am package"
        raise BadUsage(f"{JAVA_JAR} is not there. Build it: {build}")


def known_failing_of(language: str) -> frozenset[str]:
    """The list of the suite for a language; empty without one."""
    file = SUITE / "known_failing" / f"{language}.txt"
    return read_known_failing(file) if file.is_file() else frozenset()


def read_known_failing(file: Path) -> frozenset[str]:
    """One case a line; `#` begins a comment. Raises BadUsage."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise BadUsage(f"{file} cannot be read: {error.strerror}.") from error
    return frozenset(name for line in lines if (name := line.partition("#")[0].strip()))


def _quoted(path: str) -> str:
    return shlex.quote(str(SUITE / path))
