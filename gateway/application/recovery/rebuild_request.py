"""A request of ours as it stood when its `open` had left, from that message as its partner gave it back.

The envelope is signed by us and in clear: number, parties, type, case where the partner may see it, group, relations,
refs, the key for its answer, the digest of what the court system signed. The content is sealed to the partner, or in
its words, which leave out what it may not see. So content comes from the court system's own signed submission, which
that digest proves; where nobody has it, the request stands with what the envelope says (docs/adr/0041).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import begin_term, carry_out, set_deadline, start_clocks
from gateway.application.conversation.ledger_entries import book_opening
from gateway.application.recovery.doubts import submission_hash
from gateway.application.recovery.own_messages import Own
from gateway.application.submission.measure_rules import note_measures
from gateway.application.submission.measures_asked import Asked
from gateway.application.submission.submit import new_request
from gateway.application.submission.validate import Proof, Prover
from gateway.application.unit_of_work import request_events
from gateway.core.records import Changes, Event, Naming, Request, Submission
from gateway.core.recovery.forgotten import Forgotten
from gateway.core.requests.lifecycle import Step, decide
from gateway.core.routing import Client
from lianzhi.crypto.sdjwt import parse
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.envelope import CONTENT_TYPE, Envelope
from lianzhi.protocol.ordering import marked

TAKEN_UP = "taken-up"
"""Kind of the event in the request's timeline."""
WITHOUT_MEASURES = "taken-up-without-measures"


@dataclass(frozen=True, slots=True)
class Beside:
    """What an operator lays beside. submission: what the court system signed, as it was handed in. without_measures:
    he says that the measures, which nobody can prove, are not entered."""

    submission: bytes | None = None
    without_measures: bool = False


NOTHING = Beside()


@dataclass(slots=True)
class StandsAgain:
    """request: new. asked: what it asks of measures, to be checked against the store. submission: of the court system,
    where it was laid beside. changes: all but these."""

    request: Request
    asked: Asked
    submission: Submission | None = None
    changes: Changes = field(default_factory=Changes)


class Standing:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._prover = Prover(context)

    def read(self, message: Forgotten) -> Own:
        """Raises RejectedError unknown-type."""
        parsed = parse(message.body, self._ctx.limits)
        return Own.of(self._ctx, Envelope.model_validate(parsed.event), parsed)

    def stand_again(self, opened: Forgotten, beside: Beside, now: datetime) -> StandsAgain:
        """Its terms count from when it was said. Raises RejectedError: unknown-type, not-whole, and what is wrong with
        the submission."""
        own = self.read(opened)
        client, proof = self._proved(own, beside.submission, now) if beside.submission is not None else (None, None)
        if proof is None and own.matter.controls and not beside.without_measures:
            raise _not_whole(opened.request_no)
        request = self._request(own, client, proof, now)
        stands = StandsAgain(request, Asked([request], Changes()))
        if beside.submission is not None and client is not None and proof is not None:
            stands.submission = Submission(
                sender=request.asker, id=proof.submission_id, digest=proof.digest, content_type=CONTENT_TYPE,
                body=beside.submission, client=client.id, request_no=request.request_no, at=now,
            )  # fmt: skip
        self._begin(own, proof, stands, now)
        self._tell(own, proof, stands, now)
        return stands

    def _begin(self, own: Own, proof: Proof | None, stands: StandsAgain, now: datetime) -> None:
        ctx, request, changes = self._ctx, stands.request, stands.changes
        if proof is not None:
            note_measures(ctx, stands.asked, request, proof.matter.measure(proof.payload))
            set_deadline(ctx, request, proof.payload, proof.submission.urgency, own.time)
            book_opening(ctx, request, proof.payload, changes, now)
            changes.documents_named += [
                Naming(request.request_no, digest, request.asker, request.asked) for digest in proof.digests
            ]
        else:
            begin_term(ctx, request, None, "normal", own.time)
        start_clocks(ctx, request, changes, now)
        message = own.message(now)
        request.marks = marked({}, "open", [message.id, message.digest])
        request.asker_seq = 1
        carry_out(ctx, request, decide(request, Step("dispatched", "gateway", now)), changes, now)
        changes.messages.append(message)
        changes.outbox.append(own.sent(message, request.lane))
        changes.events += request_events(ctx, request, TAKEN_UP, now, message=message, head=own.head)

    def _tell(self, own: Own, proof: Proof | None, stands: StandsAgain, now: datetime) -> None:
        if proof is None and own.matter.controls:
            number, home = stands.request.request_no, self._ctx.home.code
            head = {"reason": WITHOUT_MEASURES, "request_no": number}
            stands.changes.events.append(
                Event(at=now, audience=home, kind="incident", request_no=number, head=head, detail=WITHOUT_MEASURES)
            )

    def _proved(self, own: Own, submission: bytes, now: datetime) -> tuple[Client, Proof]:
        """It is what our `open` names by its digest, whoever keeps it. Raises RejectedError."""
        envelope = own.envelope
        if submission_hash(submission) is None or submission_hash(submission) != envelope.submissionhash:
            raise _other_submission()
        participant = self._ctx.participant(envelope.sender)
        error: RejectedError = _other_submission()
        for client in participant.clients:
            try:
                proof = self._prover.prove_again(participant, client, submission, True, ("", ""), now)
            except RejectedError as refused:
                error = refused if refused.code != "foreign-key" else error
                continue
            return client, proof
        raise error

    def _request(self, own: Own, client: Client | None, proof: Proof | None, now: datetime) -> Request:
        envelope, matter = own.envelope, own.matter
        if proof is not None and client is not None:
            request = new_request(
                self._ctx, proof, envelope.subject, envelope.receiver, client, own.time, envelope.groupno
            )
        else:
            request = Request(
                request_no=envelope.subject, type=matter.name, version=matter.version, shape=matter.shape.value,
                state="approved", asker=envelope.sender, asked=envelope.receiver, created_at=own.time,
                updated_at=now, case_no=envelope.caseno, group_no=envelope.groupno, related=envelope.related,
                lane="urgent" if matter.urgent("open", "normal") else "normal",
                refs=list(own.head.get("refs") or ()),
            )  # fmt: skip
        request.reply_key = envelope.replykey
        if request.case_no is not None:
            request.facts["caseno"] = envelope.caseno is not None
        return request


def _not_whole(request_no: str) -> RejectedError:
    told = FieldError(
        pointer="/submission",
        rule="measures-not-provable",
        detail=f"{request_no} 可能涉及控制措施，报文内容已密封，无从登记："
        "请用 --submission 附上法院系统当时签名提交的文件；确实没有的，加 --without-measures 恢复，措施另行核对",
        detail_en=f"{request_no} may ask for a measure, and its content is sealed: give what the court system signed"
        " with --submission; where nobody has it, --without-measures takes the request up and enters no measure",
    )
    return RejectedError("not-provable", [told])


def _other_submission() -> RejectedError:
    told = FieldError(
        pointer="/submission",
        rule="other-submission",
        detail="该文件不是此请求所依据的签名提交（摘要与我方报文中的 submissionhash 不符）",
        detail_en="This is not what the request was made of: its digest is not the submissionhash in our own message",
    )
    return RejectedError("not-provable", [told])
