"""Sends what the spool holds until the gateway has answered: the same bytes under the same key at every attempt.

The order is what makes it safe: commit to the spool, attempt, and only an answer of the gateway ends it: a refusal by
name, or a 202 that names what was accepted (`committed`). A timeout, a broken connection, 5xx, a page of some proxy, an
empty object, another request's answer or a 200 of whoever it may be end nothing: the signed bytes stay in the spool,
and the same bytes are sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from lianzhi.client.answers import (
    Accepted,
    AcceptedMessage,
    Decided,
    Reassigned,
    Released,
    SaidToGroup,
    read_answer,
)
from lianzhi.client.problems import ProblemError, UnexpectedAnswerError, problem_from
from lianzhi.client.signing import Handed
from lianzhi.client.spool import Outgoing, Spool, answer_of, fingerprint
from lianzhi.client.traces import Submitting
from lianzhi.client.wire import INCARNATION, Backoff, Reply, Wire, until_answered
from lianzhi.errors import MisuseError
from lianzhi.protocol.envelope import is_request_no
from lianzhi.protocol.tracing import TRACEPARENT, Tracer

IN_DOUBT = "in-doubt"
COMMITTED = 202
"""The status of every POST that the gateway has committed (docs/contracts.md 3.3)."""

_Names = Callable[[Any, str], bool]


@dataclass(frozen=True, slots=True)
class Resumed:
    """What came of something that had no answer. Exactly one of answer (the gateway's JSON) and problem is there. A
    problem about a clock is no answer: it stays in the spool."""

    key: str
    answer: Any = None
    problem: ProblemError | None = None


class Sender:
    """tracer: None where nothing is traced."""

    def __init__(self, wire: Wire, spool: Spool, backoff: Backoff, tracer: Tracer | None = None) -> None:
        self._tracer = tracer
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
            submitting = None if self._tracer is None else Submitting(self._tracer, item.path)
            attempt = partial(self._attempt, item, item.body, submitting)
            reply = await until_answered(attempt, self._backoff, name=f"{item.path} {key}")
            problem, document = reply.problem(), None
            if problem is None:
                document = committed(item.path, reply)  # what does not say so is no answer
            elif problem.about_credential or problem.about_clock or problem.code == IN_DOUBT:
                raise problem  # it stays; what is in doubt a person at the gateway decides
            if submitting is not None:
                submitting.end(reply.status, document, problem)
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

    async def _attempt(self, item: Outgoing, body: bytes, submitting: Submitting | None) -> Reply:
        await self._spool.attempted(item.key)
        headers = {"Content-Type": item.content_type, "Idempotency-Key": item.key}
        if item.incarnation is not None:
            headers[INCARNATION] = item.incarnation
        if submitting is not None:
            headers[TRACEPARENT] = submitting.header()
        return await self._wire.exchange("POST", item.path, headers=headers, body=body)


def _outcome(item: Outgoing) -> Any:
    document = answer_of(item)
    if item.accepted:
        return document
    problem = problem_from(document)
    if problem is None:
        raise MisuseError(f"{item.key}: the spool holds an answer that is none")
    raise problem


# which answer says that it was accepted: its status, its model, the number that it must name


def committed(path: str, reply: Reply) -> Any:
    """The JSON of an answer that says: committed. path: of the POST.

    Raises ProblemError, UnexpectedAnswerError; MisuseError for a path that no call of ours has.
    """
    names, number = _expected(path)
    document = reply.document()
    if reply.status != COMMITTED:
        raise reply.unexpected()
    if not isinstance(document, dict) or not names(document, number):
        raise UnexpectedAnswerError(
            f"{reply.status} 的回答没有写明所受理的编号，不予采信；所提交的内容仍在发件台账中。"
            f" The {reply.status} does not name what was accepted, so nothing is concluded: what was said stays in the"
            " spool."
        )
    return document


def _expected(path: str) -> tuple[_Names, str]:
    """How its answer is read, and the number that stands in the address."""
    match path.strip("/").split("/"):
        case ["v1", "requests"]:
            return _accepted, ""
        case ["v1", "requests", number, "messages"]:
            return _message, number
        case ["v1", "requests", number, "approvals"]:
            return _decided, number
        case ["v1", "groups", number, "messages"]:
            return _group, number
        case ["v1", "cases", "release"]:
            return _released, ""
        case ["v1", "cases", "reassign"]:
            return _reassigned, ""
    raise MisuseError(f"{path}: no call of this library")


def _accepted(document: Any, _: str) -> bool:
    accepted = read_answer(Accepted, document)
    if accepted.request_no is None and accepted.group_no is None:
        return False
    numbers = accepted.request_nos
    return bool(numbers) and all(map(is_request_no, numbers))


def _message(document: Any, number: str) -> bool:
    return read_answer(AcceptedMessage, document).request_no == number


def _decided(document: Any, number: str) -> bool:
    return read_answer(Decided, document).request_no == number


def _group(document: Any, number: str) -> bool:
    """The same signed bytes again: `request_no` holds the group's number."""
    said = read_answer(SaidToGroup, document)
    return (said.group_no == number and bool(said.requests)) or _before(document) == number


def _released(document: Any, _: str) -> bool:
    return is_request_no(read_answer(Released, {"release_no": _before(document), **document}).release_no)


def _reassigned(document: Any, _: str) -> bool:
    reassigned = read_answer(Reassigned, document)
    return bool(reassigned.case_no) or is_request_no(_before(document) or "")


def _before(document: Any) -> str | None:
    """The number given at first, where the same signed bytes were handed in before under another key."""
    number = document.get("request_no")
    return number if isinstance(number, str) else None
