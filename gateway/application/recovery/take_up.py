"""An operator takes a forgotten request up: it stands again under its number, and what was said of it is judged in
order (docs/adr/0041).

What proves it is our own signed `open`, which its partner gave back; nothing that the partner says itself is believed
more than ever. The request stands as it did when the `open` had left. Then each kept message, ours and theirs, is
applied as it was said: theirs by the rules of intake, so that what is wrong with one goes to quarantine like any other.
One unit of work for each: whoever stops in between begins again where it stopped.

The content of a place is not kept: what was said after it waits until the partner has said it again, and goes on then
by itself, in the unit of work of intake that takes it (`own_messages.go_on_with_what_is_kept`).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import ask_for_the_rest
from gateway.application.conversation.compose import Composer
from gateway.application.conversation.measure_effects import note_requested
from gateway.application.conversation.read_message import Reader
from gateway.application.conversation.request_unit import Conversation
from gateway.application.inbound.apply_messages import Unit
from gateway.application.inbound.quarantine import HELD, Quarantine, Refused
from gateway.application.ports.broker import Delivery
from gateway.application.recovery.own_messages import follows, go_on_with_what_is_kept, said_before
from gateway.application.recovery.rebuild_request import NOTHING, Beside, Standing
from gateway.application.submission.measure_rules import check_measures
from gateway.core.records import Changes, Request
from gateway.core.recovery.forgotten import Forgotten, in_order, opening
from lianzhi.crypto.sdjwt import parse
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.envelope import CONTENT_TYPE, Envelope


@dataclass(frozen=True, slots=True)
class TakenUp:
    """request: as it stands now. applied: messages that were judged, the `open` included; refused: of them, those that
    went to quarantine, with the reason. stopped: why the rest could not be applied and stays. waits_for: what the
    partner has to say again, because its content was not kept; it is asked to, and what follows goes on by itself."""

    request: Request
    applied: int
    refused: tuple[tuple[str, str], ...]
    stopped: RejectedError | None = None
    waits_for: Forgotten | None = None


class TakingUp:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._composer = Composer(context)
        self._reader = Reader(context)
        self._opening = Standing(context)
        self._quarantine = Quarantine(context, self._composer)

    async def take_up(self, request_no: str, beside: Beside = NOTHING) -> TakenUp:
        """Raises RejectedError: unknown-request (nothing is kept of it), not-provable, not-whole, unknown-type, what is
        wrong with the submission, and what forbids its measures by now: nothing is changed then. Raises
        StoreUnavailableError: what was not done yet is done by the next call."""
        kept = await self._ctx.store.forgotten_of(request_no)
        if not kept:
            raise RejectedError("unknown-request", pointer="/request_no")
        applied, refused = 0, list[tuple[str, str]]()
        if await self._ctx.store.request(request_no) is None:
            opened = opening(kept)
            if opened is None:
                raise _not_provable(request_no)
            await self._begin(opened, beside)
            applied, kept = 1, [m for m in kept if m.owner == opened.owner and m is not opened]
        stopped, waits_for = None, None
        for message in in_order(kept):
            if not message.body and not await self._came_again(message):
                waits_for = message
                break
            try:
                told = await self._apply(message)
            except RejectedError as error:
                stopped = error
                break
            refused += [(message.message_id, code) for code in told]
            applied += 1
        request = await self._end(request_no)
        return TakenUp(request, applied, tuple(refused), stopped, waits_for)

    async def _begin(self, opened: Forgotten, beside: Beside) -> None:
        ctx, now = self._ctx, self._ctx.clock.now()
        """The request as it stood when its `open` had left."""
        stands = self._opening.stand_again(opened, beside, now)
        request, changes, asked = stands.request, stands.changes, stands.asked
        number, day = request.request_no.rsplit("-", 1)[1], request.request_no.rsplit("-", 2)[1]
        async with ctx.store.begin() as tx:
            await tx.lock_objects(asked.locks)
            await check_measures(ctx, tx, asked, Changes())
            note_requested(changes, asked.measures, now)
            changes.extend(asked.beside)
            changes.new_requests.append(request)
            await tx.skip_numbers(request.asker, day, int(number) + 1)
            await tx.end_forgotten([opened], now)
            if (given := stands.submission) is not None and not await tx.submissions([(given.sender, given.id)]):
                changes.submissions.append(given)
            await tx.apply(changes)

    async def _came_again(self, message: Forgotten) -> bool:
        """One whose content is not kept: whether its number has been taken since."""
        request = await self._ctx.store.request(message.request_no)
        return request is not None and message.seqno <= request.asked_seq

    async def _apply(self, message: Forgotten) -> list[str]:
        """One that was said after the `open`: why it was refused, if it was."""
        if not message.body:  # it came again
            async with self._ctx.store.begin() as tx:
                await tx.end_forgotten([message], None)
            return []
        return await (self._ours(message) if message.ours else self._theirs(message))

    async def _ours(self, message: Forgotten) -> list[str]:
        ctx, now, changes = self._ctx, self._ctx.clock.now(), Changes()
        own = self._opening.read(message)
        async with ctx.store.begin() as tx:
            requests = await tx.lock_requests([message.request_no])
            request = requests[message.request_no]
            if own.envelope.seqno <= request.asker_seq:  # it went on by itself, or its number was used since: `_end`
                return []
            if not follows(request, own.envelope):
                raise _not_in_turn(message, request.asker_seq + 1)
            talk = Conversation(ctx, self._composer, tx, requests, {}, changes, now)
            await said_before(talk, request, own)
            talk.finish()
            await tx.end_forgotten([message], now)
            await tx.apply(changes)
        return []

    async def _theirs(self, message: Forgotten) -> list[str]:
        ctx, now, changes = self._ctx, self._ctx.clock.now(), Changes()
        parsed = parse(message.body, ctx.limits)
        arrived = await self._reader.content(Envelope.model_validate(parsed.event), parsed)
        async with ctx.store.begin() as tx:
            requests = await tx.lock_requests([message.request_no])
            known = await tx.known([(message.sender, message.message_id)])
            talk = Conversation(ctx, self._composer, tx, requests, known, changes, now)
            refusals = await Unit(talk, self._reader).apply(arrived)
            refused = [Refused(_delivery(message), arrived, r, requests.get(message.request_no)) for r in refusals]
            if refused:
                await self._quarantine.keep(tx, changes, refused, now)
            talk.finish()
            await tx.end_forgotten([message], now)
            await tx.apply(changes)
        return [refusal.error.code for refusal in refusals]

    async def _end(self, request_no: str) -> Request:
        """The partner hears which number is taken next: what it said and was not kept comes again, and then the rest
        of what is kept goes on by itself (`own_messages`)."""
        ctx, now, changes = self._ctx, self._ctx.clock.now(), Changes()
        async with ctx.store.begin() as tx:
            requests = await tx.lock_requests([request_no])
            request = requests[request_no]
            request.facts = {**request.facts, "kept": True}
            talk = Conversation(ctx, self._composer, tx, requests, {}, changes, now)
            talk.touch(request)
            await go_on_with_what_is_kept(talk, request)
            ask_for_the_rest(request, "asked", changes, now)
            talk.finish()
            await tx.apply(changes)
        return request


def _delivery(message: Forgotten) -> Delivery:
    """As it came."""
    return Delivery(
        owner=message.owner, queue=HELD, body=message.body, user_id=None, content_type=CONTENT_TYPE, routing_key="",
        redelivered=True, dead_from=None, tag=None,
    )  # fmt: skip


def _not_provable(request_no: str) -> RejectedError:
    told = FieldError(
        pointer="/request_no",
        rule="open-not-returned",
        detail=f"{request_no} 缺我方签名的 open 报文，无法证明确有此请求，继续留存："
        "请对方单位把当时收到的该报文原样发回",
        detail_en=f"Our own signed `open` of {request_no} is not here, so nothing proves the request; what is kept"
        " stays: ask the partner to publish the message that it received back as it is",
    )
    return RejectedError("not-provable", [told])


def _not_in_turn(message: Forgotten, expected: int) -> RejectedError:
    told = FieldError(
        pointer="/seqno",
        rule="own-number-missing",
        detail=f"我方 {expected} 号报文未被发回，{message.seqno} 号（{message.verb}）暂不能接续，继续留存",
        detail_en=f"Our message {expected} was not given back: {message.seqno} ({message.verb}) cannot"
        " follow, and stays",
    )
    return RejectedError("not-provable", [told])
