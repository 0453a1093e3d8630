"""The baselines: aio-pika used directly, no gateway, no database, no signatures; on asyncio's own loop, or on uvloop.

`publish`: confirmed, persistent, mandatory, to a quorum queue, so many in flight.
`lives`: three messages a life (open → delivered, result) between two processes; every message confirmed and
acknowledged. `python -m bench.raw LOOP measure URL BODY_FILE COUNT IN_FLIGHT` prints both rates as JSON,
`python -m bench.raw LOOP echo URL` is the second process.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import aio_pika
import uvloop
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

OPEN, BACK = "bench.open", "bench.back"
QUORUM = {"x-queue-type": "quorum"}
PREFETCH = 500
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


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


async def lives(url: str, body: bytes, count: int, in_flight: int, loop: str) -> float:
    """Three-message lives a second; the other half runs in a process of its own, on the same kind of loop."""
    connection, channel = await _channel(url)
    async with connection:
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.raw", loop, "echo", url, stdout=asyncio.subprocess.PIPE
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


async def measured(loop: str, url: str, body: Path, count: int, in_flight: int) -> dict[str, float]:
    """Both rates, taken in a process of their own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.raw", loop, "measure", url, str(body), str(count), str(in_flight),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    answer, _ = await process.communicate()
    rates: dict[str, float] = json.loads(answer)
    return rates


async def _measure(loop: str, url: str, body: bytes, count: int, in_flight: int) -> None:
    publishing = await publish(url, body, count, in_flight)
    living = await lives(url, body, count // 2, in_flight, loop)
    print(json.dumps({"publish": publishing, "life": living}), flush=True)


def main() -> None:
    loop, command, url, *arguments = sys.argv[1:]
    if command == "echo":
        work = echo(url)
    else:
        body, count, in_flight = arguments
        work = _measure(loop, url, Path(body).read_bytes(), int(count), int(in_flight))
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(work)


if __name__ == "__main__":
    main()
