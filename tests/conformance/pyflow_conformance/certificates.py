"""Certificates for cases with TLS: an authority, a host of 127.0.0.1, a worker. Made by openssl, once for a run."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import grpc

from pyflow_conformance.errors import BadUsage

DAYS = "2"
_EXTENSIONS = {"host": "subjectAltName=IP:127.0.0.1,DNS:localhost", "worker": "subjectAltName=DNS:worker"}


class Certificates:
    """Made when first needed."""

    def __init__(self) -> None:
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def files(self) -> dict[str, Path]:
        """PEM files: `ca`, `host`, `host_key`, `worker`, `worker_key`. Raises BadUsage without openssl."""
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="cf")
            _make(Path(self._directory.name))
        directory = Path(self._directory.name)
        names = ("ca", "host", "host_key", "worker", "worker_key")
        return {name: directory / f"{name}.pem" for name in names}

    def server_credentials(self, *, mutual: bool) -> grpc.ServerCredentials:
        """For a server of 127.0.0.1; `mutual`: workers must show a certificate of the authority."""
        files = self.files()
        pair = (files["host_key"].read_bytes(), files["host"].read_bytes())
        ca = files["ca"].read_bytes() if mutual else None
        return grpc.ssl_server_credentials([pair], root_certificates=ca, require_client_auth=mutual)

    def close(self) -> None:
        """Remove them."""
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None


def _make(directory: Path) -> None:
    new_key = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(
        directory,
        *new_key,
        "-x509",
        "-days",
        DAYS,
        "-subj",
        "/CN=conformance",
        "-keyout",
        "ca_key.pem",
        "-out",
        "ca.pem",
    )
    for name, extension in _EXTENSIONS.items():
        (directory / f"{name}.ext").write_text(extension)
        _openssl(directory, *new_key, "-subj", f"/CN={name}", "-keyout", f"{name}_key.pem", "-out", f"{name}.csr")
        _openssl(
            directory, "x509", "-req", "-days", DAYS, "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca_key.pem",
            "-CAcreateserial", "-extfile", f"{name}.ext", "-out", f"{name}.pem",
        )  # fmt: skip


def _openssl(directory: Path, *arguments: str) -> None:
    try:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)
    except OSError as error:
        raise BadUsage(f"Cases with TLS need the command openssl: {error.strerror}.") from error
    except subprocess.CalledProcessError as error:
        raise BadUsage(f"openssl failed: {error.stderr.decode(errors='replace')[-300:]}") from error
