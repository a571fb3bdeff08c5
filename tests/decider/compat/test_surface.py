"""Every public name of pyflow-swf 2.0.0 is here: modules, classes, bases, members, parameters, defaults, values.

The same script looks at the real package and at this one; whatever differs must be in DIFFERS and in the guide.
"""

from __future__ import annotations

from typing import Any

import pytest
from pyflow_two import HERE, asked

GUIDE = (HERE.parents[2] / "docs" / "migrating-from-pyflow-2.md").read_text(encoding="utf-8")

DIFFERS = {
    ("exceptions", "WorkflowBlockedException", "bases"),
    ("workflow_invocation_helper", "WorkflowInvocationHelper", "parameters"),
    ("future", "InvocationFuture", "parameters"),
    ("workflow_invocation_helper", "InvokeOnceFuture", "parameters"),
    ("workflow_invocation_helper", "InvokeOnceFuture", "bases"),
}
"""(module, name, what): told in the guide, which must name each of them."""


@pytest.fixture(scope="module")
def two() -> Any:
    return asked("two_surface.py", two=True)


@pytest.fixture(scope="module")
def three(two: Any) -> Any:
    return asked("two_surface.py", *(name for name in two["modules"] if name), two=False)


def test_all_modules_can_be_imported(two: Any, three: Any) -> None:
    assert len(two["modules"]) == 11
    assert [name for name in two["modules"] if three["modules"][name] is None] == []


def test_import_pyflow_brings_the_same_modules_along(two: Any, three: Any) -> None:
    """`import pyflow; pyflow.utils.logger` needs no further import."""
    assert set(two["at_once"]) <= set(three["at_once"])


def test_a_star_import_brings_the_same_names(two: Any, three: Any) -> None:
    assert set(two["star"]) <= set(three["star"])


def differences(two: Any, three: Any) -> list[tuple[str, str, str]]:
    """Everything a program could stumble over, as (module, dotted name, what)."""
    found = []
    for module, names in two["modules"].items():
        for name, theirs in names.items():
            ours = three["modules"][module].get(name)
            for path, what in _compared(name, theirs, ours):
                home = next((m for m in two["modules"] if m and name in two["modules"][m]), module)
                found.append((module or home, path, what))
    return found


def _compared(path: str, theirs: Any, ours: Any) -> list[tuple[str, str]]:
    if ours is None:
        return [(path, "missing")]
    if ours["kind"] != theirs["kind"]:
        return [(path, f"{theirs['kind']} is {ours['kind']}")]
    found = []
    if theirs["kind"] == "value" and theirs != ours:
        found.append((path, f"value {theirs['value']} is {ours['value']}"))
    if theirs["kind"] == "property" and theirs != ours:
        found.append((path, "property"))
    if theirs.get("parameters") is not None and not _fits(theirs["parameters"], ours["parameters"]):
        found.append((path, "parameters"))
    if not _in_order(theirs.get("bases", []), ours.get("bases", [])):
        found.append((path, "bases"))
    for member, described in theirs.get("members", {}).items():
        if member == "event_types":
            continue  # compared by its own test: the order of its lists has no meaning
        found += _compared(f"{path}.{member}", described, ours["members"].get(member))
    return found


def _fits(theirs: list[list[Any]], ours: list[list[Any]]) -> bool:
    """True if every call that theirs takes is taken by ours: same names and places, same defaults, no new duties."""
    for (name, kind, default), mine in zip(theirs, ours, strict=False):
        if mine[:2] != [name, kind] or (default is not None and mine[2] != default):
            return False
    more = ours[len(theirs) :]
    return len(ours) >= len(theirs) and all(default is not None or kind[:3] == "VAR" for _, kind, default in more)


def _in_order(theirs: list[str], ours: list[str]) -> bool:
    rest = iter(ours)
    return all(base in rest for base in theirs)


def test_nothing_differs_but_what_is_told(two: Any, three: Any) -> None:
    found = set(differences(two, three))
    assert found - DIFFERS == set()
    assert DIFFERS - found == set(), "no longer different: take it out of DIFFERS and the guide"
    for _, name, _ in sorted(DIFFERS):
        assert f"`{name}" in GUIDE, f"docs/migrating-from-pyflow-2.md does not tell of {name}"


def test_the_comparison_can_fail(two: Any, three: Any) -> None:
    """A name gone, a parameter renamed, a default changed: each is seen."""
    changed = {**three, "modules": {m: dict(names) for m, names in three["modules"].items()}}
    del changed["modules"]["utils"]["init_domain"]
    start = changed["modules"]["decider"]["start_workflow"]
    renamed = [["domains", *start["parameters"][0][1:]], *start["parameters"][1:]]
    changed["modules"]["decider"]["start_workflow"] = {**start, "parameters": renamed}
    assert set(differences(two, changed)) - DIFFERS == {
        ("utils", "init_domain", "missing"),
        ("decider", "start_workflow", "parameters"),
    }


def test_event_types_are_the_same(two: Any, three: Any) -> None:
    import ast

    def read(side: Any) -> dict[str, set[str]]:
        text = side["modules"]["event_handler"]["EventHandler"]["members"]["event_types"]["value"]
        return {kind: set(listed) for kind, listed in ast.literal_eval(text).items()}

    assert read(two) == read(three)
