"""A decider as users write one, run as a process by the tests: domain, processes, and which workflows."""

from __future__ import annotations

import logging
import sys

import pyflow
import worker_workflows as workflows


def main() -> None:
    """Poll until a signal comes."""
    logging.basicConfig(level=logging.INFO, format="%(process)d %(message)s")
    domain, processes, *names = sys.argv[1:]
    classes = [getattr(workflows, name) for name in names]
    pyflow.poll_for_executions(classes, domain, "t", None, processes=int(processes))
    print("ended in good order", flush=True)


if __name__ == "__main__":
    main()
