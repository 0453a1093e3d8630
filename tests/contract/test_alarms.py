"""What stands, and what is told of it, in both stores: one row a trouble, each telling one process's at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.alarms.tellings import Telling
from gateway.store import SqlStore
from gateway.store.queries import alerts
from tests.contract.samples import MINUTE, NOW, alarm, telling
from tests.contract.test_store_plans import fill, plan, scans

ALARM = alarm(1)


async def tell(store: SqlStore, *tellings: Telling) -> None:
    async with store.begin() as tx:
        await tx.alarms.tell(tellings)


async def test_an_alarm_comes_back_as_it_was_put(store: SqlStore) -> None:
    later = replace(ALARM, opened_at=NOW, clear_at=NOW + MINUTE, own=False, severity="critical")
    for one in (ALARM, later):
        async with store.begin() as tx:
            await tx.alarms.put([one, replace(one, subject="documents")])
        assert await store.alarms.standing() == [replace(one, subject="documents"), one]
    async with store.begin() as tx:
        assert len(await tx.alarms.standing()) == 2
        await tx.alarms.end([later])
    assert [one.subject for one in await store.alarms.standing()] == ["documents"]


async def test_a_telling_is_written_once(store: SqlStore) -> None:
    await tell(store, telling(1), telling(1, recipient="chief"))
    await tell(store, telling(1))
    found = await store.alarms.told(["alarm-1", "nothing"])
    assert [(one.recipient, one.facts, one.outcome) for one in found] == [
        ("duty", {"mib": 1}, "waiting"),
        ("chief", {"mib": 1}, "waiting"),
    ]


async def test_a_telling_is_one_processes_until_its_lease_ends(store: SqlStore) -> None:
    await tell(store, telling(1), telling(1, recipient="late", due=NOW + 5 * MINUTE))
    (mine,) = await store.alarms.lease(NOW, 2 * MINUTE, 10)
    assert (mine.recipient, mine.attempts) == ("duty", 1)
    assert await store.alarms.lease(NOW + MINUTE, 2 * MINUTE, 10) == []
    (again,) = await store.alarms.lease(NOW + 2 * MINUTE, 2 * MINUTE, 10)
    assert (again.recipient, again.attempts) == ("duty", 2)
    assert {one.recipient for one in await store.alarms.lease(NOW + 5 * MINUTE, 2 * MINUTE, 10)} == {"duty", "late"}


async def test_what_came_later_supersedes_what_waits(store: SqlStore) -> None:
    await tell(store, telling(1), telling(2))
    leased = await store.alarms.lease(NOW, MINUTE, 10)
    async with store.begin() as tx:
        await tx.alarms.supersede(["alarm-1"])
        await tx.alarms.tell([telling(1, state="closed")])
    mine, other = leased
    async with store.begin() as tx:  # both had failed meanwhile
        for one in (mine, other):
            await tx.alarms.mark(replace(one, due_at=NOW + MINUTE, error="unreachable"))
    assert [(t.alarm_id, t.state, t.outcome) for t in await store.alarms.told(["alarm-1", "alarm-2"])] == [
        ("alarm-1", "opened", "superseded"),
        ("alarm-2", "opened", "waiting"),
        ("alarm-1", "closed", "waiting"),
    ]
    async with store.begin() as tx:  # it went out all the same
        await tx.alarms.mark(replace(mine, outcome="sent", ended_at=NOW))
    assert (await store.alarms.told(["alarm-1"]))[0].outcome == "sent"


NAMES = ("ANY_TELLING_DUE", "TELLINGS_DUE", "TAKE_TELLINGS", "SUPERSEDE", "MARK_TELLING", "TOLD", "END_ALARM")


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_what_is_told_is_read_by_an_index(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    found = {name: scans(await plan(store, getattr(alerts, name))) for name in NAMES}
    assert {name: lines for name, lines in found.items() if lines} == {}
