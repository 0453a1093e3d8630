"""What operators' acts write and read, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.core.operating.records import ActRow, Hold, Plan, QuarantineEnd, Scope
from gateway.core.records import Changes, Event
from gateway.core.routing import routing_key
from gateway.store import SqlStore
from tests.contract.samples import NOW, POLICE, message, refused, request, sendable, write

TERM = timedelta(seconds=30)
HOLD = Hold("partner", POLICE, NOW, "wang", "王某", "对方检修")
ACT = ActRow(NOW, "wang", "王某", "operator", "pause", f"partner:{POLICE}", "对方检修", "paused")


async def held(store: SqlStore, scope: Scope, name: str) -> bool:
    async with store.begin() as tx:
        return await tx.operating.begin_hold(replace(HOLD, scope=scope, name=name))


async def leased(store: SqlStore) -> set[str]:
    """Of which participants or types a lease takes rows now; they are given back."""
    rows = await store.lease_outbox("me", NOW, TERM, 100)
    return {row.routing_key for row in rows}


async def test_a_hold_is_begun_and_ended_once(store: SqlStore) -> None:
    assert await held(store, "partner", POLICE)
    assert not await held(store, "partner", POLICE)
    assert await store.operating.holds() == [HOLD]
    async with store.begin() as tx:
        assert await tx.operating.end_hold("partner", POLICE) == HOLD
        assert await tx.operating.end_hold("partner", POLICE) is None
    assert await store.operating.holds() == []


@pytest.mark.parametrize("lane", ["normal", "urgent"])
async def test_of_a_held_partner_nothing_is_leased(store: SqlStore, lane: str) -> None:
    key = routing_key(POLICE, lane, "police.person-locate.request", "open")
    await write(store, replace_outbox(sendable(1), key))
    await held(store, "partner", POLICE)
    assert await leased(store) == set()
    async with store.begin() as tx:
        await tx.operating.end_hold("partner", POLICE)
    assert await leased(store) == {key}


async def test_a_hold_of_another_partner_whose_code_begins_alike_holds_nothing(store: SqlStore) -> None:
    await write(store, sendable(1))
    await held(store, "partner", POLICE[:-1])
    assert len(await leased(store)) == 1


async def test_everything_is_held(store: SqlStore) -> None:
    await write(store, sendable(1))
    await held(store, "all", "")
    assert await leased(store) == set()


async def test_of_a_held_type_nothing_is_leased_and_what_stands_behind_goes(store: SqlStore) -> None:
    held_key = routing_key(POLICE, "normal", "police.person-locate.request", "open")
    other_key = routing_key(POLICE, "normal", "police.person-locate.request.more", "open")
    await write(store, replace_outbox(sendable(1), held_key))
    await write(store, replace_outbox(sendable(2), other_key))
    await held(store, "type", "police.person-locate.request")
    assert await leased(store) == {other_key}


def replace_outbox(changes: Changes, key: str) -> Changes:
    changes.outbox = [replace(row, routing_key=key, verb="open") for row in changes.outbox]
    return changes


async def test_acts_are_read_newest_first_and_by_what_they_are_about(store: SqlStore) -> None:
    async with store.begin() as tx:
        for act in (ACT, replace(ACT, act="resume", result="resumed", why=None), replace(ACT, about="all")):
            await tx.operating.record(act)
    found = await store.operating.acts()
    assert [act.about for act in found] == ["all", ACT.about, ACT.about]
    assert replace(found[2], id=None) == ACT
    assert [act.act for act in await store.operating.acts(about=ACT.about)] == ["resume", "pause"]
    assert [a.id for a in await store.operating.acts(before=found[0].id, limit=1)] == [found[1].id]
    assert [a.act for a in (await store.operating.acts_about([ACT.about]))[ACT.about]] == ["pause", "resume"]


async def test_a_row_is_dealt_with_once_until_its_bytes_come_again(store: SqlStore) -> None:
    await write(store, Changes(quarantine=[refused()]))
    ((row, end),) = await store.operating.quarantine(owner=None, whole=False, limit=10)
    assert end is None and row.body == b"" and row.id is not None
    done = QuarantineEnd(row.id, NOW, "wang", "王某", "closed", "已核对", row.count)
    assert await ended(store, done)
    assert not await ended(store, replace(done, user="li"))
    assert await store.operating.quarantine(owner=row.owner, whole=False, limit=10) == []
    ((_, end),) = await store.operating.quarantine(owner=row.owner, whole=True, limit=10)
    assert end == done == await store.operating.quarantine_end(row.id)

    await write(store, Changes(quarantine=[refused()]))
    ((again, _),) = await store.operating.quarantine(owner=None, whole=False, limit=10)
    assert (again.id, again.count) == (row.id, row.count + 1)
    assert await ended(store, replace(done, user="li", count=again.count))
    assert await store.operating.quarantine(owner=None, whole=False, limit=10) == []


async def ended(store: SqlStore, end: QuarantineEnd) -> bool:
    async with store.begin() as tx:
        return await tx.operating.end_quarantine(end)


async def test_what_the_broker_gave_up_is_dead_until_it_goes_again(store: SqlStore) -> None:
    await write(store, sendable(1))
    (row,) = await store.lease_outbox("me", NOW, TERM, 10)
    key = (row.sender, row.message_id)
    await write(store, Changes(outbox_dead=[key]))  # still on its way: it stays that
    assert await store.operating.dead(None, 10) == []
    async with store.begin() as tx:
        await tx.mark_sent([row.row_id], "me")
    await write(store, Changes(outbox_dead=[key]))
    (dead,) = await store.operating.dead(None, 10)
    assert (dead.sender, dead.message_id, dead.state, dead.reason) == (*key, "dead", "dead-lettered")
    assert await store.operating.dead(dead.receiver, 10) == [dead]
    assert await store.operating.dead("nobody-1", 10) == []
    async with store.begin() as tx:
        assert await tx.operating.dead([key]) == [dead]
        assert await tx.operating.dead([("another", key[1])]) == []
    await write(store, Changes(outbox_again=[key]))
    assert await store.operating.dead(None, 10) == []
    assert len(await store.lease_outbox("me", NOW, TERM, 10)) == 1


async def test_of_two_who_begin_a_plan_at_once_the_second_sees_the_first(store: SqlStore) -> None:
    plan = Plan(0, NOW, "wang", "王某", [{"message_id": "m1", "seqno": 1}], "d" * 64, "open")
    async with store.begin() as tx:
        number = await tx.operating.add_plan(plan)

    async def begin(user: str) -> str:
        async with store.begin() as tx:
            found = await tx.operating.plan(number)
            assert found is not None
            if found.state == "open":
                begun = replace(found, begun_at=NOW, begun_by=user, begun_person=user, state="running", outcomes=[])
                await tx.operating.put_plan(begun)
            return found.state

    assert sorted(await asyncio.gather(begin("li"), begin("zhao"))) == ["open", "running"]
    kept = await store.operating.plan(number)
    assert kept is not None and kept.items == plan.items and (kept.sent, kept.left) == (0, 1)
    done = replace(kept, state="done", outcomes=["sent"], ended_at=NOW, ended_by="li", ended_person="李某")
    async with store.begin() as tx:
        await tx.operating.put_plan(done)
    assert await store.operating.plans(5) == [done] == [await store.operating.plan(number)]
    assert (done.sent, done.left) == (1, 0)
    assert await store.operating.plan(number + 1) is None


async def test_incidents_of_one_party_newest_first(store: SqlStore) -> None:
    told = [Event(NOW, to, kind, detail=kind) for to in ("court-a", "court-b") for kind in ("incident", "state")]
    await write(store, Changes(events=[*told, Event(NOW, "court-a", "incident", detail="last")]))
    found = await store.operating.incidents("court-a", None, 10)
    assert [event.detail for event in found] == ["last", "incident"]
    assert await store.operating.incidents("court-a", found[0].id, 10) == found[1:]
    assert found[0].id is not None
    assert await store.operating.incident("court-a", found[0].id) == found[0]
    assert await store.operating.incident("court-b", found[0].id) is None


async def test_what_a_partner_said_last(store: SqlStore) -> None:
    before = await store.operating.partner_standing(POLICE, request(1).asker)
    assert (before.last_sent, before.last_answered, before.undelivered, before.dead) == (None, None, 0, 0)
    await write(store, sendable(1))
    said = message(2, sender=POLICE, receiver=request(1).asker, request_no=request(1).request_no, verb="progress",
                   seqno=1, disposition="applied", stored_at=NOW + TERM)  # fmt: skip
    await write(store, Changes(messages=[said]))
    after = await store.operating.partner_standing(POLICE, request(1).asker)
    assert (after.last_sent, after.last_delivered, after.last_answered) == (NOW, None, NOW + TERM)
    assert after.undelivered == 1
