"""Whether the broker's limit of one message fits ours: just above it (docs/adr/0020)."""

from __future__ import annotations

from gateway.bounds import Bounds
from gateway.broker.topology import OUT
from lianzhi.amqp.link import Link
from lianzhi.amqp.message_limit import MessageLimit
from lianzhi.amqp.message_limit import ask_message_limit as ask
from lianzhi.errors import ConfigurationError

NOWHERE = "0.nobody"  # a participant's code begins with a letter
TIMES = 4  # so many times larger than it should be


async def ask_message_limit(link: Link, bounds: Bounds, *, user: str) -> MessageLimit:
    """user: of the link; it may write to `lianzhi.out`. Raises WIRE_ERRORS of lianzhi.amqp.link."""
    return await ask(link, OUT, NOWHERE, TIMES * bounds.broker_message_bytes, user=user)


def judge(limit: MessageLimit, bounds: Bounds) -> str:
    """What `doctor` says of it. Raises ConfigurationError: too large or too small, with the line that mends it."""
    right = f"rabbitmq.conf: max_message_size = {bounds.broker_message_bytes}"
    found = limit.figure
    if not limit.refused or (found is not None and found > 2 * bounds.broker_message_bytes):
        seen = f"{found}" if found is not None else f"≥ {limit.asked}"
        raise ConfigurationError(
            f"代理收 {seen} 字节的报文，远大于本网关的上限 {bounds.message_bytes}，一个单位即可占满内存；请设 {right}。"
            f" The broker takes messages of {seen} bytes, far more than our {bounds.message_bytes}; set {right}"
        )
    if found is not None and found < bounds.message_bytes:
        raise ConfigurationError(
            f"代理只收 {found} 字节以内的报文，小于本网关的上限 {bounds.message_bytes}，大报文发不出去；请设 {right}。"
            f" The broker refuses messages that we may send, above {found} bytes; set {right}"
        )
    words = f"{found}" if found is not None else f"< {limit.asked}（代理未说明 the broker does not say which）"
    return f"单条上限 largest message: {words}"
