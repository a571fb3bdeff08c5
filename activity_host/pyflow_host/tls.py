"""The certificates of the listeners: read, checked, and read again for new connections after the files changed."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from pyflow_host.errors import BadOptions
from pyflow_host.options import TlsOptions

logger = logging.getLogger("pyflow.host")

Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Files:
    """What the files held, and when they were changed last."""

    stamp: Stamp
    key: bytes
    certificate: bytes
    authority: bytes | None


class CertificateFiles:
    """The files of TlsOptions. Connections that are there keep the certificate they were made with."""

    def __init__(self, tls: TlsOptions) -> None:
        """Raises BadOptions for files that cannot be read, are no PEM, or do not belong together."""
        self._tls = tls
        self._now = _read(tls)
        self._refused: Stamp | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """For `add_secure_port`; gRPC asks for changes before each handshake, from a thread of its own."""
        wants_authority = self._now.authority is not None
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._now),
            self.changed,  # type: ignore[arg-type]  # the stubs have forgotten that None means no change
            wants_authority,
        )

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """What the files hold now if that is new and usable; None: go on with what there was."""
        try:
            stamp = _stamp(self._tls)
            if stamp in (self._now.stamp, self._refused):
                return None
        except OSError:
            return None  # being replaced
        try:
            self._now = _read(self._tls)
        except BadOptions as error:
            # Key and certificate are replaced one after the other: what is there between the two is no news.
            self._refused = stamp
            logger.warning("The TLS files have changed, but the certificate in use is kept: %s", error)
            return None
        self._refused = None
        logger.info("The TLS files have changed; new connections get the certificate of %s", self._tls.cert_file)
        return _configuration(self._now)


def _configuration(files: _Files) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(files.key, files.certificate)], files.authority)


def _paths(tls: TlsOptions) -> tuple[Path, ...]:
    return (tls.key_file, tls.cert_file, *([tls.client_ca_file] if tls.client_ca_file else []))


def _stamp(tls: TlsOptions) -> Stamp:
    states = [path.stat() for path in _paths(tls)]
    return tuple((state.st_mtime_ns, state.st_ino, state.st_size) for state in states)


def _read(tls: TlsOptions) -> _Files:
    try:
        stamp = _stamp(tls)
        held = [path.read_bytes() for path in _paths(tls)]
    except OSError as error:
        raise BadOptions(f"The TLS file {error.filename} cannot be read: {error.strerror}.") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # gRPC would say nothing of what is wrong, and refuse every connection. The password: never ask a terminal.
        context.load_cert_chain(tls.cert_file, tls.key_file, password=lambda: "")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise BadOptions(
            f"The certificate {tls.cert_file} and the key {tls.key_file} cannot be used: {_reason(error)}. Both must "
            "be PEM, belong together, and the key must have no password."
        ) from error
    if tls.client_ca_file is not None:
        try:
            context.load_verify_locations(tls.client_ca_file)
        except (ssl.SSLError, OSError) as error:
            raise BadOptions(f"The authority {tls.client_ca_file} is no PEM certificate: {_reason(error)}.") from error
    return _Files(stamp, held[0], held[1], held[2] if tls.client_ca_file else None)


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error)
