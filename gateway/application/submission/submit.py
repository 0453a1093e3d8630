"""Accepts a submission: validates, checks, numbers, translates, seals, signs and stores it. 202 only after the commit.

`Submitter.submit` first looks whether the same was submitted before (`idempotency`), then prepares everything outside
the unit of work (no state is involved yet); the unit itself checks the measures, and writes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import MENDING, set_deadline, start_clocks
from gateway.application.conversation.apply_verb import note_told
from gateway.application.conversation.compose import Composer
from gateway.application.conversation.ledger_entries import book_opening
from gateway.application.conversation.measure_effects import note_requested
from gateway.application.idempotency import Before, Idempotency, remembered
from gateway.application.ports.store import Transaction
from gateway.application.posts import Answer, Handed
from gateway.application.submission.measure_rules import check_measures, note_done_states, note_measures
from gateway.application.submission.measures_asked import Asked
from gateway.application.submission.numbers import Numbers, check_platform, note_platform
from gateway.application.submission.pending_approval import await_approval, break_glass, record_approvals
from gateway.application.submission.unit_checks import Circles, DailyLimits, raise_alert
from gateway.application.submission.validate import Proof, Prover
from gateway.application.unit_of_work import Batcher, request_events
from gateway.core.records import Changes, Naming, Request, Submission, Timer
from gateway.core.requests.facts import Facts
from gateway.core.requests.lifecycle import FIRST
from gateway.core.routing import Client
from lianzhi.errors import MisuseError, RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.cards import Classification
from schemas.bodies import Submission as SubmissionBody
from schemas.catalogue import MatterType
from schemas.validation import refs_of

DERIVED = "application/vnd.lianzhi.derived+json"
"""Content type of a stored submission that the gateway made of something that the court system signed: JSON
{`from`: id of what was signed, `digest`: its digest, `content`: the submission}."""


@dataclass(slots=True, kw_only=True)
class Prepared(Asked):
    """What was handed in, proved and composed; not yet checked against the store, not yet written.

    derived: made by the gateway itself, which has looked at the whole case.
    """

    handed: Handed
    proof: Proof
    derived: bool = False


class Submitter:
    """wake: called after a commit that left something to dispatch."""

    def __init__(self, context: Context, numbers: Numbers, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._numbers = numbers
        self._prover = Prover(context)
        self._opening = Opening(context)
        self._limits = DailyLimits(context)
        self._circles = Circles(context)
        self._wake = wake
        self._once = Idempotency(context)
        self._batch: Batcher[Prepared, Answer] = Batcher(self.commit, context.settings.batch)

    async def submit(self, handed: Handed) -> Answer:
        """Raises RejectedError (named), StoreUnavailableError."""
        return await self._once.run_once(handed, partial(self._submit, handed))

    async def _submit(self, handed: Handed, before: Before) -> Answer:
        now, began = self._ctx.clock.now(), time.perf_counter()
        proof = await self._proved(handed, now)
        if (known := before.answer(proof.digest)) is not None:
            return known
        answer = await self._batch.do(await self.prepare(handed, proof, now))
        self._ctx.tallies.accepted(proof.matter.name, time.perf_counter() - began)
        return answer

    async def _proved(self, handed: Handed, now: datetime) -> Proof:
        proof = self._prover.prove(handed.participant, handed.client, handed.content_type, handed.body, now)
        if told := check_platform(proof, self._ctx.today()):
            proof = replace(proof, warnings=(*proof.warnings, *told))
        return await self._circles.resolved(handed.participant, proof)

    async def prepare(self, handed: Handed, proof: Proof, now: datetime, *, group_no: str | None = None) -> Prepared:
        """Everything that needs no look at what others do meanwhile: numbers, messages, measures.

        group_no: of a group that has other members too."""
        sender = handed.participant.code
        numbers = [await self._numbers.next(sender, now) for _ in proof.receivers]
        if group_no is None and len(numbers) > 1:
            group_no = numbers[0]
        papers = [(d.kind, d.issued_on) for d in proof.submission.documents]
        prepared = Prepared([], Changes(), papers=papers, handed=handed, proof=proof)
        readable = await self._ctx.store.documents_readable(sender, proof.digests) if proof.digests else set()
        for number, receiver in zip(numbers, proof.receivers, strict=True):
            request = new_request(self._ctx, proof, number, receiver, handed.client, now, group_no)
            if handed.trace is not None:
                request.facts["trace"] = str(handed.trace)
            prepared.requests.append(request)
            note_done_states(request, proof.matter.done_states(proof.payload))
            note_measures(self._ctx, prepared, request, proof.matter.measure(proof.payload))
            note_platform(self._ctx, request, proof.submission, prepared.changes, now)
            note_told(self._ctx, request, "open", {"payload": proof.submission.payload}, now, prepared.changes)
            record_approvals(self._ctx, request, proof, handed.client, prepared.changes, now)
            if proof.waits:
                await_approval(self._ctx, request, prepared.changes, now)
                _name_for_later(request, proof, prepared.changes)
                book_opening(self._ctx, request, proof.payload, prepared.changes, now)
                continue
            missing = sorted(set(proof.digests) - readable)
            if not await self._opening.open(request, proof, missing, prepared.changes, now):
                _name_for_later(request, proof, prepared.changes)
            book_opening(self._ctx, request, proof.payload, prepared.changes, now)
            if not proof.approved:
                break_glass(self._ctx, request, proof, prepared.changes, now)
        return prepared

    async def commit(self, batch: Sequence[Prepared]) -> list[Answer | Exception]:
        results: list[Answer | Exception] = []
        changes = Changes()
        objects = [key for p in batch for key in set(p.locks)]
        if len(set(objects)) != len(objects):
            raise MisuseError("two about the same object in one batch run one by one: the second sees the first")
        async with self._ctx.store.begin() as tx:
            if objects:
                await tx.lock_objects(objects)
            for prepared in batch:
                try:
                    await self.check(tx, prepared, changes)
                    results.append(self._write(prepared, changes))
                except RejectedError as error:
                    results.append(error)
            await tx.apply(changes)
        if changes.outbox:
            self._wake()
        return results

    async def check(self, tx: Transaction, prepared: Prepared, pending: Changes) -> None:
        """What only the store can tell: measures, groups, limits. pending: what earlier submissions of this very unit
        write. Raises RejectedError."""
        prepared.beside, prepared.warnings = Changes(), []
        proof, requests = prepared.proof, prepared.requests
        await check_measures(self._ctx, tx, prepared, pending)
        await raise_alert(self._ctx, tx, requests, proof, prepared.beside)
        if not prepared.derived:
            await self._circles.reach(tx, prepared.handed, proof, requests, prepared.beside)
        await self._limits.count(tx, proof, requests, prepared.beside)

    def _write(self, prepared: Prepared, changes: Changes) -> Answer:
        handed, proof = prepared.handed, prepared.proof
        now = prepared.requests[0].created_at
        answer = _accepted(prepared.requests, [*proof.warnings, *prepared.warnings])
        store_requests(prepared, changes)
        changes.submissions.append(
            Submission(
                sender=handed.participant.code,
                id=proof.submission_id,
                digest=proof.digest,
                content_type=handed.content_type,
                body=handed.body,
                client=handed.client.id,
                request_no=prepared.requests[0].request_no,
                at=now,
            )
        )
        changes.idempotency.append(remembered(handed, answer, now, prepared.requests[0].request_no))
        return answer


def _name_for_later(request: Request, proof: Proof, changes: Changes) -> None:
    """What has not left names its documents to nobody but the asker itself; they do not lie about unnamed, though."""
    changes.documents_named += [
        Naming(request.request_no, digest, request.asker, request.asker) for digest in proof.digests
    ]


def store_requests(prepared: Prepared, changes: Changes) -> None:
    """The requests that were prepared and have passed `check`, with all that belongs to them."""
    changes.new_requests += prepared.requests
    note_requested(changes, prepared.measures, prepared.requests[0].created_at)
    changes.extend(prepared.changes)
    changes.extend(prepared.beside)


class Opening:
    """Makes the `open` of a request of ours, or leaves the request `blocked` with the reason."""

    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._composer = Composer(context)

    async def open(
        self, request: Request, proof: Proof, missing: Sequence[str], changes: Changes, now: datetime
    ) -> bool:
        """Whether it could be opened. `missing`: digests of documents that are named but that the asker cannot read:
        whether others have put them is none of its business."""
        reason = await self._reason(request, proof, missing, changes, now)
        if reason is None:
            changes.documents_named += [
                Naming(request.request_no, digest, request.asker, request.asked) for digest in proof.digests
            ]
            start_clocks(self._ctx, request, changes, now)
            return True
        request.state, request.reason = "blocked", reason
        start_clocks(self._ctx, request, changes, now)
        changes.set_timer(Timer(request.request_no, MENDING, now + self._ctx.settings.mend_every))
        changes.events += request_events(self._ctx, request, "blocked", now, detail=reason)
        return False

    async def _reason(
        self, request: Request, proof: Proof, missing: Sequence[str], changes: Changes, now: datetime
    ) -> str | None:
        if missing:
            return f"document-missing:{missing[0]}"
        try:
            self._reply_key(request, proof, now)
            set_deadline(self._ctx, request, proof.payload, proof.submission.urgency, now)
            data = proof.opening(request, self._ctx.home)
            composed = await self._composer.say(
                request, sender=request.asker, verb="open", data=data, now=now, submissionhash=proof.submissionhash
            )
        except MisuseError as error:
            return f"key-missing:{error}"
        receiver_local = composed.outbox is None
        request.state = FIRST[request.shape] if receiver_local else "approved"
        request.reason = None
        changes.messages.append(composed.message)
        if composed.outbox is not None:
            changes.outbox.append(composed.outbox)
        changes.events += request_events(
            self._ctx, request, "message", now, message=composed.message, head=composed.head
        )
        return None

    def _reply_key(self, request: Request, proof: Proof, now: datetime) -> None:
        matter: MatterType = proof.matter
        if matter.result_class is Classification.LOCATION:
            if proof.opens_with is None:
                raise MisuseError("the client has no enc key registered (opens_with)")
            request.reply_key = self._ctx.keyring.sealing_key(request.asker, at=now, kid=proof.opens_with).kid
        elif matter.result_class.sealed:
            request.reply_key = self._ctx.keyring.sealing_key(request.asker, at=now).kid


def new_request(
    context: Context,
    proof: Proof,
    number: str,
    receiver: str,
    client: Client,
    now: datetime,
    group_no: str | None,
) -> Request:
    body: SubmissionBody = proof.submission
    matter = proof.matter
    facts: Facts = {}
    if body.backup_handler is not None:
        facts["backup"] = body.backup_handler
    if body.team is not None:
        facts["team"] = body.team
    if body.campaign is not None:
        facts["campaign"] = body.campaign
    if body.lead is not None:
        facts["lead"] = body.lead
    if (decision := matter.decision(proof.payload)) is not None:
        facts["decision"] = decision
    return Request(
        request_no=number,
        type=matter.name,
        version=matter.version,
        shape=matter.shape.value,
        state="approved",
        asker=proof.sender,
        asked=receiver,
        created_at=now,
        updated_at=now,
        case_no=body.case_no,
        lane="urgent" if matter.urgent("open", body.urgency) else "normal",
        group_no=group_no,
        related=body.related or body.supersedes,
        handler=body.handler,
        client=client.id,
        submission_id=proof.submission_id,
        refs=refs_of(body.payload),
        facts=facts,
    )


def fingerprint(method: str, path: str, body: bytes) -> str:
    """SHA-256(method, path, raw body), hex; the parts are length-framed so that they cannot run together."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _line(request: Request) -> dict[str, str]:
    """reason: why it is `blocked`, the code that its own view has."""
    why = {} if request.reason is None else {"reason": request.reason}
    return {"request_no": request.request_no, "receiver": request.asked, "state": request.state, **why}


def _accepted(requests: Sequence[Request], warnings: Sequence[FieldError]) -> Answer:
    lines = [_line(request) for request in requests]
    location = f"/v1/requests/{requests[0].request_no}"
    told = {"warnings": [w.model_dump() for w in warnings]} if warnings else {}
    if requests[0].group_no is None:
        return Answer(202, {**lines[0], "type": requests[0].type, **told}, location)
    members = {"group_no": requests[0].group_no, "type": requests[0].type, "requests": lines}
    return Answer(202, {**members, **told}, location)
