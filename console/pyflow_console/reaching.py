"""Whether SWF is there, asked once and within bounded time, so that a wrong address is told and not waited for."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.utils import get_environ_proxies
from pyflow.swf import AuthFailed, UnknownResource, cold_call, is_loopback, make_client

from pyflow_console.errors import NotReached

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
"""How long one call of an operator may take; long polls are not among them."""
ATTEMPTS_MAX = 2


def client_for(
    *domains: str, region: str | None = None, profile: str | None = None, endpoint_url: str | None = None
) -> SWFClient:
    """A client for an operator's calls, after SWF was found there and asked for the domains.

    What is left out of region, profile and endpoint comes from where AWS tools look. Raises NotReached, SwfError.
    """
    client = make_client(
        region=region,
        profile=profile,
        endpoint_url=endpoint_url,
        read_timeout_s=ANSWER_TIMEOUT_S,
        attempts_max=ATTEMPTS_MAX,
    )
    check_listening(str(client.meta.endpoint_url))
    for domain in domains:
        check_domain(client, domain)
    return client


def check_listening(url: str) -> None:
    """Connect and hang up. Raises NotReached. Behind an HTTP proxy only the proxy can tell: no check."""
    parts = urlsplit(url)
    if get_environ_proxies(url).get(parts.scheme):
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise NotReached(
            f"SWF cannot be reached at {url}: {error.strerror or error}. Start the embedded SWF with `pyflow dev`, or "
            "correct AWS_ENDPOINT_URL_SWF, or leave it unset for Amazon SWF (with credentials and a region)"
        ) from error


def check_domain(client: SWFClient, domain: str) -> None:
    """Ask SWF for the domain, so that a missing one, or an endpoint that is no SWF, is told before anything else.

    On an endpoint of this machine a missing domain is well: whoever polls registers it. Raises SwfError, NotReached.
    """
    url = str(client.meta.endpoint_url)
    try:
        answer = cold_call(client, "DescribeDomain", {"name": domain})
    except UnknownResource as error:
        if not is_loopback(url):
            raise NotReached(
                f"There is no domain {domain!r} at {url}. Register it (aws swf register-domain --name {domain} "
                "--workflow-execution-retention-period-in-days 7), or correct --domain, the region or the endpoint"
            ) from error
    except AuthFailed as error:
        # Some roles may poll but not describe.
        if error.code not in ("AccessDeniedException", "AccessDenied", "OperationNotPermittedFault"):
            raise
    else:
        if "domainInfo" not in answer:  # botocore makes an empty answer of any text that is not JSON
            raise NotReached(
                f"something answers at {url} that is no SWF. Correct AWS_ENDPOINT_URL_SWF, or leave it unset for "
                "Amazon SWF"
            )
