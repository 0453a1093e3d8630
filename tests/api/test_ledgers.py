"""Ledgers over the API: what the court records, and what requests and answers enter by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.application.conversation.ledger_entries import book_answer, book_opening, book_state
from gateway.core.records import Changes, Request
from gateway.core.routing import Participant
from gateway.store import SqlStore
from schemas.catalogue import Kind, catalogue
from schemas.law.force import SHIPPED, put_in_force
from schemas.law.reading import read_law
from schemas.ledgers import LedgerEntry
from tests.api.world import (
    CASE,
    COURT,
    NOW,
    PDF_SHA,
    POLICE,
    Keys,
    Reply,
    World,
    document,
    locate_request,
    participants,
    seal_request,
    serving,
)

PROCURATORATE = "procuratorate-610199"
LEAD = "refusal.lead.transfer"
MET = {"item": "1", "on": "2025-11-03"}
RESUMED = "（2026）陕0199执恢900001号"


def parties() -> list[Participant]:
    ours, neighbour, police, *others = participants()
    police = replace(police, accepts=(*police.accepts, "refusal.*"))
    copy = Participant(
        code=PROCURATORATE,
        kind=Kind.PROCURATORATE,
        zh="云川县人民检察院（演示）",
        en="Procuratorate (demo)",
        channel="amqp",
        dialect="plain/1",
        accepts=("refusal.*",),
    )
    return [ours, neighbour, police, *others, copy]


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys.fresh(PROCURATORATE)


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path, keys: Keys) -> AsyncIterator[World]:
    async with serving(store, tmp_path / "papers", keys, parties=parties()) as world:
        await world.put_pdf()
        yield world


def closure(event: str = "closed", on: str = "2026-03-20", **more: Any) -> dict[str, Any]:
    return {"event": event, "case_no": CASE, "on": on, "by": "sn0199-0007", **more}


async def record(world: World, body: dict[str, Any], **how: Any) -> Reply:
    return await world.post("/v1/ledgers/closure", body, **how)


async def ledger(world: World, name: str, query: str = "") -> list[dict[str, Any]]:
    reply = await world.get(f"/v1/ledgers/{name}{query}")
    assert reply.status == 200, reply
    return list(reply.json["items"])


# --- terminated cases


async def test_a_terminated_case_is_entered_rechecked_and_resumed(world: World) -> None:
    closed = await record(world, closure(team="执行一团队"))
    assert (closed.status, closed.json) == (
        201,
        {"case_no": CASE, "state": "closed", "due_on": "2026-09-20", "missing": ["1", "2", "3", "4", "5"]},
    )
    none = await record(world, closure("recheck", "2026-03-23", found=False))
    assert none.json == {"case_no": CASE, "state": "recheck-none", "due_on": "2026-09-23"}
    found = await record(world, closure("recheck", "2026-03-24", found=True))
    assert found.json["state"] == "recheck-found"
    [item] = await ledger(world, "closure")
    assert (item["item_no"], item["state"], item["team"]) == (CASE, "recheck-found", "执行一团队")
    resumed = await record(world, closure("resumed", "2026-03-24", resumed_as=RESUMED))
    assert resumed.json == {"case_no": CASE, "state": "resumed"}
    [item] = await ledger(world, "closure")
    assert (item["outcome"], item["settled_on"], item["case_no"]) == ("resumed", "2026-03-24", RESUMED)
    again = await record(world, closure("recheck", "2026-03-24", found=False))
    assert (again.status, again.code) == (409, "closure-over")


async def test_the_five_preconditions_are_shown_and_those_that_are_missing(world: World) -> None:
    closed = await record(world, closure(preconditions=[MET, {"item": "4", "on": "2026-02-01"}]))
    assert (closed.status, closed.json["missing"]) == (201, ["2", "3", "5"])
    more = [{"item": "2", "on": "2026-01-09"}]
    later = await record(world, closure("preconditions", "2026-03-24", preconditions=more))
    assert (later.status, later.json["state"], later.json["missing"]) == (201, "closed", ["3", "5"])
    [item] = await ledger(world, "closure")
    days = {one["item"]: one.get("met_on") for one in item["preconditions"]}
    assert days == {"1": "2025-11-03", "2": "2026-01-09", "3": None, "4": "2026-02-01", "5": None}
    assert (item["state"], item["opened_on"], item["due_on"]) == ("closed", "2026-03-20", "2026-09-20")
    unknown = closure("preconditions", "2026-03-24", preconditions=more) | {"case_no": RESUMED}
    assert (await record(world, unknown)).code == "unknown-closure"


async def test_property_that_was_found_proposes_the_resumption_in_the_feed(world: World) -> None:
    await record(world, closure())
    await record(world, closure("recheck", "2026-03-24", found=True))
    events = (await world.get("/v1/events")).json["events"]
    assert [(e["kind"], e["case_no"]) for e in events] == [("closure", CASE), ("resumption-proposed", CASE)]


async def test_a_recheck_that_is_late_is_overdue(world: World) -> None:
    await record(world, closure(on="2025-09-01"))
    [item] = await ledger(world, "closure")
    assert (item["due_on"], item["overdue_days"]) == ("2026-03-01", 23)
    listed = {row["name"]: row for row in (await world.get("/v1/ledgers")).json["ledgers"]}
    assert (listed["closure"]["open"], listed["closure"]["overdue"]) == (1, 1)
    assert listed["fund"]["open"] == 0


async def test_the_same_key_records_once(world: World) -> None:
    first = await record(world, closure(), key="k-1")
    again = await record(world, closure(), key="k-1")
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await record(world, closure(on="2026-03-19"), key="k-1")
    assert (other.status, other.code) == (422, "idempotency-key-reused")
    twice = await record(world, closure())
    assert (twice.status, twice.code) == (409, "closure-exists")


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        (closure(on="2026-03-25"), "/on", "day-in-future"),
        (closure(on="2026-02-30"), "/on", "day-form"),
        (closure("recheck"), "/found", "recheck-result-required"),
        (closure("recheck", found=True, team="x"), "/team", "closure-member"),
        (closure("resumed"), "/resumed_as", "resumed-case-required"),
        (closure("resumed", resumed_as=CASE), "/resumed_as", "resumed-case-required"),
        (closure() | {"case_no": "（2026）陕0199民初900001号"}, "/case_no", "closure-case-type"),
        (closure() | {"case_no": "执1号"}, "/case_no", "case-number-form"),
        (closure("preconditions"), "/preconditions", "preconditions-required"),
        (closure("recheck", found=True, preconditions=[MET]), "/preconditions", "closure-member"),
        (closure(preconditions=[MET, MET]), "/preconditions", "duplicate-value"),
        (closure(preconditions=[{**MET, "on": "2026-03-25"}]), "/preconditions/0/on", "day-in-future"),
        (closure(preconditions=[{**MET, "item": "6"}]), "/preconditions/0/item", "unknown-code"),
        (closure("ended"), "/event", "unknown-code"),
        (closure(note="x"), "/note", "extra-member"),
        (closure("recheck", "2026-03-01", found=True), "/on", "before-closure"),
    ],
)
async def test_what_is_wrong_with_an_event_is_named(world: World, body: Any, pointer: str, rule: str) -> None:
    if rule == "before-closure":
        await record(world, closure())
    reply = await record(world, body)
    assert (reply.status, reply.code, reply.rules) == (422, "invalid-field", [(pointer, rule)])


async def test_only_registered_staff_of_the_home_court_record(world: World) -> None:
    unknown = await record(world, closure(by="sn0199-0099"))
    assert (unknown.status, unknown.code) == (422, "unknown-staff")
    assert (await record(world, closure("recheck", found=True))).code == "unknown-closure"
    assert (await record(world, closure(), client="cms2")).code == "forbidden"
    assert (await record(world, closure(), client="reader")).code == "forbidden"
    signed = await world.post("/v1/ledgers/closure", b"a.b.c~d~", content_type="application/sd-jwt")
    assert signed.code == "bad-content-type"
    for path in ("/v1/ledgers", "/v1/ledgers/closure", "/v1/reports/weekly"):
        assert (await world.get(path, client="cms2")).code == "forbidden"
    assert await ledger(world, "closure") == []


async def test_pages_follow_each_other_by_chinese_numbers_too(world: World) -> None:
    numbers = [f"（2026）陕0199执恢90000{n}号之一" for n in range(5)]
    for number in numbers:
        assert (await record(world, closure() | {"case_no": number})).status == 201
    first = (await world.get("/v1/ledgers/closure?limit=2")).json
    second = (await world.get(f"/v1/ledgers/closure?limit=3&after={first['next']}")).json
    assert [i["item_no"] for i in first["items"] + second["items"]] == numbers
    assert "next" not in second
    assert (await world.get("/v1/ledgers/closure?after=x")).code == "bad-cursor"
    assert await ledger(world, "closure", "?from=2026-03-21") == []
    assert len(await ledger(world, "closure", "?from=2026-03-20&until=2026-03-20")) == 5


async def test_what_is_no_ledger_and_no_day(world: World) -> None:
    assert (await world.get("/v1/ledgers/nothing")).code == "unknown-ledger"
    assert (await world.get("/v1/ledgers/fund?from=2026-02-30")).rules == [("/from", "day-form")]
    assert (await world.get("/v1/ledgers/fund?first=2026-02-01")).code == "invalid-field"


# --- leads on refusal


async def lead(world: World) -> list[str]:
    """The police's request, and the copy's. Every document is here."""
    payload = dict(catalogue()[LEAD].example_request)
    evidence = {group: [{**one, "sha256": PDF_SHA} for one in papers] for group, papers in payload["evidence"].items()}
    body = locate_request(
        type=LEAD,
        purpose="investigate-refusal",
        team="执行二团队",
        documents=[document("lead-transfer-letter"), document("enforcement-statement")],
        payload={**payload, "evidence": evidence},
        receivers=[POLICE, PROCURATORATE],
    )
    reply = await world.submit_signed(body, receiver=POLICE)
    assert reply.status == 202, reply
    return [str(one["request_no"]) for one in reply.json["requests"]]


async def test_a_lead_is_one_item_and_its_copy_none(world: World) -> None:
    number, copy = await lead(world)
    [item] = await ledger(world, "refusal")
    assert item["item_no"] == item["request_no"] == number != copy
    assert (item["state"], item["partner"], item["team"]) == ("opened", POLICE, "执行二团队")
    assert (item["opened_on"], item["due_on"]) == ("2026-03-24", "2026-03-31")
    stored = await world.store.ledger_page(_all("refusal"))
    assert "王演示" not in repr(stored)
    assert "610199199003071237" not in repr(stored)


async def test_the_term_of_a_lead_runs_from_the_day_on_which_it_left(world: World) -> None:
    await lead(world)
    world.clock.advance(days=2)
    await world.sent()
    [item] = await ledger(world, "refusal")
    assert (item["state"], item["due_on"]) == ("sent", "2026-04-02")
    world.clock.advance(days=9)
    [item] = await ledger(world, "refusal")
    assert item["overdue_days"] == 2


async def test_a_courts_own_term_for_a_lead_is_its_ledgers_too(world: World) -> None:
    """Four legal days from Tuesday, 24 March: the last is a Saturday, so Monday."""
    own = '[[entry]]\ntype = "refusal.lead.transfer"\ndays = 4\nkind = "legal"\nsource = "x"\nsince = 2026-01-01\n'
    put_in_force(read_law({"answer-terms.toml": own}))
    try:
        number, _ = await lead(world)
    finally:
        put_in_force(SHIPPED)
    [item] = await ledger(world, "refusal")
    assert (item["state"], item["due_on"]) == ("opened", "2026-03-30")
    world.clock.advance(days=2)
    await world.sent()
    [item] = await ledger(world, "refusal")
    assert (item["state"], item["due_on"]) == ("sent", "2026-03-30")
    assert (await world.get(f"/v1/requests/{number}")).json["due_on"] == "2026-03-30"


async def test_a_withdrawn_lead_is_owed_no_more(world: World) -> None:
    number, _ = await lead(world)
    said = {"verb": "withdraw", "by": "sn0199-0007", "data": {"reason_code": "wrong"}}
    reply = await world.post(f"/v1/requests/{number}/messages", said)
    assert reply.json["state"] == "withdrawn", reply
    [item] = await ledger(world, "refusal")
    assert (item["outcome"], item["settled_on"]) == ("withdrawn", "2026-03-24")


async def test_what_the_police_decide_is_entered_with_its_day(world: World) -> None:
    number, copy = await lead(world)
    await world.sent()
    world.clock.advance(days=7)
    decided = dict(catalogue()[LEAD].example_result)
    await world.reply(number, "result", decided, seqno=1, sealed=True)
    request = await world.store.request(number)
    assert request is not None
    assert request.state == "completed", [(q.reason, q.pointer) for q in await world.store.quarantine()]
    [item] = await ledger(world, "refusal")
    assert (item["state"], item["outcome"], item["settled_on"]) == ("filed", "filed", "2026-03-30")
    noted = {**decided, "items": [{**decided["items"][0], "decision": "noted"}]}
    await world.reply(copy, "result", noted, seqno=1, sealed=True)
    assert [one["outcome"] for one in await ledger(world, "refusal")] == ["filed"]


async def test_a_lead_that_the_police_turn_away_is_still_owed(world: World) -> None:
    number, _ = await lead(world)
    await world.sent()
    contact = {"at": "2026-03-24T08:50:00+08:00", "person": "李演示", "note": "已电话沟通"}
    await world.reply(number, "return", {"reason_code": "doc-missing", "contact_log": [contact]}, seqno=1)
    [refused] = await world.store.quarantine()
    assert (refused.reason, refused.rule) == ("answer-not-lawful", "answer-not-lawful")
    assert "不予立案" in (refused.detail_zh or "")
    [item] = await ledger(world, "refusal")
    assert (item["state"], item["turned_away_on"], item["due_on"]) == ("turned-away", "2026-03-24", "2026-03-31")
    assert "settled_on" not in item
    world.clock.advance(days=7)
    await world.reply(number, "result", dict(catalogue()[LEAD].example_result), seqno=2, sealed=True)
    [item] = await ledger(world, "refusal")
    assert (item["outcome"], item["turned_away_on"]) == ("filed", "2026-03-24")


async def test_a_decision_that_precedes_its_lead_is_refused(world: World) -> None:
    number, _ = await lead(world)
    await world.sent()
    example = dict(catalogue()[LEAD].example_result)
    early = {**example, "items": [{**example["items"][0], "decided_on": "2026-03-23"}]}
    world.clock.advance(days=7)
    await world.reply(number, "result", early, seqno=1, sealed=True)
    [refused] = await world.store.quarantine()
    assert (refused.reason, refused.rule) == ("invalid-field", "before-request")
    [item] = await ledger(world, "refusal")
    assert item["state"] == "sent"


# --- what any type may enter


def opened(world: World, number: int, entry: LedgerEntry, **more: Any) -> tuple[Request, Any]:
    """A request of a type that enters `entry`, as it stands after its opening, and the context that knows it."""
    matter = replace(catalogue()["grid.verify.request"], ledger=lambda _: entry, **more)
    context = replace(world.context, catalogue={matter.name: matter})
    request = Request(
        request_no=f"{COURT}-20260324-{number:06d}",
        type=matter.name,
        version=1,
        shape="notice",
        state="sent",
        asker=COURT,
        asked="grid-610199",
        created_at=NOW,
        updated_at=NOW,
        case_no=CASE,
    )
    return request, context


async def book(world: World, changes: Changes) -> dict[str, Any]:
    async with world.store.begin() as tx:
        await tx.apply(changes)
    [item] = await ledger(world, "fund")
    return item


async def test_several_requests_write_to_one_item(world: World) -> None:
    receipt = LedgerEntry("fund", item="DZ-900001", on="2026-03-01", amount="1000.00")
    request, context = opened(world, 1, receipt)
    changes = Changes()
    book_opening(context, request, None, changes, NOW)
    release = LedgerEntry("fund", "released", settles=True, item="DZ-900001", on="2026-03-20", amount="400.00")
    paying, paying_context = opened(world, 2, release)
    book_opening(paying_context, paying, None, changes, NOW)
    item = await book(world, changes)
    assert (item["item_no"], item["state"], item["amount"], item["settled"]) == (
        *("DZ-900001", "partly", "1000.00", "400.00"),
    )
    assert item["request_no"] == request.request_no

    withdrawn = Changes()
    paying.state = "withdrawn"
    book_state(paying_context, paying, withdrawn, NOW, sent=False)
    item = await book(world, withdrawn)
    assert "settled" not in item, "a payment that was taken back is none"
    assert item.get("settled_on") is None


async def test_an_answer_and_its_correction_are_one_line(world: World) -> None:
    def answer(verb: str, data: Any) -> LedgerEntry | None:
        return LedgerEntry("fund", data["decision"], settles=True) if verb in ("result", "correct") else None

    request, context = opened(world, 1, LedgerEntry("fund"), ledger_answer=answer)
    changes = Changes()
    book_opening(context, request, None, changes, NOW)
    book_answer(context, request, "progress", {"stage": "x"}, changes, NOW)
    book_answer(context, request, "result", {"decision": "filed"}, changes, NOW)
    book_answer(context, request, "correct", {"decision": "not-filed"}, changes, NOW)
    book_answer(context, request, "result", {}, changes, NOW)  # sealed to somebody else: nothing is known of it
    item = await book(world, changes)
    assert (item["state"], item["outcome"]) == ("not-filed", "not-filed")
    book_answer(context, request, "reopen", {"by": "sn0199-0007", "why": "x"}, changes, NOW)
    item = await book(world, changes)
    assert (item["state"], "outcome" in item) == ("reopened", False)


async def test_a_type_that_enters_nothing_leaves_no_trace(world: World) -> None:
    request, _ = opened(world, 1, LedgerEntry("fund"))
    changes = Changes()
    book_opening(world.context, request, None, changes, NOW)
    book_answer(world.context, request, "result", {"outcome": "done"}, changes, NOW)
    assert (changes.ledger, request.facts) == ([], {})


# --- measures that end


async def test_measures_that_end_soon_are_a_ledger(world: World) -> None:
    number = await world.accepted(await world.submit_signed(seal_request()))
    await world.sent()
    await world.reply(number, "result", dict(catalogue()["police.vehicle-seal.request"].example_result), seqno=1)
    assert await ledger(world, "measure-ending") == []
    [item] = await ledger(world, "measure-ending", "?until=2030-01-01")
    assert (item["item_no"], item["state"], item["request_no"]) == (f"{number}-1", "active", number)
    world.clock.advance(days=1000)
    [item] = await ledger(world, "measure-ending")
    assert item["state"] == "lapsed"
    assert item["overdue_days"] > 0
    assert (await world.get("/v1/ledgers/measure-ending?until=2030-01-01&limit=1")).json.get("next") is None


def _all(name: str) -> Any:
    from gateway.application.ports.books import LedgerFilter

    return LedgerFilter(name)
