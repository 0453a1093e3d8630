"""Approvals before anything leaves: waiting, completing, rejecting, break-glass, and what is refused by name."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.core.approvals import ApprovalTerms
from gateway.core.routing import Participant
from gateway.core.settings import Settings
from gateway.store import SqlStore
from lianzhi.crypto.jcs import over
from lianzhi.protocol.envelope import CONTENT_TYPE
from schemas.catalogue import catalogue
from tests.api.world import (
    COURT,
    NOW,
    POLICE,
    Keys,
    Reply,
    World,
    approval,
    document,
    grid_request,
    locate_request,
    participants,
    seal_request,
    serving,
    within,
)

LOCATE, INFO = "police.person-locate.request", "police.person-info.query"
SEAL, FIND = "police.vehicle-seal.request", "police.vehicle-locate.request"
CHIEF, PRESIDENT, DEPUTY = "sn0199-0003", "sn0199-0001", "sn0199-0005"
LIMIT = 2


def parties() -> list[Participant]:
    ours, neighbour, police, grid = participants()
    return [ours, neighbour, replace(police, accepts=("police.*", "entrust.*")), grid]


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path, keys: Keys) -> AsyncIterator[World]:
    settings = Settings(sensitive_per_day=LIMIT, break_glass_per_day=1)
    async with serving(store, tmp_path / "papers", keys, parties=parties(), settings=settings) as world:
        await world.put_pdf()
        yield world


def waiting(**changes: Any) -> dict[str, Any]:
    return locate_request(**{"approvals": [], "await_approval": True, **changes})


async def decided(
    world: World, number: str, by: str = CHIEF, role: str = "bureau-chief", *, signed: bool = True, **members: Any
) -> Reply:
    world.clock.advance(seconds=1)
    act = {"request_no": number, "by": by, "role": role, "decision": "approve", "reason": "同意", **members}
    path = f"/v1/requests/{number}/approvals"
    request = await world.store.request(number)
    assert request is not None
    if not signed:
        return await world.post(path, act)
    body = world.signed(act, request.asked, verb="approve", matter=request.type).raw
    return await world.post(path, body, content_type=CONTENT_TYPE)


async def state(world: World, number: str) -> str:
    return str((await world.get(f"/v1/requests/{number}")).json["state"])


async def kinds(world: World, number: str) -> list[tuple[str, str | None]]:
    events = (await world.get(f"/v1/requests/{number}/timeline")).json["events"]
    return [(e["kind"], e.get("detail")) for e in events]


# --- it waits, and then it leaves ---------------------------------------------------------------------------------


async def test_nothing_leaves_before_the_second_person_has_approved(world: World) -> None:
    number = await world.accepted(await world.submit_signed(waiting()))
    assert await state(world, number) == "awaiting-approval"
    assert await world.store.messages(number) == []
    first = await decided(world, number)
    assert (first.status, first.json["state"], first.json["missing"]) == (202, "awaiting-approval", ["approvals-count"])
    assert await world.store.backlog() == 0
    second = await decided(world, number, PRESIDENT, "president")
    assert (second.json["state"], second.json["missing"]) == ("approved", [])
    assert await world.store.backlog() == 1
    await world.sent()
    assert await state(world, number) == "dispatched"
    listed = (await world.get(f"/v1/requests/{number}/approvals")).json
    assert [(a["by"], a["role"], a["decision"]) for a in listed["approvals"]] == [
        (CHIEF, "bureau-chief", "approve"),
        (PRESIDENT, "president", "approve"),
    ]
    assert listed["awaited"] == []
    assert "同意" not in str(listed) + str(await kinds(world, number))


async def test_one_that_came_with_the_submission_counts(world: World) -> None:
    number = await world.accepted(await world.submit_signed(waiting(approvals=[approval()])))
    assert (await decided(world, number)).rules == [("/by", "approval-twice")]
    assert (await decided(world, number, PRESIDENT, "president")).json["state"] == "approved"


async def test_without_asking_to_wait_it_is_refused(world: World) -> None:
    reply = await world.submit_signed(locate_request(approvals=[]))
    assert (reply.code, reply.rules) == ("approvals-missing", [("/approvals", "approvals-count")])


async def test_the_president_must_be_among_them_where_the_law_asks(world: World) -> None:
    body = within(waiting(documents=[document("detention-decision")]), "payload.reason", "detention-order")
    number = await world.accepted(await world.submit_signed(body))
    await decided(world, number)
    assert (await decided(world, number, DEPUTY)).json["missing"] == ["approval-role"]
    assert (await decided(world, number, PRESIDENT, "president")).json["state"] == "approved"


async def test_a_rejection_ends_it(world: World) -> None:
    number = await world.accepted(await world.submit_signed(waiting()))
    reply = await decided(world, number, decision="reject", reason="理由不足")
    assert reply.json["state"] == "rejected"
    assert (await decided(world, number, PRESIDENT, "president")).code == "approval-decided"
    assert await world.store.backlog() == 0


async def test_a_rejection_frees_the_vehicle(world: World) -> None:
    control = waiting(
        type="police.person-control.request",
        documents=[document("detention-decision")],
        payload=dict(catalogue()["police.person-control.request"].example_request),
    )
    number = await world.accepted(await world.submit_signed(control))
    again = await world.submit_signed(control)
    assert (again.status, again.code) == (409, "measure-open")
    await decided(world, number, decision="reject")
    assert (await world.submit_signed(control)).status == 202


async def test_it_may_be_withdrawn_while_it_waits(world: World) -> None:
    number = await world.accepted(await world.submit_signed(waiting()))
    body = {"verb": "withdraw", "by": "sn0199-0007", "data": {"reason_code": "wrong"}}
    assert (await world.post(f"/v1/requests/{number}/messages", body)).json["state"] == "withdrawn"
    assert (await decided(world, number)).code == "approval-decided"


async def test_what_it_rested_on_may_be_missing_by_then(world: World) -> None:
    missing = document("summons-proof", "e" * 64)
    number = await world.accepted(await world.submit_signed(waiting(documents=[missing])))
    await decided(world, number)
    reply = await decided(world, number, PRESIDENT, "president")
    assert reply.json["state"] == "blocked"
    assert (await world.get(f"/v1/requests/{number}")).json["reason"] == f"document-missing:{'e' * 64}"


async def test_the_same_key_decides_once(world: World) -> None:
    number = await world.accepted(await world.submit_signed(waiting()))
    act = {"request_no": number, "by": CHIEF, "role": "bureau-chief", "decision": "approve"}
    body = world.signed(act, POLICE, verb="approve", matter=LOCATE).raw
    path = f"/v1/requests/{number}/approvals"
    replies = [await world.post(path, body, content_type=CONTENT_TYPE, key="once") for _ in range(2)]
    assert [r.status for r in replies] == [202, 202]
    assert replies[0].json == replies[1].json
    other_key = await world.post(path, body, content_type=CONTENT_TYPE)
    assert other_key.json == {"request_no": number}
    assert len((await world.get(path)).json["approvals"]) == 1


async def test_what_it_rested_on_may_have_ended_by_then(world: World) -> None:
    """A car that is not under seal any more is not looked for; the request says why, and nothing leaves."""
    papers = [document("enforcement-ruling"), document("assistance-notice")]
    sealing = await world.accepted(await world.submit_signed(seal_request()))
    await world.sent()
    await world.reply(sealing, "result", dict(catalogue()[SEAL].example_result), seqno=1)
    search = waiting(type=FIND, documents=papers, payload=dict(catalogue()[FIND].example_request))
    number = await world.accepted(await world.submit_signed(search))
    original = {"measure_no": f"{sealing}-1", "start_on": "2026-03-24", "end_on": "2028-03-23"}
    ended = {"vehicle": search["payload"]["vehicle"], "action": "release", "original": original}
    ruling = [document("release-ruling"), document("assistance-notice")]
    releasing = await world.accepted(await world.submit_signed(seal_request(payload=ended, documents=ruling)))
    await world.sent()
    done = dict(catalogue()[SEAL].example_result) | {"items": [{"ref": "v5t9c2hb", "status": "done"}]}
    await world.reply(releasing, "result", done, seqno=1)
    await decided(world, number)
    assert (await decided(world, number, PRESIDENT, "president")).json["state"] == "blocked"
    assert (await world.get(f"/v1/requests/{number}")).json["reason"] == "measure-not-live"
    assert await world.store.messages(number) == []


# --- refused by name ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "code", "rules"),
    [
        ({"by": "sn0199-0031", "role": "clerk"}, "approval-refused", [("/by", "approval-by-drafter")]),
        ({"by": "sn0199-0007", "role": "handler"}, "approval-refused", [("/by", "approval-by-drafter")]),
        ({"by": "sn0199-0011", "role": "handler"}, "approval-refused", [("/by", "approval-by-backup")]),
        ({"over": "A" * 43}, "approval-refused", [("/over", "approval-over")]),
        ({"at": "2026-03-16T09:00:00+08:00"}, "approval-refused", [("/at", "approval-too-old")]),
        ({"role": "president"}, "unknown-staff", [("/role", "unknown-staff")]),
        ({"by": "sn0199-0099", "role": "handler"}, "unknown-staff", [("/by", "unknown-staff")]),
        ({"by": "sn0199-4444"}, "unknown-staff", [("/by", "unknown-staff")]),
        ({"at": "2026-03-24T12:00:00+08:00"}, "approval-refused", [("/at", "approval-in-future")]),
        ({"kind": "review"}, "approval-decided", [("/decision", "approval-decided")]),
    ],
)
async def test_an_approval_that_does_not_hold(
    world: World, members: dict[str, Any], code: str, rules: list[tuple[str, str]]
) -> None:
    number = await world.accepted(await world.submit_signed(waiting()))
    reply = await decided(world, number, **members)
    assert (reply.code, reply.rules) == (code, rules)
    assert await state(world, number) == "awaiting-approval"
    assert (await world.get(f"/v1/requests/{number}/approvals")).json["approvals"] == []


@pytest.mark.parametrize("member", ["drafted_by", "handler"])
async def test_nobody_approves_his_own(world: World, member: str) -> None:
    number = await world.accepted(await world.submit_signed(waiting(**{member: CHIEF})))
    assert (await decided(world, number)).rules == [("/by", "approval-by-drafter")]


async def test_an_approval_of_what_was_signed_is_signed(world: World) -> None:
    number = await world.accepted(await world.submit_signed(waiting()))
    assert (await decided(world, number, signed=False)).code == "signature-required"
    act = {"request_no": number, "by": CHIEF, "role": "bureau-chief", "decision": "approve"}
    other = world.signed(act, POLICE, verb="confirm", matter=LOCATE).raw
    path = f"/v1/requests/{number}/approvals"
    assert (await world.post(path, other, content_type=CONTENT_TYPE)).code == "misdirected"
    assert (await world.post(path, other, content_type=CONTENT_TYPE, client="reader")).code == "forbidden"
    assert (await world.post(path, other, content_type=CONTENT_TYPE, client="cms2")).code == "unknown-request"


async def test_what_needs_none_waits_for_none(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request(await_approval=True)))
    assert await state(world, number) == "approved"
    assert (await decided(world, number, signed=False)).code == "approval-decided"


# --- the clock ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("urgency", ["urgent", "normal"])
async def test_the_b_of_the_pair_is_told_when_nobody_decides(world: World, urgency: str) -> None:
    """Urgent: within four hours. Else by the end of the next working day, Wednesday the 25th."""
    due = NOW + timedelta(hours=4) if urgency == "urgent" else datetime(2026, 3, 25, 16, tzinfo=UTC)
    number = await world.accepted(await world.submit_signed(waiting(urgency=urgency)))
    told = ("approval-overdue", "to:sn0199-0011")
    world.clock.moment = due - timedelta(seconds=1)
    await world.clockwork.once()
    assert told not in await kinds(world, number)
    world.clock.advance(seconds=2)
    await world.clockwork.once()
    assert (await kinds(world, number)).count(told) == 1
    world.clock.advance(days=3)  # down for days: told once, not once for each span
    await world.clockwork.once()
    assert (await kinds(world, number)).count(told) == 2


# --- break-glass --------------------------------------------------------------------------------------------------


def at_once(**changes: Any) -> dict[str, Any]:
    return locate_request(approvals=[], break_glass={"by": CHIEF, "reason": "人正要离开"}, **changes)


async def glass(world: World, number: str) -> str:
    return str((await world.get(f"/v1/requests/{number}")).json["break_glass"])


async def test_sent_at_once_marked_approved_and_reviewed_afterwards(world: World) -> None:
    number = await world.accepted(await world.submit_signed(at_once()))
    await world.sent()
    assert (await state(world, number), await glass(world, number)) == ("dispatched", "unapproved")
    await decided(world, number, DEPUTY)
    assert (await decided(world, number, PRESIDENT, "president")).status == 202
    assert (await state(world, number), await glass(world, number)) == ("dispatched", "approved")
    own = await decided(world, number, CHIEF, kind="review")
    assert own.rules == [("/by", "approval-by-drafter")]
    await decided(world, number, PRESIDENT, "president", kind="review")
    assert await glass(world, number) == "reviewed"
    world.clock.advance(days=2)
    await world.clockwork.once()
    assert not [k for k in await kinds(world, number) if k[0] == "incident"]


async def test_unapproved_after_four_hours_and_unreviewed_the_next_day_are_incidents(world: World) -> None:
    number = await world.accepted(await world.submit_signed(at_once()))
    world.clock.advance(hours=4, seconds=1)
    await world.clockwork.once()
    assert ("incident", "break-glass-unapproved") in await kinds(world, number)
    assert (await world.get(f"/v1/requests/{number}")).json["reason"] == "break-glass-unapproved"
    await decided(world, number, decision="reject")
    assert ("incident", "break-glass-rejected") in await kinds(world, number)
    world.clock.advance(days=2)  # by the end of the next working day
    await world.clockwork.once()
    assert ("incident", "break-glass-unreviewed") in await kinds(world, number)


@pytest.mark.parametrize(
    ("body", "code", "rule"),
    [
        (at_once(drafted_by=CHIEF), "break-glass-refused", "break-glass-by-drafter"),
        (
            locate_request(approvals=[], break_glass={"by": "sn0199-0007", "reason": "x"}),
            "unknown-staff",
            "unknown-staff",
        ),
        (
            at_once(
                type=INFO,
                documents=[document("inquiry-notice")],
                payload=dict(catalogue()[INFO].example_request),
            ),
            "break-glass-refused",
            "break-glass-type",
        ),
    ],
)
async def test_who_and_what_may_not_be_sent_first(world: World, body: dict[str, Any], code: str, rule: str) -> None:
    reply = await world.submit_signed(body)
    assert (reply.code, [r for _, r in reply.rules]) == (code, [rule])


async def test_only_so_often_in_a_day(world: World) -> None:
    await world.accepted(await world.submit_signed(at_once()))
    assert (await world.submit_signed(at_once())).code == "break-glass-limit"
    world.clock.advance(days=1)
    assert (await world.submit_signed(at_once())).status == 202


# --- how often one handler may ask --------------------------------------------------------------------------------


def query(**changes: Any) -> dict[str, Any]:
    payload = dict(catalogue()[INFO].example_request)
    return locate_request(**{"type": INFO, "documents": [document("inquiry-notice")], "payload": payload, **changes})


async def test_a_handler_asks_so_often_in_a_day_and_no_more(world: World) -> None:
    for _ in range(LIMIT):
        await world.accepted(await world.submit_signed(query()))
    refused = await world.submit_signed(query())
    assert (refused.status, refused.code, refused.rules) == (422, "handler-limit", [("/handler", "handler-limit")])
    other = await world.submit_signed(query(handler="sn0199-0011", backup_handler="sn0199-0007"))
    assert other.status == 202
    assert (await world.submit_signed(locate_request())).status == 202  # another family
    world.clock.advance(hours=14)  # past midnight in Shanghai
    assert (await world.submit_signed(query())).status == 202


async def test_what_was_refused_counts_for_nothing(world: World) -> None:
    for _ in range(LIMIT + 1):
        assert (await world.submit_signed(query(approvals=[]))).code == "approvals-missing"
    assert (await world.submit_signed(query())).status == 202


async def test_a_second_handler_who_asks_about_the_same_person_is_told_of(world: World) -> None:
    first = await world.accepted(await world.submit_signed(query()))
    again = await world.accepted(await world.submit_signed(query()))
    other = query(handler="sn0199-0011", backup_handler="sn0199-0007")
    second = await world.accepted(await world.submit_signed(other))
    assert not [k for k in await kinds(world, again) if k[0] == "same-subject"]
    told = [detail for kind, detail in await kinds(world, second) if kind == "same-subject"]
    assert told == [f"{again}+1"]  # one event, however often it was asked
    assert COURT in first


# --- bound to the act (docs/adr/0024) -----------------------------------------------------------------------------


def bound(**changes: Any) -> dict[str, Any]:
    """Two approvals that say what they are over."""
    body = locate_request(approvals=[], **changes)
    digest = over(body, [POLICE])
    return body | {"approvals": [approval(over=digest), approval(PRESIDENT, "president", over=digest)]}


async def unbound(world: World, number: str) -> list[str | None]:
    return [e.detail for e in await world.store.timeline(number) if e.kind == "approval-unbound"]


async def test_an_approval_that_says_what_it_is_over_is_bound_and_another_is_told(world: World) -> None:
    number = await world.accepted(await world.submit_signed(bound()))
    assert await unbound(world, number) == []
    number = await world.accepted(await world.submit_signed(locate_request()))
    assert await unbound(world, number) == [f"{CHIEF},{PRESIDENT}"]


async def test_the_same_lines_serve_no_other_request(world: World) -> None:
    lines = bound()["approvals"]
    await world.accepted(await world.submit_signed(locate_request(approvals=lines)))
    for changes in (
        {"handler": "sn0199-0011", "backup_handler": "sn0199-0007"},
        {"case_no": "（2026）陕0199执900002号"},
        {"documents": [document("summons-proof"), document("summons-proof")]},
    ):
        reply = await world.submit_signed(locate_request(approvals=lines, **changes))
        assert (reply.code, reply.rules) == ("approvals-missing", [("/approvals/0/over", "approval-over")])


async def test_a_later_approval_is_bound_as_well(world: World) -> None:
    body = waiting()
    number = await world.accepted(await world.submit_signed(body))
    digest = over(body, [POLICE])
    assert (await decided(world, number, over=digest)).status == 202
    assert await unbound(world, number) == []
    assert (await decided(world, number, PRESIDENT, "president")).json["state"] == "approved"
    assert await unbound(world, number) == [PRESIDENT]


async def test_where_it_is_required_an_unbound_approval_is_refused(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    settings = Settings(approvals=ApprovalTerms(required=True))
    async with serving(store, tmp_path / "papers", keys, settings=settings, parties=parties()) as world:
        await world.put_pdf()
        reply = await world.submit_signed(locate_request())
        assert reply.rules == [("/approvals/0/over", "approval-unbound")]
        await world.accepted(await world.submit_signed(bound()))
        body = waiting()
        number = await world.accepted(await world.submit_signed(body))
        assert (await decided(world, number)).rules == [("/over", "approval-unbound")]
        assert (await decided(world, number, over=over(body, [POLICE]))).status == 202


async def test_how_old_an_approval_may_be_depends_on_the_type(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    settings = Settings(approvals=ApprovalTerms(max_age_of={"police.person-locate.request": timedelta(minutes=20)}))
    async with serving(store, tmp_path / "papers", keys, settings=settings, parties=parties()) as world:
        await world.put_pdf()
        reply = await world.submit_signed(locate_request())
        assert reply.rules == [("/approvals/0/at", "approval-too-old")]


async def test_an_age_is_counted_to_the_submission_not_to_what_happens_to_it_later(world: World) -> None:
    """Blocked for longer than an approval lasts: the approval was in time when it was handed in."""
    sha256 = hashlib.sha256(b"later").hexdigest()
    body = locate_request(documents=[document("summons-proof", sha256)])
    number = await world.accepted(await world.submit_signed(body))
    assert await state(world, number) == "blocked"
    world.clock.advance(days=10)
    headers = {"Content-Type": "application/pdf"}
    await world.call("PUT", f"/v1/documents/{sha256}", data=b"later", headers=headers)
    await world.clockwork.once()
    assert await state(world, number) == "approved"
