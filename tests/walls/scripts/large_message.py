"""A private broker of the product, and a message of so many bytes to it: prints `taken` or `refused`."""

import asyncio
import sys

import aio_pika
from aiormq.exceptions import AMQPChannelError

from simulation.private_broker import PrivateBroker


async def main(size: int) -> str:
    async with (
        PrivateBroker() as broker,
        await aio_pika.connect(broker.url()) as connection,
        connection.channel() as channel,
    ):
        queue = await channel.declare_queue("q", durable=True)
        try:
            await channel.default_exchange.publish(aio_pika.Message(bytes(size)), queue.name)
        except AMQPChannelError:
            return "refused"
        return "taken"


print(asyncio.run(main(int(sys.argv[1]))))
