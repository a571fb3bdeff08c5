"""How to reach an activity host: address, TLS, bearer token."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc

from pyflow_activity.errors import BadUsage

HOST_VARIABLE = "PYFLOW_HOST_ADDRESS"
MESSAGE_BYTES_MAX = 8 * 1024 * 1024
_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.use_local_subchannel_pool", 1),  # an attempt must not inherit the back-off of the one before
    ("grpc.enable_http_proxy", 0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConnection:
    """Where the host is and how to be let in. See proto/README.md, "How every worker is started"."""

    address: str
    token_file: Path | None = None
    token: str = ""
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    insecure: bool = False

    @classmethod
    def found(
        cls,
        host: str | None = None,
        *,
        token_file: str | Path | None = None,
        token: str | None = None,
        tls_ca: str | Path | None = None,
        tls_cert: str | Path | None = None,
        tls_key: str | Path | None = None,
        insecure: bool | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> HostConnection:
        """Arguments left out come from the environment. Raises BadUsage."""
        env = os.environ if environ is None else environ
        address = host or env.get(HOST_VARIABLE) or ""
        if not address:
            raise BadUsage(f"No host is named. Give --host ADDRESS or {HOST_VARIABLE} (unix:/path or name:port).")
        found = cls(
            address=address,
            token_file=_path(token_file or env.get("PYFLOW_HOST_TOKEN_FILE")),
            token=token or env.get("PYFLOW_HOST_TOKEN") or "",
            tls_ca=_path(tls_ca or env.get("PYFLOW_HOST_TLS_CA")),
            tls_cert=_path(tls_cert or env.get("PYFLOW_HOST_TLS_CERT")),
            tls_key=_path(tls_key or env.get("PYFLOW_HOST_TLS_KEY")),
            insecure=env.get("PYFLOW_HOST_INSECURE") == "1" if insecure is None else insecure,
        )
        found.target()
        if (found.tls_cert is None) != (found.tls_key is None):
            raise BadUsage("A certificate of the worker needs its key and the other way round (--tls-cert, --tls-key).")
        return found

    @property
    def uses_tls(self) -> bool:
        """TLS where an option asks for it, and to every other machine unless `insecure`."""
        if self.tls_ca is not None or self.tls_cert is not None:
            return True
        return not self._is_of_this_machine and not self.insecure

    def target(self) -> str:
        """The address as gRPC spells it; raises BadUsage."""
        if self.address.startswith("unix:"):
            return self.address
        host, colon, port = self.address.rpartition(":")
        if not colon or not host or not port.isdigit():
            raise BadUsage(f"The host address {self.address!r} is neither unix:/path nor name:port.")
        return self.address

    def open_channel(self) -> grpc.Channel:
        """A fresh channel. Raises BadUsage when a TLS file cannot be read."""
        if not self.uses_tls:
            return grpc.insecure_channel(self.target(), options=_OPTIONS)
        return grpc.secure_channel(self.target(), self._credentials(), options=_OPTIONS)

    def auth_token(self) -> str:
        """The bearer token; a file is read anew each time. Raises BadUsage."""
        if self.token_file is None:
            return self.token
        try:
            return self.token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadUsage(f"The token file {self.token_file} cannot be read: {error}.") from error

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """For unary calls."""
        token = self.auth_token()
        return (("authorization", f"Bearer {token}"),) if token else ()

    @property
    def _is_of_this_machine(self) -> bool:
        if self.address.startswith("unix:"):
            return True
        host = self.address.rpartition(":")[0].removeprefix("[").removesuffix("]")
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def _credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(_read(self.tls_ca), _read(self.tls_key), _read(self.tls_cert))


def _path(given: str | Path | None) -> Path | None:
    return Path(given) if given else None


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadUsage(f"The TLS file {path} cannot be read: {error.strerror}.") from error
