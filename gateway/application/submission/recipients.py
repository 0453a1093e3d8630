"""Recipients of a withdrawal or correction: no recipient of the publication may be left out
(docs/domain.md 2.9, docs/adr/0014)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.application.context import Context
from gateway.application.conversation.send_verb import Said, Voice
from gateway.application.ports.store import Transaction
from gateway.application.posts import Handed
from gateway.application.submission.validate import Proof
from gateway.application.unit_of_work import UnitOfWork
from gateway.core import measures
from gateway.core.lifecycle import ANSWERED, TERMINAL
from gateway.core.measure_moves import is_live
from gateway.core.records import Changes, Measure, Request
from gateway.core.routing import Participant, admit
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError


class Circles:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._voice = Voice(context)

    async def resolved(self, sender: Participant, proof: Proof) -> Proof:
        """With the receivers that `group_no` of the submission stands for.

        Raises RejectedError: unknown-group, group-incomplete (some were named, but not all), and those of `admit`.
        """
        named = proof.submission.group_no
        if named is None:
            return proof
        told = await self._told(sender.code, named)
        if not told or not proof.matter.fan_out:
            raise RejectedError("unknown-group", pointer="/group_no")
        first = proof.receivers[0]
        if first not in told:
            raise RejectedError("unknown-receiver", pointer="/receiver")
        if proof.submission.receivers is not None:
            _all_of(told, proof.receivers)
        for code in told:
            admit(proof.matter, sender, self._ctx.participant(code))
        return replace(proof, receivers=(first, *(code for code in told if code != first)))

    async def _told(self, sender: str, number: str) -> list[str]:
        """Of a group, or of a publication that went to one alone."""
        members = await self._ctx.store.requests_of_group(sender, number)
        if not members:
            alone = await self._ctx.store.request(number)
            members = [] if alone is None else [alone]
        return list(dict.fromkeys(r.asked for r in members if r.asker == sender))

    async def reach(
        self, tx: Transaction, handed: Handed, proof: Proof, requests: Sequence[Request], changes: Changes
    ) -> None:
        """An ending or a change of published entries reaches each recipient that keeps one; publications that have not
        been answered yet are withdrawn with it, at once where they still wait to be sent.

        Raises RejectedError group-incomplete.
        """
        rule = proof.matter.measure(proof.payload)
        if rule is None or not rule.per_receiver or rule.effect not in ("end", "require"):
            return
        case = await tx.case_measures(requests[0].case_no or "", requests[0].asker)
        kept = measures.kept_by(rule, case, self._ctx.hash_key)
        if rule.effect == "require":
            kept = [m for m in kept if is_live(m)]
        _all_of((m.asked for m in kept), proof.receivers)
        if rule.effect == "end":
            await self._withdraw(UnitOfWork(self._ctx, tx, changes, requests[0].created_at), handed, proof, kept)

    async def _withdraw(self, unit: UnitOfWork, handed: Handed, proof: Proof, kept: Sequence[Measure]) -> None:
        numbers = sorted({m.request_no for m in kept if m.state == "requested"})
        for number, request in (await unit.tx.lock_requests(numbers)).items():
            if request.state in TERMINAL[request.shape] or request.state in (*ANSWERED, "withdrawing"):
                continue
            said = Said(
                participant=handed.participant,
                request_no=number,
                verb="withdraw",
                by=proof.submission.handler,
                data={"reason_code": "revoked"},
            )
            await self._voice.say(unit, said, request)
            unit.changes.requests.append(request)


def _all_of(told: Iterable[str], receivers: Sequence[str]) -> None:
    missing = sorted(set(told) - set(receivers))
    if missing:
        raise RejectedError(
            "group-incomplete",
            [
                FieldError(
                    pointer="/receivers",
                    rule="receiver-missing",
                    detail=f"缺少 {code}：当初也发给了该单位",
                    detail_en=f"{code} is missing: it was told as well",
                )
                for code in missing
            ],
        )
