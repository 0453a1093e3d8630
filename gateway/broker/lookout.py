"""Checks whether what the gateway publishes would arrive, also while it has nothing to publish.

On a connection of its own: the broker tells of a memory or disk alarm only to a connection that has published since,
and from then on reads nothing of it, not even acknowledgements (rabbitmq.com, connection.blocked). Asking on the
gateway's own would keep it from emptying the very queues that fill the broker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from gateway.broker.message_limit import NOWHERE
from gateway.broker.topology import OUT
from lianzhi.amqp.declare import missing
from lianzhi.amqp.link import WIRE_ERRORS, Link, LinkClosedError
from lianzhi.amqp.publisher import ConfirmedPublisher
from lianzhi.errors import RefusedError, UnansweredError, UnconfirmedError, UnroutableError
from lianzhi.faults import kind_of

log = structlog.get_logger("broker")

LOOK_SECONDS = 10.0
ANSWER_SECONDS = 5.0


class Lookout:
    """link: nobody else's; user: its broker user. queues: those that the gateway publishes to.

    blocked: the broker takes nothing, or did not take the last small message in `answer` seconds. missing: of these
    queues and the exchange before them, what was not there at the last look.
    """

    def __init__(self, link: Link, queues: Sequence[str], *, user: str, answer: float = ANSWER_SECONDS) -> None:
        self._link = link
        self._queues = queues
        self._publisher = ConfirmedPublisher(link, OUT, user_id=user)
        self._answer = answer
        self._unanswered = False
        self.missing: frozenset[str] = frozenset()

    def follow(self, queues: Sequence[str]) -> None:
        """Look for these from now on."""
        self._queues = queues
        self.missing = self.missing.intersection(queues)

    @property
    def blocked(self) -> bool:
        return self._link.blocked or self._unanswered

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; survives a broker that is away."""
        while not stop.is_set():
            try:
                await self.look()
            except LinkClosedError:
                return
            except WIRE_ERRORS as error:
                log.info("broker-not-seen", fault=kind_of(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def look(self) -> None:
        """Once; waits for the link. Raises LinkClosedError, WIRE_ERRORS."""
        absent = frozenset(await missing(self._link, self._queues, exchanges=(OUT,)))
        if absent != self.missing:
            log.warning("queues-missing", names=sorted(absent)[:20], count=len(absent))
            self.missing = absent
        await self._sound()

    async def close(self) -> None:
        await self._publisher.close()

    async def _sound(self) -> None:
        """One empty message that no queue takes: the broker gives it back at once."""
        try:
            await self._publisher.publish(NOWHERE, b"", timeout=self._answer)
        except (UnroutableError, RefusedError):
            self._unanswered = False
        except UnansweredError:
            self._unanswered = True
        except UnconfirmedError as error:  # the link or the channel was lost, which says nothing of an alarm
            log.info("broker-not-seen", fault=kind_of(error))
