"""What a host case can do, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Start a host."""


HostStep: TypeAlias = Host

HOST_STEPS: dict[str, type[HostStep]] = {"host": Host}
