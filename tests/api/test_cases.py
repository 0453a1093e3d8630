"""Groups, cases that are let go, cases that are reassigned: one word of the court, every partner told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.core.records import Message
from gateway.core.routing import Participant
from gateway.store import SqlStore
from lianzhi.crypto.base64url import decode
from lianzhi.protocol.envelope import CONTENT_TYPE
from schemas.catalogue import Kind, catalogue
from tests.api.world import (
    CASE,
    COURT,
    GRID,
    POLICE,
    Keys,
    Reply,
    World,
    document,
    grid_request,
    locate_request,
    participants,
    seal_request,
    serving,
)
from tests.recorder import Recorder
from tests.stored import measures_in

SITE, SCREEN, OFFICE = "pub-610199-site", "pub-610199-screen", "office-610199"
PUBLISH, WITHDRAW, CORRECT = "sanction.dishonest.publish", "sanction.dishonest.withdraw", "sanction.dishonest.correct"
GRACE = "sanction.grace.set"
SEAL, CONTROL = "police.vehicle-seal.request", "police.vehicle-control.request"
HANDLER = "sn0199-0007"
PAPERS = ("enforcement-ruling", "assistance-notice")
RELEASE = ("release-ruling", *PAPERS)


def parties() -> list[Participant]:
    ours, neighbour, police, grid = participants()
    ours = replace(ours, opens=(*ours.opens, "sanction.*", "cross.*"))
    police = replace(police, accepts=("police.*", "cross.*"))
    grid = replace(grid, accepts=("grid.*", "cross.*"))
    more = [
        Participant(
            code=code,
            kind=kind,
            zh=code,
            en=code,
            channel="amqp",
            dialect="plain/1",
            accepts=("sanction.*", "cross.*"),
        )
        for code, kind in ((SITE, Kind.PUBLICATION), (SCREEN, Kind.PUBLICATION), (OFFICE, Kind.OFFICE))
    ]
    return [ours, neighbour, police, grid, *more]


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys.fresh(SITE, SCREEN, OFFICE)


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path, keys: Keys) -> AsyncIterator[World]:
    async with serving(store, tmp_path / "papers", keys, parties=parties()) as world:
        await world.put_pdf()
        yield world


def body(type_: str, *papers: str, **changes: Any) -> dict[str, Any]:
    payload = dict(catalogue()[type_].example_request)
    rest = {"type": type_, "purpose": "sanction", "documents": [document(p) for p in papers], "payload": payload}
    return locate_request(**{**rest, **changes})


async def published(world: World, *to: str) -> list[str]:
    receivers = list(to or (SITE, SCREEN, OFFICE))
    reply = await world.submit_signed(body(PUBLISH, "dishonesty-decision", receivers=receivers), receiver=receivers[0])
    assert reply.status == 202, reply
    return [str(r["request_no"]) for r in reply.json["requests"]]


async def group_of(world: World, number: str) -> str:
    return str((await world.get(f"/v1/requests/{number}")).json["group_no"])


async def answered(world: World, number: str, type_: str, seqno: int = 1, **changes: Any) -> None:
    await world.sent()
    await world.reply(number, "result", dict(catalogue()[type_].example_result) | changes, seqno=seqno)


async def measures(world: World) -> dict[str, str]:
    """recipient → state of its measure"""
    found = await measures_in(world.store, ("requested", "active", "ended"))
    return {m.asked: m.state for m in found}


async def state(world: World, number: str) -> str:
    return str((await world.get(f"/v1/requests/{number}")).json["state"])


# --- a verb to every member ---------------------------------------------------------------------------------------


async def test_one_word_reaches_every_member_and_it_is_complete_when_each_has_answered(world: World) -> None:
    numbers = await published(world)
    group = await group_of(world, numbers[0])
    for number in numbers[:2]:
        await answered(world, number, PUBLISH, outcome="impossible", items=[], reasons=["系统维护"])
    seen = (await world.get(f"/v1/groups/{group}")).json
    assert (seen["complete"], seen["waiting_for"]) == (False, [OFFICE])
    confirm = {"verb": "confirm", "by": HANDLER}
    reply = await world.post(f"/v1/groups/{group}/messages", confirm, key="all")
    told = {line["receiver"]: (line["state"], line.get("problem")) for line in reply.json["requests"]}
    assert told == {SITE: ("closed", None), SCREEN: ("closed", None), OFFICE: ("dispatched", "not-now")}
    again = await world.post(f"/v1/groups/{group}/messages", confirm, key="all")
    assert again.json == reply.json
    await answered(world, numbers[2], PUBLISH)
    assert (await world.get(f"/v1/groups/{group}")).json["complete"]


async def test_a_word_that_no_member_can_be_told_is_refused(world: World) -> None:
    group = await group_of(world, (await published(world))[0])
    reply = await world.post(f"/v1/groups/{group}/messages", {"verb": "confirm", "by": HANDLER})
    assert (reply.status, reply.code) == (409, "not-now")
    assert (await world.post(f"/v1/groups/{COURT}-20260324-999999/messages", {"verb": "urge"})).code == "unknown-group"
    assert (await world.get(f"/v1/groups/{group}", client="cms2")).code == "unknown-group"


async def test_a_withdrawal_of_the_group_cancels_what_is_queued_and_overtakes_what_left(world: World) -> None:
    numbers = await published(world)
    group = await group_of(world, numbers[0])
    withdraw = {"verb": "withdraw", "by": HANDLER, "data": {"reason_code": "wrong"}}
    reply = await world.post(f"/v1/groups/{group}/messages", withdraw)
    assert {line["state"] for line in reply.json["requests"]} == {"withdrawn"}
    assert await world.store.backlog() == 0
    on_its_way = await published(world)
    await world.sent()
    reply = await world.post(f"/v1/groups/{await group_of(world, on_its_way[0])}/messages", withdraw)
    assert {line["state"] for line in reply.json["requests"]} == {"withdrawing"}
    assert await measures(world) == dict.fromkeys((SITE, SCREEN, OFFICE), "requested")


async def test_a_signed_word_names_its_group(world: World) -> None:
    group = await group_of(world, (await published(world))[0])
    act = {"group_no": group, "verb": "withdraw", "by": HANDLER, "data": {"reason_code": "wrong"}}
    path = f"/v1/groups/{group}/messages"
    unbound = {k: v for k, v in act.items() if k != "group_no"}
    for said, code in ((unbound, "misdirected"), ({**act, "group_no": f"{COURT}-20260324-000777"}, "misdirected")):
        raw = world.signed(said, SITE, verb="withdraw", matter=PUBLISH).raw
        assert (await world.post(path, raw, content_type=CONTENT_TYPE)).code == code
    raw = world.signed(act, SCREEN, verb="withdraw", matter=PUBLISH).raw
    first = await world.post(path, raw, content_type=CONTENT_TYPE)
    assert first.status == 202
    assert (await world.post(path, raw, content_type=CONTENT_TYPE)).json == {"request_no": group}


# --- everybody who was told is told again -------------------------------------------------------------------------


async def test_a_withdrawal_goes_to_every_recipient_or_names_who_is_missing(world: World) -> None:
    numbers = await published(world)
    for number in numbers:
        await answered(world, number, PUBLISH)
    ending = body(WITHDRAW, receivers=[SITE, SCREEN], approvals=[])
    reply = await world.submit_signed(ending, receiver=SITE)
    assert (reply.status, reply.code) == (409, "group-incomplete")
    assert [(e["rule"], e["detail_en"].split()[0]) for e in reply.json["errors"]] == [("receiver-missing", OFFICE)]

    group = await group_of(world, numbers[0])
    by_group = body(WITHDRAW, group_no=group, approvals=[])
    named = await world.submit_signed({**by_group, "receivers": [SITE, SCREEN]}, receiver=SITE)
    assert named.code == "group-incomplete"
    whole = await world.submit_signed(by_group, receiver=SCREEN)
    assert [r["receiver"] for r in whole.json["requests"]] == [SCREEN, SITE, OFFICE]
    for line in whole.json["requests"]:
        await answered(world, line["request_no"], WITHDRAW)
    assert await measures(world) == {SITE: "ended", SCREEN: "ended", OFFICE: "ended"}
    assert (await world.get(f"/v1/groups/{whole.json['group_no']}")).json["complete"]


async def test_publications_still_queued_are_cancelled_by_the_withdrawal(world: World) -> None:
    first, second, third = await published(world)
    await world.sent()
    await world.reply(first, "result", dict(catalogue()[PUBLISH].example_result), seqno=1)
    late = await published_elsewhere(world)
    group = await group_of(world, first)
    whole = await world.submit_signed(body(WITHDRAW, group_no=group, approvals=[]), receiver=SITE)
    assert whole.status == 202, whole
    assert [await state(world, n) for n in (first, second, third)] == ["completed", "withdrawing", "withdrawing"]
    assert await state(world, late) == "approved"  # another case is nobody's business here


async def published_elsewhere(world: World) -> str:
    other = {**body(PUBLISH, "dishonesty-decision", receiver=SITE), "case_no": CASE.replace("900001", "900009")}
    return await world.accepted(await world.submit_signed(other, receiver=SITE))


async def test_a_publication_that_never_left_is_withdrawn_at_once(world: World) -> None:
    numbers = await published(world)
    group = await group_of(world, numbers[0])
    whole = await world.submit_signed(body(WITHDRAW, group_no=group, approvals=[]), receiver=SITE)
    assert whole.status == 202, whole
    assert {await state(world, n) for n in numbers} == {"withdrawn"}
    assert await measures(world) == dict.fromkeys((SITE, SCREEN, OFFICE), "ended")


async def test_a_group_that_is_not_there_is_named(world: World) -> None:
    await published(world)
    unknown = body(WITHDRAW, group_no=f"{COURT}-20260324-000999", approvals=[])
    assert (await world.submit_signed(unknown, receiver=SITE)).code == "unknown-group"
    number = await published_elsewhere(world)
    alone = {**body(WITHDRAW, group_no=number, approvals=[]), "case_no": CASE.replace("900001", "900009")}
    assert (await world.submit_signed(alone, receiver=SITE)).status == 202
    assert (await world.submit_signed(alone, receiver=SCREEN)).code == "unknown-receiver"


# --- the debtor has paid ------------------------------------------------------------------------------------------


async def sealed_and_controlled(world: World) -> tuple[str, str]:
    seal = await world.accepted(await world.submit_signed(seal_request()))
    await answered(world, seal, SEAL)
    control = body(CONTROL, *PAPERS, purpose="seize-asset")
    number = await world.accepted(await world.submit_signed(control))
    await answered(world, number, CONTROL)
    return seal, number


async def release(world: World, *, key: str | None = None, **members: Any) -> Reply:
    order = {
        "case_no": CASE,
        "reason": "paid",
        "by": HANDLER,
        "documents": [document(kind) for kind in RELEASE],
        **members,
    }
    raw = world.signed(order, COURT, matter="case.release").raw
    return await world.post("/v1/cases/release", raw, content_type=CONTENT_TYPE, key=key)


def words(message: Message) -> dict[str, Any]:
    """What the partner reads in a message that is not sealed."""
    assert message.disclosure is not None
    said: dict[str, Any] = json.loads(decode(message.disclosure))[2]
    return said


async def test_everything_of_the_case_is_let_go_at_once(world: World) -> None:
    seal, control = await sealed_and_controlled(world)
    publication = await published(world)
    for number in publication:
        await answered(world, number, PUBLISH)
    searching = await world.accepted(await world.submit_signed(locate_request()))
    visiting = await world.accepted(await world.submit(grid_request(case_no=CASE)))
    await world.sent()
    queued = await world.accepted(await world.submit(grid_request(case_no=CASE)))

    reply = await release(world, key="paid")
    assert reply.status == 202, reply
    items = {
        (i["kind"], i.get("request_no") if i["kind"] == "withdraw" else i["measure_no"]) for i in reply.json["items"]
    }
    assert items == {
        *(("withdraw", n) for n in (searching, visiting, queued)),
        *(("ending", f"{n}-1") for n in (seal, control, *publication)),
    }
    assert (await release(world, key="paid")).code == "idempotency-key-reused"  # signed anew: other bytes
    assert await state(world, queued) == "withdrawn"
    assert await state(world, visiting) == "withdrawing"

    number = reply.json["release_no"]
    await world.sent()
    seen = (await world.get(f"/v1/cases/release/{number}")).json
    assert (seen["done"], seen["waiting_for"]) == (False, sorted([GRID, POLICE, SITE, SCREEN, OFFICE]))
    endings = {i["measure_no"]: i["request_no"] for i in reply.json["items"] if i["kind"] == "ending"}
    groups = {(await world.get(f"/v1/requests/{endings[f'{n}-1']}")).json["group_no"] for n in publication}
    assert len(groups) == 1  # the publication's recipients are told as one group

    for one in (visiting, searching):
        await world.reply(one, "withdraw-ack", {"effect": "reversed"}, seqno=1, answers="withdraw")
    for measure_no, ending in endings.items():
        request = await world.store.request(ending)
        assert request is not None
        assert request.lane == "urgent", measure_no
        done = dict(catalogue()[request.type].example_result)
        done["items"] = [{**done["items"][0], "ref": request.refs[0]}]
        if request.type == SEAL:
            done["items"] = [{"ref": request.refs[0], "status": "done"}]
        await world.reply(ending, "result", done, seqno=1)
    seen = (await world.get(f"/v1/cases/release/{number}")).json
    assert (seen["done"], seen["waiting_for"]) == (True, []), seen
    case = (await world.get("/v1/cases", params={"case_no": CASE})).json
    assert case["measures"] == []
    assert [r["release_no"] for r in case["releases"]] == [number]


async def test_what_cannot_be_built_is_listed_and_never_silent(world: World) -> None:
    seal, control = await sealed_and_controlled(world)
    reply = await release(world, documents=[])
    lines = {i["measure_no"]: (i["kind"], i.get("reason")) for i in reply.json["items"]}
    assert lines == {f"{seal}-1": ("needs-hand", "documents-missing"), f"{control}-1": ("ending", None)}
    number = reply.json["release_no"]
    assert (await world.get(f"/v1/cases/release/{number}")).json["waiting_for"] == [COURT]  # nothing has left yet
    await world.sent()
    seen = (await world.get(f"/v1/cases/release/{number}")).json
    assert {i["kind"]: i["waits_for"] for i in seen["items"]} == {"needs-hand": COURT, "ending": POLICE}
    assert seen["waiting_for"] == [COURT, POLICE]


async def test_c11_a_release_waits_for_whoever_owes_the_next_word(world: World) -> None:
    """A withdrawal that came too late, then the answer: what is missing now is our own confirmation."""
    visiting = await world.accepted(await world.submit(grid_request(case_no=CASE)))
    await world.sent()
    number = (await release(world)).json["release_no"]
    await world.sent()

    async def waits() -> tuple[str | None, list[str], str | None, bool]:
        seen = (await world.get(f"/v1/cases/release/{number}")).json
        one = (await world.get(f"/v1/requests/{visiting}")).json
        (line,) = seen["items"]
        return one.get("waits_for"), seen["waiting_for"], line.get("waits_for"), seen["done"]

    assert await waits() == (GRID, [GRID], GRID, False)
    await world.reply(visiting, "withdraw-ack", {"effect": "too-late"}, seqno=1, answers="withdraw")
    assert await waits() == (GRID, [GRID], GRID, False)
    await world.reply(visiting, "result", dict(catalogue()["grid.verify.request"].example_result), seqno=2)
    assert await waits() == (COURT, [COURT], COURT, False)
    confirm = {"verb": "confirm", "by": HANDLER, "data": {}}
    assert (await world.post(f"/v1/requests/{visiting}/messages", confirm)).status == 202
    assert await waits() == (None, [], None, True)


async def test_exceptions_stay_and_a_second_release_repeats_nothing(world: World) -> None:
    seal, control = await sealed_and_controlled(world)
    first = await release(world, exceptions=[{"no": f"{seal}-1", "why": "另案轮候"}])
    assert {(i["kind"], i["measure_no"]) for i in first.json["items"]} == {
        ("exception", f"{seal}-1"),
        ("ending", f"{control}-1"),
    }
    second = await release(world, exceptions=[{"no": seal, "why": "另案轮候"}])
    assert {i["kind"] for i in second.json["items"]} == {"exception", "already"}
    wrong = await release(world, exceptions=[{"no": f"{COURT}-20260324-000444", "why": "笔误"}])
    assert wrong.rules == [("/exceptions", "exception-unknown")]


async def test_an_ending_that_wants_an_approval_waits_for_it(world: World) -> None:
    """The end of a grace: built by the gateway, proved once more when it is approved."""
    grace = body(GRACE, "grace-decision", receiver=OFFICE)
    number = await world.accepted(await world.submit(grace))
    await answered(world, number, GRACE)
    reply = await release(world)
    (item,) = reply.json["items"]
    ending = item["request_no"]
    assert (item["kind"], item["measure_no"]) == ("ending", f"{number}-1")
    assert await state(world, ending) == "awaiting-approval"
    act = {"request_no": ending, "by": "sn0199-0003", "role": "bureau-chief", "decision": "approve"}
    path = f"/v1/requests/{ending}/approvals"
    assert (await world.post(path, act)).code == "signature-required"
    raw = world.signed(act, OFFICE, verb="approve", matter=GRACE).raw
    assert (await world.post(path, raw, content_type=CONTENT_TYPE)).json["state"] == "approved"
    sent = await world.stored(ending, "open")
    assert sent is not None
    await answered(world, ending, GRACE)
    assert await measures(world) == {OFFICE: "ended"}


async def test_a_release_is_signed_by_a_registered_person_about_a_case(world: World) -> None:
    order = {"case_no": CASE, "reason": "paid", "by": HANDLER}
    assert (await world.post("/v1/cases/release", order)).code == "signature-required"
    assert (await release(world, by="sn0199-0099")).code == "unknown-staff"
    assert (await release(world, reason="tired")).rules == [("/reason", "unknown-code")]
    raw = world.signed(order, COURT, matter="case.reassign").raw
    assert (await world.post("/v1/cases/release", raw, content_type=CONTENT_TYPE)).code == "misdirected"
    empty = await release(world)
    assert (empty.status, empty.json["items"]) == (202, [])
    assert (await world.get(f"/v1/cases/release/{empty.json['release_no']}", client="cms2")).code == "unknown-release"


async def test_the_same_signed_release_is_one(world: World) -> None:
    await sealed_and_controlled(world)
    order = {"case_no": CASE, "reason": "paid", "by": HANDLER}
    raw = world.signed(order, COURT, matter="case.release").raw
    how: dict[str, Any] = {"content_type": CONTENT_TYPE, "key": "one"}
    first = await world.post("/v1/cases/release", raw, **how)
    again = await world.post("/v1/cases/release", raw, **how)
    assert (first.status, first.json) == (again.status, again.json)
    other_key = await world.post("/v1/cases/release", raw, content_type=CONTENT_TYPE)
    assert other_key.json == {"request_no": first.json["release_no"]}
    assert other_key.headers["Location"] == f"/v1/cases/release/{first.json['release_no']}"


# --- reassigned ---------------------------------------------------------------------------------------------------

NEW_CASE = "（2026）陕0528执900008号"


async def reassign(world: World, **members: Any) -> Reply:
    order = {
        "case_no": CASE,
        "mode": "order",
        "new_case_no": NEW_CASE,
        "to_court": "陕0528",
        "handler": "sn0199-0011",
        "legal_basis": ["CPL-253"],
        "by": HANDLER,
        **members,
    }
    raw = world.signed({k: v for k, v in order.items() if v is not None}, COURT, matter="case.reassign").raw
    return await world.post("/v1/cases/reassign", raw, content_type=CONTENT_TYPE)


async def test_every_request_and_measure_is_repointed_and_each_partner_acknowledges(world: World) -> None:
    seal, control = await sealed_and_controlled(world)
    searching = await world.accepted(await world.submit_signed(locate_request()))
    visiting = await world.accepted(await world.submit(grid_request(case_no=CASE)))
    await world.sent()
    reply = await reassign(world)
    assert reply.status == 202, reply
    assert set(reply.json["measures"]) == {f"{seal}-1", f"{control}-1"}
    assert {searching, visiting} <= set(reply.json["requests"])
    assert {n["receiver"] for n in reply.json["notices"]} == {POLICE, GRID}
    for number in (searching, visiting, control):
        view = (await world.get(f"/v1/requests/{number}")).json
        assert (view["case_no"], view["handler"]) == (NEW_CASE, "sn0199-0011")
    assert {m.case_no for m in await measures_in(world.store, ("active",))} == {NEW_CASE}
    assert (await world.get("/v1/cases", params={"case_no": NEW_CASE})).json["debt"]["debt"] == "128000.00"
    assert (await world.get("/v1/cases", params={"case_no": CASE})).json["open_requests"] == []

    group = reply.json["group_no"]
    await world.sent()
    at = "2026-03-24T11:00:00+08:00"
    for notice in reply.json["notices"]:
        assert (await world.get(f"/v1/groups/{group}")).json["complete"] is False
        await world.reply(notice["request_no"], "read", {"by": "值班员", "at": at}, seqno=1)
    assert (await world.get(f"/v1/groups/{group}")).json["complete"] is True


async def test_the_grid_is_told_without_a_case_number(world: World) -> None:
    visiting = await world.accepted(await world.submit(grid_request(case_no=CASE)))
    await world.sent()
    reply = await reassign(world, legal_basis=["FAFA-2024-9", "FAFA-2031-9"])
    assert [(w["pointer"], w["rule"]) for w in reply.json["warnings"]] == [("/legal_basis/1", "unlisted-basis")]
    (notice,) = reply.json["notices"]
    said = words(await world.stored(notice["request_no"], "open"))
    assert said["taskNos"] == [visiting]
    assert "执" not in str(said)


async def test_answers_under_way_with_either_number_are_accepted(world: World) -> None:
    searching = await world.accepted(await world.submit_signed(locate_request()))
    await world.sent()
    await reassign(world)
    old = {"received_at": "2026-03-24T10:31:52+08:00", "person": "赵演示"}
    await world.reply(searching, "receipt", old, seqno=1, case_no=CASE)
    assert await state(world, searching) == "received"
    await world.reply(searching, "accept", {"handler": "钱演示"}, seqno=2, case_no=NEW_CASE)
    assert await state(world, searching) == "accepted"
    await world.reply(searching, "progress", {"stage": "checking"}, seqno=3, case_no=CASE.replace("900001", "900005"))
    assert [r.reason for r in await world.store.quarantine()] == ["misdirected"]
    assert (await world.submit_signed(locate_request(case_no=NEW_CASE))).status == 202


async def test_another_team_of_ours_is_nobody_elses_business(world: World) -> None:
    searching = await world.accepted(await world.submit_signed(locate_request()))
    reply = await reassign(world, mode="in-court-team", new_case_no=None, to_court=None)
    assert reply.status == 202, reply
    assert (reply.json["notices"], reply.json.get("group_no")) == ([], None)
    view = (await world.get(f"/v1/requests/{searching}")).json
    assert (view["case_no"], view["handler"]) == (CASE, "sn0199-0011")


async def test_whoever_lets_a_case_go_need_not_be_who_may_handle_it(world: World) -> None:
    """Who has paid is let go, whatever the role of the person who says so."""
    seal, control = await sealed_and_controlled(world)
    reply = await release(world, by="sn0199-0031")
    assert reply.status == 202, reply
    assert {(i["kind"], i["measure_no"]) for i in reply.json["items"]} == {
        ("ending", f"{seal}-1"),
        ("ending", f"{control}-1"),
    }


async def test_a_case_is_not_handed_to_a_clerk(world: World) -> None:
    refused = await reassign(world, handler="sn0199-0031")
    assert (refused.status, refused.rules) == (422, [("/handler", "handler-role")])
    assert (await world.get("/v1/cases", params={"case_no": NEW_CASE})).json["open_requests"] == []


async def test_the_same_signed_reassignment_is_one(world: World) -> None:
    await world.accepted(await world.submit_signed(locate_request()))
    order = {
        "case_no": CASE,
        "mode": "order",
        "new_case_no": NEW_CASE,
        "to_court": "陕0528",
        "legal_basis": ["CPL-253"],
        "by": HANDLER,
    }
    raw = world.signed(order, COURT, matter="case.reassign").raw
    first = await world.post("/v1/cases/reassign", raw, content_type=CONTENT_TYPE, key="one")
    again = await world.post("/v1/cases/reassign", raw, content_type=CONTENT_TYPE, key="one")
    assert (first.status, first.json) == (again.status, again.json)
    other_key = await world.post("/v1/cases/reassign", raw, content_type=CONTENT_TYPE)
    assert other_key.json == {"request_no": first.json["group_no"]}
    assert (await world.get(other_key.headers["Location"])).status == 200


@pytest.mark.parametrize(
    ("members", "code", "rule"),
    [
        ({"new_case_no": None}, "invalid-field", "reassign-target"),
        ({"mode": "in-court-team"}, "invalid-field", "reassign-target"),
        ({"new_case_no": CASE}, "invalid-field", "reassign-same-case"),
        ({"to_court": "陕0199"}, "invalid-field", "reassign-same-court"),
        ({"by": "sn0199-0099"}, "unknown-staff", "unknown-staff"),
        ({"case_no": CASE.replace("900001", "900777")}, "nothing-to-reassign", "nothing-to-reassign"),
    ],
)
async def test_a_reassignment_that_does_not_hold(world: World, members: dict[str, Any], code: str, rule: str) -> None:
    number = await world.accepted(await world.submit_signed(locate_request()))
    reply = await reassign(world, **members)
    assert (reply.code, [r for _, r in reply.rules]) == (code, [rule])
    assert (await world.get(f"/v1/requests/{number}")).json["case_no"] == CASE


async def test_a_measure_that_the_new_case_has_already_stops_it(world: World) -> None:
    await world.accepted(await world.submit_signed(seal_request()))
    await world.accepted(await world.submit_signed(seal_request(case_no=NEW_CASE)))
    reply = await reassign(world)
    assert (reply.status, reply.code) == (409, "measure-open")


async def test_after_a_reassignment_the_case_can_be_let_go(world: World) -> None:
    await sealed_and_controlled(world)
    await reassign(world)
    reply = await release(world, case_no=NEW_CASE)
    assert [i["kind"] for i in reply.json["items"]] == ["ending", "ending"]  # the notice stays true
    assert reply.json["case_no"] == NEW_CASE


async def test_a_group_is_one_trace_and_what_is_said_to_it_too(world: World) -> None:
    world.context.tracer = tracer = Recorder()
    numbers = await published(world)
    (call,) = tracer.named("POST /v1/requests")
    made = tracer.named(f"create {PUBLISH}.open")
    assert sorted(str(span.attributes["lianzhi.request_no"]) for span in made) == sorted(numbers)
    assert {span.parent for span in made} == {call.context}
    await world.sent()
    said = {"verb": "withdraw", "by": HANDLER, "data": {"reason_code": "paid"}}
    reply = await world.post(f"/v1/groups/{await group_of(world, numbers[0])}/messages", said)
    assert reply.status == 202, reply
    (later,) = tracer.named("POST /v1/groups/{group_no}/messages")
    told = tracer.named(f"create {PUBLISH}.withdraw")
    assert [(span.parent, span.links) for span in told] == [(call.context, (later.context,))] * len(numbers)
