"""Opens a connection to SWF: hot operations (`SwfApi`) and a boto3 client for all others, from one configuration."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pyflow.swf.api import SwfApi
from pyflow.swf.boto_transport import BotoTransport
from pyflow.swf.client import make_client
from pyflow.swf.limits import POLL_READ_TIMEOUT_MIN_S
from pyflow.swf.retry import Repeats

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

logger = logging.getLogger("pyflow")


class SwfConnection:
    """What a process needs to talk to SWF. Safe to use from many threads.

    `api` has the hot operations, `client` is a boto3 client for all others (registration, start, describe, list).
    """

    def __init__(self, api: SwfApi, client: SWFClient) -> None:
        self.api = api
        self.client = client

    @property
    def endpoint(self) -> str:
        """The endpoint's URL, for messages."""
        return str(self.client.meta.endpoint_url)

    def close(self) -> None:
        """Let go of connections (wait polls out before)."""
        self.api.close()


def connect(
    *,
    client: SWFClient | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    max_pool_connections: int = 50,
) -> SwfConnection:
    """A connection to SWF, found as every AWS tool finds it (see `make_client`).

    A `client` given is used for everything as it is configured; its read timeout should be above 65 s and its retries
    of polls off (`make_client(attempts_max=1)`). Raises `NotConfigured`.
    """
    if client is not None:
        _warn_of_short_polls(client)
        return SwfConnection(SwfApi(BotoTransport(client), Repeats()), client)
    cold = make_client(region=region, profile=profile, endpoint_url=endpoint_url)
    hot = make_client(
        region=region,
        profile=profile,
        endpoint_url=endpoint_url,
        max_pool_connections=max_pool_connections,
        attempts_max=1,
    )
    return SwfConnection(SwfApi(BotoTransport(hot), Repeats()), cold)


def _warn_of_short_polls(client: SWFClient) -> None:
    config = getattr(getattr(client, "meta", None), "config", None)
    read_timeout_s = getattr(config, "read_timeout", None)
    if isinstance(read_timeout_s, (int, float)) and read_timeout_s < POLL_READ_TIMEOUT_MIN_S:
        logger.warning(
            "The SWF client given has a read timeout of %s s, but SWF holds a poll for up to 60 s: polls will be given "
            "up and the tasks they were handed wait for their timeout. Use pyflow.swf.make_client(attempts_max=1), or "
            "botocore Config(read_timeout=90, retries={'total_max_attempts': 1}).",
            read_timeout_s,
        )
