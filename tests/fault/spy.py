"""A listener on both exchanges: which messages went over the wire more than once, and whether in the same bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from gateway.broker.topology import IN, OUT
from lianzhi.crypto.sdjwt import parse
from tests.conftest import Vhost


@dataclass(slots=True)
class Spy:
    """heard: (sender, id) → the bytes of each copy."""

    heard: dict[tuple[str, str], list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def repeated(self) -> set[tuple[str, str]]:
        """What was published more than once."""
        return {key for key, copies in self.heard.items() if len(copies) > 1}

    def altered(self) -> set[tuple[str, str]]:
        """What was published in more than one form: must stay empty (docs/architecture.md 4 rule 2)."""
        return {key for key, copies in self.heard.items() if len(set(copies)) > 1}

    async def take(self, message: AbstractIncomingMessage) -> None:
        event = parse(message.body).event
        self.heard[str(event["source"]), str(event["id"])].append(message.body)


@asynccontextmanager
async def spying(vhost: Vhost) -> AsyncIterator[Spy]:
    """Until the block is left."""
    spy = Spy()
    async with await aio_pika.connect(vhost.url()) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        for exchange in (OUT, IN):
            await queue.bind(exchange, "#")
        await queue.consume(spy.take, no_ack=True)
        yield spy
