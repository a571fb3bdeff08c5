"""Threads for blocking calls: started as needed up to a limit, first in first out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class CallThreads:
    """Runs blocking calls. The threads are not daemons: a process that ends waits for calls under way (polls!)."""

    def __init__(self, name: str, threads_max: int) -> None:
        self._name = name
        self._threads_max = threads_max
        self._calls: deque[Callable[[], None]] = deque()
        self._wake = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def submit(self, call: Callable[[], None]) -> None:
        """Run `call` soon; it must not raise."""
        with self._wake:
            self._calls.append(call)
            if self._idle >= len(self._calls):
                self._wake.notify()
            elif len(self._threads) < self._threads_max:
                thread = threading.Thread(target=self._run, name=f"{self._name}-{len(self._threads)}")
                self._threads.append(thread)
                thread.start()
            else:
                self._wake.notify()

    def close(self) -> None:
        """End the threads when all calls are done; does not wait."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._calls:
                    if self._closed:
                        return
                    self._idle += 1
                    self._wake.wait()
                    self._idle -= 1
                call = self._calls.popleft()
            call()
