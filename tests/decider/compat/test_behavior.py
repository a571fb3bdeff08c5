"""One program for 2.0.0, run under the real 2.0.0 and under this package: it must see the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pyflow_two import HERE, asked

PARTS = re.findall(r"^@sees\ndef (\w+)", (HERE / "two_behavior.py").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def two() -> Any:
    return asked("two_behavior.py", two=True)


@pytest.fixture(scope="module")
def three() -> Any:
    return asked("two_behavior.py", two=False)


@pytest.mark.parametrize("part", PARTS)
def test_a_program_sees_the_same(two: Any, three: Any, part: str) -> None:
    assert three[part] == two[part]


def test_all_parts_ran(two: Any) -> None:
    """None of them ended early under 2.0.0: there it would compare nothing."""
    assert sorted(two) == sorted(PARTS)
    assert [part for part in PARTS if isinstance(two[part], str)] == []
