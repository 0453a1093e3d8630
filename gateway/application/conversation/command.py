"""A party that uses the API says a verb: the court confirms, withdraws, answers; or is itself the one asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from gateway.application.context import Context
from gateway.application.conversation.send_verb import Said, Voice
from gateway.application.group_commit import Batcher
from gateway.application.idempotency import RACES, replayed
from gateway.application.ports import Transaction
from gateway.application.posts import Answer
from gateway.core.records import Changes, IdempotencyRow, Request, Submission
from lianzhi.errors import ConflictError, MisuseError, RejectedError


class Actor:
    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._voice = Voice(context)
        self._wake = wake
        self._batch: Batcher[Said, Answer] = Batcher(self._commit, context.settings.batch)

    async def say(self, said: Said) -> Answer:
        """Raises RejectedError (named), StoreUnavailableError."""
        for _ in range(RACES):
            try:
                return await self._batch.do(said)
            except ConflictError:
                continue
        raise RejectedError("unavailable", retry_after=1)

    async def _commit(self, batch: Sequence[Said]) -> list[Answer | Exception]:
        now = self._ctx.clock.now()
        results: list[Answer | Exception] = []
        changes = Changes()
        touched: dict[str, Request] = {}
        async with self._ctx.store.begin() as tx:
            keys = [(s.client.id, s.key) for s in batch]
            if len(set(keys)) != len(keys):
                raise MisuseError("the same key twice in one batch runs again one by one")
            earlier = await tx.idempotency(keys)
            signed = await tx.submissions([(s.act.sender, s.act.id) for s in batch if s.act])
            requests = await tx.lock_requests(sorted({s.request_no for s in batch}))
            for said in batch:
                try:
                    answer = replayed(earlier.get((said.client.id, said.key)), said.fingerprint)
                    if answer is None and said.act is not None:
                        answer = said_before(signed.get((said.act.sender, said.act.id)), said.act)
                    if answer is None:
                        answer = await self._one(tx, said, requests, changes, touched, now)
                    results.append(answer)
                except RejectedError as error:
                    results.append(error)
            changes.requests += touched.values()
            await tx.apply(changes)
        if changes.outbox:
            self._wake()
        return results

    async def _one(
        self,
        tx: Transaction,
        said: Said,
        requests: Mapping[str, Request],
        changes: Changes,
        touched: dict[str, Request],
        now: datetime,
    ) -> Answer:
        request = requests.get(said.request_no)
        if request is None:
            raise RejectedError("unknown-request", pointer="/request_no")
        mine = Changes()
        told = await self._voice.say(tx, said, request, mine, now)
        if said.act is not None:
            mine.submissions.append(said.act)
        answer = Answer(202, told, f"/v1/requests/{request.request_no}")
        mine.idempotency.append(
            IdempotencyRow(
                client=said.client.id,
                key=said.key,
                fingerprint=said.fingerprint,
                status=answer.status,
                response=answer.body,
                location=answer.location,
                at=now,
                request_no=request.request_no,
            )
        )
        changes.extend(mine)
        touched[request.request_no] = request
        return answer


def said_before(earlier: Submission | None, act: Submission, where: str = "/v1/requests") -> Answer | None:
    """The same signed act under another key: nothing happens again."""
    if earlier is None:
        return None
    if earlier.digest != act.digest:
        raise RejectedError("id-reused", pointer="/id")
    return Answer(202, {"request_no": earlier.request_no}, f"{where}/{earlier.request_no}", replayed=True)
