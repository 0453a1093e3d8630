"""Validates a submission: form, signature, catalogue, staff, documents, approvals.

Cheap checks come first: bytes, signature, type and receiver, fields, staff, documents, approvals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateway.application.context import Context, new_id
from gateway.core.approvals import Approved, Barred, barred_from, check_approvals, check_break_glass, check_staff
from gateway.core.records import Request
from gateway.core.routing import (
    Client,
    Participant,
    admit,
    check_dept,
    check_handler,
    check_level,
    introduced,
    phone_warnings,
)
from gateway.core.time.calendar import local_day
from gateway.core.time.deadlines import check_last_days
from lianzhi.crypto.jcs import over
from lianzhi.crypto.sdjwt import SUBMISSION_TYP, digest_of
from lianzhi.crypto.strictjson import loads
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol import policy
from lianzhi.protocol.envelope import CONTENT_TYPE, parse_timestamp
from schemas.bodies import Submission
from schemas.catalogue import Kind, MatterType, Shape
from schemas.validation import (
    InvalidError,
    basis_warnings,
    cautions_of,
    check_case,
    documents_of,
    names_vehicles,
    parse_open,
    validate,
    warnings_of,
)
from schemas.values.labels import document_label

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Proof:
    """A submission that holds. payload: the validated model. submissionhash: of a signed one.

    digests: SHA-256 of every document and picture that it names, attached or in the payload, each once.
    approved: whether every approval that its type asks for is there. over: the digest by which an approval names it
    (docs/adr/0024). unbound: approvers whose approval, which its type asks for, does not name it. warnings: what holds
    but deserves a second look; whoever handed it in is told.
    """

    sender: str
    matter: MatterType
    submission: Submission
    payload: Any
    receivers: tuple[str, ...]
    submission_id: str
    digest: str
    signed: bool
    handler: Mapping[str, Any]
    opens_with: str | None
    digests: tuple[str, ...]
    approved: bool
    over: str = ""
    unbound: tuple[str, ...] = ()
    warnings: tuple[FieldError, ...] = ()

    @property
    def submissionhash(self) -> str | None:
        return self.digest if self.signed else None

    @property
    def waits(self) -> bool:
        """Whether it is kept until its approvals have been given (docs/adr/0014)."""
        return not self.approved and self.submission.break_glass is None

    def opening(self, request: Request, court: Participant) -> dict[str, Any]:
        """Canonical data of the `open`: what the receiver is told (`schemas.bodies.Opening`)."""
        body = self.submission
        asks = {
            "request_no": request.request_no,
            "case_no": body.case_no,
            "purpose": body.purpose,
            "urgency": body.urgency,
            "legal_basis": body.legal_basis,
            "campaign": body.campaign,
        }
        return {
            "request": {k: v for k, v in asks.items() if v is not None},
            "court": {k: v for k, v in _court(court).items() if v is not None},
            "handler": dict(self.handler),
            "documents": [d.canonical() for d in body.documents],
            "payload": self.payload.canonical(),
        }


class Prover:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    def prove(self, participant: Participant, client: Client, content_type: str, body: bytes, now: datetime) -> Proof:
        """Raises RejectedError with the field, the rule and the fix."""
        if len(body) > self._ctx.limits.message_bytes:
            raise RejectedError("too-large")
        if content_type == CONTENT_TYPE:
            return self._signed(participant, client, body, now)
        if content_type != JSON:
            raise RejectedError("bad-content-type", pointer="/Content-Type")
        content = loads(body, depth=self._ctx.limits.json_depth)
        return self._check(participant, client, content, None, new_id(), hashlib.sha256(body).hexdigest(), now)

    def prove_again(
        self,
        participant: Participant,
        client: Client,
        stored: bytes,
        signed: bool,
        identity: tuple[str, str],
        now: datetime,
    ) -> Proof:
        """A stored submission, proved when it came in, read once more: to mend a blocked request, or because its last
        approval has been given. identity: its (id, digest)."""
        if signed:
            return self._signed(participant, client, stored, now, again=True)
        content = loads(stored, depth=self._ctx.limits.json_depth)
        return self._check(participant, client, content, None, identity[0], identity[1], now, again=True, stored=True)

    def derived(
        self,
        participant: Participant,
        client: Client,
        content: Mapping[str, Any],
        identity: tuple[str, str],
        now: datetime,
    ) -> Proof:
        """What the gateway itself makes of something that the court system signed: the endings of a release.

        content: a submission with `receiver` or `receivers`; identity: its own id, and the digest of what was signed.
        Raises RejectedError.
        """
        first = content.get("receiver") or content["receivers"][0]
        return self._check(participant, client, dict(content), first, identity[0], identity[1], now, stored=True)

    def _signed(
        self, participant: Participant, client: Client, body: bytes, now: datetime, *, again: bool = False
    ) -> Proof:
        ctx = self._ctx
        authentic = policy.authenticate(
            body,
            sender=participant.code,
            keyring=ctx.keyring,
            now=now,
            limits=ctx.limits,
            purpose="sub",
            typ=SUBMISSION_TYP,
            arriving=not again,
        )
        envelope = policy.examine_submission(authentic, gateway=ctx.home.code)
        if authentic.parsed.content_kind != "body":
            raise RejectedError("must-not-be-sealed", pointer="/data/_sd")
        if client.signs_with is not None and authentic.key.kid != client.signs_with:
            raise RejectedError("foreign-key", pointer="/kid")
        content = authentic.parsed.content
        proof = self._check(
            participant,
            client,
            content,
            envelope.receiver,
            envelope.id,
            digest_of(authentic.parsed.jws),
            now,
            again=again,
            stored=again,
            time=parse_timestamp(envelope.time),
        )
        if proof.matter.name != envelope.matter_type or envelope.verb != "open":
            raise RejectedError("bad-envelope", pointer="/type")
        return proof

    def _check(
        self,
        participant: Participant,
        client: Client,
        content: Any,
        receiver: str | None,
        submission_id: str,
        digest: str,
        now: datetime,
        *,
        again: bool = False,
        stored: bool = False,
        time: datetime | None = None,
    ) -> Proof:
        """again: proved before; approvals given since then stand in the store. stored: its values were accepted before,
        by this version or by an earlier one. time: that it names; absent: now."""
        if not isinstance(content, dict):
            raise RejectedError("malformed-json", pointer="")
        matter = self._matter(content.get("type"))
        try:
            today = self._ctx.today()
            # What was proved before was said before: a meeting may be over by the time of its approval.
            said_at = None if stored else now
            submission = validate(Submission, content, today=today, said_at=said_at, stored=stored)
            payload = parse_open(matter, submission.payload, today=today, said_at=said_at, stored=stored)
            check_case(matter, payload, submission.case_no, submission.stage)
        except InvalidError as error:
            raise RejectedError("invalid-field", error.errors) from error
        if submission.schema_version != matter.version:
            raise RejectedError("wrong-version", pointer="/schema_version")
        receivers = self._receivers(matter, participant, submission, receiver)
        for code in receivers:
            check_dept(matter, payload, self._ctx.participant(code))
            if not stored:
                check_level(matter, payload, self._ctx.participant(code))
        if not again:
            check_last_days(matter, payload, self._ctx.calendars.now)
        signed = receiver is not None
        if matter.coercive(payload) and not signed:
            raise RejectedError("signature-required", pointer="/payload")
        staff = participant.staff
        check_staff(
            {
                "/handler": submission.handler,
                "/backup_handler": submission.backup_handler,
                "/drafted_by": submission.drafted_by,
                "/lead": submission.lead,
            },
            staff,
            now,
        )
        if not stored and participant.kind == Kind.COURT:
            check_handler(staff[submission.handler], matter.name, today)
        _check_documents(matter, payload, submission, local_day(time) if again and time else today)
        rule = matter.approvals(payload)
        bound = over(content, receivers) if rule.people or submission.approvals else ""
        terms = self._ctx.settings.approvals
        act = Approved(bound, time or now, terms.age_of(matter.name), self._ctx.limits.ahead, terms.required)
        approved = self._approved(matter, payload, submission, participant, now, again=again, act=act)
        handler = staff[submission.handler]
        return Proof(
            sender=participant.code,
            matter=matter,
            submission=submission,
            payload=payload,
            receivers=receivers,
            submission_id=submission_id,
            digest=digest,
            signed=signed,
            handler=introduced(handler, matter.name, today),
            opens_with=client.opens_with,
            digests=tuple(documents_of([content.get("documents", []), submission.payload])),
            approved=approved,
            over=bound,
            unbound=tuple(a.by for a in submission.approvals if a.over is None) if rule.people else (),
            warnings=(
                *_warnings(matter, submission, today),
                *cautions_of(matter, payload),
                *phone_warnings(handler, matter.name, today),
            ),
        )

    def _approved(
        self,
        matter: MatterType,
        payload: Any,
        submission: Submission,
        participant: Participant,
        now: datetime,
        *,
        again: bool,
        act: Approved,
    ) -> bool:
        """Whether nothing is missing. Raises RejectedError when something is, and the submission does not wait."""
        glass, staff, drafter = submission.break_glass, participant.staff, submission.drafted_by
        if glass is not None:
            if not matter.break_glass:
                zh, en = "该事项不得先行发出", "This type may not be sent before it is approved"
                raise RejectedError("break-glass-refused", [_told("/break_glass", "break-glass-type", zh, en)])
            check_break_glass(glass.by, drafter=drafter, staff=staff, now=now)
        waits = (submission.await_approval or glass is not None) and matter.shape is not Shape.ALERT
        return check_approvals(
            matter.approvals(payload),
            submission.approvals,
            barred=_own(submission, again=again),
            staff=staff,
            now=now,
            act=None if again else act,
            may_wait=again or waits,
        )

    def _matter(self, name: Any) -> MatterType:
        matter = self._ctx.catalogue.get(name) if isinstance(name, str) else None
        if matter is None:
            raise RejectedError("unknown-type", pointer="/type")
        return matter

    def _receivers(
        self, matter: MatterType, sender: Participant, submission: Submission, signed_receiver: str | None
    ) -> tuple[str, ...]:
        codes = tuple(submission.receivers or ())
        if codes and not matter.fan_out:
            raise _field("/receivers", "one-receiver", "该事项一次只发一个单位", "This type goes to one receiver")
        if not codes:
            one = submission.receiver or signed_receiver
            if one is None:
                raise _field("/receiver", "missing", "缺少接收单位", "A receiver is required")
            codes = (one,)
        if signed_receiver not in (None, codes[0]):  # the envelope of a signed one names the first
            raise RejectedError("bad-envelope", pointer="/receiver")
        if len(set(codes)) != len(codes):
            raise _field("/receivers", "receiver-twice", "接收单位重复", "A receiver stands twice")
        for code in codes:
            receiver = self._ctx.directory.get(code)
            if receiver is None:
                raise RejectedError("unknown-receiver", pointer="/receiver")
            admit(matter, sender, receiver)
        return codes


def _warnings(matter: MatterType, submission: Submission, today: date) -> tuple[FieldError, ...]:
    vehicles = warnings_of(submission.payload) if names_vehicles(matter.request) else ()
    return (*basis_warnings(submission.legal_basis, today), *vehicles)


def _own(submission: Submission, *, again: bool) -> Barred:
    """Who may not approve it. What was accepted before the backup handler and the leader were barred stays accepted."""
    if again:
        return barred_from(drafter=submission.drafted_by, handler=submission.handler)
    return barred_from(
        drafter=submission.drafted_by,
        handler=submission.handler,
        backup=submission.backup_handler,
        lead=submission.lead,
    )


def _court(court: Participant) -> dict[str, Any]:
    return {"code": court.code, "court_code": court.court_code, "name": court.zh}


def _check_documents(matter: MatterType, payload: Any, submission: Submission, day: date) -> None:
    """day: on which it was handed in; an approval that comes later asks for no other paper."""
    have: dict[str, int] = {}
    for document in submission.documents:
        have[document.kind] = have.get(document.kind, 0) + 1
    errors = [
        FieldError(
            pointer="/documents",
            rule="document-required",
            detail=f"缺少文书 {zh}（{kind}，须 {count} 份）",
            detail_en=f"Document {kind} is missing: {en} ({count} needed)",
        )
        for kind, count in matter.papers(payload, day).items()
        for zh, en in [document_label(kind)]
        if have.get(kind, 0) < count
    ]
    if errors:
        raise RejectedError("documents-missing", errors)


def _field(pointer: str, rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError("invalid-field", [_told(pointer, rule, zh, en)])


def _told(pointer: str, rule: str, zh: str, en: str) -> FieldError:
    return FieldError(pointer=pointer, rule=rule, detail=zh, detail_en=en)
