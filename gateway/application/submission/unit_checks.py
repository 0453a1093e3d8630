"""What a submission is checked for inside its unit of work, beside the measures (`measure_rules`).

Limits a day: a handler's sensitive queries, a court's sendings before approval (docs/domain.md section 4). Recipients
of a withdrawal or correction: no recipient of the publication may be left out (docs/domain.md 2.9, docs/adr/0014).
Alerts that a partner raises by the API: the control that it names is live and its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.application.context import Context
from gateway.application.conversation.alert_effects import alert_raised
from gateway.application.conversation.posted_acts import Said
from gateway.application.conversation.send_verb import Voice
from gateway.application.ports.store import Transaction
from gateway.application.posts import Handed
from gateway.application.submission.validate import Proof
from gateway.application.unit_of_work import UnitOfWork, request_events
from gateway.core.control import measures
from gateway.core.control.moves import is_live
from gateway.core.records import Changes, Measure, Request, SubjectUse
from gateway.core.requests.lifecycle import ANSWERED, TERMINAL
from gateway.core.routing import Participant, admit
from gateway.core.time.calendar import SHANGHAI
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

EVERYBODY = "*"
BREAK_GLASS = "break-glass"


class DailyLimits:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def count(self, tx: Transaction, proof: Proof, requests: Sequence[Request], changes: Changes) -> None:
        """Raises RejectedError handler-limit, break-glass-limit. Call it last: what is counted stays counted."""
        first, settings = requests[0], self._ctx.settings
        day = first.created_at.astimezone(SHANGHAI).strftime("%Y%m%d")
        if first.facts.get("break_glass") is not None:
            most = settings.break_glass_per_day
            if not await tx.take_use(proof.sender, EVERYBODY, day, BREAK_GLASS, most):
                raise _used_up("break-glass-limit", "/break_glass", most)
        subjects = proof.matter.subjects(proof.payload)
        if not subjects:
            return
        handler, most = proof.submission.handler, settings.sensitive_per_day
        if not await tx.take_use(proof.sender, handler, day, family(proof.matter.name), most):
            raise _used_up("handler-limit", "/handler", most)
        await self._note(tx, first, handler, [words for _, words in subjects], changes)

    async def _note(
        self, tx: Transaction, request: Request, handler: str, words: Sequence[str], changes: Changes
    ) -> None:
        """The same person or car, asked about by another handler not long ago: both requests say so."""
        now = request.created_at
        keys = [measures.object_key(self._ctx.hash_key, f"subject:{request.asker}:{word}") for word in words]
        earlier = await tx.subject_uses(keys, now - self._ctx.settings.same_subject)
        if others := list(dict.fromkeys(use.request_no for use in earlier if use.handler != handler)):
            last, count = others[-1], len(others)  # one event, however often it was asked
            told = last if count == 1 else f"{last}+{count - 1}"
            changes.events += request_events(
                self._ctx, request, "same-subject", now, head={"request_no": last, "count": count}, detail=told
            )
        changes.subject_uses += [SubjectUse(key, request.request_no, handler, now) for key in keys]


def family(matter: str) -> str:
    """`police.person-info.query` → `police.person-info`."""
    return matter.rsplit(".", 1)[0]


def _used_up(code: str, pointer: str, most: int) -> RejectedError:
    zh = f"每日上限 {most} 次，今日已用完；确有必要请由其他承办人申请"
    en = f"At most {most} a day, and they are used up; if it must be, another handler asks"
    if code == "break-glass-limit":
        zh, en = f"每日上限 {most} 次，今日已用完；请先审批后发出", f"At most {most} a day; have it approved first"
    return RejectedError(code, [FieldError(pointer=pointer, rule=code, detail=zh, detail_en=en)])


# --- recipients of a withdrawal or correction


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


# --- a partner that uses the API raises an alert, or records a handover: what `partner_open` does for one on the bus


async def raise_alert(
    context: Context, tx: Transaction, requests: Sequence[Request], proof: Proof, changes: Changes
) -> None:
    """Of the submission `proof`, which makes `requests`. A hit must name a live measure that its sender controls, and
    the object under it; its case is the hit's.

    Raises RejectedError: unknown-control, unknown-ref.
    """
    control_no = proof.matter.alert_control_no(proof.payload)
    for request in requests:
        control = None if control_no is None else await tx.measure_by_control(control_no, request.asker, request.asked)
        if control_no is not None and control is None:
            raise RejectedError("unknown-control", pointer="/payload/control_no")
        if control is not None:
            if control.ref not in request.refs:
                raise RejectedError("unknown-ref", pointer="/payload/ref")
            request.related, request.case_no = control.request_no, control.case_no or None
            request.asked_case_no = request.case_no
        if (control is not None or request.shape == "alert") and context.participant(request.asked).local:
            unit = UnitOfWork(context, tx, changes, request.created_at)
            await alert_raised(unit, request, control, proof.submission.payload, unit.now)
