"""Addresses the host listens on: spelled, checked, and the rule which of them may be plaintext."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from pyflow_host.errors import BadOptions, CannotListen

UNIX_PATH_BYTES_MAX = 107
"""What fits into a socket address on Linux."""


@dataclass(frozen=True, slots=True)
class Address:
    """A Unix socket (`path`), or a host and port."""

    path: Path | None
    host: str = ""
    port: int = 0

    @classmethod
    def parsed(cls, text: str) -> Address:
        """From `unix:/path`, `host:port` or `[v6]:port`; raises BadOptions."""
        if text.startswith("unix:"):
            path = text.removeprefix("unix:")
            path = path.removeprefix("//") if path.startswith("///") else path
            if not path or len(os.fsencode(path)) > UNIX_PATH_BYTES_MAX:
                raise BadOptions(f"The socket path of {text!r} must have 1 to {UNIX_PATH_BYTES_MAX} bytes.")
            return cls(Path(path).absolute())
        host, colon, port = text.rpartition(":")
        if not colon or not host or not port.isdigit() or int(port) > 65535:
            raise BadOptions(f"The address {text!r} is neither unix:/path nor host:port (port 0 to 65535).")
        return cls(None, host.removeprefix("[").removesuffix("]"), int(port))

    @property
    def is_of_this_machine(self) -> bool:
        """Whether nobody else can reach it: a Unix socket or loopback."""
        if self.path is not None or self.host == "localhost":
            return True
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return False

    def with_port(self, port: int) -> Address:
        """The same with the port it really got."""
        return Address(self.path, self.host, port)

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def clear_stale_socket(path: Path) -> None:
    """Remove what a killed host left; raises CannotListen when somebody listens there or it is something else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise CannotListen(f"The directory {path.parent} for the socket is not there. Make it first.") from None
        return
    if not stat.S_ISSOCK(mode):
        raise CannotListen(f"{path} is there and is no socket. Name another path, or remove it yourself.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise CannotListen(f"The socket {path} cannot be used: {error.strerror}.") from error
    raise CannotListen(f"Another host listens on {path}. Stop it, or name another path with --listen.")
