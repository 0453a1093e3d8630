"""How large a message the broker takes: its `max_message_size`, which no API tells an ordinary user.

So it is asked the way a publisher is told: a message that is far too large, under a key that no queue takes. The broker
refuses it before it is routed and names its limit (`PRECONDITION_FAILED - message size … is larger than configured max
size …`, RabbitMQ 3.8 and later); one that it takes is dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiormq.exceptions import AMQPChannelError
from pamqp.commands import Basic

from lianzhi.amqp.link import Link, own_cancellation_only
from lianzhi.amqp.source import close_channel

PROBE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class MessageLimit:
    """refused: whether a message of `asked` bytes was. figure: the limit in the broker's own words, if it named it."""

    asked: int
    refused: bool
    figure: int | None = None


async def ask_message_limit(link: Link, exchange: str, routing_key: str, size: int, *, user: str) -> MessageLimit:
    """routing_key: one that no queue takes. user: of the link; it may write to the exchange. Raises WIRE_ERRORS of
    lianzhi.amqp.link."""
    channel = await link.channel(confirms=True)
    try:
        with own_cancellation_only():
            await channel.basic_publish(
                bytes(size), exchange=exchange, routing_key=routing_key, mandatory=False,
                properties=Basic.Properties(user_id=user), timeout=PROBE_SECONDS,
            )  # fmt: skip
    except AMQPChannelError as error:
        said = re.search(r"max size (\d+)", str(error))
        if said is None and "size" not in str(error):
            raise
        return MessageLimit(size, True, int(said[1]) if said else None)
    finally:
        await close_channel(channel)
    return MessageLimit(size, False)
