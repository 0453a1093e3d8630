"""What is counted against one participant, and read page by page, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateway.core.records import Changes, Naming
from gateway.store import SqlStore
from tests.contract.samples import COURT, GRID, MINUTE, NOW, POLICE, document, event, message, number, request, write


async def put(store: SqlStore, name: str, size: int, by: str = POLICE) -> None:
    row = replace(document(name), size=size, put_by=by)
    async with store.begin() as unit:
        await unit.apply(Changes(documents=[row]))
        await unit.wait_for_name(row)


async def test_what_no_request_names_is_counted_by_who_put_it(store: SqlStore) -> None:
    assert await store.documents_unnamed(POLICE) == (0, 0)
    await write(store, Changes(new_requests=[request()], documents_named=[Naming(number(1), "fade", POLICE, COURT)]))
    for name, size in (("a", 5), ("b", 1 << 40), ("fade", 7)):
        await put(store, name, size)
    await put(store, "c", 1, GRID)
    assert await store.documents_unnamed(POLICE) == (2, 5 + (1 << 40))
    assert await store.documents_unnamed(GRID) == (1, 1)
    await write(store, Changes(documents_named=[Naming(number(1), "b", POLICE, COURT)]))
    assert await store.documents_unnamed(POLICE) == (1, 5)
    await put(store, "d", 2)
    assert await store.documents_unnamed(POLICE) == (2, 7)


async def test_a_token_is_used_once_until_its_time_is_over(store: SqlStore) -> None:
    async def use(who: str, jti: str, minutes: int = 0, most: int = 10) -> bool | None:
        async with store.begin() as unit:
            return await unit.use_token(who, jti, NOW + minutes * MINUTE, NOW + (minutes + 5) * MINUTE, most)

    assert await use(POLICE, "one") is True
    assert await use(POLICE, "one") is False
    assert await use(GRID, "one") is True
    assert await use(POLICE, "two", most=1) is None
    assert await use(POLICE, "two", most=2) is True
    assert await use(POLICE, "one", minutes=4) is False
    assert await use(POLICE, "one", minutes=5, most=1) is True


async def test_of_many_who_use_one_token_at_once_one_does(store: SqlStore) -> None:
    async def use() -> bool | None:
        async with store.begin() as unit:
            return await unit.use_token(POLICE, "one", NOW, NOW + MINUTE, 10)

    used = await asyncio.gather(*(use() for _ in range(8)))
    assert sorted(map(bool, used)) == [False] * 7 + [True]


async def test_whose_feeds_have_news(store: SqlStore) -> None:
    await write(store, Changes(events=[event(1), event(2, audience=POLICE)]))
    last = await store.last_event()
    assert await store.audiences(0, last) == {COURT, POLICE}
    await write(store, Changes(events=[event(3), event(4)]))
    assert await store.audiences(last, await store.last_event()) == {COURT}
    assert await store.audiences(last, last) == set()


async def test_messages_and_timelines_are_read_page_by_page(store: SqlStore) -> None:
    found = [message(n, request_no=number(1), stored_at=NOW + n // 2 * MINUTE, seqno=n) for n in range(1, 8)]
    hidden = message(9, request_no=number(1), seqno=9, disposition="quarantined")
    events = [event(n, request_no=number(1)) for n in range(5)]
    theirs = event(9, request_no=number(1), audience=POLICE)
    await write(store, Changes(new_requests=[request()], events=[*events, theirs]))
    for one in (*found, hidden):  # each in a unit of its own: two of one moment keep it
        await write(store, Changes(messages=[one]))
    whole = sorted(found, key=lambda m: (m.stored_at, m.id))
    read, after = [], (NOW - MINUTE, "")
    while page := await store.message_page(number(1), after, 2):
        assert len(page) <= 2
        read += page
        after = (page[-1].stored_at, page[-1].id)
    assert read == whole
    lines, last = [], 0
    while part := await store.timeline_page(number(1), COURT, last, 2):
        lines += part
        last = part[-1].id or 0
    assert lines == [e for e in await store.timeline(number(1)) if e.audience == COURT]
