"""Measures page by page, their history, pages and the roster, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.application.ports.lists import MeasureFilter
from gateway.core.records import CaseDebt, Changes, DutyShift
from gateway.store import SqlStore
from lianzhi.errors import ConflictError
from tests.contract.samples import COURT, GRID, MINUTE, NOW, POLICE, measure, number, page, request, step, timer, write
from tests.eventually import eventually
from tests.stored import measures_in, pages_of

THEIRS = number(1, POLICE)


async def filled(store: SqlStore) -> None:
    """Six of ours, in as many states; one that the police opened, which our court keeps."""
    states = ("requested", "active", "hit", "handed-over", "lapsed", "ended")
    measures = [
        measure(n, state=state, case_no=f"case-{n % 2}", end_on=f"2026-04-{n:02d}") for n, state in enumerate(states, 1)
    ]
    theirs = measure(7, measure_no=f"{THEIRS}-1", request_no=THEIRS, asked=COURT, end_on=None)
    requests = [request(n) for n in range(1, 7)]
    await write(
        store,
        Changes(
            new_requests=[*requests, request(7, request_no=THEIRS, asker=POLICE, asked=COURT)],
            new_measures=[*measures, theirs],
        ),
    )


async def found(store: SqlStore, **where: object) -> list[str]:
    return [m.measure_no for m in await store.measures(MeasureFilter(**where))]  # type: ignore[arg-type]


async def test_measures_are_paged_and_filtered(store: SqlStore) -> None:
    await filled(store)
    ours = [f"{number(n)}-1" for n in range(1, 7)]
    assert await found(store) == [*ours[:4], f"{THEIRS}-1"]
    assert await found(store, participant=COURT) == [*ours[:4], f"{THEIRS}-1"]
    assert await found(store, participant=POLICE) == [*ours[:4], f"{THEIRS}-1"]
    assert await found(store, participant=GRID) == []
    assert await found(store, participant=COURT, limit=2) == ours[:2]
    assert await found(store, participant=COURT, after=ours[1], limit=2) == ours[2:4]
    assert await found(store, participant=COURT, after=ours[3]) == [f"{THEIRS}-1"]
    assert await found(store, states=("lapsed", "ended")) == ours[4:]
    assert await found(store, case_no="case-0") == [ours[1], ours[3]]
    assert await found(store, participant=COURT, ends_by="2026-04-02") == ours[:2]


async def test_what_was_answered_and_the_debts_of_a_case(store: SqlStore) -> None:
    """Only the last figure holds; a figure under a number that is there is a conflict, and is looked at again."""
    answered = measure(1, receipt_no="HZ-1", seized="31.20", appraised="40.00", published_at=NOW)
    first = CaseDebt(COURT, "case-1", 1, "416000.00", NOW, "sn0199-0007", number(1))
    second = replace(first, seq=2, amount="421000.00", reason="interest")
    await write(store, Changes(new_requests=[request(1)], new_measures=[answered], case_debts=[first, second]))
    assert await store.measure(answered.measure_no) == answered
    assert await store.debts_of_case(COURT, "case-1") == [first, second]
    assert await store.debts_of_case(POLICE, "case-1") == await store.debts_of_case(COURT, "case-2") == []
    with pytest.raises(ConflictError):
        await write(store, Changes(case_debts=[second]))
    alerts = [
        request(n, request_no=number(n, POLICE), asker=POLICE, asked=COURT, shape="alert", state=state)
        for n, state in ((2, "delivered"), (3, "false-hit"))
    ]
    for alert in alerts:
        alert.asked_case_no = "case-1"
    await write(store, Changes(new_requests=alerts))
    async with store.begin() as tx:
        assert await tx.debts_of_case(COURT, "case-1") == [first, second]
        assert [r.request_no for r in await tx.lock_open_alerts("case-1", COURT)] == [number(2, POLICE)]


async def test_one_measure_and_its_history(store: SqlStore) -> None:
    await filled(store)
    first, second = step(1, state="active", cause=None), step(1)
    await write(store, Changes(measure_steps=[first, step(2), second]))
    assert await store.measure(measure(1).measure_no) == measure(
        1, state="requested", case_no="case-1", end_on="2026-04-01"
    )
    assert await store.measure("nobody-1") is None
    told = await store.measure_steps(measure(1).measure_no)
    assert [replace(line, id=None) for line in told] == [first, second]


async def test_what_was_decided_last_in_one_unit_holds(store: SqlStore) -> None:
    await filled(store)
    async with store.begin() as unit:
        one = (await unit.measures_of(number(2)))[0]
        await unit.apply(Changes(measures=[replace(one, state="hit"), replace(one, state="handed-over")]))
    assert [m.state for m in await measures_in(store, ("hit", "handed-over")) if m.request_no == number(2)] == [
        "handed-over"
    ]


@pytest.mark.parametrize("state", ["hit", "handed-over"])
async def test_a_live_measure_takes_the_place_of_its_object(store: SqlStore, state: str) -> None:
    same = {"object_key": "object", "case_no": "case"}
    new = Changes(new_requests=[request(1), request(2)], new_measures=[measure(1, state=state, **same)])
    await write(store, new)
    with pytest.raises(ConflictError, match="open-measure"):
        await write(store, Changes(new_measures=[measure(2, state="requested", **same)]))
    async with store.begin() as unit:
        assert [m.state for m in await unit.open_measures([("object", "seal", "case")])] == [state]
        found = await unit.measure_by_control("control-1", POLICE, COURT)
        assert found is not None


async def test_two_units_never_overwrite_each_others_change(postgres_store: SqlStore) -> None:
    """A hit and a renewal come from different requests: the second waits, and sees what the first has made of it."""
    store = postgres_store
    await filled(store)

    async def renew() -> None:
        async with store.begin() as unit:
            one = (await unit.measures_of(number(2)))[0]
            await unit.apply(Changes(measures=[replace(one, end_on="2030-01-01")]))

    async def waits() -> bool:
        async with store.database.engine.connect() as connection:
            found = await connection.exec_driver_sql(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return bool(found.scalar())

    async with store.begin() as unit:
        one = (await unit.measures_of(number(2)))[0]
        renewing = asyncio.create_task(renew())
        await eventually(waits)
        await unit.apply(Changes(measures=[replace(one, state="hit")]))
    await renewing
    after = await store.measure(f"{number(2)}-1")
    assert after is not None
    assert (after.state, after.end_on) == ("hit", "2030-01-01")


async def test_cases_and_objects(store: SqlStore) -> None:
    await filled(store)
    async with store.begin() as unit:
        assert len(await unit.case_measures("case-1", COURT)) == 3
        assert [m.state for m in await unit.measures_on(["object-6"])] == ["ended"]
        assert len(await unit.requests_of_case(COURT, request().case_no or "")) == 6  # one is a partner's
        assert await unit.timer(number(1), "roster") is None
        await unit.apply(Changes(timers=[timer(1, "roster")]))
    async with store.begin() as unit:
        assert await unit.timer(number(1), "roster") == timer(1, "roster")


# --- pages --------------------------------------------------------------------------------------------------------


async def paged(store: SqlStore, *levels: str) -> None:
    await write(store, Changes(new_requests=[request(1)], new_pages=[page(1, level) for level in levels]))


async def test_due_pages_are_leased_once_and_in_order(store: SqlStore) -> None:
    await paged(store, "A", "B", "desk")
    assert await store.lease_pages(NOW - MINUTE, MINUTE, 10) == []
    two = await store.lease_pages(NOW, MINUTE, 2)
    assert [(p.level, p.attempts, p.person) for p in two] == [("A", 1, "sn0114-0007"), ("B", 1, "sn0114-0007")]
    assert [p.level for p in await store.lease_pages(NOW, MINUTE, 10)] == ["desk"]
    again = await store.lease_pages(NOW + 2 * MINUTE, MINUTE, 10)  # the leases ran out
    assert [(p.level, p.attempts) for p in again] == [("A", 2), ("B", 2), ("desk", 2)]


async def test_two_workers_never_take_the_same_page(store: SqlStore) -> None:
    await paged(store, "A", "B")
    taken = await asyncio.gather(*(store.lease_pages(NOW, MINUTE, 10) for _ in range(3)))
    assert sorted(p.level for one in taken for p in one) == ["A", "B"]


async def test_what_became_of_a_page(store: SqlStore) -> None:
    await paged(store, "A", "B", "desk")
    a, b, desk = await store.lease_pages(NOW, MINUTE, 10)
    later = NOW + 5 * MINUTE
    async with store.begin() as unit:
        await unit.mark_page(replace(a, state="sent", sent_at=NOW))
        await unit.mark_page(replace(b, due_at=later))
        await unit.apply(Changes(pages_cancel=[number(1)]))  # somebody answered
        await unit.mark_page(replace(desk, state="sent", sent_at=NOW))  # while this one was under way
    states = {p.level: (p.state, p.sent_at) for p in await pages_of(store, number(1))}
    assert states == {"A": ("sent", NOW), "B": ("cancelled", None), "desk": ("cancelled", NOW)}
    assert await store.lease_pages(later, MINUTE, 10) == []
    async with store.begin() as unit:
        await unit.mark_page(replace(a, state="acknowledged"))
    found = await store.page(a.page_id)
    assert found is not None
    assert (found.state, found.sent_at) == ("acknowledged", NOW)
    assert await store.page("nothing") is None
    assert (await store.counts())["pages"] == {"acknowledged": 1, "cancelled": 2}


async def test_nobody_is_paged_twice_for_one_level(store: SqlStore) -> None:
    await paged(store, "A")
    with pytest.raises(ConflictError, match="page"):
        await write(store, Changes(new_pages=[page(1, "A", page_id="another")]))


# --- the roster ---------------------------------------------------------------------------------------------------


def shift(begins: int, ends: int, person: str = "sn0114-0031", participant: str = COURT) -> DutyShift:
    return DutyShift(participant, NOW + timedelta(hours=begins), NOW + timedelta(hours=ends), person)


async def test_a_roster_is_replaced_as_a_whole(store: SqlStore) -> None:
    old, night, two, theirs = shift(-9, -1), shift(8, 20), shift(8, 20, "sn0114-0011"), shift(0, 9, participant=GRID)
    async with store.begin() as unit:
        await unit.replace_shifts(COURT, [old, night, two])
        await unit.replace_shifts(GRID, [theirs])
    async with store.begin() as unit:
        assert await unit.shifts(COURT, NOW, NOW + timedelta(days=1)) == [two, night]
        assert await unit.shifts(COURT, NOW - timedelta(hours=1), NOW) == []  # the end is not on duty any more
        assert await unit.shifts(COURT, NOW - timedelta(hours=2), NOW) == [old]
        await unit.replace_shifts(COURT, [])
        assert await unit.shifts(COURT, NOW - timedelta(days=1), NOW + timedelta(days=1)) == []
        assert await unit.shifts(GRID, NOW, NOW + MINUTE) == [theirs]
