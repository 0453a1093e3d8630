"""A request that is stored but not yet sent: proved once more from its submission, then opened.

Its documents or keys were missing (`blocked`), or its approvals (`awaiting-approval`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import MENDING, carry_out
from gateway.application.ports.conversations import Requests
from gateway.application.ports.measures import MeasureUnit
from gateway.application.submission.submit import DERIVED, Opening
from gateway.application.submission.validate import Proof, Prover
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.control import measures
from gateway.core.records import Changes, Request, Submission, Timer
from gateway.core.requests.lifecycle import Step, decide
from lianzhi.crypto.strictjson import loads
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import CONTENT_TYPE


class Mender:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._prover = Prover(context)
        self._opening = Opening(context)

    async def proof(self, tx: Requests, request: Request, now: datetime) -> Proof:
        """Raises RejectedError: what is wrong with it by now; `unknown-request` when its submission is gone."""
        stored = await tx.submission_of(request.request_no)
        participant = self._ctx.participant(request.asker)
        client = next((c for c in participant.clients if c.id == request.client), None)
        if stored is None or client is None:
            raise RejectedError("unknown-request", pointer="/submission")
        if stored.content_type == DERIVED:
            content, digest = derived_content(stored, self._ctx.limits.json_depth)
            return self._prover.derived(participant, client, content, (stored.id, digest), now)
        signed = stored.content_type == CONTENT_TYPE
        return self._prover.prove_again(participant, client, stored.body, signed, (stored.id, stored.digest), now)

    async def mend(self, unit: UnitOfWork, request: Request) -> bool:
        """What blocked the request may be there now. Whether its row changed."""
        if request.state != "blocked":
            return False
        try:
            proof = await self.proof(unit.tx, request, unit.now)
        except RejectedError as error:
            detail = "submission-missing" if error.pointer == "/submission" else error.code
            request.reason = detail
            unit.tell(request, "incident", detail=detail)
            return True
        before = replace(request, marks=dict(request.marks), facts=request.facts.copy())
        draft = Changes()
        if not await self._open(UnitOfWork(self._ctx, unit.tx, draft, unit.now), request, proof):
            request.asker_seq, request.marks, request.facts = before.asker_seq, before.marks, before.facts
            for timer in draft.timers:
                if timer.kind == MENDING:  # it is still the same block: its own clock does not begin anew
                    unit.changes.set_timer(timer)
            if request.reason != before.reason:
                unit.changes.events += draft.events
            return request.reason != before.reason
        opened, request.state = request.state, "blocked"
        decision = decide(request, Step("mended", "gateway", unit.now))
        carry_out(self._ctx, request, replace(decision, state=opened), unit.changes, unit.now)
        unit.changes.extend(draft)
        return True

    async def approved(self, unit: UnitOfWork, request: Request, proof: Proof) -> None:
        """The last approval has been given: opened, or visibly `blocked` with the reason."""
        decision = decide(request, Step("approve", "gateway", unit.now))
        carry_out(self._ctx, request, decision, unit.changes, unit.now)
        await self._open(unit, request, proof)

    async def _open(self, unit: UnitOfWork, request: Request, proof: Proof) -> bool:
        reason = await self._no_longer(unit.tx, request, proof)
        if reason is None:
            missing = sorted(set(proof.digests) - await unit.tx.documents_readable(request.asker, proof.digests))
            return await self._opening.open(request, proof, missing, unit.changes, unit.now)
        request.state, request.reason = "blocked", reason
        unit.changes.set_timer(Timer(request.request_no, MENDING, unit.now + self._ctx.settings.mend_every))
        unit.tell(request, "blocked", detail=reason)
        return False

    async def _no_longer(self, tx: MeasureUnit, request: Request, proof: Proof) -> str | None:
        """What it rests on may have ended while it waited, or what forbids it begun."""
        rule = proof.matter.measure(proof.payload)
        if rule is None:
            return None
        secret = self._ctx.hash_key
        if rule.needs_live is not None:
            for keys in measures.keys_to_find(rule, request.asked, secret):
                if not await tx.live_measures(keys, rule.needs_live):
                    return "measure-not-live"
        if rule.blocked_by is not None:
            found = await tx.open_measures(measures.forbidding_keys(rule, request.case_no, secret))
            if any(m.opener == request.asker and measures.in_force_on(m, rule.start_on) for m in found):
                return "measure-forbids"
        return None


def derived_content(stored: Submission, depth: int) -> tuple[Mapping[str, Any], str]:
    """(the submission, digest of what the court system signed) of a stored `DERIVED` one."""
    document = loads(stored.body, depth=depth)
    return document["content"], document["digest"]
