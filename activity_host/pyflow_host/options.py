"""What a host is started with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyflow_host.core import limits
from pyflow_host.errors import BadOptions
from pyflow_host.supervisor import WorkerCommand

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from pyflow_host.coded_swf import PayloadCodec

DRAIN_TIMEOUT_S = 30.0
PING_INTERVAL_MIN_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """TLS of the listeners that are not Unix sockets. PEM files; read again when they change (see `tls`)."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    """mTLS: workers must show a certificate that this authority signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """Options of a host. Times in seconds."""

    domains: Sequence[str]
    """SWF domains served; the first is the default of workers that name none."""
    listen: Sequence[str] = ("127.0.0.1:0",)
    """`unix:/path` (mode 0600), `127.0.0.1:7233`, `[::1]:0`, `0.0.0.0:7233`. Port 0: any free one."""
    workers: Sequence[WorkerCommand] = ()
    """Worker processes to start and keep running."""
    token_key_file: Path | None = None
    """The key that seals task tokens; None: PYFLOW_TOKEN_KEY, else a file in the user's state directory."""
    auth_token_file: Path | None = None
    """Bearer tokens accepted, one a line, read again when it changes; None: no token is asked for."""
    tls: TlsOptions | None = None
    insecure: bool = False
    """Allow plaintext on addresses that are not of this machine."""
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    register_domain: bool | None = None
    """Register the domains if they are missing; None: only on an SWF endpoint of this machine."""
    ping_interval_s: float = limits.PING_INTERVAL_S
    grace_s: float = limits.GRACE_S
    drain_timeout_s: float = DRAIN_TIMEOUT_S
    """How long running tasks are waited for at the end, after the polls."""
    polls_of_list_max: int = limits.POLLS_OF_LIST_MAX
    heartbeats_per_s: float = limits.HEARTBEATS_PER_S
    streams_max: int = limits.STREAMS_MAX
    """Workers connected at a time; those beyond are told to come again or to find another host."""
    payload_codec: PayloadCodec | None = None
    """What changes inputs and results on their way from and to SWF, as the deciders' codec does; None: nothing."""
    tracer_provider: TracerProvider | None = None
    """OpenTelemetry: one span for each task (see `tracing`); None: no spans."""
    metrics_address: str | None = None
    """Where Prometheus finds metrics, for example `127.0.0.1:9464`; None: nowhere."""

    def check(self) -> None:
        """Raises BadOptions for what cannot work."""
        if not self.domains or not all(self.domains):
            raise BadOptions("A host needs at least one SWF domain (--domain).")
        if not self.listen:
            raise BadOptions("A host needs at least one address to listen on (--listen).")
        for name in ("ping_interval_s", "grace_s", "drain_timeout_s", "heartbeats_per_s"):
            if not math.isfinite(getattr(self, name)):
                raise BadOptions(f"{name} is {getattr(self, name)}; it must be a finite number.")
        if self.heartbeats_per_s <= 0:
            raise BadOptions(f"heartbeats_per_s is {self.heartbeats_per_s}; it must be above 0.")
        if self.ping_interval_s < PING_INTERVAL_MIN_S:
            raise BadOptions(f"The ping interval is {self.ping_interval_s} s; {PING_INTERVAL_MIN_S} s is the least.")
        if self.grace_s < 0 or self.drain_timeout_s < 0:
            raise BadOptions("Grace and drain timeout cannot be negative.")
        if self.streams_max < 1:
            raise BadOptions(f"streams_max is {self.streams_max}; it must be 1 or more.")
        if not 1 <= self.polls_of_list_max <= 1_000:
            raise BadOptions(f"polls_of_list_max is {self.polls_of_list_max}; SWF takes 1 to 1,000 polls of a list.")
