"""Sends a verb of a party that uses the API: the court confirms, withdraws or answers, or is itself the one asked.

`Voice` sends one inside a unit of work: checked, decided, composed, applied. A verb to a group (`groups`) and the
release of a case (`release`) use it too. `Actor` is the use case of one POST with one verb: read, remembered under its
key, and committed together with what others post at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.apply_verb import apply_verb, keep_for_its_time
from gateway.application.conversation.compose import Composed, Composer
from gateway.application.conversation.posted_acts import Hearer, Said
from gateway.application.conversation.read_message import check_location_codes
from gateway.application.idempotency import Before, Idempotency, remembered
from gateway.application.ports.store import Transaction
from gateway.application.posts import Answer, Handed
from gateway.application.unit_of_work import Batcher, UnitOfWork
from gateway.core.approvals import check_staff
from gateway.core.control.moves import is_live
from gateway.core.records import Changes, Naming, Request
from gateway.core.requests.lifecycle import Step, decide
from lianzhi.crypto.seal import recipient_of
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol import verbs as replies
from lianzhi.protocol.cards import Classification
from schemas.answers import before_request, undone, unlawful_answer
from schemas.validation import InvalidError, documents_of, parse_data, places_of_refs, refs_of

READ_BY_ANYBODY = frozenset({"read"})  # a notice's reader need not be registered


class Voice:
    """Says verbs; the caller has locked the request, writes the changes and remembers the key."""

    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._composer = Composer(context)

    async def say(self, unit: UnitOfWork, said: Said, request: Request) -> dict[str, Any]:
        """What the caller is told. `request` and `unit.changes` are touched only when nothing is refused.

        Raises RejectedError.
        """
        if said.participant.code not in (request.asker, request.asked):
            raise RejectedError("unknown-request", pointer="/request_no")
        now, data = unit.now, self._checked(request, said, unit.now)
        by = request.side(said.participant.code)
        draft = replace(request, facts=request.facts.copy(), marks=dict(request.marks))
        if said.verb == "withdraw":
            await self._may_withdraw(unit.tx, draft)
        attempted = said.verb == "withdraw" and await unit.tx.attempted(draft.request_no)
        try:
            decision = decide(draft, Step(said.verb, by, now, data=data, attempted=attempted))
        except RejectedError as error:
            raise _in_the_act(error) from None
        mine = Changes(measures=list(unit.changes.measures))  # two acts of one unit may be about one measure
        composed: Composed | None = None
        if not decision.cancel:
            draft.facts, draft.marks = decision.facts, decision.marks
            composed = await self._composed(draft, said, data, now)
            decision = replace(decision, facts=draft.facts, marks=draft.marks)
            self._send(draft, said, data, composed, mine)
        message, head = (composed.message, composed.head) if composed is not None else (None, None)
        own = UnitOfWork(self._ctx, unit.tx, mine, now)
        await apply_verb(own, draft, said.verb, decision, by=by, data=data, said_at=now, message=message, head=head)
        unit.changes.extend(mine)
        _copy(draft, request)
        seqno = draft.asker_seq if by == "asker" else draft.asked_seq
        message_id = message.id if message is not None else None
        return {"request_no": draft.request_no, "state": draft.state, "message_id": message_id, "seqno": seqno}

    def _send(
        self, request: Request, said: Said, data: Mapping[str, Any], composed: Composed, changes: Changes
    ) -> None:
        changes.messages.append(composed.message)
        keep_for_its_time(self._ctx.catalogue[request.type], composed.message, composed.head, changes)
        if composed.outbox is not None:
            changes.outbox.append(composed.outbox)
        sender, other = said.participant.code, request.other(said.participant.code)
        changes.documents_named += [Naming(request.request_no, digest, sender, other) for digest in documents_of(data)]

    async def _composed(self, request: Request, said: Said, data: Mapping[str, Any], now: datetime) -> Composed:
        try:
            return await self._composer.say(
                request,
                sender=said.participant.code,
                verb=said.verb,
                data=data,
                now=now,
                submissionhash=said.act.digest if said.act else None,
                sealed=said.sealed,
                message_id=said.message_id,
                cause=said.trace,
            )
        except RejectedError as error:
            raise _in_the_act(error) from None

    def _checked(self, request: Request, said: Said, now: datetime) -> dict[str, Any]:
        verb = replies.VERBS.get(said.verb)
        if verb is None or said.verb == "open":
            raise RejectedError("unknown-verb", pointer="/verb")
        matter = self._ctx.catalogue[request.type]
        if told := unlawful_answer(matter, said.verb, pointer="/verb"):
            raise RejectedError("answer-not-lawful", [told])
        data = _signed_by(verb, said, now)
        location = said.verb in ("result", "correct") and matter.result_class is Classification.LOCATION
        if location != (said.sealed is not None):
            raise RejectedError("not-sealed" if location else "must-not-be-sealed", pointer="/sealed")
        try:
            if said.sealed is not None:
                check_location_codes(said.verb, data, "/data", said_at=now)
                if recipient_of(said.sealed, self._ctx.limits) != request.reply_key:
                    raise RejectedError("cannot-open", pointer="/sealed")
                return data
            parse_data(matter, said.verb, data, base_pointer="/data", said_at=now)
            if lacking := undone(request.facts.get("done_states", ()), data):
                raise InvalidError([e.model_copy(update={"pointer": f"/data{e.pointer}"}) for e in lacking])
        except InvalidError as error:
            raise RejectedError("invalid-field", error.errors) from error
        if wrong := before_request(matter, said.verb, data, request.facts.get("asked_on")):
            told_at = [error.model_copy(update={"pointer": f"/data{error.pointer}"}) for error in wrong]
            raise RejectedError("invalid-field", told_at)
        if unknown := set(refs_of(data)) - set(request.refs):
            raise RejectedError(
                "unknown-ref",
                [
                    FieldError(
                        pointer=f"/data{pointer}",
                        rule="unknown-ref",
                        detail=f"请求中没有 {ref}",
                        detail_en=f"The request has no {ref}",
                    )
                    for pointer, ref in places_of_refs(data)
                    if ref in unknown
                ],
            )
        return data

    async def _may_withdraw(self, tx: Transaction, request: Request) -> None:
        """From the moment a request has opened a measure, the measure is ended by its ending type (domain.md 3)."""
        if "measure" not in request.facts:
            return
        if any(is_live(m) or m.state == "lapsed" for m in await tx.measures_of(request.request_no)):
            raise RejectedError("measure-active", pointer="/verb")


def _signed_by(verb: replies.Verb, said: Said, now: datetime) -> dict[str, Any]:
    """The data with the registered person who says it. Two different persons are one too many."""
    check_staff({"/by": said.by}, said.participant.staff, now)
    if verb.model is None or "by" not in verb.model.model_fields:
        return dict(said.data)
    named = said.data.get("by")
    if said.by is None:
        if isinstance(named, str) and verb.name not in READ_BY_ANYBODY:
            check_staff({"/data/by": named}, said.participant.staff, now)
        return dict(said.data)
    if named not in (None, said.by):
        raise RejectedError("invalid-field", pointer="/data/by")
    return {**said.data, "by": said.by}


def _in_the_act(error: RejectedError) -> RejectedError:
    """The same refusal with pointers into what was posted: an act, which says its verb beside its data."""
    at = {"/type": "/verb", "/verb": "/verb"}
    errors = [e.model_copy(update={"pointer": at.get(e.pointer, f"/data{e.pointer}")}) for e in error.errors]
    return RejectedError(error.code, errors, retry_after=error.retry_after)


def _copy(source: Request, target: Request) -> None:
    for name in Request.__slots__:
        setattr(target, name, getattr(source, name))


# --- one POST with one verb


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
