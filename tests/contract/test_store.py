"""`ports.Store` on both databases: what goes in comes out, what must be unique is, nothing is half written."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from gateway.application.ports.conversations import KnownMessage
from gateway.application.ports.lists import RequestFilter
from gateway.core.records import Changes, Event, Message, Naming, PartnerVersion, Request
from gateway.store import SqlStore
from gateway.store.tables import metadata
from lianzhi.errors import ConflictError, MisuseError
from tests.contract.samples import (
    COURT,
    GRID,
    MINUTE,
    NOW,
    POLICE,
    document,
    event,
    held,
    measure,
    message,
    number,
    outbox,
    refused,
    remembered,
    request,
    sendable,
    submission,
    timer,
    write,
)
from tests.stored import measures_in, readers_of


async def all_rows(store: SqlStore) -> dict[str, list[Any]]:
    """Every table's rows, to see that nothing was written."""
    async with store.database.engine.connect() as connection:
        return {name: list((await connection.execute(table.select())).all()) for name, table in metadata.tables.items()}


# --- records


async def test_a_request_comes_back_as_it_was(store: SqlStore) -> None:
    full = request(1)
    bare = Request(number(2), "t", 1, "ask", "approved", COURT, POLICE, NOW, NOW)
    await write(store, Changes(new_requests=[full, bare]))
    assert await store.request(number(1)) == full
    assert await store.request(number(2)) == bare
    assert await store.request(number(3)) is None
    async with store.begin() as unit:
        assert await unit.lock_requests([number(2), number(9), number(1), number(2)]) == {
            number(1): full,
            number(2): bare,
        }


async def test_messages_come_back_as_they_were(store: SqlStore) -> None:
    ours = message(1)
    theirs = message(2, sender=POLICE, request_no=number(1), disclosure=None, answer_id=None, stored_at=NOW + MINUTE)
    outside = message(3, request_no=None, seqno=None)
    await write(store, Changes(messages=[theirs, ours, outside]))
    assert await store.messages(number(1)) == [ours, theirs]


async def test_submissions_come_back_as_they_were(store: SqlStore) -> None:
    await write(store, Changes(submissions=[submission(1), submission(2, sender=GRID)]))
    async with store.begin() as unit:
        found = await unit.submissions([(COURT, "submission-1"), (COURT, "submission-2"), (GRID, "submission-2")])
        assert await unit.submissions([]) == {}
    assert found == {(COURT, "submission-1"): submission(1), (GRID, "submission-2"): submission(2, sender=GRID)}


async def test_members_of_a_group_share_the_submission_that_opened_them(store: SqlStore) -> None:
    members = [request(n, submission_id="submission-1") for n in (1, 2)]
    answered = submission(3, request_no=number(2), id="later")
    await write(store, Changes(new_requests=members, submissions=[submission(1), answered]))
    assert await store.submission_of(number(1)) == submission(1)
    assert await store.submission_of(number(2)) == submission(1)
    assert await store.submission_of(number(3)) is None


async def test_idempotency_rows_come_back_as_they_were(store: SqlStore) -> None:
    bare = remembered("key-2", client="other", location=None, request_no=None)
    await write(store, Changes(idempotency=[remembered(), bare]))
    found, _ = await store.remembered([("cms", "key-1"), ("cms", "key-2"), ("other", "key-2")], [])
    assert found == {("cms", "key-1"): remembered(), ("other", "key-2"): bare}


async def test_an_instant_is_exact_and_compares_across_offsets(store: SqlStore) -> None:
    shanghai = timezone(timedelta(hours=8))
    local = datetime(2026, 3, 24, 0, 0, 0, 1, tzinfo=shanghai)
    await write(store, Changes(new_requests=[request()], timers=[timer(due_at=local)]))
    async with store.begin() as unit:
        microsecond = timedelta(microseconds=1)
        assert await unit.due_timers(local.astimezone(NOW.tzinfo) - microsecond, 10) == []
        [found] = await unit.due_timers(local, 10)
    assert found.due_at == local
    assert found.due_at.utcoffset() == timedelta(0)


async def test_a_naive_instant_is_refused(store: SqlStore) -> None:
    with pytest.raises(TypeError):
        await write(store, Changes(new_requests=[request(created_at=datetime(2026, 3, 24))]))


# --- writing


async def test_every_field_of_changes_is_written_in_the_order_of_the_fields(store: SqlStore) -> None:
    names = [f.name for f in fields(Changes)]
    looked_at: dict[str, None] = {}

    class Watched(Changes):
        def __getattribute__(self, name: str) -> Any:
            if name in names:
                looked_at[name] = None
            return super().__getattribute__(name)

    changes = Watched()
    looked_at.clear()
    await write(store, changes)
    assert list(looked_at) == names


async def test_an_update_changes_everything_but_what_identifies_the_conversation(store: SqlStore) -> None:
    await write(store, Changes(new_requests=[request()]))
    changed = request(
        state="completed",
        updated_at=NOW + MINUTE,
        lane="normal",
        handler=None,
        reply_key=None,
        reason=None,
        asker_seq=4,
        asked_seq=5,
        held=0,
        refs=[],
        marks={"result": ["m", "d"]},
        facts={},
    )
    await write(store, Changes(requests=[changed]))
    assert await store.request(number(1)) == replace(changed, rev=1)


async def test_an_update_of_another_revision_is_a_conflict_and_nothing_is_written(store: SqlStore) -> None:
    await write(store, Changes(new_requests=[request(1), request(2)]))
    await write(store, Changes(requests=[request(2)]))
    before = await all_rows(store)
    stale = Changes(requests=[request(1, state="closed"), request(2, state="closed")], events=[event()])
    with pytest.raises(ConflictError) as caught:
        await write(store, stale)
    assert caught.value.constraint == "request-rev"
    assert await all_rows(store) == before
    stale.requests[1].rev = 1
    await write(store, stale)
    assert {r.state for r in await store.requests(RequestFilter())} == {"closed"}


async def test_an_update_of_an_absent_request_is_a_conflict(store: SqlStore) -> None:
    with pytest.raises(ConflictError, match="request-rev"):
        await write(store, Changes(requests=[request()]))


CONFLICTS = {
    "request-no": Changes(new_requests=[request(2), request(1)]),
    "message-id": Changes(messages=[message(9), message(1, request_no=number(2))]),
    "message-seqno": Changes(messages=[message(9), message(8, request_no=number(1))]),
    "submission-id": Changes(submissions=[submission(9), submission(1, client="another")]),
    "outbox-message": Changes(messages=[message(9)], outbox=[outbox(9), outbox(1)]),
    "idempotency-key": Changes(events=[event()], idempotency=[remembered("key-2"), remembered(status=200)]),
    "measure-no": Changes(new_measures=[measure(1, object_key="another")]),
    "open-measure": Changes(new_measures=[measure(2, object_key="object-1", state="requested", request_no=number(1))]),
}


@pytest.mark.parametrize("constraint", CONFLICTS)
async def test_what_must_be_unique_is_a_conflict_by_name_and_nothing_is_written(
    store: SqlStore, constraint: str
) -> None:
    first = sendable(1)
    first.extend(Changes(submissions=[submission()], idempotency=[remembered()], new_measures=[measure()]))
    await write(store, first)
    before = await all_rows(store)
    with pytest.raises(ConflictError) as caught:
        await write(store, CONFLICTS[constraint])
    assert caught.value.constraint == constraint
    assert await all_rows(store) == before


async def test_the_same_id_of_another_sender_client_or_case_is_no_conflict(store: SqlStore) -> None:
    first = sendable(1)
    first.extend(Changes(submissions=[submission()], idempotency=[remembered()], new_measures=[measure()]))
    await write(store, first)
    await write(
        store,
        Changes(
            messages=[message(1, sender=POLICE)],
            submissions=[submission(1, sender=GRID)],
            idempotency=[remembered(client="another")],
            new_measures=[
                measure(2, request_no=number(1), object_key="object-1", action="road-control"),
                measure(3, request_no=number(1), object_key="object-1", case_no="（2026）陕0114执124号"),
                measure(4, request_no=number(1), object_key="object-1", state="ended"),
            ],
        ),
    )
    await write(store, Changes(measures=[measure(1, state="ended")]))
    await write(store, Changes(new_measures=[measure(5, request_no=number(1), object_key="object-1")]))


async def test_messages_of_one_unit_are_read_in_the_order_in_which_it_stored_them(store: SqlStore) -> None:
    """A partner draws its ids; two of one millisecond may sort either way."""
    said = [message(n, sender=POLICE, seqno=4 - n, request_no=number(1)) for n in (3, 1, 2)]
    await write(store, Changes(messages=said))
    assert [m.id for m in await store.messages(number(1))] == [m.id for m in said]


async def test_a_message_without_seqno_uses_up_none(store: SqlStore) -> None:
    await write(store, Changes(messages=[message(1, seqno=None), message(2, request_no=number(1), seqno=None)]))
    assert len(await store.messages(number(1))) == 2


@pytest.mark.parametrize(
    "changes",
    [
        Changes(dispositions=[(COURT, "message-1", "applied")]),
        Changes(answers=[(COURT, "message-1", "answer")]),
        Changes(measures=[measure()]),
    ],
    ids=["disposition", "answer", "measure"],
)
async def test_changing_what_does_not_exist_is_our_own_fault(store: SqlStore, changes: Changes) -> None:
    with pytest.raises(MisuseError):
        await write(store, changes)


async def test_an_error_in_a_unit_takes_back_everything(store: SqlStore) -> None:
    before = await all_rows(store)
    with pytest.raises(ZeroDivisionError):
        async with store.begin() as unit:
            await unit.apply(sendable(1))
            raise ZeroDivisionError
    assert await all_rows(store) == before


async def test_a_unit_that_goes_on_after_a_failed_statement_is_not_committed(store: SqlStore) -> None:
    await write(store, Changes(new_requests=[request(1)]))
    with pytest.raises(MisuseError):
        async with store.begin() as unit:
            await unit.apply(Changes(new_requests=[request(2)]))
            with pytest.raises(ConflictError, match="request-no"):
                await unit.apply(Changes(new_requests=[request(1)]))
                await unit.lock_requests([number(1)])  # SQLite writes with the next statement
    with pytest.raises(MisuseError):
        async with store.begin() as unit:
            with pytest.raises(ConflictError, match="request-rev"):
                await unit.apply(Changes(new_requests=[request(3)], requests=[request(1, rev=9)]))
                await unit.lock_requests([number(1)])
    assert [r.request_no for r in await store.requests(RequestFilter())] == [number(1)]


async def test_a_cancelled_unit_takes_back_everything_and_lets_the_next_one_write(store: SqlStore) -> None:
    written, never = asyncio.Event(), asyncio.Event()

    async def unfinished() -> None:
        async with store.begin() as unit:
            await unit.apply(Changes(new_requests=[request(1)]))
            written.set()
            await never.wait()

    task = asyncio.create_task(unfinished())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await write(store, Changes(new_requests=[request(2)]))
    assert [r.request_no for r in await store.requests(RequestFilter())] == [number(2)]


async def test_units_on_one_request_follow_each_other(store: SqlStore) -> None:
    await write(store, Changes(new_requests=[request(held=0)]))

    async def count_up() -> None:
        async with store.begin() as unit:
            found = (await unit.lock_requests([number(1)]))[number(1)]
            found.held += 1
            await unit.apply(Changes(requests=[found]))

    await asyncio.gather(*(count_up() for _ in range(8)))
    counted = await store.request(number(1))
    assert counted is not None
    assert (counted.held, counted.rev) == (8, 8)


async def test_a_thousand_requests_share_a_commit(store: SqlStore) -> None:
    await write(store, sendable(*range(1, 1001)))
    assert (await store.counts())["outbox"] == {"ready": 1000}
    async with store.begin() as unit:
        locked = await unit.lock_requests([number(n) for n in range(1, 1001)])
        await unit.apply(Changes(requests=list(locked.values())))
    assert list(locked) == sorted(locked)


# --- what intake asks


async def test_known_messages_tell_what_we_hold(store: SqlStore) -> None:
    await write(
        store,
        Changes(messages=[message(1, sender=POLICE, answer_id=None), message(2, sender=GRID, request_no=None)]),
    )
    await write(
        store,
        Changes(
            dispositions=[(POLICE, "message-1", "held"), (POLICE, "message-1", "applied")],
            answers=[(POLICE, "message-1", "answer-1")],
        ),
    )
    keys = [(POLICE, "message-1"), (GRID, "message-1"), (GRID, "message-2"), (POLICE, "message-3")]
    async with store.begin() as unit:
        assert await unit.known([]) == {}
        assert await unit.known(keys) == {
            (POLICE, "message-1"): KnownMessage("digest-1", "applied", "answer-1", number(1), POLICE),
            (GRID, "message-2"): KnownMessage("digest-2", "sent", "answer", None, POLICE),
        }


async def test_what_waits_is_asked_for_by_its_number_and_never_read_whole(store: SqlStore) -> None:
    def early(n: int, **other: Any) -> Message:
        mine = {"sender": POLICE, "request_no": number(1), "seqno": n, "disposition": "held"}
        return message(n, stored_at=NOW + n * MINUTE, **(mine | other))

    await write(
        store,
        Changes(
            messages=[early(4, jws="j" * 900, disclosure="d" * 900), early(2), early(5, sender=COURT)],
            held=[held(4, size=1802), held(2), held(5, sender=COURT), held(9, request_no=number(2))],
        ),
    )
    async with store.begin() as unit:
        assert await unit.held_after(number(1), POLICE, 0) == [held(2), held(4, size=1802)]
        assert await unit.held_after(number(1), POLICE, 2) == [held(4, size=1802)]
        assert await unit.held_at(number(1), POLICE, 2) == held(2)
        assert await unit.held_at(number(1), POLICE, 3) is None
        assert [await unit.held_count(number(n), POLICE) for n in (1, 2, 3)] == [2, 1, 0]
        assert await unit.held_totals(POLICE) == (3, 1802 + 2 * held().size)
        assert await unit.held_totals(GRID) == (0, 0)
        assert await unit.message(POLICE, "message-4") == early(4, jws="j" * 900, disclosure="d" * 900)
        assert await unit.message(COURT, "message-4") is None
        assert await unit.message_start(POLICE, "message-4", 902) == b"j" * 900 + b"~d"
        assert await unit.message_start(POLICE, "message-4", 100) == b"j" * 100
        assert await unit.message_start(POLICE, "message-2", 1000) == b"head.body2.signature~disclosure2~"
        assert await unit.message_start(POLICE, "message-3", 10) == b""
        assert await unit.seqno_owner(number(1), POLICE, 4) == "message-4"
        assert await unit.seqno_owner(number(1), COURT, 4) is None
    over = [(POLICE, number(1), 2)]
    await write(store, Changes(held_over=over, dispositions=[(POLICE, "message-2", "applied")]))
    async with store.begin() as unit:
        assert await unit.held_after(number(1), POLICE, 0) == [held(4, size=1802)]


async def test_a_partners_version_is_the_one_it_said_last(store: SqlStore) -> None:
    async with store.begin() as unit:
        assert await unit.notice_version(POLICE) is None
        await unit.apply(Changes(partner_versions=[PartnerVersion(POLICE, n, NOW) for n in (1, 2)]))
    await write(store, Changes(partner_versions=[PartnerVersion(GRID, 2, NOW), PartnerVersion(POLICE, 1, NOW)]))
    async with store.begin() as unit:
        assert [await unit.notice_version(code) for code in (POLICE, GRID, COURT)] == [1, 2, None]


async def test_number_blocks_start_at_one_and_never_overlap(store: SqlStore) -> None:
    async def take(opener: str, day: str) -> int:
        async with store.begin() as unit:
            return await unit.take_number_block(opener, day, 100)

    taken = await asyncio.gather(*(take(COURT, "20260324") for _ in range(6)))
    assert sorted(taken) == [1, 101, 201, 301, 401, 501]
    assert [await take(COURT, "20260325"), await take(GRID, "20260324")] == [1, 1]


async def test_a_notice_goes_once_for_the_same_bytes_and_few_times_a_minute(store: SqlStore) -> None:
    async def ask(owner: str, sha256: str, minutes: float = 0) -> str:
        async with store.begin() as unit:
            return await unit.admit_notice(owner, sha256, NOW + minutes * MINUTE, 3)

    assert [await ask(POLICE, "a"), await ask(POLICE, "a"), await ask(GRID, "a")] == ["free", "told", "free"]
    assert [await ask(POLICE, "b"), await ask(POLICE, "c"), await ask(POLICE, "d")] == ["free", "free", "full"]
    assert [await ask(POLICE, "d", 1.01), await ask(POLICE, "a", 1.01)] == ["free", "told"]


# --- timers


async def test_timers_are_set_again_and_cleared(store: SqlStore) -> None:
    await write(store, Changes(new_requests=[request(1), request(2)]))
    await write(store, Changes(timers=[timer(1), timer(1, kind="gap"), timer(2), timer(2, count=5)]))
    await write(
        store,
        Changes(timers=[timer(1, due_at=NOW - MINUTE, count=9)], timers_clear=[(number(1), "gap"), (number(7), "gap")]),
    )
    async with store.begin() as unit:
        assert await unit.due_timers(NOW, 10) == [timer(1, due_at=NOW - MINUTE, count=9), timer(2, count=5)]
        assert await unit.due_timers(NOW, 1) == [timer(1, due_at=NOW - MINUTE, count=9)]
    assert (await store.counts())["timers"] == {"redeliver": 2}


async def test_a_timer_may_run_for_a_request_that_is_not_there_yet(store: SqlStore) -> None:
    await write(store, Changes(new_requests=[request(1)], timers=[timer(1), timer(7, kind="gap:asker")]))
    async with store.begin() as unit:
        assert await unit.due_timers(NOW, 10) == [timer(1), timer(7, kind="gap:asker")]


# --- measures, documents, quarantine


async def test_measures_are_found_by_object_control_request_and_case(store: SqlStore) -> None:
    waiting = measure(2, state="requested", action="road-control", control_no=None, rank=None, start_on=None)
    ended = measure(3, state="ended", object_key="object-1", control_no="control-1")
    await write(
        store,
        Changes(new_requests=[request(n) for n in (1, 2, 3)], new_measures=[measure(1), waiting, ended]),
    )
    case_no = measure().case_no
    async with store.begin() as unit:
        keys = [("object-1", "seal", case_no), ("object-2", "road-control", case_no), ("object-2", "seal", case_no)]
        assert await unit.open_measures(keys) == [measure(1), waiting]
        assert await unit.open_measures([("object-1", "seal", "another")]) == []
        assert await unit.live_measures(["object-1", "object-2"], "seal") == [measure(1)]
        assert await unit.live_measures(["object-2"], "road-control") == []
        assert await unit.measures_of(number(3)) == [ended]
        assert await unit.measure_by_control("control-1", POLICE, COURT) == measure(1)
        assert await unit.measure_by_control("control-1", GRID, COURT) is None
        await unit.apply(Changes(measures=[replace(waiting, state="active", rank=2, start_on="2026-03-25")]))
    assert [m.rank for m in await store.measures_of_case(COURT, case_no, ["active"])] == [1, 2]
    assert await measures_in(store, ["ended", "requested"]) == [ended]
    assert await store.measures_of_case(COURT, "another", ["active"]) == []


NEAR = "court-sn0115"
PAPER, PHOTO, NOWHERE = "a1" * 32, "b2" * 32, "c3" * 32


def named(n: int, sha256: str, by: str, other: str) -> Naming:
    return Naming(number(n), sha256, by, other)


async def test_a_document_is_read_by_who_put_it_and_whom_a_reader_names_it_to(store: SqlStore) -> None:
    requests = [request(1), request(2, asked=GRID), request(3, asker=GRID, asked=NEAR)]
    await write(store, Changes(new_requests=requests, documents=[document(PAPER)]))
    assert await readers_of(store, PAPER) == {COURT}
    await write(store, Changes(documents_named=[named(1, PAPER, COURT, POLICE), named(2, PAPER, COURT, GRID)]))
    assert await readers_of(store, PAPER) == {COURT, POLICE, GRID}
    await write(store, Changes(documents_named=[named(3, PAPER, GRID, NEAR)]))
    assert await readers_of(store, PAPER) == {COURT, POLICE, GRID, NEAR}
    assert await store.document(PAPER) == document(PAPER)
    async with store.begin() as unit:
        assert await unit.documents_readable(NEAR, [PAPER, PHOTO]) == {PAPER}
    assert await store.documents_readable("court-sn0999", [PAPER]) == set()


async def test_naming_what_one_cannot_read_counts_from_the_moment_that_one_puts_it(store: SqlStore) -> None:
    requests = [request(1), request(3, asker=GRID, asked=NEAR)]
    await write(store, Changes(new_requests=requests, documents=[document(PAPER)]))
    claims = [named(3, PAPER, GRID, NEAR), named(3, PAPER, NEAR, GRID), named(1, PHOTO, POLICE, COURT)]
    await write(store, Changes(documents_named=claims))
    assert await readers_of(store, PAPER) == {COURT}
    assert await readers_of(store, PHOTO) == set()
    later = replace(document(PAPER), put_by=GRID, media_type="image/png", at=NOW + MINUTE)
    await write(store, Changes(documents=[later]))
    assert await readers_of(store, PAPER) == {COURT, GRID, NEAR}
    assert await store.document(PAPER) == document(PAPER)
    assert await store.document_put(PAPER, GRID) == later
    assert await store.document_put(PAPER, COURT) == document(PAPER)
    assert await store.document_put(PAPER, NEAR) is None
    await write(store, Changes(documents=[replace(document(PHOTO), put_by=COURT)]))
    assert await readers_of(store, PHOTO) == {COURT}
    await write(store, Changes(documents=[replace(document(PHOTO), put_by=POLICE)]))
    assert await readers_of(store, PHOTO) == {COURT, POLICE}
    assert await store.document(NOWHERE) is None


async def test_a_name_and_a_put_at_once_do_not_miss_each_other(store: SqlStore) -> None:
    await write(store, Changes(new_requests=[request(1)]))
    await asyncio.gather(
        *(write(store, Changes(documents_named=[named(1, f"{n:064x}", POLICE, COURT)])) for n in range(20)),
        *(write(store, Changes(documents=[replace(document(f"{n:064x}"), put_by=POLICE)])) for n in range(20)),
    )
    readers = [await readers_of(store, f"{n:064x}") for n in range(20)]
    assert readers == [{POLICE, COURT}] * 20


async def test_the_same_bytes_in_quarantine_count_up(store: SqlStore) -> None:
    await write(store, Changes(quarantine=[refused(), refused(reason="stale"), refused(owner=GRID)]))
    await write(store, Changes(quarantine=[refused(at=NOW + MINUTE), refused(body_sha256="sha256-2", pointer=None)]))
    newest_first = await store.quarantine()
    assert [(q.owner, q.body_sha256, q.count) for q in newest_first] == [
        (POLICE, "sha256-2", 1),
        (GRID, "sha256-1", 1),
        (POLICE, "sha256-1", 3),
    ]
    first = newest_first[-1]
    assert first.id is not None
    assert first == refused(count=3, id=first.id)
    assert await store.quarantine_row(first.id) == first
    assert await store.quarantine_row(99) is None
    assert await store.quarantine(owner=GRID) == [newest_first[1]]
    assert await store.quarantine(limit=1) == newest_first[:1]
    assert (await store.counts())["quarantine"] == {"bad-signature": 3}
    async with store.begin() as unit:
        wanted = [(POLICE, "sha256-1"), (GRID, "sha256-1"), (GRID, "sha256-2"), (POLICE, "sha256-3")]
        assert await unit.quarantined(wanted) == set(wanted[:2])
        assert await unit.quarantined([]) == set()
        assert await unit.quarantined_since(POLICE, NOW - MINUTE, NOW, 10) == 2
        assert await unit.quarantined_since(POLICE, NOW - MINUTE, NOW, 1) == 1
        assert await unit.quarantined_since(POLICE, NOW + MINUTE, NOW + 2 * MINUTE, 10) == 0
        dated_later = await unit.quarantined_since(POLICE, NOW - 60 * MINUTE, NOW - MINUTE, 10)
        assert dated_later == 0, "by a clock that was ahead"


# --- the feed


async def test_what_is_destroyed_keeps_its_proof(store: SqlStore) -> None:
    kept, gone = message(1), message(2)
    gone.request_no, gone.seqno, gone.stored_at = kept.request_no, 2, NOW + MINUTE
    again = refused(owner=gone.sender, message_id=gone.id)
    await write(store, Changes(new_requests=[request()], messages=[kept, gone], quarantine=[again]))
    await write(store, Changes(destroyed=[(gone.sender, gone.id)]))
    found = {m.id: m for m in await store.messages(number(1))}
    assert found[kept.id] == kept
    assert found[gone.id] == replace(gone, disclosure=None)
    (row,) = await store.quarantine()
    assert (row.body, row.body_sha256, row.reason) == (b"", again.body_sha256, again.reason)


async def test_a_feed_holds_its_audience_in_order(store: SqlStore) -> None:
    bare = Event(NOW, POLICE, "notice")
    await write(store, Changes(events=[event(1), bare, event(2, audience=POLICE)]))
    await write(store, Changes(events=[event(3), event(1, audience=POLICE)]))
    ours = await store.events(COURT, 0, 10)
    theirs = await store.events(POLICE, 0, 10)
    assert ours == [event(1, id=ours[0].id), event(3, id=ours[1].id)]
    assert theirs[0] == replace(bare, id=theirs[0].id)
    cursors = [e.id for e in (*ours, *theirs)]
    assert sorted(cursors) == [ours[0].id, theirs[0].id, theirs[1].id, ours[1].id, theirs[2].id]  # type: ignore[type-var]
    assert ours[0].id is not None
    assert await store.events(COURT, ours[0].id, 10) == ours[1:]
    assert await store.events(POLICE, 0, 2) == theirs[:2]
    assert await store.first_event() == ours[0].id
    assert await store.last_event() == theirs[2].id
    assert await store.timeline(number(1)) == [ours[0], theirs[2]]


async def test_an_empty_feed_ends_at_zero(store: SqlStore) -> None:
    assert await store.last_event() == 0
    assert await store.events(COURT, 0, 10) == []


# --- reading


FILTERS: dict[str, tuple[RequestFilter, set[int]]] = {
    "all": (RequestFilter(), {1, 2, 3, 4, 5}),
    "asker": (RequestFilter(participant=GRID), {5}),
    "asked": (RequestFilter(participant="court-sn0115"), {2}),
    "both sides": (RequestFilter(participant=COURT), {1, 2, 3, 4, 5}),
    "asker by prefix only": (RequestFilter(participant="court"), set()),
    "case": (RequestFilter(case_no="（2026）陕0114执124号"), {3}),
    "type": (RequestFilter(type="grid.verify.request"), {4}),
    "state": (RequestFilter(state="closed"), {2, 3}),
    "receiver": (RequestFilter(receiver=POLICE), {1, 3, 4}),
    "group": (RequestFilter(group_no="g-2"), {4}),
    "several": (RequestFilter(participant=COURT, receiver=POLICE, state="closed"), {3}),
    "after": (RequestFilter(after=number(3)), {4, 5}),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_requests_are_filtered(store: SqlStore, name: str) -> None:
    rows = {
        1: request(1),
        2: request(2, asked="court-sn0115", state="closed"),
        3: request(3, case_no="（2026）陕0114执124号", state="closed"),
        4: request(4, type="grid.verify.request", group_no="g-2"),
        5: request(5, request_no=number(1, GRID), asker=GRID, asked=COURT),
    }
    await write(store, Changes(new_requests=list(rows.values())))
    where, expected = FILTERS[name]
    assert await store.requests(where) == [rows[n] for n in sorted(expected)]


@pytest.mark.parametrize("participant", [None, COURT, POLICE])
async def test_pages_hold_every_request_once(store: SqlStore, participant: str | None) -> None:
    opened_by_us = [request(n) for n in range(1, 8)]
    opened_by_them = [
        request(n, request_no=number(n, POLICE), asker=POLICE, asked=COURT, submission_id=None) for n in range(1, 6)
    ]
    await write(store, Changes(new_requests=[*opened_by_them, *opened_by_us]))
    where = RequestFilter(participant=participant, limit=5)
    seen: list[str] = []
    while page := await store.requests(where):
        assert len(page) <= 5
        seen += [r.request_no for r in page]
        where = replace(where, after=seen[-1])
    assert seen == sorted(r.request_no for r in (*opened_by_us, *opened_by_them))


async def test_counts_are_for_metrics(store: SqlStore) -> None:
    await write(store, sendable(1, 2, 3))
    await write(store, Changes(new_requests=[request(4, state="closed"), request(5, state="closed")]))
    [leased] = await store.lease_outbox("w", NOW, MINUTE, 1)
    async with store.begin() as unit:
        await unit.mark_sent([leased.row_id], "w")
    assert await store.counts() == {
        "requests": {"police.vehicle-info.query|approved": 3, "police.vehicle-info.query|closed": 2},
        "outbox": {"ready": 2},
        "paused": {},
        "quarantine": {},
        "early": {},
        "forgotten": {},
        "pages": {},
        "timers": {},
    }


async def test_the_database_tells_the_time(store: SqlStore) -> None:
    await store.ping()
    now = await store.now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(now.tzinfo)) < MINUTE
