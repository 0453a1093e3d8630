"""Control measures, and the debt of a case that bounds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, bindparam, func, literal_column, select

from gateway.core.control.moves import LIVE, OPEN_STATES
from gateway.core.records import CaseDebt, Measure, MeasureStep
from gateway.store.engine.columns import among
from gateway.store.engine.connection import Asking, Unit
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query
from gateway.store.tables import CASE_DEBT, MEASURE, MEASURE_STEP

_x, _s, _d = MEASURE.c, MEASURE_STEP.c, CASE_DEBT.c
_measures = select(*MEASURE.columns)
_of_case = (_x.case_no == bindparam("case"), _x.opener == bindparam("court"))

MEASURE_BY_NUMBER = Query(_measures.where(_x.measure_no == bindparam("number")))
MEASURE_STEPS_OF = Query(select(*MEASURE_STEP.columns).where(_s.measure_no == bindparam("number")).order_by(_s.id))
_in_order = _measures.where(among(_x.state, "states")).order_by(_x.measure_no)
MEASURES_OF_CASE = Query(_in_order.where(*_of_case))
MEASURES_ENDING = Query(_in_order.where(_x.end_on >= bindparam("first"), _x.end_on <= bindparam("last")))
DEBTS_OF_CASE = Query(
    select(*CASE_DEBT.columns).where(_d.case_no == bindparam("case"), _d.court == bindparam("court")).order_by(_d.seq)
)
# An object has few measures in its life: states and order are for memory, which keeps both databases on the index.
# Locked where they may be changed: a hit, an answer, a renewal and the clock come from different requests.
MEASURES_ON = Query(_measures.where(among(_x.object_key, "objects")))
MEASURES_OF = Query(_measures.where(_x.request_no == bindparam("number")).with_for_update())
MEASURES_BY_CONTROL = Query(
    _measures.where(
        _x.control_no == bindparam("control"), _x.asked == bindparam("by"), _x.opener == bindparam("opener")
    ).with_for_update()
)
CASE_MEASURES = Query(_measures.where(*_of_case))
# PostgreSQL: whoever decides by what is (not) in force on an object has it alone until its commit.
LOCK_OBJECT = Query(select(func.pg_advisory_xact_lock(literal_column("1867"), bindparam("half", type_=Integer()))))


class Debts(Asking):
    """`application.ports.measures.Debts`."""

    async def debts_of_case(self, court: str, case_no: str) -> list[CaseDebt]:
        return await self._all(CASE_DEBT, DEBTS_OF_CASE, case=case_no, court=court)


class MeasureReads(Debts, Reads):
    """`application.ports.measures.MeasureReads`."""

    async def measure(self, measure_no: str) -> Measure | None:
        return await self._one(MEASURE, MEASURE_BY_NUMBER, number=measure_no)

    async def measure_steps(self, measure_no: str) -> list[MeasureStep]:
        return await self._all(MEASURE_STEP, MEASURE_STEPS_OF, number=measure_no)

    async def measures_of_case(self, opener: str, case_no: str, states: Sequence[str]) -> list[Measure]:
        return await self._all(MEASURE, MEASURES_OF_CASE, states=states, case=case_no, court=opener)

    async def measures_ending(self, states: Sequence[str], first: str, last: str) -> list[Measure]:
        return await self._all(MEASURE, MEASURES_ENDING, states=states, first=first, last=last)


class MeasureUnit(Debts, Unit):
    """`application.ports.measures.MeasureUnit`."""

    async def open_measures(self, keys: Sequence[tuple[str, str, str]]) -> list[Measure]:
        wanted = set(keys)
        found = await self.measures_on([key[0] for key in keys])
        return [m for m in found if m.state in OPEN_STATES and (m.object_key, m.action, m.case_no) in wanted]

    async def live_measures(self, object_keys: Sequence[str], action: str) -> list[Measure]:
        return [m for m in await self.measures_on(object_keys) if m.state in LIVE and m.action == action]

    async def measures_on(self, object_keys: Sequence[str]) -> list[Measure]:
        return await self._sorted(MEASURES_ON, objects=object_keys) if object_keys else []

    async def measures_of(self, request_no: str) -> list[Measure]:
        return await self._sorted(MEASURES_OF, number=request_no)

    async def measure_by_control(self, control_no: str, asked: str, opener: str) -> Measure | None:
        found = await self._sorted(MEASURES_BY_CONTROL, control=control_no, by=asked, opener=opener)
        return next((m for m in found if m.state in LIVE), None)

    async def case_measures(self, case_no: str, court: str) -> list[Measure]:
        return await self._sorted(CASE_MEASURES, case=case_no, court=court)

    async def lock_objects(self, object_keys: Sequence[str]) -> None:
        if self._db.locks:
            for half in sorted({int(key[:8], 16) - 2**31 for key in object_keys}):
                await self._rows(LOCK_OBJECT, half=half)

    async def _sorted(self, query: Query, **parameters: Any) -> list[Measure]:
        return sorted(await self._all(MEASURE, query, **parameters), key=lambda measure: measure.measure_no)
