"""The baselines: aio-pika used directly, no gateway, no database, no signatures.

`publish`: confirmed, persistent, mandatory, to a quorum queue, so many in flight.
`lives`: three messages a life (open → delivered, result) between two processes; every message confirmed and
acknowledged. Run as `python -m bench.raw echo URL` this module is the second process.
"""

from __future__ import annotations

import asyncio
import sys
import time

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

OPEN, BACK = "bench.open", "bench.back"
QUORUM = {"x-queue-type": "quorum"}
PREFETCH = 500


async def _channel(url: str) -> tuple[aio_pika.abc.AbstractRobustConnection, AbstractChannel]:
    connection = await aio_pika.connect_robust(url)
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    await channel.set_qos(PREFETCH)
    for queue in (OPEN, BACK):
        await channel.declare_queue(queue, durable=True, arguments=QUORUM)
    return connection, channel


def _message(body: bytes) -> aio_pika.Message:
    return aio_pika.Message(body, content_type="application/sd-jwt", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)


async def publish(url: str, body: bytes, count: int, in_flight: int) -> float:
    """Confirmed messages a second."""
    connection, channel = await _channel(url)
    async with connection:
        left = iter(range(count))

        async def sender() -> None:
            for _ in left:
                await channel.default_exchange.publish(_message(body), OPEN, mandatory=True, timeout=30)

        start = time.perf_counter()
        await asyncio.gather(*(sender() for _ in range(in_flight)))
        rate = count / (time.perf_counter() - start)
        queue = await channel.get_queue(OPEN)
        await queue.purge()
    return rate


async def lives(url: str, body: bytes, count: int, in_flight: int) -> float:
    """Three-message lives a second; the other half runs in a process of its own."""
    connection, channel = await _channel(url)
    async with connection:
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.raw", "echo", url, stdout=asyncio.subprocess.PIPE
        )
        assert other.stdout is not None
        await other.stdout.readline()
        arrived, done = 0, asyncio.Event()
        room = asyncio.Semaphore(in_flight)

        async def on_answer(message: AbstractIncomingMessage) -> None:
            nonlocal arrived
            await message.ack()
            arrived += 1
            if arrived % 2 == 0:
                room.release()
            if arrived == 2 * count:
                done.set()

        queue = await channel.get_queue(BACK)
        await queue.consume(on_answer)

        async def send() -> None:
            await channel.default_exchange.publish(_message(body), OPEN, mandatory=True, timeout=30)

        start = time.perf_counter()
        tasks = set()
        for _ in range(count):
            await room.acquire()
            task = asyncio.create_task(send())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await done.wait()
        rate = count / (time.perf_counter() - start)
        other.terminate()
        await other.wait()
    return rate


async def echo(url: str) -> None:
    """Answers every open with two messages, then acknowledges it."""
    connection, channel = await _channel(url)
    async with connection:

        async def on_open(message: AbstractIncomingMessage) -> None:
            for _ in range(2):
                await channel.default_exchange.publish(_message(message.body), BACK, mandatory=True, timeout=30)
            await message.ack()

        queue = await channel.get_queue(OPEN)
        await queue.consume(on_open)
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(echo(sys.argv[2]))
