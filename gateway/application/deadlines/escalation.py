"""督办: what a neighbouring court leaves undone is brought before the lowest common superior (docs/domain.md 1, 3).

A third party never joins a conversation, so this is a request of its own, `related` to the overdue one.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from gateway.application.context import Context, new_id
from gateway.application.submission.submit import Opening
from gateway.application.submission.validate import Proof
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.records import Request
from gateway.core.routing import Participant, admit
from gateway.core.time.calendar import SHANGHAI
from gateway.core.time.clocks import SUPERVISION
from lianzhi.errors import RejectedError
from schemas.bodies import Submission
from schemas.validation import parse_open, refs_of
from schemas.values.courts import COURTS, common_superior

_REF = "abcdefghijklmnopqrstuvwxyz234567"  # base32


class Supervisor:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._opening = Opening(context)

    async def ask(self, unit: UnitOfWork, request: Request) -> None:
        """Opens the request to the superior, or an incident says that there is none to ask."""
        asker, asked = self._ctx.participant(request.asker), self._ctx.participant(request.asked)
        try:
            superior = self._superior(asker, asked)
            if not asker.local or superior is None:
                raise RejectedError("unknown-receiver", pointer="/receiver")
            admit(self._ctx.catalogue[SUPERVISION], asker, superior)
        except RejectedError:
            unit.tell(request, "incident", detail="no-superior")
            return
        day = unit.now.astimezone(SHANGHAI).strftime("%Y%m%d")
        number = f"{asker.code}-{day}-{await unit.tx.take_number_block(asker.code, day, 1):06d}"
        proof = self._proof(request, asker, superior)
        supervision = _request(request, proof, number, superior, unit.now)
        unit.changes.new_requests.append(supervision)
        unit.tell(request, "supervised", head={"supervision": number}, detail=number)
        await self._opening.open(supervision, proof, (), unit.changes, unit.now)

    def _superior(self, asker: Participant, asked: Participant) -> Participant | None:
        """By the court table of today."""
        if asker.court_code is None or asked.court_code is None:
            return None
        code = common_superior(asker.court_code, asked.court_code)
        if code is None or not COURTS[code].valid_on(self._ctx.today()):
            return None
        return self._ctx.directory.court(code)

    def _proof(self, request: Request, asker: Participant, superior: Participant) -> Proof:
        matter = self._ctx.catalogue[SUPERVISION]
        payload = _payload(request, asker, self._ctx.participant(request.asked))
        handler = asker.staff.get(request.handler or "")
        submission = Submission(
            type=matter.name,
            schema_version=matter.version,
            receiver=superior.code,
            case_no=request.case_no,
            legal_basis=["FAFA-2017-27"],
            purpose="supervise",
            handler=request.handler or asker.code,
            drafted_by=request.handler or asker.code,
            payload=payload,
        )
        return Proof(
            sender=asker.code,
            matter=matter,
            submission=submission,
            payload=parse_open(matter, payload),
            receivers=(superior.code,),
            submission_id=new_id(),
            digest="",
            signed=False,
            handler={"name": handler.name, "permit": handler.permit} if handler else {"name": asker.zh},
            opens_with=None,
            digests=(),
            approved=True,
        )


def _payload(request: Request, asker: Participant, asked: Participant) -> dict[str, Any]:
    due = request.facts["due"]
    return {
        "overdue": {
            "ref": _ref(),
            "request_no": request.request_no,
            "type": request.type,
            "entrusting": asker.court_code,
            "entrusted": asked.court_code,
            "opened_on": request.created_at.astimezone(SHANGHAI).date().isoformat(),
            "due_on": due["on"],
            "state": request.state,
        },
        "reason": "受托法院逾期未办，经两次催办仍未回复，提请督办。",
    }


def _request(overdue: Request, proof: Proof, number: str, superior: Participant, now: datetime) -> Request:
    matter, backup = proof.matter, overdue.facts.get("backup")
    return Request(
        request_no=number,
        type=matter.name,
        version=matter.version,
        shape=matter.shape.value,
        state="approved",
        asker=overdue.asker,
        asked=superior.code,
        created_at=now,
        updated_at=now,
        case_no=overdue.case_no,
        related=overdue.request_no,
        handler=overdue.handler,
        client=overdue.client,
        refs=refs_of(proof.submission.payload),
        facts={} if backup is None else {"backup": backup},
    )


def _ref() -> str:
    return "".join(secrets.choice(_REF) for _ in range(8))
