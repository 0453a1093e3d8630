"""How full partners' queues are and whether anybody consumes them, asked of the broker when an operator looks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from gateway.application.ports.broker import QueueSizes, QueueState
from gateway.broker.topology import TO_QUEUES, owner_of
from lianzhi.amqp.declare import queue_sizes
from lianzhi.amqp.link import WIRE_ERRORS, Link
from lianzhi.faults import kind_of

log = structlog.get_logger("broker")

ANSWER_SECONDS = 5.0


class QueueStates:
    """link: the gateway's own. A partner's queue and its urgent one are told together."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def ask(self, partners: Sequence[str]) -> Mapping[str, QueueState] | None:
        """None: the broker is away or does not answer in `ANSWER_SECONDS`."""
        names = {partner: (f"{TO_QUEUES}{partner}", f"{TO_QUEUES}{partner}.urgent") for partner in partners}
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                sizes = await queue_sizes(self._link, [queue for both in names.values() for queue in both])
        except (TimeoutError, *WIRE_ERRORS) as error:
            log.info("broker-not-seen", fault=kind_of(error))
            return None
        return {
            partner: _together([sizes[queue] for queue in both if queue in sizes]) for partner, both in names.items()
        }

    async def sizes(self, queues: Sequence[str]) -> QueueSizes | None:
        """Of each of these queues that is there. None: the broker is away or does not answer in `ANSWER_SECONDS`."""
        if not self._link.connected:
            return None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                sizes = await queue_sizes(self._link, queues)
        except (TimeoutError, *WIRE_ERRORS) as error:
            log.info("broker-not-seen", fault=kind_of(error))
            return None
        return {_key(queue): size for queue, size in sizes.items()}


def _key(queue: str) -> tuple[str, str, str]:
    partner = owner_of(queue)
    if partner is None:
        return "", "dead", ""
    return partner, "to" if queue.startswith(TO_QUEUES) else "from", "urgent" if queue.endswith(".urgent") else "normal"


def _together(sizes: Sequence[tuple[int, int]]) -> QueueState:
    """The sum; no queue at all is told from an empty one."""
    if not sizes:
        return QueueState(None, None)
    return QueueState(sum(messages for messages, _ in sizes), sum(consumers for _, consumers in sizes))
