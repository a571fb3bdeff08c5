"""What waits to be sent on one stream, bundled into as few frames as the frame limit allows."""

from __future__ import annotations

import asyncio
from collections import deque

from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core.effects import HostItem
from pyflow_host.core.limits import FRAME_BYTES_MAX

ITEM_OVERHEAD_BYTES = 16
ACK_WAITS_S = 0.02
"""How long an ack waits for something else to go with it, in seconds: nobody needs it soon, and a worker that is woken
for it alone has as much to do as for its next task."""
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
        self._ack_timer: asyncio.TimerHandle | None = None
        self._ended = asyncio.Event()
        self._due = asyncio.Event()
        """What is here is to be sent now."""
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
        if not isinstance(item, pb.OutcomeAck):
            self._make_due()
        elif self._ack_timer is None:
            self._ack_timer = asyncio.get_running_loop().call_later(ACK_WAITS_S, self._make_due)
        if self._pending_bytes > PENDING_BYTES_MAX:
            self._emptied.clear()

    def end(self) -> None:
        """Nothing follows."""
        self._ended.set()
        self._make_due()
        self._emptied.set()

    async def take(self) -> pb.HostFrame | None:
        """The next frame, None at the end."""
        while not self._due.is_set() or not self._frames:
            if self._ended.is_set():
                return None
            self._due.clear()
            await self._due.wait()
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

    def _make_due(self) -> None:
        if self._ack_timer is not None:
            self._ack_timer.cancel()
            self._ack_timer = None
        self._due.set()


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
