"""Where the log of a running command goes: standard error, one line for each record."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to_stderr(level: str) -> None:
    """`level` is a name such as "info"; the libraries below speak only from warnings on."""
    logging.basicConfig(level=level.upper(), format=FORMAT)
    for name in ("botocore", "boto3", "urllib3", "asyncio", "grpc"):
        logging.getLogger(name).setLevel(logging.WARNING)
