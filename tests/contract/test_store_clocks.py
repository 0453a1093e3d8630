"""Terms that can be counted again, imported calendars, and what a unit reads of its own request."""

from __future__ import annotations

from gateway.core.records import CalendarYear, Changes
from gateway.store import SqlStore
from tests.contract.samples import MINUTE, NOW, number, request, submission, timer, write


def year(number: int, notice: str = "国办发明电〔2026〕演示号") -> CalendarYear:
    return CalendarYear(number, notice, "2026-11-04", ["2027-01-01", "2027-02-08"], ["2027-02-06"], NOW)


async def test_a_timer_keeps_when_its_term_began_and_whether_it_guessed(store: SqlStore) -> None:
    guessed = timer(1, kind="due", start_at=NOW - MINUTE, provisional=True)
    await write(store, Changes(new_requests=[request(1)], timers=[guessed]))
    async with store.begin() as unit:
        assert await unit.due_timers(NOW, 10) == [guessed]
        assert await unit.timers_of([number(1), number(9)]) == [guessed]
    sure = timer(1, kind="due", start_at=NOW, provisional=False)
    await write(store, Changes(timers=[sure]))
    async with store.begin() as unit:
        assert await unit.due_timers(NOW, 10) == [sure]
        assert await unit.timers_of([number(1)]) == [sure]


async def test_provisional_requests_up_to_a_moment_each_once(store: SqlStore) -> None:
    await write(store, Changes(new_requests=[request(n) for n in (1, 2, 3, 4)]))
    await write(
        store,
        Changes(
            timers=[
                timer(2, kind="due", provisional=True),
                timer(2, kind="confirm", provisional=True),
                timer(1, kind="due", provisional=True),
                timer(3, kind="due", due_at=NOW + MINUTE, provisional=True),
                timer(4, kind="due"),
            ]
        ),
    )
    assert await store.provisional(NOW) == [number(1), number(2)]
    assert await store.provisional(NOW + MINUTE) == [number(1), number(2), number(3)]
    async with store.begin() as unit:
        kinds = [(t.request_no, t.kind) for t in await unit.timers_of([number(2), number(4)])]
    assert kinds == [(number(2), "confirm"), (number(2), "due"), (number(4), "due")]
    assert await store.due_from(NOW + MINUTE) == [number(3)]
    assert await store.due_from(NOW) == [number(n) for n in (1, 2, 3, 4)]


async def test_a_year_that_is_imported_again_replaces_the_first(store: SqlStore) -> None:
    assert await store.calendars() == []
    await write(store, Changes(calendars=[year(2028), year(2027)]))
    assert await store.calendars() == [year(2027), year(2028)]
    await write(store, Changes(calendars=[year(2027, "国办发明电〔2027〕演示号")]))
    assert await store.calendars() == [year(2027, "国办发明电〔2027〕演示号"), year(2028)]


async def test_a_unit_reads_what_opened_its_request(store: SqlStore) -> None:
    await write(store, Changes(new_requests=[request(1), request(2)], submissions=[submission(1)]))
    async with store.begin() as unit:
        assert await unit.submission_of(number(1)) == submission(1)
        assert await unit.submission_of(number(2)) is None
