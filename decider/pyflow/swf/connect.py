"""Opens a connection to SWF: hot operations (`SwfApi`) and a boto3 client for all others, from one configuration."""

from __future__ import annotations

import logging
import os
import ssl
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from pyflow.swf.api import SwfApi, SwfTransport
from pyflow.swf.boto_transport import BotoTransport
from pyflow.swf.client import POOL_CONNECTIONS_MAX, ca_bundle, credentials_search, make_client
from pyflow.swf.faults import NotConfigured
from pyflow.swf.lean import CredentialSource, LeanTransport
from pyflow.swf.lean.connection import Endpoint
from pyflow.swf.limits import POLL_READ_TIMEOUT_MIN_S, POLL_READ_TIMEOUT_S
from pyflow.swf.retry import Repeats

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

logger = logging.getLogger("pyflow")


Transport: TypeAlias = Literal["lean", "boto3"]

TRANSPORT_VARIABLE = "PYFLOW_SWF_TRANSPORT"


class _Place(TypedDict):
    region: str | None
    profile: str | None
    endpoint_url: str | None


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
    max_pool_connections: int = POOL_CONNECTIONS_MAX,
    transport: Transport | None = None,
) -> SwfConnection:
    """A connection to SWF, found as every AWS tool finds it (see `make_client`).

    A `client` given is used for everything as it is configured; its read timeout should be above 65 s and its retries
    of polls off (`make_client(attempts_max=1)`). Without one, hot operations take the lean transport; `transport` or
    the environment variable PYFLOW_SWF_TRANSPORT ("boto3") says otherwise, and behind an HTTP proxy it is boto3 anyway.
    Raises `NotConfigured`.
    """
    if client is not None:
        _warn_of_short_polls(client)
        return SwfConnection(SwfApi(BotoTransport(client), Repeats()), client)
    place: _Place = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    cold = make_client(**place)
    url = str(cold.meta.endpoint_url)
    if _chosen(transport, url) == "boto3":
        hot: SwfTransport = _boto_transport(place, max_pool_connections)
    else:
        hot = _lean_transport(place, url, str(cold.meta.region_name), max_pool_connections)
    return SwfConnection(SwfApi(hot, Repeats()), cold)


def _chosen(transport: Transport | None, url: str) -> Transport:
    asked = transport or os.environ.get(TRANSPORT_VARIABLE) or None
    if asked is None:
        return "boto3" if get_environ_proxies(url).get(urlsplit(url).scheme) else "lean"
    if asked == "lean":
        return "lean"
    if asked == "boto3":
        return "boto3"
    raise NotConfigured(f"{TRANSPORT_VARIABLE} is {asked!r}; it can be 'lean' or 'boto3'.")


def _boto_transport(place: _Place, connections: int) -> BotoTransport:
    def make() -> SWFClient:
        return make_client(**place, max_pool_connections=connections, attempts_max=1)

    return BotoTransport(make(), renew=make)


def _lean_transport(place: _Place, url: str, region: str, connections: int) -> LeanTransport:
    parts = urlsplit(url)
    tls = None
    if parts.scheme == "https":
        tls = ssl.create_default_context(cafile=ca_bundle(place["profile"]) or get_cert_path(True))
    endpoint = Endpoint(
        host=parts.hostname or "",
        port=parts.port or (443 if tls is not None else 80),
        tls=tls,
        read_timeout_s=POLL_READ_TIMEOUT_S,
    )
    return LeanTransport(
        endpoint,
        url=url,
        region=region,
        credentials=CredentialSource(credentials_search(**place)),
        user_agent="pyflow-swf lean",
        idle_max=connections,
    )


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
