"""Releases a case, as when the debtor pays (docs/domain.md section 3): one signed order, one transaction.

Every open request is withdrawn, every live measure gets its ending, every open alert is closed, so that nobody is paged
and whoever is held goes free; what cannot be done is listed with the reason and with the paper that it wants. It is
done when every partner has acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any, Literal

from gateway.application.cases.build_endings import Ending, Endings, Ordered
from gateway.application.context import Context
from gateway.application.conversation.measure_effects import measure_events
from gateway.application.conversation.posted_acts import Heard, Said, hear, read_as
from gateway.application.conversation.send_verb import Voice
from gateway.application.idempotency import Before, Idempotency, remembered
from gateway.application.ports.store import Transaction
from gateway.application.posts import Answer, Handed
from gateway.application.queries.measures import paper_view
from gateway.application.submission.numbers import Numbers
from gateway.application.submission.submit import Submitter, store_requests
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.approvals import check_staff
from gateway.core.control.moves import OPEN_STATES
from gateway.core.records import Changes, Measure, Release, ReleaseItem, Request
from gateway.core.requests.cases import Plan, plan
from gateway.core.time.calendar import SHANGHAI
from lianzhi.errors import ConflictError, RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.values import Document, Line, Prose
from lianzhi.protocol.verbs import StaffNo
from schemas.values.identifiers import CaseNo

RELEASE = "case.release"
"""Matter word of the type of a signed release: `lianzhi.case.release.open`, addressed to the gateway's own court."""


class Exempted(Model):
    """Something of the case that stays as it is."""

    no: Annotated[Line, label("编号", "Number of a request or of a measure")]
    why: Annotated[Prose, label("理由", "Why it stays")]


class ReleaseOrder(Model):
    """The case is let go. documents: papers that the endings want, such as the ruling that lifts a seal."""

    case_no: Annotated[CaseNo, label("案号", "Case number")]
    reason: Annotated[
        Vocabulary[
            Annotated[Literal["paid"], "已履行"]
            | Annotated[Literal["settled"], "和解"]
            | Annotated[Literal["ended"], "终结执行"]
            | Annotated[Literal["revoked"], "撤销"]
        ],
        label("原因", "Why"),
    ]
    by: Annotated[StaffNo, label("决定人", "Staff number of who orders it")]
    exceptions: Annotated[list[Exempted], label("保留项", "What stays", max_length=200)] = []
    documents: Annotated[list[Document], label("文书", "Documents for the endings", max_length=50)] = []


class Releaser:
    def __init__(self, context: Context, submitter: Submitter, numbers: Numbers, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._submitter = submitter
        self._endings = Endings(context, submitter)
        self._numbers = numbers
        self._voice = Voice(context)
        self._once = Idempotency(context)
        self._wake = wake

    async def release(self, handed: Handed) -> Answer:
        """Raises RejectedError (named), StoreUnavailableError."""
        return await self._once.run_once(handed, partial(self._release, handed), "/v1/cases/release")

    async def _release(self, handed: Handed, before: Before) -> Answer:
        now, who = self._ctx.clock.now(), handed.participant
        heard = hear(self._ctx, handed, "", now)
        order = read_as(ReleaseOrder, heard.content)
        if heard.envelope is None:
            raise RejectedError("signature-required", pointer="/")
        if (heard.envelope.matter_type, heard.envelope.verb) != (RELEASE, "open"):
            raise RejectedError("misdirected", pointer="/type")
        check_staff({"/by": order.by}, who.staff, now)
        if answer := before.answer(heard.kept.digest):
            return answer
        heard.kept.request_no = await self._numbers.next(who.code, now)
        return await self._commit(handed, heard, order, now)

    async def _commit(self, handed: Handed, heard: Heard, order: ReleaseOrder, now: datetime) -> Answer:
        court = handed.participant.code
        requests, measures = await self._of_case(court, order.case_no)
        exceptions = {e.no for e in order.exceptions}
        _check_known(exceptions, requests, measures)
        chosen = plan(requests, measures, exceptions)
        ordered = Ordered(
            handed=handed,
            signed=heard.kept,
            case_no=order.case_no,
            reason=order.reason,
            by=order.by,
            documents=[d.canonical() for d in order.documents],
            now=now,
        )
        endings = await self._endings.build(ordered, chosen.end, {r.request_no: r for r in requests})
        changes, release_no = Changes(), heard.kept.request_no
        async with self._ctx.store.begin() as tx:
            await self._unchanged(tx, court, order.case_no, requests, measures)
            unit = UnitOfWork(self._ctx, tx, changes, now)
            items = await self._carry(unit, ordered, chosen, endings)
            items += await self._close_alerts(unit, ordered, exceptions, release_no)
            actions = {m.measure_no: m.action for m in measures}
            answer = self._written(ordered, release_no, items, actions, changes)
            await tx.apply(changes)
        if changes.outbox:
            self._wake()
        return answer

    async def _of_case(self, court: str, case_no: str) -> tuple[list[Request], list[Measure]]:
        """All of it, whatever its number: a release on a part would leave the rest in force."""
        requests = await self._ctx.store.requests_of_case(court, case_no)
        own = {r.request_no for r in requests}
        found = await self._ctx.store.measures_of_case(court, case_no, OPEN_STATES)
        return requests, [m for m in found if m.request_no in own]

    async def _unchanged(
        self,
        tx: Transaction,
        court: str,
        case_no: str,
        requests: Sequence[Request],
        measures: Sequence[Measure],
    ) -> None:
        """Locks the case. Raises ConflictError when it is not what the plan was made from."""
        locked = await tx.lock_case(case_no, court)
        live = [m for m in await tx.case_measures(case_no, court) if m.state in OPEN_STATES]
        own = {r.request_no for r in locked}
        same = [(r.request_no, r.rev) for r in locked] == [(r.request_no, r.rev) for r in requests]
        if not same or [m for m in live if m.request_no in own] != list(measures):
            raise ConflictError("case-changed")

    async def _carry(
        self, unit: UnitOfWork, order: Ordered, chosen: Plan, endings: Sequence[Ending]
    ) -> list[ReleaseItem]:
        items = [ReleaseItem("", 0, "exception", **_named(number, chosen)) for number in chosen.spared]
        for measure, request in chosen.under_way:
            number = measure.measure_no if measure is not None else None
            items.append(ReleaseItem("", 0, "already", request.request_no, number))
        for request in chosen.withdraw:
            items.append(await self._withdraw(unit, order, request))
        for ending in endings:
            items += await self._end(unit, order, ending)
        return items

    async def _close_alerts(
        self, unit: UnitOfWork, order: Ordered, exceptions: set[str], release_no: str
    ) -> list[ReleaseItem]:
        """Whoever raised it is told in words that every partner knows (`false-hit`), and nobody is paged any more. The
        alert of a control that stays, stays."""
        items: list[ReleaseItem] = []
        at = order.now.astimezone(SHANGHAI).isoformat(timespec="seconds")
        why = f"本案已解除（{release_no}），请即放行 The case was let go: let pass"
        for alert in await unit.tx.lock_open_alerts(order.case_no, order.handed.participant.code):
            control = str(alert.facts.get("control", ""))
            if exceptions & {alert.request_no, control, control.rsplit("-", 1)[0]}:
                continue
            try:
                said = self._said(order, alert, "false-hit", {"at": at, "why": why})
                await self._voice.say(unit, said, alert)
            except RejectedError as error:
                items.append(ReleaseItem("", 0, "needs-hand", alert.request_no, None, error.code))
                continue
            alert.facts["let_go"] = release_no
            unit.changes.requests.append(alert)
            unit.tell(alert, "let-go", detail=release_no)
            items.append(ReleaseItem("", 0, "alert", alert.request_no))
        return items

    async def _withdraw(self, unit: UnitOfWork, order: Ordered, request: Request) -> ReleaseItem:
        try:
            said = self._said(order, request, "withdraw", {"reason_code": order.reason})
            await self._voice.say(unit, said, request)
        except RejectedError as error:
            return ReleaseItem("", 0, "needs-hand", request.request_no, None, error.code)
        unit.changes.requests.append(request)
        return ReleaseItem("", 0, "withdraw", request.request_no)

    def _said(self, order: Ordered, request: Request, verb: str, data: Mapping[str, Any]) -> Said:
        return Said(
            participant=order.handed.participant,
            request_no=request.request_no,
            verb=verb,
            by=order.by,
            data=data,
            act=order.signed,
        )

    async def _end(self, unit: UnitOfWork, order: Ordered, ending: Ending) -> list[ReleaseItem]:
        problem = ending.problem
        if ending.prepared is not None and ending.submission is not None:
            try:
                await self._submitter.check(unit.tx, ending.prepared, unit.changes)
            except RejectedError as error:
                problem = error.code
            else:
                store_requests(ending.prepared, unit.changes)
                unit.changes.submissions.append(ending.submission)
        if problem is not None:
            return [ReleaseItem("", 0, "needs-hand", None, m.measure_no, problem) for m in ending.measures]
        for measure in ending.measures:
            unit.changes.events += measure_events(
                self._ctx, measure, "measure-being-ended", unit.now, by=ending.request_for(measure)
            )
        return [ReleaseItem("", 0, "ending", ending.request_for(m), m.measure_no) for m in ending.measures]

    def _written(
        self,
        order: Ordered,
        release_no: str,
        items: list[ReleaseItem],
        actions: Mapping[str, str],
        changes: Changes,
    ) -> Answer:
        location = f"/v1/cases/release/{release_no}"
        for seq, item in enumerate(items, 1):
            item.release_no, item.seq = release_no, seq
        lines = [_told_line(item, actions.get(item.measure_no or ""), self._ctx.today()) for item in items]
        told = {"release_no": release_no, "case_no": order.case_no, "items": lines}
        answer = Answer(202, told, location)
        changes.releases.append(
            Release(
                release_no=release_no,
                court=order.handed.participant.code,
                case_no=order.case_no,
                reason=order.reason,
                ordered_by=order.by,
                at=order.now,
                submission_id=order.signed.id,
            )
        )
        changes.release_items += items
        changes.submissions.append(order.signed)
        changes.idempotency.append(remembered(order.handed, answer, order.now, release_no))
        return answer


# --- the lines of a release


def _check_known(exceptions: set[str], requests: Sequence[Request], measures: Sequence[Measure]) -> None:
    """What is to be spared is there. Raises RejectedError."""
    unknown = exceptions - {r.request_no for r in requests} - {m.measure_no for m in measures}
    if unknown:
        raise RejectedError(
            "invalid-field",
            [
                FieldError(
                    pointer="/exceptions",
                    rule="exception-unknown",
                    detail=f"该案没有 {number}",
                    detail_en=f"The case has no {number}",
                )
                for number in sorted(unknown)
            ],
        )


def _told_line(item: ReleaseItem, action: str | None, day: date) -> dict[str, Any]:
    """As the caller is told on `day`. action: of the measure that it is about."""
    told = {n: v for n in ("kind", "request_no", "measure_no", "reason") if (v := getattr(item, n)) is not None}
    paper = None if action is None else paper_view(action, day)
    return told if paper is None else {**told, "ended_with": paper.model_dump(exclude_none=True)}


def _named(number: str, chosen: Plan) -> Mapping[str, Any]:
    """A measure's number has its request's and one more part."""
    return {"measure_no": number} if number.count("-") > 3 else {"request_no": number}
