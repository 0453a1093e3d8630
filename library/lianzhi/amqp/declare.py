"""Declaring exchanges, queues and bindings. Declaring what exists with the same arguments changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiormq.exceptions import AMQPChannelError, ChannelNotFoundEntity

from lianzhi.amqp.link import Link, own_cancellation_only
from lianzhi.amqp.source import RPC_SECONDS, close_channel
from lianzhi.errors import ConfigurationError


async def declare(
    link: Link,
    *,
    exchanges: Iterable[str] = (),
    queues: Iterable[tuple[str, Mapping[str, Any]]] = (),
    bindings: Iterable[tuple[str, str, str]] = (),
) -> None:
    """Durable topic exchanges; durable queues (name, arguments); bindings (exchange, queue, key), in this order.

    Raises ConfigurationError where something of that name exists with other arguments, or where the user of the
    link may not declare it; WIRE_ERRORS of lianzhi.amqp.link.
    """
    channel = await link.channel()
    subject = ""
    try:
        with own_cancellation_only():
            for subject in exchanges:
                await channel.exchange_declare(subject, exchange_type="topic", durable=True, timeout=RPC_SECONDS)
            for subject, arguments in queues:
                await channel.queue_declare(subject, durable=True, arguments=dict(arguments), timeout=RPC_SECONDS)
            for exchange, subject, key in bindings:
                await channel.queue_bind(subject, exchange, key, timeout=RPC_SECONDS)
    except AMQPChannelError as error:
        raise ConfigurationError(f"{subject}：代理拒绝声明 / the broker refuses the declaration: {error}") from error
    finally:
        await close_channel(channel)


async def missing(link: Link, queues: Iterable[str], *, exchanges: Iterable[str] = ()) -> list[str]:
    """Those that are not there. One that the user of the link may not even ask for is there for all we know.

    Raises WIRE_ERRORS of lianzhi.amqp.link.
    """
    found: list[str] = []
    channel = None
    try:
        for name, is_queue in (*((e, False) for e in exchanges), *((q, True) for q in queues)):
            if channel is None or channel.is_closed:  # a refusal closes it
                channel = await link.channel()
            try:
                with own_cancellation_only():
                    if is_queue:
                        await channel.queue_declare(name, passive=True, timeout=RPC_SECONDS)
                    else:
                        await channel.exchange_declare(name, passive=True, timeout=RPC_SECONDS)
            except ChannelNotFoundEntity:
                found.append(name)
            except AMQPChannelError:
                continue
    finally:
        if channel is not None:
            await close_channel(channel)
    return found


async def queue_sizes(link: Link, queues: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Queue → (messages that wait in it, consumers); those that are not there, or not ours to ask for, are absent.

    Raises WIRE_ERRORS of lianzhi.amqp.link.
    """
    found: dict[str, tuple[int, int]] = {}
    channel = None
    try:
        for name in queues:
            if channel is None or channel.is_closed:  # a refusal closes it
                channel = await link.channel()
            try:
                with own_cancellation_only():
                    told = await channel.queue_declare(name, passive=True, timeout=RPC_SECONDS)
            except AMQPChannelError:
                continue
            found[name] = (told.message_count or 0, told.consumer_count or 0)
    finally:
        if channel is not None:
            await close_channel(channel)
    return found


async def delete_queue(link: Link, queue: str) -> None:
    """With everything in it. A quorum queue takes no conditions here."""
    channel = await link.channel()
    try:
        with own_cancellation_only():
            await channel.queue_delete(queue, if_unused=False, if_empty=False, timeout=RPC_SECONDS)
    finally:
        await close_channel(channel)
