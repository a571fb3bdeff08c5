"""Many idle workers in one process, each with a connection: `python idle_workers.py unix:/path N`.

Prints ALL WELCOMED, then answers Pings.
"""

from __future__ import annotations

import asyncio
import sys

import grpc.aio
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc
from pyflow_api.v1 import worker_pb2 as pb

OPTIONS = (("grpc.use_local_subchannel_pool", 1),)
"""A connection of its own for each channel, as workers have that are processes."""


async def work(address: str, number: int, welcomed: asyncio.Queue[int]) -> None:
    """Hello, credits, and then only Status."""
    channel = grpc.aio.insecure_channel(address, options=OPTIONS)
    noop = pb.ActivityType(name="noop", version="1.0")
    hello = pb.Hello(contract_version=1, worker_key=f"idle{number}", task_list="bench", activity_types=[noop])
    call = host_grpc.ActivityHostServiceStub(channel).Work()  # type: ignore[no-untyped-call]
    await call.write(pb.WorkerFrame(hello=hello))
    while isinstance(frame := await call.read(), pb.HostFrame):
        if frame.HasField("welcome"):
            welcomed.put_nowait(number)
            await call.write(pb.WorkerFrame(credits=8))
        if frame.HasField("ping"):
            await call.write(pb.WorkerFrame(status=pb.Status(nonce=frame.ping.nonce)))


async def main() -> None:
    """Connect all, then stay."""
    address, count = sys.argv[1], int(sys.argv[2])
    welcomed: asyncio.Queue[int] = asyncio.Queue()
    workers = [asyncio.create_task(work(address, n, welcomed)) for n in range(count)]
    for _ in range(count):
        await welcomed.get()
    print("ALL WELCOMED", flush=True)
    await asyncio.gather(*workers)


if __name__ == "__main__":
    asyncio.run(main())
