"""What waits to be sent: how much, and since when; on both databases."""

from __future__ import annotations

from datetime import timedelta

from gateway.core.records import Changes, FailedMessage
from gateway.store import SqlStore
from tests.contract.samples import NOW, message, outbox, request


async def write(store: SqlStore, changes: Changes) -> None:
    async with store.begin() as tx:
        await tx.apply(changes)


async def test_nothing_waits_in_an_empty_store(store: SqlStore) -> None:
    assert await store.backlog() == 0
    assert await store.oldest_unsent() is None


async def test_what_waits_is_counted_until_it_is_sent(store: SqlStore) -> None:
    times = [NOW, NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)]
    await write(
        store,
        Changes(
            new_requests=[request(n) for n in (1, 2, 3)],
            messages=[message(n, stored_at=times[n - 1]) for n in (1, 2, 3)],
            outbox=[outbox(n) for n in (1, 2, 3)],
        ),
    )
    assert await store.backlog() == 3
    assert await store.oldest_unsent() == times[0]
    (first,) = await store.lease_outbox("me", times[0], timedelta(seconds=30), 1)
    assert await store.backlog() == 3
    async with store.begin() as tx:
        await tx.mark_sent([first.row_id], "me")
    assert await store.backlog() == 2
    assert await store.oldest_unsent() == times[1]


async def test_what_is_parked_has_an_age_but_does_not_wait(store: SqlStore) -> None:
    await write(
        store,
        Changes(new_requests=[request()], messages=[message()], outbox=[outbox()]),
    )
    (row,) = await store.lease_outbox("me", NOW, timedelta(seconds=30), 1)
    async with store.begin() as tx:
        await tx.mark_failed([FailedMessage(row.row_id, NOW, "unroutable", park=True)], "me")
    assert await store.backlog() == 0
    assert await store.oldest_unsent() == NOW
