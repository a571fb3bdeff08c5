"""Cases from YAML files, checked: every member and step must be one that README.md tells of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import yaml

from pyflow_conformance import worker_steps as steps
from pyflow_conformance.errors import BadCase, BadUsage
from pyflow_conformance.host_steps import HOST_STEPS, HostStep
from pyflow_conformance.texts import Text
from pyflow_conformance.typed import built

SLOTS_DEFAULT = 4
FEATURES = {
    "typed": "parameters have types, so a value of the wrong type is refused",
    "unary": "the SDK can complete tasks from outside a stream",
    "tls": "TLS and mutual TLS",
    "surrogates": "a text can hold half a surrogate pair, or bytes that are no UTF-8",
}
"""What an executor may have or lack (`needs` of a case, `--without` of the command line)."""

_ENDING_STEPS = (steps.Exit, steps.Signal)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseText:
    """A case as a file tells it. `steps` are checked apart."""

    name: str
    about: str
    steps: list[object]
    source: str = ""
    """Where the case comes from: a bug of somebody else's, a rule of proto/README.md."""
    needs: list[str] = field(default_factory=list)
    slots: int = SLOTS_DEFAULT
    own: bool = False
    """A worker process of its own; implied by anything that ends or configures the process."""
    transport: Literal["tcp", "unix", "tls", "mtls"] = "tcp"
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """Written to `$dir` before the worker starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallText:
    """A case in short: one task on a new stream, its outcome, its ack, and nothing held afterwards."""

    name: str
    activity: str
    about: str = ""
    version: str = "1.0"
    input: Text | None = None
    input_hex: str | None = None
    content_type: str = ""
    completed: dict[str, object] | None = None
    failed: dict[str, object] | None = None
    canceled: dict[str, object] | None = None
    source: str = ""
    needs: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileText:
    """A file of cases."""

    subject: Literal["worker", "host"] = "worker"
    cases: list[CaseText] = field(default_factory=list)
    calls: list[CallText] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case, ready to run. Its name begins with that of its file."""

    name: str
    subject: str
    about: str
    steps: tuple[Any, ...]
    """WorkerStep or HostStep."""
    needs: frozenset[str]
    slots: int
    own: bool
    transport: str
    environment: Mapping[str, str]
    files: Mapping[str, str]
    per_language: bool
    """Whether it needs an executor; the others try the host alone and run once."""


def load_cases(directory: Path) -> list[Case]:
    """All cases of a directory, in the order of file names. Raises BadCase."""
    files = sorted(directory.glob("*.yaml"))
    if not files:
        raise BadUsage(f"There are no cases (*.yaml) in {directory}.")
    cases = [case for file in files for case in _of_file(file)]
    names = [case.name for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadCase(f"There is more than one case called {', '.join(twice)}.")
    return cases


def chosen(cases: Iterable[Case], patterns: Iterable[str]) -> list[Case]:
    """The cases whose names match one of the patterns (`*` for any text); all without patterns. Raises BadUsage."""
    patterns = list(patterns)
    if not patterns:
        return list(cases)
    found = [case for case in cases if any(fnmatchcase(case.name, pattern) for pattern in patterns)]
    if not found:
        raise BadUsage(f"No case matches {' or '.join(patterns)}.")
    return found


def _of_file(file: Path) -> list[Case]:
    try:
        document = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadCase(f"{file}: {error}") from error
    content = built(FileText, document, file.name)
    texts = [*content.cases, *(_expanded(call) for call in content.calls)]
    return [_case(file.stem, content.subject, text) for text in texts]


def _expanded(call: CallText) -> CaseText:
    task = {
        "id": "a", "activity": call.activity, "version": call.version, "input": call.input,
        "input_hex": call.input_hex, "content_type": call.content_type,
    }  # fmt: skip
    # Texts were built already; the step's check takes them as they are.
    outcome = {"completed": call.completed, "failed": call.failed, "canceled": call.canceled}
    told = {kind: fields for kind, fields in outcome.items() if fields is not None}
    if len(told) != 1:
        raise BadCase(f"{call.name}: exactly one of completed, failed and canceled is needed.")
    return CaseText(
        name=call.name,
        about=call.about or f"{call.activity} gives what it should",
        steps=["connect", {"task": task}, {"outcome": {"task": "a", **told}}, {"ack": "a"}, "status"],
        source=call.source,
        needs=call.needs,
    )


def _case(group: str, subject: str, text: CaseText) -> Case:
    name = f"{group}/{text.name}"
    known: Mapping[str, type[Any]] = WORKER_STEPS if subject == "worker" else HOST_STEPS
    unknown = set(text.needs) - set(FEATURES)
    if unknown:
        raise BadCase(f"{name}: needs {', '.join(sorted(unknown))}, which is no feature; {', '.join(FEATURES)} are.")
    made = tuple(_step(known, step, f"{name}, step {number}") for number, step in enumerate(text.steps, 1))
    if subject == "host" and (text.own or text.transport != "tcp" or text.environment):
        raise BadCase(f"{name}: own, transport and environment are for worker cases; hosts have them in their steps.")
    own = text.own or text.slots != SLOTS_DEFAULT or text.transport != "tcp" or bool(text.environment)
    return Case(
        name=name,
        subject=subject,
        about=text.about,
        steps=made,
        needs=frozenset(text.needs),
        slots=text.slots,
        own=own or any(isinstance(step, _ENDING_STEPS) for step in made),
        transport=text.transport,
        environment=text.environment,
        files=text.files,
        per_language=subject == "worker" or any(getattr(step, "NEEDS_EXECUTOR", False) for step in made),
    )


WORKER_STEPS: Mapping[str, type[steps.WorkerStep]] = steps.WORKER_STEPS


def _step(known: Mapping[str, type[Any]], step: object, where: str) -> steps.WorkerStep | HostStep:
    if isinstance(step, str):
        step = {step: {}}
    if not isinstance(step, Mapping) or len(step) != 1:
        raise BadCase(f"{where}: a step is its name, or one `name: members`, not {step!r}.")
    name, members = next(iter(step.items()))
    kind = known.get(name)
    if kind is None:
        raise BadCase(f"{where}: {name!r} is no step; known are {', '.join(known)}.")
    short = getattr(kind, "SHORT", None)
    is_members = isinstance(members, Mapping) and (
        short is None or not members or any(field in members for field in kind.__dataclass_fields__)
    )
    if not is_members:
        if short is None:
            raise BadCase(f"{where}: {name} needs its members, not {members!r}.")
        members = {short: members}
    made: steps.WorkerStep | HostStep = built(kind, members, f"{where} ({name})")
    return made
