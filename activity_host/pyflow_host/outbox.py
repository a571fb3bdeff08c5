"""What waits to be sent on one stream, bundled into as few frames as the frame limit allows."""

from __future__ import annotations

import asyncio
from collections import deque

from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core.effects import HostItem
from pyflow_host.core.limits import FRAME_BYTES_MAX

ITEM_OVERHEAD_BYTES = 16
FRAME_ITEMS_MAX = 256
"""Items of one frame; more would make the first wait for the last."""
PENDING_BYTES_MAX = 8 * 1024 * 1024
"""With more than this waiting, the worker reads too slowly and is not read from either."""


class Outbox:
    """Belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._frames: deque[pb.HostFrame] = deque()
        self._items = 0
        self._frame_bytes = 0
        self._pending_bytes = 0
        self._ended = asyncio.Event()
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()

    def put(self, item: HostItem) -> None:
        """Add an item to the frame being filled, or begin another."""
        if self._ended.is_set():
            return
        size = item.ByteSize() + ITEM_OVERHEAD_BYTES
        full = self._items >= FRAME_ITEMS_MAX or self._frame_bytes + size > FRAME_BYTES_MAX
        if not self._frames or full or isinstance(item, (pb.GoAway, pb.Welcome)):
            self._frames.append(pb.HostFrame())
            self._items = self._frame_bytes = 0
        self._items += 1
        self._frame_bytes += size
        self._pending_bytes += size
        _put_into(self._frames[-1], item)
        self._filled.set()
        if self._pending_bytes > PENDING_BYTES_MAX:
            self._emptied.clear()

    def end(self) -> None:
        """Nothing follows."""
        self._ended.set()
        self._filled.set()
        self._emptied.set()

    async def take(self) -> pb.HostFrame | None:
        """The next frame, None at the end."""
        while not self._frames:
            if self._ended.is_set():
                return None
            self._filled.clear()
            await self._filled.wait()
        frame = self._frames.popleft()
        if not self._frames:
            self._pending_bytes = 0
            self._emptied.set()
        return frame

    async def ended_for(self, seconds: float) -> None:
        """Wait until the end was put in, and `seconds` more."""
        await self._ended.wait()
        await asyncio.sleep(seconds)

    async def emptied(self) -> None:
        """Wait while too much is pending."""
        await self._emptied.wait()


def _put_into(frame: pb.HostFrame, item: HostItem) -> None:
    match item:
        case pb.Task():
            frame.tasks.append(item)
        case pb.OutcomeAck():
            frame.acks.append(item)
        case pb.Ping():
            frame.ping.CopyFrom(item)
        case pb.Cancel():
            frame.cancels.append(item)
        case pb.Welcome():
            frame.welcome.CopyFrom(item)
        case pb.GoAway():
            frame.go_away.CopyFrom(item)
