"""Approvals, daily limits, subjects, groups, cases in the store; of two units about one object, one decides first."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.core.records import ApprovalRow, Changes, Measure, Release, ReleaseItem, SubjectUse
from gateway.store import SqlStore
from lianzhi.errors import ConflictError
from tests.contract.samples import COURT, NOW, measure, number, sendable, write

DAY = "20260324"
CASE = "（2026）陕0199执900001号"


def approval(n: int, approver: str = "sn0199-0003", **members: str) -> ApprovalRow:
    row = {"kind": "approval", "role": "bureau-chief", "decision": "approve", **members}
    return ApprovalRow(
        request_no=number(n), approver=approver, at=NOW, recorded_at=NOW, client="cms1", submission_id="s", **row
    )


async def test_approvals_come_back_in_the_order_in_which_they_were_recorded(store: SqlStore) -> None:
    await write(store, sendable(1, 2))
    second = approval(1, "sn0199-0001")
    second.recorded_at = NOW - timedelta(seconds=1)
    await write(store, Changes(approvals=[approval(1), second, approval(2), approval(1, kind="review")]))
    found = await store.approvals([number(1)])
    assert found[0] == second
    assert {(a.approver, a.kind) for a in found} == {
        ("sn0199-0001", "approval"),
        ("sn0199-0003", "approval"),
        ("sn0199-0003", "review"),
    }
    async with store.begin() as tx:
        assert len(await tx.approvals([number(1), number(2)])) == 4
        assert await tx.approvals([]) == []


async def test_one_person_decides_once(store: SqlStore) -> None:
    await write(store, sendable(1))
    await write(store, Changes(approvals=[approval(1)]))
    with pytest.raises(ConflictError, match="approval"):
        await write(store, Changes(approvals=[approval(1, decision="reject")]))


async def test_a_limit_is_counted_per_person_day_and_family(store: SqlStore) -> None:
    async def take(who: str = "a", day: str = DAY, what: str = "f") -> bool:
        async with store.begin() as tx:
            return await tx.take_use(COURT, who, day, what, 2)

    assert [await take() for _ in range(4)] == [True, True, False, False]
    assert await take(who="b")
    assert await take(day="20260325")
    assert await take(what="g")


async def test_what_is_rolled_back_was_not_used(store: SqlStore) -> None:
    with pytest.raises(RuntimeError):
        async with store.begin() as tx:
            assert await tx.take_use(COURT, "a", DAY, "f", 1)
            raise RuntimeError
    async with store.begin() as tx:
        assert await tx.take_use(COURT, "a", DAY, "f", 1)
    async with store.begin() as tx:
        assert not await tx.take_use(COURT, "a", DAY, "f", 0)


async def test_many_at_once_use_no_more_than_there_is(store: SqlStore) -> None:
    async def take() -> bool:
        async with store.begin() as tx:
            return await tx.take_use(COURT, "a", DAY, "f", 3)

    assert sum(await asyncio.gather(*(take() for _ in range(8)))) == 3


async def test_who_asked_about_the_same_is_found_again(store: SqlStore) -> None:
    await write(store, sendable(1, 2))
    old, new = (SubjectUse("k", number(n), f"h{n}", NOW - timedelta(days=40 - 30 * (n - 1))) for n in (1, 2))
    await write(store, Changes(subject_uses=[old, new, SubjectUse("other", number(1), "h1", NOW)]))
    async with store.begin() as tx:
        assert await tx.subject_uses(["k"], NOW - timedelta(days=30)) == [new]
        assert await tx.subject_uses([], NOW) == []


async def test_a_group_and_a_case_are_found_whole(store: SqlStore) -> None:
    changes = sendable(1, 2, 3)
    for request in changes.new_requests[:2]:
        request.group_no = number(1)
    for request in changes.new_requests:
        request.case_no = CASE
    changes.new_requests[2].asker = "court-sn0528"
    changes.new_measures.append(measure(1, case_no=CASE))
    await write(store, changes)
    async with store.begin() as tx:
        assert [r.request_no for r in await tx.lock_group(number(1), COURT)] == [number(1), number(2)]
        assert [r.request_no for r in await tx.lock_case(CASE, COURT)] == [number(1), number(2)]
        assert [m.case_no for m in await tx.case_measures(CASE, COURT)] == [CASE]


async def test_a_request_moves_to_another_case(store: SqlStore) -> None:
    changes = sendable(1)
    changes.new_requests[0].case_no = CASE
    await write(store, changes)
    request = await store.request(number(1))
    assert request is not None
    request.handler = "sn0199-0011"
    await write(store, Changes(requests=[request], case_changes=[(number(1), "new")]))
    moved = await store.request(number(1))
    assert moved is not None
    assert (moved.case_no, moved.handler, moved.rev) == ("new", "sn0199-0011", 1)


async def test_a_release_comes_back_with_its_items(store: SqlStore) -> None:
    release = Release(f"{COURT}-20260324-000900", COURT, CASE, "paid", "sn0199-0007", NOW, "s")
    items = [
        ReleaseItem(release.release_no, 1, "withdraw", number(1)),
        ReleaseItem(release.release_no, 2, "needs-hand", None, f"{number(1)}-1", "documents-missing"),
    ]
    await write(store, Changes(releases=[release], release_items=items))
    assert await store.release(release.release_no) == release
    assert await store.releases(CASE) == [release]
    assert await store.release_items(release.release_no) == items
    assert await store.release("nothing") is None


async def test_two_units_that_decide_about_one_object_decide_one_after_the_other(store: SqlStore) -> None:
    """A grace and a publication that it forbids: whoever comes second sees what the first has written."""
    key = "a" * 64
    await write(store, sendable(1, 2))
    has_it, comes, seen = asyncio.Event(), asyncio.Event(), []

    async def grace() -> None:
        async with store.begin() as tx:
            await tx.lock_objects([key])
            has_it.set()
            await comes.wait()
            for _ in range(30):  # time enough for the other to read, if nothing held it back
                await tx.documents_readable(COURT, ["nothing"])
            one: Measure = measure(1, action="grace", case_no=CASE, object_key=key)
            await tx.apply(Changes(new_measures=[one]))

    async def publication() -> None:
        await has_it.wait()
        comes.set()
        async with store.begin() as tx:
            await tx.lock_objects([key, "b" * 64])
            seen.extend(await tx.open_measures([(key, "grace", CASE)]))

    await asyncio.gather(grace(), publication())
    assert [m.action for m in seen] == ["grace"]
