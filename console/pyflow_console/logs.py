"""Where the log of a running command goes: standard error, one line for each record."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to_stderr(level: str) -> None:
    """`level` is a name such as "info"; the libraries below speak only from warnings on."""
    # What a process of several was given before, and what an imported module did to the root logger, does not last.
    logging.basicConfig(level=level.upper(), format=FORMAT, force=True)
    for name in ("botocore", "boto3", "urllib3", "asyncio", "grpc"):
        logging.getLogger(name).setLevel(logging.WARNING)
