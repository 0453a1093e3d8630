"""Sends what the spool holds until the gateway has answered: the same bytes under the same key at every attempt.

The order is what makes it safe: commit to the spool, attempt, and only an answer of the gateway ends it: a refusal by
name, or a 202 that names what was accepted (`expected`). A timeout, a broken connection, 5xx, a page of some proxy or
a 200 of whoever it may be end nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from lianzhi.client.expected import committed
from lianzhi.client.problems import ProblemError, UnexpectedAnswerError, problem_from
from lianzhi.client.retrying import until_answered
from lianzhi.client.signing import Handed
from lianzhi.client.spool import Outgoing, Spool, answer_of, fingerprint
from lianzhi.client.wire import INCARNATION, Backoff, Reply, Wire
from lianzhi.errors import MisuseError

IN_DOUBT = "in-doubt"


@dataclass(frozen=True, slots=True)
class Resumed:
    """What came of something that had no answer. Exactly one of answer (the gateway's JSON) and problem is there. A
    problem about a clock is no answer: it stays in the spool."""

    key: str
    answer: Any = None
    problem: ProblemError | None = None


class Sender:
    def __init__(self, wire: Wire, spool: Spool, backoff: Backoff) -> None:
        self._wire = wire
        self._spool = spool
        self._backoff = backoff
        self._kept: str | None = None
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def say(self, handed: Handed, key: str) -> Any:
        """The gateway's JSON. Tries for as long as it takes; cancelled, it leaves the rest to `resume`.

        Raises ProblemError, UnexpectedAnswerError, MisuseError (the key stands for something else).
        """
        mark = fingerprint(handed.path, handed.content)
        made_in = await self._incarnation()
        item = Outgoing(key, handed.path, handed.content_type, mark, handed.body, incarnation=made_in)
        await self._spool.put(item)
        return await self._deliver(key)

    async def resume(self) -> AsyncIterator[Resumed]:
        """Everything unanswered, oldest first, each told when it is answered.

        Raises ProblemError at once when the credential is refused, and UnexpectedAnswerError at the end when one or
        more got an answer that is none: these stay, and keep nobody behind them waiting.
        """
        unexpected: UnexpectedAnswerError | None = None
        for key in await self._spool.unanswered():
            try:
                yield Resumed(key, answer=await self._deliver(key))
            except ProblemError as problem:
                if problem.about_credential:
                    raise
                yield Resumed(key, problem=problem)
            except UnexpectedAnswerError as error:
                unexpected = unexpected or error
        if unexpected is not None:
            raise unexpected

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
                committed(item.path, reply)  # what does not say so is no answer
            elif problem.about_credential or problem.about_clock or problem.code == IN_DOUBT:
                raise problem  # it stays; what is in doubt a person at the gateway decides
            await self._spool.answered(key, reply.status, reply.body.decode())  # UTF-8, or it was no answer
            return _outcome(await self._spool.get(key) or item)

    async def _incarnation(self) -> str | None:
        """Of the gateway's store, as it was last told; it outlives this process."""
        known, told = await self._known(), self._wire.incarnation
        if told is not None and told != known:
            await self._spool.keep(INCARNATION, told)
            self._kept = told
        return told or known

    async def _known(self) -> str | None:
        if self._kept is None:
            self._kept = await self._spool.note(INCARNATION)
        return self._kept

    async def _attempt(self, item: Outgoing, body: bytes) -> Reply:
        await self._spool.attempted(item.key)
        headers = {"Content-Type": item.content_type, "Idempotency-Key": item.key}
        if item.incarnation is not None:
            headers[INCARNATION] = item.incarnation
        return await self._wire.exchange("POST", item.path, headers=headers, body=body)


def _outcome(item: Outgoing) -> Any:
    document = answer_of(item)
    if item.accepted:
        return document
    problem = problem_from(document)
    if problem is None:
        raise MisuseError(f"{item.key}: the spool holds an answer that is none")
    raise problem
