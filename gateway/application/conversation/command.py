"""Takes a verb that a party sends by the API: the court confirms, withdraws or answers, or is itself the one asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gateway.application.context import Context
from gateway.application.conversation.parse_verb import Hearer
from gateway.application.conversation.send_verb import Said, Voice
from gateway.application.group_commit import Batcher
from gateway.application.idempotency import Before, Idempotency, remembered
from gateway.application.posts import Answer, Handed
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.records import Changes, Request
from lianzhi.errors import RejectedError


@dataclass(frozen=True, slots=True)
class _Act:
    handed: Handed
    said: Said


class Actor:
    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._hearer = Hearer(context)
        self._voice = Voice(context)
        self._wake = wake
        self._once = Idempotency(context)
        self._batch: Batcher[_Act, Answer] = Batcher(self._commit, context.settings.batch)

    async def say(self, handed: Handed, number: str) -> Answer:
        """number: of the request in the address. Raises RejectedError (named), StoreUnavailableError."""
        return await self._once.run_once(handed, partial(self._hear_and_say, handed, number))

    async def say_for(self, handed: Handed, said: Said) -> Answer:
        """The same where `handed` does not say it itself: its address alone stands for `said`."""
        return await self._once.run_once(handed, lambda _: self._batch.do(_Act(handed, said)))

    async def _hear_and_say(self, handed: Handed, number: str, before: Before) -> Answer:
        said = await self._hearer.hear(handed, number)
        answer = None if said.act is None else before.answer(said.act.digest)
        return answer or await self._batch.do(_Act(handed, said))

    async def _commit(self, batch: Sequence[_Act]) -> list[Answer | Exception]:
        now, changes = self._ctx.clock.now(), Changes()
        results: list[Answer | Exception] = []
        touched: dict[str, Request] = {}
        async with self._ctx.store.begin() as tx:
            unit = UnitOfWork(self._ctx, tx, changes, now)
            requests = await tx.lock_requests(sorted({act.said.request_no for act in batch}))
            for act in batch:
                try:
                    results.append(await self._one(unit, act, requests, touched))
                except RejectedError as error:
                    results.append(error)
            changes.requests += touched.values()
            await tx.apply(changes)
        if changes.outbox:
            self._wake()
        return results

    async def _one(
        self, unit: UnitOfWork, act: _Act, requests: Mapping[str, Request], touched: dict[str, Request]
    ) -> Answer:
        said = act.said
        request = requests.get(said.request_no)
        if request is None:
            raise RejectedError("unknown-request", pointer="/request_no")
        told = await self._voice.say(unit, said, request)
        if said.act is not None:
            unit.changes.submissions.append(said.act)
        answer = Answer(202, told, f"/v1/requests/{request.request_no}")
        unit.changes.idempotency.append(remembered(act.handed, answer, unit.now, request.request_no))
        touched[request.request_no] = request
        return answer
