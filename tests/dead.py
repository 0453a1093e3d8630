"""A message of ours that its agency's program throws away: the broker dead-letters it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from gateway.broker.topology import TO_QUEUES
from lianzhi.crypto import base64url
from lianzhi.partner import PartnerConfig
from tests.eventually import eventually
from tests.world import World


async def thrown_away(world: World, code: str, type: str, payload: Mapping[str, Any] | None = None) -> str:
    """A request of that type to that agency, `undeliverable` since then."""
    await world.nobody_reads(code)
    number = await world.court.ask(type, payload)
    await world.reaches(number, "dispatched")
    config = PartnerConfig.load(world.parties.partners[code] / "partner.toml")
    async with await aio_pika.connect(config.amqp_url) as connection:
        channel = await connection.channel()
        while number.encode() not in subject_of(message := await eventually(partial(first_of, channel, code))):
            await message.reject(requeue=False)  # of an earlier test
        await message.reject(requeue=False)
    await world.reaches(number, "undeliverable")
    return number


def subject_of(message: AbstractIncomingMessage) -> bytes:
    """The signed part, readable."""
    return base64url.decode(message.body.split(b".")[1].decode())


async def first_of(channel: AbstractChannel, code: str) -> AbstractIncomingMessage | None:
    """What waits for the agency, in either of its queues."""
    for name in (f"{TO_QUEUES}{code}", f"{TO_QUEUES}{code}.urgent"):
        queue = await channel.get_queue(name, ensure=False)
        if (message := await queue.get(fail=False)) is not None:
            return message
    return None
