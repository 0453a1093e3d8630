"""One POST does its work once: what was answered before is looked up before a number is taken, anything is sealed or a
signature is made.

A POST that is repeated (a client that lost the answer, or one that will not stop) costs one read, which it shares with
whatever else is asked at the same moment. The look saves work and decides nothing: the unique keys of the store settle
a race between processes, and who loses one looks again (docs/contracts.md 3.3, Idempotency).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from gateway.application.context import Context
from gateway.application.posts import Answer, Handed
from gateway.application.unit_of_work import Batcher
from gateway.core.records import IdempotencyRow, Submission
from lianzhi.crypto import base64url
from lianzhi.crypto.limits import Limits
from lianzhi.crypto.strictjson import bound_depth
from lianzhi.errors import ConflictError, RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.envelope import CONTENT_TYPE, is_message_id

RACES = 3
"""How often the work of a POST begins again that lost a race for a unique key or for a row: each time somebody else
won it."""
Key = tuple[str, str]
Found = tuple[IdempotencyRow | None, Submission | None]


@dataclass(frozen=True, slots=True)
class _Look:
    """key: (client, Idempotency-Key). signed: (sender, id) of a signed submission."""

    key: Key
    signed: Key | None


@dataclass(frozen=True, slots=True)
class Before:
    """stored: what came earlier under the id that the signed bytes give themselves. where: path of what it made."""

    stored: Submission | None
    where: str

    def answer(self, digest: str) -> Answer | None:
        """For whoever has verified the bytes, and so has proved that the id is theirs; None when the id is new.

        digest: of the signed part. Raises RejectedError id-reused: something else was signed under this id."""
        if self.stored is None:
            return None
        if self.stored.digest != digest:
            raise RejectedError("id-reused", pointer="/id")
        return again(self.stored, self.where)


Work = Callable[[Before], Awaitable[Answer]]


class Idempotency:
    """For one kind of POST. It also keeps two callers with one key from doing the same work side by side."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._ctx = context
        self._under_way: dict[Key, asyncio.Event] = {}
        self._batch: Batcher[_Look, Found] = Batcher(self._look_up, context.settings.batch)

    async def run_once(self, handed: Handed, work: Work, where: str = "/v1/requests") -> Answer:
        """What was answered before, or what `work` answers: it writes `remembered(...)` in its own unit of work.

        where: path of what a signed submission made. work: called again from the start when it raises ConflictError;
        what it takes from its `Before` is said there. Raises RejectedError: what `work` refuses,
        idempotency-key-reused, unavailable (each try lost a race); StoreUnavailableError.
        """
        async with self._alone(handed):
            for _ in range(RACES):
                answer, before = await self._look(handed, where)
                if answer is not None:
                    return answer
                try:
                    return await work(before)
                except ConflictError:
                    continue  # another process won the race for the same key, id or row: now its result can be seen
                except RejectedError:
                    # Refused perhaps because the same POST was just done elsewhere: then that is the answer.
                    answer, _ = await self._look(handed, where)
                    if answer is None:
                        raise
                    return answer
            raise RejectedError("unavailable", retry_after=1)

    @asynccontextmanager
    async def _alone(self, handed: Handed) -> AsyncIterator[None]:
        """Until the caller before with the same key has been answered: its answer can then be seen."""
        key, mine = (handed.client.id, handed.key), asyncio.Event()
        before, self._under_way[key] = self._under_way.get(key), mine
        try:
            if before is not None:
                await before.wait()
            yield
        finally:
            mine.set()
            if self._under_way.get(key) is mine:
                del self._under_way[key]

    async def _look(self, handed: Handed, where: str) -> tuple[Answer | None, Before]:
        """The answer of the same key, or of the very same signed bytes under another key; None when it is new.

        Raises RejectedError idempotency-key-reused."""
        named = named_id(handed.content_type, handed.body, self._ctx.limits)
        signed = None if named is None else (handed.participant.code, named)
        earlier, stored = await self._batch.do(_Look((handed.client.id, handed.key), signed))
        answer = replayed(earlier, handed.fingerprint)
        if answer is None and stored is not None and stored.body == handed.body:
            answer = again(stored, where)
        return answer, Before(stored, where)

    async def _look_up(self, looks: Sequence[_Look]) -> list[Found | Exception]:
        keys, signed = [look.key for look in looks], [look.signed for look in looks if look.signed is not None]
        earlier, stored = await self._store.remembered(keys, signed)
        return [(earlier.get(look.key), stored.get(look.signed) if look.signed else None) for look in looks]


def remembered(handed: Handed, answer: Answer, now: datetime, number: str | None = None) -> IdempotencyRow:
    """The row by which the same POST is answered again. number: what it made, named to who uses the key for something
    else."""
    return IdempotencyRow(
        client=handed.client.id,
        key=handed.key,
        fingerprint=handed.fingerprint,
        status=answer.status,
        response=answer.body,
        location=answer.location,
        at=now,
        request_no=number,
    )


def replayed(earlier: IdempotencyRow | None, fingerprint: str) -> Answer | None:
    """The answer given before under this key. Raises RejectedError idempotency-key-reused for other bytes.

    It names what the key stands for: a client that has lost its own record, and signs the same anew, learns from it
    that this was accepted before, and under which number."""
    if earlier is None:
        return None
    if earlier.fingerprint != fingerprint:
        made = earlier.request_no or earlier.location or ""
        error = FieldError(
            pointer="/Idempotency-Key",
            rule="idempotency-key-reused",
            detail=f"该键已用于受理 {made}，本次内容未受理；若为同一件事，以该编号查询即可，否则请换一个键",
            detail_en=f"This key stands for {made}, accepted before; nothing was taken now: if this is the same matter,"
            " look that number up, else use another key",
        )
        raise RejectedError("idempotency-key-reused", [error])
    return Answer(earlier.status, earlier.response, earlier.location, replayed=True)


def again(earlier: Submission, where: str) -> Answer:
    """The answer to what was signed and handed in before: nothing happens again."""
    return Answer(202, {"request_no": earlier.request_no}, f"{where}/{earlier.request_no}", replayed=True)


def named_id(content_type: str, body: bytes, limits: Limits) -> str | None:
    """The id that a signed submission gives itself; nothing is verified, nor read strictly. What is not even readable
    is None: whoever proves it says what is wrong."""
    if content_type != CONTENT_TYPE or len(body) > limits.message_bytes:
        return None
    try:
        payload = body.split(b"~", 1)[0].decode("ascii").split(".")[1]
        text = base64url.decode(payload).decode()
        bound_depth(text, limits.json_depth)
        named = json.loads(text)["id"]
    except (ValueError, LookupError, TypeError, RejectedError):
        return None
    return named if isinstance(named, str) and is_message_id(named) else None
