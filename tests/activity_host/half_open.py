"""A TCP proxy whose connections can fall silent in one direction without being closed: half-open TCP."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Literal

Direction = Literal["to the host", "to the worker"]
CHUNK_BYTES = 65_536


class Proxy:
    """Forwards every connection to the target. Connections made after `swallow` are whole again."""

    def __init__(self, target: str) -> None:
        """`target` is host:port."""
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        self._silent: dict[Direction, threading.Event] = {}
        self.swallowed = threading.Event()
        """Set once something was sent that nobody will get."""
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self, direction: Direction) -> None:
        """From now on nothing arrives in this direction on the connections that are there."""
        self._silent[direction].set()

    def close(self) -> None:
        for one in (self._listener, *self._sockets):
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                worker, _ = self._listener.accept()
                host = socket.create_connection(self._target)
                self._sockets += [worker, host]
                self._silent = {"to the host": threading.Event(), "to the worker": threading.Event()}
                ways = ((worker, host, "to the host"), (host, worker, "to the worker"))
                for source, sink, direction in ways:
                    way = (source, sink, self._silent[direction])  # type: ignore[index]  # a Literal in a tuple is a str
                    threading.Thread(target=self._forward, args=way, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, silent: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if silent.is_set():
                    self.swallowed.set()
                else:
                    sink.sendall(data)
        if not silent.is_set():  # an end that was swallowed is none either
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)
