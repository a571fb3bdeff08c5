"""The boto3 client for SWF, found as every AWS tool finds it: environment, profile, region, endpoint.

With an endpoint on this machine (the embedded SWF) and no credentials or region, dummy ones are used. Never for any
other endpoint: there a `NotConfigured` says what is missing.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    BotoCoreError,
    ConfigParseError,
    InvalidConfigError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from pyflow.swf.faults import NotConfigured
from pyflow.swf.limits import POLL_READ_TIMEOUT_S

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

CONNECT_TIMEOUT_S = 10.0
CALL_READ_TIMEOUT_S = POLL_READ_TIMEOUT_S
POOL_CONNECTIONS_MAX = 50
ATTEMPTS_MAX = 3

DUMMY_REGION = "us-east-1"
DUMMY_KEY = "loopback"

_MACHINE_ROLE_PROVIDERS = ("container-role", "iam-role")


def make_client(
    *,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    read_timeout_s: float = CALL_READ_TIMEOUT_S,
    max_pool_connections: int = POOL_CONNECTIONS_MAX,
    attempts_max: int = ATTEMPTS_MAX,
) -> SWFClient:
    """A boto3 SWF client.

    Arguments left out come from the program's own `boto3.setup_default_session(...)` if it made that call, and from
    where AWS tools look: AWS_PROFILE, AWS_REGION / AWS_DEFAULT_REGION,
    AWS_ENDPOINT_URL_SWF, AWS_ENDPOINT_URL, the config file. `read_timeout_s` is above the 60 s of a long poll.
    `attempts_max` is how often botocore sends one call; give 1 to a client that polls: botocore repeats a poll whose
    answer was lost, and the task the first one was handed would wait unseen for its timeout (SWF reference 11.1).
    Raises `NotConfigured`.
    """
    session, endpoint, has_credentials = _checked(region, profile, endpoint_url)
    on_this_machine = endpoint is not None and is_loopback(endpoint)
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        max_pool_connections=max_pool_connections,
        retries={"mode": "standard", "total_max_attempts": attempts_max},
        tcp_keepalive=True,
        user_agent_extra="pyflow-swf",
    )
    dummy_key = DUMMY_KEY if on_this_machine and not has_credentials else None
    return session.client(
        "swf",
        endpoint_url=endpoint_url,
        region_name=session.region_name or DUMMY_REGION,
        aws_access_key_id=dummy_key,
        aws_secret_access_key=dummy_key,
        config=config,
    )


def credentials_search(
    *, region: str | None = None, profile: str | None = None, endpoint_url: str | None = None
) -> Callable[[], Credentials | None]:
    """A function that looks for credentials from the beginning each time, as `make_client` does, dummies included."""

    def search() -> Credentials | None:
        session, endpoint, has_credentials = _checked(region, profile, endpoint_url)
        if has_credentials:
            return session.get_credentials()
        dummies_are_fit = endpoint is not None and is_loopback(endpoint)
        return Credentials(DUMMY_KEY, DUMMY_KEY) if dummies_are_fit else None

    return search


def ca_bundle(profile: str | None) -> str | None:
    """The file of trusted certificates the AWS configuration names (AWS_CA_BUNDLE, `ca_bundle`), or None."""
    configured = botocore.session.Session(profile=profile).get_config_variable("ca_bundle")
    return None if configured is None else str(configured)


def is_loopback(endpoint_url: str) -> bool:
    """True when the endpoint's host is this machine by its name or address (localhost, 127.0.0.0/8, ::1)."""
    host = urlsplit(endpoint_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def endpoint_of(session: boto3.Session, endpoint_url: str | None) -> str | None:
    """The endpoint a client of `session` would use, or None when AWS's own would be chosen but no region is known."""
    if endpoint_url is not None:
        return endpoint_url
    try:
        # Only botocore knows all the places an endpoint can be configured in. Dummy credentials keep it from asking
        # the machine's role for some, which takes seconds where there is none.
        probe = session.client(
            "swf",
            region_name=session.region_name or DUMMY_REGION,
            aws_access_key_id=DUMMY_KEY,
            aws_secret_access_key=DUMMY_KEY,
        )
    except (BotoCoreError, ValueError) as error:
        raise NotConfigured(f"The AWS configuration cannot be used: {error}") from error
    return probe.meta.endpoint_url


def _checked(
    region: str | None, profile: str | None, endpoint_url: str | None
) -> tuple[boto3.Session, str | None, bool]:
    """Session, endpoint and whether there are credentials; raises `NotConfigured` when these cannot do together."""
    session = _session(profile, region)
    endpoint = endpoint_of(session, endpoint_url)
    if endpoint is not None and is_loopback(endpoint):
        if session is not boto3.DEFAULT_SESSION:
            _forget_machine_roles(session)
        return session, endpoint, _has_credentials(session)
    has_credentials = _has_credentials(session)
    _require(session.region_name, has_credentials, endpoint)
    return session, endpoint, has_credentials


def _session(profile: str | None, region: str | None) -> boto3.Session:
    said = boto3.DEFAULT_SESSION
    if said is not None and profile is None and region is None and _says_something(said):
        return said
    # botocore knows AWS_DEFAULT_REGION alone; every newer AWS tool reads AWS_REGION, and before it.
    place = region or os.environ.get("AWS_REGION") or None
    try:
        session = boto3.Session(
            botocore_session=botocore.session.Session(profile=profile), profile_name=profile, region_name=place
        )
        _ = session.region_name
    except ProfileNotFound as error:
        raise NotConfigured(
            f"{error}. Name one that exists (profile=, AWS_PROFILE) or create it with `aws configure`.",
        ) from error
    except (ConfigParseError, InvalidConfigError) as error:
        raise NotConfigured(f"The AWS config file cannot be read: {error}") from error
    return session


def _says_something(session: boto3.Session) -> bool:
    """True for a default session that the program made by `boto3.setup_default_session(profile_name=..., ...)`.

    2.0.0 used the default session, so this is how its programs choose region and credentials. One that boto3 made by
    itself says nothing; there a session of our own finds the same and reads rotated credentials anew.
    """
    core = session._session
    credentials = core._credentials  # type: ignore[attr-defined]  # get_credentials() would go and look for some
    return bool(core.instance_variables()) or (credentials is not None and credentials.method == "explicit")


def _forget_machine_roles(session: boto3.Session) -> None:
    resolver = session._session.get_component("credential_provider")
    for provider in _MACHINE_ROLE_PROVIDERS:
        resolver.remove(provider)


def _has_credentials(session: boto3.Session) -> bool:
    try:
        return session.get_credentials() is not None
    except PartialCredentialsError as error:
        raise NotConfigured(f"Only a part of the credentials was found: {error}") from error
    except (NoRegionError, BotoCoreError) as error:
        raise NotConfigured(f"Credentials cannot be had: {error}") from error


def _require(region: str | None, has_credentials: bool, endpoint: str | None) -> None:
    missing = []
    if region is None:
        missing.append("no AWS region is set: give region=, AWS_REGION, or `region` in the profile")
    if not has_credentials:
        missing.append(
            "no AWS credentials are found: give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile "
            "(AWS_PROFILE, `aws configure`, `aws sso login`) or a role of the machine"
        )
    if missing:
        raise NotConfigured(
            f"SWF at {endpoint if region else 'AWS'} cannot be called: {'; '.join(missing)}. "
            "For the embedded SWF of this machine set AWS_ENDPOINT_URL_SWF=http://127.0.0.1:PORT; it needs neither.",
        )
