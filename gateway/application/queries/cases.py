"""One case of a court: its open requests, its live measures, its releases and who has acknowledged them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from gateway.application.answers import CaseView, DebtFigure, DebtView, ReleaseLine, ReleaseView
from gateway.application.context import Context
from gateway.application.queries.measures import case_measure, paper_view
from gateway.application.queries.requests import Queries
from gateway.core.control.moves import OPEN_STATES, STATES
from gateway.core.control.sums import sums
from gateway.core.records import CaseDebt, Measure, Release, ReleaseItem, Request
from gateway.core.requests.lifecycle import is_done
from gateway.core.requests.turns import waits_for
from gateway.core.routing import Participant
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import is_request_no, timestamp


class Cases:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._queries = Queries(context)

    async def case(self, who: Participant, case_no: str) -> CaseView:
        """What `who` asked for in that case and is still open, and what it let go."""
        requests = await self._ctx.store.requests_of_case(who.code, case_no)
        own = {r.request_no for r in requests}
        live = await self._ctx.store.measures_of_case(who.code, case_no, OPEN_STATES)
        releases = [r for r in await self._ctx.store.releases(case_no) if r.court == who.code]
        debts = await self._ctx.store.debts_of_case(who.code, case_no)
        return CaseView(
            case_no=case_no,
            debt=_debt(debts, [m for m in live if m.request_no in own]),
            open_requests=[self._queries.view(who, r) for r in requests if not is_done(r)],
            measures=[case_measure(who, m, requests, self._ctx.today()) for m in live if m.request_no in own],
            releases=[await self._release(release) for release in releases],
        )

    async def release(self, who: Participant, release_no: str) -> ReleaseView:
        """Raises RejectedError unknown-release."""
        release = await self._ctx.store.release(release_no) if is_request_no(release_no) else None
        if release is None or release.court != who.code:
            raise RejectedError("unknown-release", pointer="/release_no")
        return await self._release(release)

    async def _release(self, release: Release) -> ReleaseView:
        measures = {
            m.measure_no: m for m in await self._ctx.store.measures_of_case(release.court, release.case_no, STATES)
        }
        lines = [
            await self._line(release, item, measures.get(item.measure_no or ""))
            for item in await self._ctx.store.release_items(release.release_no)
        ]
        owed = [line for line in lines if not line.acknowledged]
        return ReleaseView(
            release_no=release.release_no,
            case_no=release.case_no,
            reason=cast(Any, release.reason),
            by=release.ordered_by,
            at=timestamp(release.at),
            done=not owed,
            waiting_for=sorted({line.waits_for for line in owed if line.waits_for is not None}),
            items=lines,
        )

    async def _line(self, release: Release, item: ReleaseItem, measure: Measure | None) -> ReleaseLine:
        """What was answered, and is still not over, is the court's to settle: to confirm, to send back, to do by
        hand."""
        request = await self._ctx.store.request(item.request_no) if item.request_no is not None else None
        receiver = request.asked if request is not None else measure.asked if measure is not None else None
        acknowledged = item.kind == "exception" or over(request, measure)
        turn = waits_for(request, self._ctx.home.code) if request is not None else None
        return ReleaseLine(
            kind=cast(Any, item.kind),
            request_no=item.request_no,
            measure_no=item.measure_no,
            receiver=receiver,
            state=request.state if request is not None else None,
            acknowledged=acknowledged,
            waits_for=None if acknowledged else turn or release.court,
            reason=item.reason,
            ended_with=paper_view(measure.action, self._ctx.today()) if measure is not None else None,
        )


def _debt(debts: Sequence[CaseDebt], in_case: Sequence[Measure]) -> DebtView:
    secured = sums(in_case)
    return DebtView(
        debt=debts[-1].amount if debts else None,
        in_fact=f"{secured.in_fact:.2f}",
        asked=f"{secured.asked:.2f}",
        history=[
            DebtFigure(
                amount=d.amount, at=timestamp(d.at), by=d.by, request_no=d.request_no, reason=cast(Any, d.reason)
            )
            for d in debts
        ],
    )


def over(request: Request | None, measure: Measure | None) -> bool:
    """The partner has said that nothing is left: its measure has ended, or the request has come to its end."""
    if measure is not None:
        return measure.state == "ended"
    return request is not None and is_done(request)
