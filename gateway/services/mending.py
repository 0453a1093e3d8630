"""What blocked a request may be there now: prove and open it once more, from the stored submission."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.core.lifecycle import Step, decide
from gateway.core.records import Changes, Request
from gateway.errors import RejectedError
from gateway.services.carry import MENDING, carry_out
from gateway.services.context import Context
from gateway.services.feed import request_events
from gateway.services.ports import Transaction
from gateway.services.proving import Prover
from gateway.services.submit import Opening
from schemas.envelope import CONTENT_TYPE


class Mender:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._opening = Opening(context)
        self._prover = Prover(context)

    async def mend(self, tx: Transaction, request: Request, changes: Changes, now: datetime) -> bool:
        """Whether the request's row changed."""
        if request.state != "blocked":
            return False
        stored = await tx.submission_of(request.request_no)
        participant = self._ctx.participant(request.asker)
        client = next((c for c in participant.clients if c.id == request.client), None)
        if stored is None or client is None:
            changes.events += request_events(self._ctx, request, "incident", now, detail="submission-missing")
            return False
        try:
            proof = self._prover.prove_again(
                participant, client, stored.body, stored.content_type == CONTENT_TYPE, (stored.id, stored.digest), now
            )
        except RejectedError as error:
            request.reason = error.code
            changes.events += request_events(self._ctx, request, "incident", now, detail=error.code)
            return True
        missing = sorted(set(proof.digests) - await tx.documents_known(proof.digests))
        before = replace(request, marks=dict(request.marks), facts=dict(request.facts))
        draft = Changes()
        if not await self._opening.open(request, proof, missing, draft, now):
            request.asker_seq, request.marks, request.facts = before.asker_seq, before.marks, before.facts
            for timer in draft.timers:
                if timer.kind == MENDING:  # it is still the same block: its own clock does not begin anew
                    changes.set_timer(timer)
            if request.reason != before.reason:
                changes.events += draft.events
            return request.reason != before.reason
        opened, request.state = request.state, "blocked"
        decision = decide(request, Step("mended", "gateway", now))
        carry_out(self._ctx, request, replace(decision, state=opened), changes, now)
        changes.extend(draft)
        return True
