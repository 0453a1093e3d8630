"""Says what the spool holds until the gateway has answered: the same bytes under the same key, however often.

The order is what makes it safe: commit to the spool, attempt, and only an answer of the gateway ends it. A timeout, a
broken connection, 5xx or a page of some proxy end nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from gateway.client.problems import ProblemError, problem_from
from gateway.client.retrying import until_answered
from gateway.client.signing import Handed
from gateway.client.spool import Outgoing, Spool, answer_of, fingerprint
from gateway.client.wire import Backoff, Reply, Wire
from gateway.errors import MisuseError


@dataclass(frozen=True, slots=True)
class Resumed:
    """What came of something that had no answer. Exactly one of answer (the gateway's JSON) and problem is there."""

    key: str
    answer: Any = None
    problem: ProblemError | None = None


class Sender:
    def __init__(self, wire: Wire, spool: Spool, backoff: Backoff) -> None:
        self._wire = wire
        self._spool = spool
        self._backoff = backoff
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def say(self, handed: Handed, key: str) -> Any:
        """The gateway's JSON. Tries for as long as it takes; cancelled, it leaves the rest to `resume`.

        Raises ProblemError, UnexpectedAnswerError, MisuseError (the key stands for something else).
        """
        mark = fingerprint(handed.path, handed.content)
        await self._spool.put(Outgoing(key, handed.path, handed.content_type, mark, handed.body))
        return await self._deliver(key)

    async def resume(self) -> AsyncIterator[Resumed]:
        """Everything unanswered, oldest first, each told when it is answered.

        Raises what concerns all of it: ProblemError about the credential, UnexpectedAnswerError.
        """
        for key in await self._spool.unanswered():
            try:
                yield Resumed(key, answer=await self._deliver(key))
            except ProblemError as problem:
                if problem.about_credential:
                    raise
                yield Resumed(key, problem=problem)

    async def _deliver(self, key: str) -> Any:
        """One at a time for each key: `resume` and the caller may meet."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            item = await self._spool.get(key)
            if item is None:
                raise MisuseError(f"{key} is not in the spool")
            if item.body is None:
                return _outcome(item)
            attempt = partial(self._attempt, item, item.body)
            reply = await until_answered(attempt, self._backoff, name=f"{item.path} {key}")
            problem = reply.problem()
            if problem is None:
                reply.document()  # an answer that cannot be read is no answer
            elif problem.about_credential:
                raise problem
            await self._spool.answered(key, reply.status, reply.body.decode())
            return _outcome(await self._spool.get(key) or item)

    async def _attempt(self, item: Outgoing, body: bytes) -> Reply:
        await self._spool.attempted(item.key)
        headers = {"Content-Type": item.content_type, "Idempotency-Key": item.key}
        return await self._wire.exchange("POST", item.path, headers=headers, body=body)


def _outcome(item: Outgoing) -> Any:
    document = answer_of(item)
    if item.accepted:
        return document
    problem = problem_from(document)
    if problem is None:
        raise MisuseError(f"{item.key}: the spool holds an answer that is none")
    raise problem
