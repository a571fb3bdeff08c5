"""How many files the process may open: each connection is one, and the host needs some for itself."""

from __future__ import annotations

import resource

FILES_OF_THE_HOST = 500
"""Polls, reports and heartbeats under way, pipes of supervised workers."""


def soft_limit() -> int:
    """How many the process may open now."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def room_for(connections: int) -> int:
    """Raise the soft limit as far as `connections` need it and the system allows; how many connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    wanted = connections + FILES_OF_THE_HOST
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(connections, soft - FILES_OF_THE_HOST))
