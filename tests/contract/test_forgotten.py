"""Requests that a restore has lost, on both databases: kept, listed, proved by our own messages, and taken up.

`before` is the gateway whose database was lost, `after` the one that was restored: empty, with the same keys.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.application.recovery.doubts import submission_hash
from gateway.application.recovery.rebuild_request import Beside
from gateway.application.recovery.take_up import TakenUp, TakingUp
from gateway.bounds import Bounds
from gateway.core.records import Changes, Measure
from gateway.core.recovery.doubts import Doubt
from gateway.core.recovery.forgotten import Forgotten
from gateway.store import SqlStore, open_store
from lianzhi.errors import RejectedError
from schemas.catalogue import catalogue
from tests.api.test_read import RECEIPT, located
from tests.api.world import GRID, POLICE, Keys, World, grid_request, seal_request, serving
from tests.contract.samples import NOW, write

DELIVERED = {"stored_at": "2026-03-24T10:10:00+08:00", "system": "平台"}
LOCATED = dict(catalogue()["police.person-locate.request"].example_result)
WORDS: dict[str, Any] = {"delivered": DELIVERED, "receipt": RECEIPT, "result": LOCATED}


@dataclass
class Restored:
    """before: still there, to say things with. after: knows nothing of it."""

    before: World
    after: World

    async def says(self, request_no: str, verb: str, seqno: int) -> bytes:
        """What the partner says, to the one that forgot."""
        kept: list[bytes] = []

        async def keep(_: World, owner: str, body: bytes, routing_key: str = "") -> None:
            kept.append(body)

        request = await self.before.store.request(request_no)
        assert request is not None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(World, "deliver", keep)
            await self.before.reply(request_no, verb, WORDS[verb], seqno=seqno, sealed=verb == "result")
        await self.after.deliver(request.asked, kept[0])
        return kept[0]

    async def said(self, request_no: str, verb: str, seqno: int) -> bytes:
        """What the partner says, to both of them."""
        raw = await self.says(request_no, verb, seqno)
        request = await self.before.store.request(request_no)
        assert request is not None
        await self.before.deliver(request.asked, raw)
        return raw

    async def gives_back(
        self, request_no: str, verb: str = "open", *, by: str = GRID, raw: bytes | None = None
    ) -> None:
        message = await self.before.stored(request_no, verb)
        await self.after.deliver(by, raw or f"{message.jws}~{message.disclosure}~".encode())

    async def take_up(self, request_no: str, **beside: Any) -> TakenUp:
        return await TakingUp(self.after.context).take_up(request_no, Beside(**beside))

    async def state(self, request_no: str) -> str | None:
        found = await self.after.store.request(request_no)
        return found.state if found is not None else None


@pytest_asyncio.fixture
async def both(store: SqlStore, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Restored]:
    lost = shutil.copy(sqlite_template, tmp_path / "lost.db")
    first, keys = await open_store(f"sqlite:///{lost}"), Keys.fresh()
    bounds = Bounds(forgotten_per_partner=4)
    async with (
        serving(first, tmp_path / "papers", keys) as before,
        serving(store, tmp_path / "papers", keys, bounds=bounds) as after,
    ):
        yield Restored(before, after)
    await first.close()


async def measures_of(world: World, request_no: str) -> list[Measure]:
    async with world.store.begin() as tx:
        return await tx.measures_of(request_no)


async def asked(world: World) -> str:
    request_no = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    return request_no


async def test_what_was_kept_is_judged_in_order_once_the_request_is_proved(both: Restored) -> None:
    request_no = await asked(both.before)
    await both.says(request_no, "receipt", 2)
    await both.says(request_no, "delivered", 1)
    assert await both.state(request_no) is None
    with pytest.raises(RejectedError, match="not-provable"):
        await both.take_up(request_no)
    await both.gives_back(request_no)
    await both.gives_back(request_no)
    (listed,) = await both.after.store.forgotten(10)
    assert (listed.request_no, listed.partner, listed.messages, listed.returned) == (request_no, GRID, 2, 1)
    assert listed.provable
    taken = await both.take_up(request_no)
    assert (taken.request.state, taken.applied, taken.refused, taken.stopped) == ("received", 3, (), None)
    assert await both.after.store.forgotten(10) == []
    now, then = await both.after.store.request(request_no), await both.before.store.request(request_no)
    assert now is not None
    assert then is not None
    same = ("type", "asker", "asked", "shape", "lane", "refs", "asker_seq", "reply_key", "related", "group_no")
    assert {name: getattr(now, name) for name in same} == {name: getattr(then, name) for name in same}
    assert now.marks["open"] == then.marks["open"]
    assert now.facts["due"]["at"] == then.facts["due"]["at"], "its term counts from when it was said"
    await both.gives_back(request_no)
    assert await both.after.store.forgotten(10) == [], "what is known changes nothing"
    fresh = await asked(both.after)
    assert fresh > request_no, "its number is never given again"


async def test_only_the_receiver_of_our_very_bytes_is_believed(both: Restored) -> None:
    request_no = await asked(both.before)
    await both.gives_back(request_no, by=POLICE)
    message = await both.before.stored(request_no, "open")
    await both.gives_back(request_no, raw=f"{message.jws[:-3]}AAA~{message.disclosure}~".encode())
    await both.gives_back(request_no, raw=f"{message.jws}~{(message.disclosure or '')[:-4]}AAAA~".encode())
    assert await both.after.store.forgotten(10) == []


async def test_a_seal_stands_again_with_its_measure_only_by_what_the_court_system_signed(both: Restored) -> None:
    before = both.before
    await before.put_pdf()
    signed = before.signed(seal_request())
    request_no = await before.accepted(await before.post("/v1/requests", signed.raw, content_type="application/sd-jwt"))
    await before.sent()
    await both.says(request_no, "delivered", 1)
    digest = submission_hash(signed.raw)
    assert digest is not None
    doubt = Doubt("cms1", "k", "court", "/v1/requests", "f", NOW, submissionhash=digest)
    async with both.after.store.begin() as tx:
        assert await tx.note_doubt(doubt, 10)
    await both.gives_back(request_no, by=POLICE)
    assert await both.after.store.submitted_as(digest) == [request_no]
    settled = await both.after.store.doubt("cms1", "k")
    assert settled is not None
    assert (settled.state, settled.request_no) == ("refused", request_no)
    other = before.signed(seal_request())
    for beside in ({}, {"submission": other.raw}, {"submission": b"\xff"}):
        with pytest.raises(RejectedError, match="not-provable"):
            await both.take_up(request_no, **beside)
    taken = await both.take_up(request_no, submission=signed.raw)
    assert taken.request.state == "delivered"
    was = await before.store.request(request_no)
    assert was is not None
    same = ("handler", "case_no", "client", "submission_id", "refs")
    assert [getattr(taken.request, name) for name in same] == [getattr(was, name) for name in same]
    measures = await measures_of(before, request_no)
    assert measures
    assert await measures_of(both.after, request_no) == measures
    again = await both.after.post("/v1/requests", signed.raw, content_type="application/sd-jwt")
    assert (again.status, again.json["request_no"]) == (202, request_no)


async def test_without_its_measure_a_seal_stands_again_where_a_person_says_so_and_is_told(both: Restored) -> None:
    await both.before.put_pdf()
    request_no = await both.before.accepted(await both.before.submit_signed(seal_request()))
    await both.before.sent()
    await both.gives_back(request_no, by=POLICE)
    taken = await both.take_up(request_no, without_measures=True)
    assert taken.request.state == "dispatched"
    assert await measures_of(both.after, request_no) == []
    feed = (await both.after.get("/v1/events")).json["events"]
    assert "taken-up-without-measures" in {(event.get("head") or {}).get("reason") for event in feed}


async def place_confirmed(both: Restored) -> tuple[str, bytes]:
    """The police said where somebody is, and the court confirmed; all is kept but the content of the place."""
    request_no = await located(both.before)
    await both.said(request_no, "delivered", 1)
    place = await both.said(request_no, "result", 2)
    confirm = {"verb": "confirm", "by": "sn0199-0007"}
    assert (await both.before.post(f"/v1/requests/{request_no}/messages", confirm)).status == 202
    await both.gives_back(request_no, by=POLICE)
    return request_no, place


async def test_what_follows_a_place_waits_for_it_and_goes_on_by_itself(both: Restored) -> None:
    """The content of a place is not kept: our `confirm`, which answers it, cannot go before it comes again."""
    request_no, place = await place_confirmed(both)
    await both.gives_back(request_no, "confirm", by=POLICE)
    for _ in range(2):  # again while it waits changes nothing
        taken = await both.take_up(request_no, without_measures=True)
        assert taken.stopped is None
        assert taken.waits_for is not None
        assert (taken.request.state, taken.waits_for.verb, taken.waits_for.seqno) == ("delivered", "result", 2)
        (listed,) = await both.after.store.forgotten(10)
        assert (listed.provable, listed.waiting) == (True, True)
    await both.after.deliver(POLICE, place)
    assert await both.state(request_no) == "closed"
    assert await both.after.store.forgotten(10) == []
    request = await both.after.store.request(request_no)
    assert request is not None
    assert (request.asker_seq, request.asked_seq) == (2, 2)


async def test_our_own_word_that_comes_back_before_what_it_answers_waits_too(both: Restored) -> None:
    """The request is taken up before its `confirm` is given back; the two come in one batch or one after the other."""
    request_no, place = await place_confirmed(both)
    assert (await both.take_up(request_no, without_measures=True)).waits_for is not None
    await both.gives_back(request_no, "confirm", by=POLICE)
    assert await both.state(request_no) == "delivered"
    await both.after.deliver(POLICE, place)
    assert await both.state(request_no) == "closed"
    assert await both.after.store.forgotten(10) == []


async def test_what_the_partner_said_after_a_place_is_judged_in_its_turn(both: Restored) -> None:
    """Both are said again; what was kept of the second is not judged before the first, nor twice."""
    request_no, place = await place_confirmed(both)
    await both.gives_back(request_no, "confirm", by=POLICE)
    later = await both.says(request_no, "receipt", 3)
    taken = await both.take_up(request_no, without_measures=True)
    assert taken.waits_for is not None and taken.refused == ()
    await both.after.deliver(POLICE, later)
    await both.after.deliver(POLICE, place)
    assert await both.after.store.forgotten(10) == []
    request = await both.after.store.request(request_no)
    assert request is not None
    assert (request.state, request.asker_seq, request.asked_seq) == ("closed", 2, 3)


async def test_a_word_of_ours_that_is_missing_in_between_lets_the_rest_go_on_when_it_comes(both: Restored) -> None:
    request_no = await asked(both.before)
    for level in (1, 2):
        urge = {"verb": "urge", "by": "sn0199-0007", "data": {"level": level}}
        assert (await both.before.post(f"/v1/requests/{request_no}/messages", urge)).status == 202
    first, second = [m for m in await both.before.store.messages(request_no) if m.verb == "urge"]
    await both.gives_back(request_no)
    await both.gives_back(request_no, raw=f"{second.jws}~{second.disclosure}~".encode())
    taken = await both.take_up(request_no)
    assert taken.stopped is not None
    assert [error.rule for error in taken.stopped.errors] == ["own-number-missing"]
    await both.gives_back(request_no, raw=f"{first.jws}~{first.disclosure}~".encode())
    assert await both.after.store.forgotten(10) == []
    assert sorted(m.seqno or 0 for m in await both.after.store.messages(request_no)) == [1, 2, 3]


async def test_our_own_later_words_come_back_too(both: Restored) -> None:
    """Into a request that is there they go at once; a number that was used meanwhile is an incident."""
    before, after = both.before, both.after
    request_no = await asked(before)
    urge = {"verb": "urge", "by": "sn0199-0007", "data": {"level": 1, "note": "请尽快"}}
    assert (await before.post(f"/v1/requests/{request_no}/messages", urge)).status == 202
    await both.gives_back(request_no)
    assert (await both.take_up(request_no)).request.asker_seq == 1
    await both.gives_back(request_no, "urge")
    request = await after.store.request(request_no)
    assert request is not None
    assert (request.asker_seq, request.marks["urge"][0]) == (2, (await before.stored(request_no, "urge")).id)
    assert (await before.post(f"/v1/requests/{request_no}/messages", urge | {"data": {"level": 2}})).status == 202
    assert (await after.post(f"/v1/requests/{request_no}/messages", urge | {"data": {"level": 2}})).status == 202
    theirs = next(m for m in await before.store.messages(request_no) if m.seqno == 3)
    await both.gives_back(request_no, raw=f"{theirs.jws}~{theirs.disclosure}~".encode())
    events = (await after.get(f"/v1/requests/{request_no}/timeline")).json["events"]
    assert "sequence-reused:urge:3" in {event.get("detail") for event in events}


async def test_what_is_kept_has_bounds_and_is_counted_by_partner(both: Restored) -> None:
    numbers = [await asked(both.before) for _ in range(5)]
    for request_no in numbers:
        await both.says(request_no, "delivered", 1)
    assert [one.request_no for one in await both.after.store.forgotten(10)] == numbers[:4]
    assert (await both.after.store.counts())["forgotten"] == {GRID: 4}
    reached = both.after.context.reached.counts()
    assert reached["forgotten_per_partner", GRID] == 1
    async with both.after.store.begin() as tx:
        kept = await tx.forgotten_of(numbers[0])
        assert await tx.forgotten_totals(GRID) == (4, sum(m.size for m in await all_of(both, numbers)))
        assert await tx.end_forgotten(kept, None) == 1
    await both.says(numbers[4], "delivered", 1)
    assert [one.request_no for one in await both.after.store.forgotten(10)] == numbers[1:]


async def all_of(both: Restored, numbers: list[str]) -> list[Forgotten]:
    return [one for request_no in numbers for one in await both.after.store.forgotten_of(request_no)]


async def test_the_same_bytes_are_kept_once_for_each_owner(store: SqlStore) -> None:
    one = Forgotten(GRID, "d", "court-sn0199-20260324-000001", GRID, "m", "delivered", 1, "o", None, b"x", 1, NOW, NOW)
    for _ in range(2):
        await write(
            store, Changes(forgotten=[one, replace(one, owner=POLICE, sender=POLICE, at=NOW + timedelta(seconds=1))])
        )
    assert [(f.partner, f.messages) for f in await store.forgotten(10)] == [(GRID, 1), (POLICE, 1)]
