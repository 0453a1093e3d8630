"""The duty roster of each participant: replaced as a whole, read by the stretch of time that is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from gateway.core.records import DutyShift
from gateway.store import bulk
from gateway.store.columns import Instant
from gateway.store.connection import Connection
from gateway.store.query import Query
from gateway.store.rows import DUTY_SHIFT
from gateway.store.tables import duty_shifts

_d = duty_shifts.c

SHIFTS = Query(
    select(*DUTY_SHIFT.columns)
    .where(
        _d.participant == bindparam("of"),
        _d.begins < bindparam("until", type_=Instant()),
        _d.ends > bindparam("since", type_=Instant()),
    )
    .order_by(_d.begins, _d.person)
)
CLEAR_SHIFTS = Query(delete(duty_shifts).where(_d.participant == bindparam("of")))
INSERT_SHIFTS = bulk.insert(duty_shifts, DUTY_SHIFT.written)
_written = DUTY_SHIFT.writer(DUTY_SHIFT.written)


async def shifts(connection: Connection, participant: str, since: datetime, until: datetime) -> list[DutyShift]:
    """Those that touch [since, until), by their beginning."""
    rows = await connection.fetch(SHIFTS, of=participant, since=since, until=until)
    return [DUTY_SHIFT.read(row) for row in rows]


async def replace(connection: Connection, participant: str, shifts: Sequence[DutyShift]) -> None:
    """The whole roster, in place of the one before."""
    await connection.fetch(CLEAR_SHIFTS, of=participant)
    await connection.run(INSERT_SHIFTS, [_written(shift) for shift in shifts])
