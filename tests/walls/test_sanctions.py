"""Whom a sanction may hit, who signs it, who handles it, how long anybody is held: as the texts say."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import tomlkit
from uuid_utils.compat import uuid7

from lianzhi.client import signing
from lianzhi.protocol.cards import cards
from schemas.catalogue import catalogue
from simulation.parties import CHIEF, CLERK, CREDIT, DEPUTY, GRID, HANDLER, HOME, POLICE, PRESIDENT, TELEPHONES
from tests.agency import Agency
from tests.eventually import eventually
from tests.fault.court import PAPER, PAPER_SHA256
from tests.walls.product import Installation
from tests.walls.test_authority import author, get, post
from tests.words import SHANGHAI, Talk

LIST, LIMIT, EXIT = "sanction.dishonest.publish", "sanction.consumption-limit.publish", "sanction.exit-restrict.request"
LOCATE, LOOKOUT, HIT = "police.person-locate.request", "police.person-control.request", "police.person-hit.alert"
VERIFY = "grid.verify.request"
BY_PRESIDENT = ((CHIEF, "bureau-chief"), (PRESIDENT, "president"))
BY_CHIEFS = ((DEPUTY, "bureau-chief"), (CHIEF, "bureau-chief"))
PAPERS = {
    LIST: "dishonesty-decision",
    LIMIT: "consumption-order",
    EXIT: "exit-restriction-decision",
    LOCATE: "summons-proof",
    LOOKOUT: "compelled-appearance-writ",
}
CHILD = {"id_no": "610199201506010110", "card_no": "6101992015****0110"}
_cases = itertools.count(500_001)


def paper(kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "issued_on": "2026-03-20",
        "sha256": PAPER_SHA256,
        "pages": 1,
        "media_type": "application/pdf",
    }


EVIDENCE = paper("obligor-evidence")


def ahead(days: int) -> str:
    """So many days from today, Asia/Shanghai."""
    return (datetime.now(SHANGHAI).date() + timedelta(days=days)).isoformat()


TERMS: dict[str, Callable[[], dict[str, str]]] = {
    LIST: lambda: {"publish_on": ahead(0), "end_on": ahead(700)},
    LIMIT: lambda: {"publish_on": ahead(0)},
    EXIT: lambda: {"start_on": ahead(0), "end_on": ahead(60)},
    LOOKOUT: lambda: {"start_on": ahead(0), "end_on": ahead(20)},
}


def within(payload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """`payload` with members changed: `debtor__role` is /debtor/role."""
    payload = copy.deepcopy(payload)
    for path, value in changes.items():
        *steps, last = path.split("__")
        node = payload
        for step in steps:
            node = node[step]
        node[last] = value
    return payload


def asked(kind: str, approved: tuple[tuple[str, str], ...] = BY_PRESIDENT, **changes: Any) -> dict[str, Any]:
    """A submission that holds, about an example's person in a case of its own. changes: of its payload."""
    payload = copy.deepcopy(dict(catalogue()[kind].example_request)) | TERMS.get(kind, dict)()
    agreed = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    kinds = [PAPERS[kind], *(["assistance-notice"] if kind == EXIT else [])] if kind in PAPERS else []
    return {
        "type": kind,
        "schema_version": catalogue()[kind].version,
        "case_no": f"（2026）陕0199执{next(_cases)}号",
        "legal_basis": ["CPL-266"],
        "purpose": "enforcement",
        "handler": HANDLER,
        "drafted_by": CLERK,
        "approvals": [{"by": by, "role": role, "decision": "approve", "at": agreed} for by, role in approved],
        "documents": [paper(one) for one in kinds],
        "payload": within(payload, **changes),
    }


async def submit(site: Installation, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    kind = str(body["type"])
    receiver = CREDIT if kind in (LIST, LIMIT) else GRID if kind == VERIFY else POLICE
    handed = signing.submission(
        author(site),
        body,
        receivers=[receiver],
        sign=kind != VERIFY,
        message_id=str(uuid7()),
        cards=cards(),
        now=datetime.now(UTC),
    )
    return await post(site, "/v1/requests", handed)


def rules(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(error["pointer"], error["rule"]) for error in answer.get("errors", ())]


def warned(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(told["pointer"], told["rule"]) for told in answer.get("warnings", ())]


async def has_paper(site: Installation) -> None:
    """The one that every submission names; there already when another test has put it."""
    headers = {"Content-Type": "application/pdf"}
    async with site.court.session.put(f"/v1/documents/{PAPER_SHA256}", data=PAPER, headers=headers) as answer:
        assert answer.status in (200, 201, 204), await answer.text()


# --- whom it may hit ----------------------------------------------------------------------------------------------


async def test_l5_directly_responsible_persons_and_statutory_agents_with_their_document(running: Installation) -> None:
    for role in ("直接责任人员", "影响债务履行的直接责任人员", "法定代理人"):
        status, told = await submit(running, asked(EXIT, person__role=role, person__obligor_evidence=EVIDENCE))
        assert status == 202, (role, told)
        status, told = await submit(running, asked(EXIT, person__role=role))
        assert (status, rules(told)) == (422, [("/payload/person/obligor_evidence", "role-paper-required")])
    whose: dict[str, Any] = {"debtor__role": "影响债务履行的直接责任人员", "debtor__obligor_evidence": EVIDENCE}
    assert (await submit(running, asked(LIMIT, **whose)))[0] == 202


async def test_l8_the_debtor_alone_is_listed(running: Installation) -> None:
    for role in ("法定代表人", "负责人", "实际控制人", "协助义务人", "担保人"):
        status, told = await submit(running, asked(LIST, debtor__role=role))
        assert (status, rules(told)) == (422, [("/payload/debtor/role", "role-outside")]), role
        assert "被执行人" in told["errors"][0]["detail"] and "FAFA-2019-35" in told["errors"][0]["detail_en"]
    for role in ("被执行人", "法定代表人", "负责人", "实际控制人"):
        assert (await submit(running, asked(LIMIT, debtor__role=role)))[0] == 202, role
    for role in ("协助义务人", "担保人"):
        status, told = await submit(running, asked(LIMIT, debtor__role=role))
        assert (status, rules(told)) == (422, [("/payload/debtor/role", "role-outside")]), role
    assert (await submit(running, asked(LIST)))[0] == 202


async def test_l9_no_child_is_limited_in_consumption(running: Installation) -> None:
    young: dict[str, Any] = {"debtor__id_no": CHILD["id_no"], "card_no": CHILD["card_no"]}
    status, told = await submit(running, asked(LIMIT, **young))
    assert (status, rules(told)) == (422, [("/payload/debtor", "minor-limited")])
    assert "law/circles.toml" in told["errors"][0]["detail"], "whose reading it is, and where it is changed"


async def test_l10_an_end_is_advised_where_ability_without_will_does_not_stand_alone(running: Installation) -> None:
    several: dict[str, Any] = {"entry__disruption": ["able-but-refuses", "evades"]}
    body = asked(LIST, **several)
    del body["payload"]["end_on"]
    status, told = await submit(running, body)
    assert (status, warned(told)) == (202, [("/payload/end_on", "list-term-advised")])
    status, told = await submit(running, asked(LIST, **several))
    assert (status, warned(told)) == (202, [])
    alone = asked(LIST, entry__disruption=["able-but-refuses"])
    del alone["payload"]["end_on"]
    status, told = await submit(running, alone)
    assert (status, warned(told)) == (202, [])


# --- who signs it, who handles it ---------------------------------------------------------------------------------


async def test_l6_the_president_signs_a_listing(running: Installation) -> None:
    status, told = await submit(running, asked(LIST, BY_CHIEFS))
    assert (status, rules(told)) == (422, [("/approvals", "approval-role")])
    status, told = await submit(running, asked(LIST, ((PRESIDENT, "president"),)))
    assert (status, rules(told)) == (422, [("/approvals", "approvals-count")])
    assert (await submit(running, asked(LIST)))[0] == 202


async def test_l7_the_president_signs_a_limit_on_consumption(running: Installation) -> None:
    status, told = await submit(running, asked(LIMIT, ((CHIEF, "bureau-chief"),)))
    assert (status, rules(told)) == (422, [("/approvals", "approval-role")])
    assert (await submit(running, asked(LIMIT, ((PRESIDENT, "president"),))))[0] == 202


async def test_l27_a_clerk_handles_nothing(running: Installation) -> None:
    for kind in (LOCATE, LIST, VERIFY):
        body = asked(kind, BY_PRESIDENT if kind != VERIFY else ()) | {"handler": CLERK, "drafted_by": HANDLER}
        status, told = await submit(running, body)
        assert (status, rules(told)) == (422, [("/handler", "handler-role")]), kind
        assert "law/handlers.toml" in told["errors"][0]["detail"]
        assert (await submit(running, asked(kind, BY_PRESIDENT if kind != VERIFY else ())))[0] == 202, kind


# --- how long -----------------------------------------------------------------------------------------------------


async def test_l22_a_border_notice_lasts_as_long_as_that_level_of_police_may_keep_it(running: Installation) -> None:
    status, told = await submit(running, asked(EXIT, mode="refuse-papers", end_on=ahead(360)))
    assert (status, rules(told)) == (422, [("/payload/end_on", "exit-notice-too-long")])
    assert "县级公安机关" in told["errors"][0]["detail"] and "3" in told["errors"][0]["detail_en"]
    assert (await submit(running, asked(EXIT, mode="refuse-papers", end_on=ahead(85))))[0] == 202


async def kept_lookout(site: Installation, police: Agency) -> tuple[str, str]:
    """A lookout on a writ that the police keep: the number of its request, and theirs."""
    control_no = f"LK610199{uuid4().int % 10**7:07d}"
    status, told = await submit(site, asked(LOOKOUT, decision="compelled-appearance"))
    assert status == 202, told
    number = told["request_no"]
    result = copy.deepcopy(dict(catalogue()[LOOKOUT].example_result))
    result["as_of"] = result["items"][0]["effective_at"] = now()
    result["items"][0]["control_no"] = control_no
    await police.answer(number, "result", result)

    async def done() -> bool:
        return bool((await get(site, f"/v1/requests/{number}"))[1]["state"] == "completed")

    await eventually(done)
    return number, control_no


def now(**later: float) -> str:
    return (datetime.now(SHANGHAI) + timedelta(**later)).isoformat(timespec="seconds")


async def met(police: Agency, control_no: str, **changes: Any) -> Talk:
    """The police say that they met the person."""
    payload = dict(catalogue()[HIT].example_request) | {"control_no": control_no, "hit_at": now()} | changes
    talk = police.begin(HIT)
    talk.refs = [payload["ref"]]
    opening = {"request": {"urgency": "immediate"}, "documents": [], "payload": payload}
    await police.say(talk, "open", opening)
    await police.fence()
    return talk


async def test_l4_nobody_is_held_longer_than_a_day_and_the_handover_starts_the_questioning(
    running: Installation,
) -> None:
    await has_paper(running)
    police = await running.agency(POLICE)
    _, control_no = await kept_lookout(running, police)
    too_long = await met(police, control_no, hold_until=now(days=10))
    assert (await get(running, f"/v1/requests/{too_long.request_no}"))[0] == 404, "ten days of custody were accepted"
    refused = [r for r in await running.quarantine() if too_long.request_no in str(r)]
    assert "invalid-field" in str(refused)

    held = await met(police, control_no, hold_until=now(hours=23))
    alert = held.request_no
    assert (await get(running, f"/v1/requests/{alert}"))[1]["state"] == "delivered"
    handed_over = now()
    said: tuple[tuple[str, dict[str, Any]], ...] = (
        ("acknowledge", {"at": now()}),
        ("send-team", {"at": now(), "team": "执行一组"}),
        ("identity-check", {"at": now(), "id_ok": True, "photo_ok": True}),
        (
            "handover",
            {"at": handed_over, "place": "办案中心（演示）", "handed_by": "赵演示", "received_by": "李演示"},
        ),
    )
    for verb, data in said:
        body = {"verb": verb, "by": HANDLER, "data": {**data, "by": HANDLER}}
        status, told = await post(running, f"/v1/requests/{alert}/messages", body)
        assert status == 202, (verb, told)
    seen = (await get(running, f"/v1/requests/{alert}"))[1]
    assert seen["state"] == "handed-over"
    began = datetime.fromisoformat(handed_over)
    ends = {name: seen.get(name) for name in ("questioning_until", "questioning_longest")}
    assert {name: end and datetime.fromisoformat(end) for name, end in ends.items()} == {
        "questioning_until": began + timedelta(hours=8),
        "questioning_longest": began + timedelta(hours=24),
    }


async def test_l4_a_detention_lasts_fifteen_days(
    running: Installation, record_property: Callable[[str, object], None]
) -> None:
    record_property("new", "`detention_days` is a member that f2027db does not know")
    detention: dict[str, Any] = {"decision": "detention-order"}

    async def told_of(**changes: Any) -> tuple[int, dict[str, Any]]:
        body = asked(LOOKOUT, **detention, **changes)
        return await submit(running, body | {"documents": [paper("detention-decision")]})

    status, told = await told_of(detention_days=16)
    assert (status, rules(told)) == (422, [("/payload/detention_days", "detention-too-long")])
    status, told = await told_of()
    assert (status, ("/payload/detention_days", "detention-days-missing") in warned(told)) == (202, True)
    status, told = await told_of(detention_days=15)
    assert (status, "detention-days-missing" in str(told.get("warnings"))) == (202, False)
    body = asked(LOOKOUT, decision="compelled-appearance", detention_days=3)
    status, told = await submit(running, body)
    assert (status, rules(told)) == (422, [("/payload/detention_days", "detention-days-not-needed")])


# --- whom those who go out can call -------------------------------------------------------------------------------


async def test_the_handlers_telephone_goes_with_what_somebody_goes_out_for(site: Installation) -> None:
    """And where none is registered, whoever asks is warned."""
    await site.serve()
    await has_paper(site)
    for kind, code, name in ((VERIFY, GRID, "contactPhone"), (LOCATE, POLICE, "CBRLXDH"), (LIST, CREDIT, None)):
        agency = await site.agency(code)
        status, told = await submit(site, asked(kind, BY_PRESIDENT if kind != VERIFY else ()))
        assert (status, warned(told)) == (202, []), kind
        taken = await agency.next(told["request_no"], "open")
        assert name is None or taken.body[name] == TELEPHONES[HANDLER]
        assert (TELEPHONES[HANDLER] in str(taken.body)) == (name is not None)
    await site.stop(site.processes[-1])

    path = site.folder / "participants" / f"{HOME}.toml"
    form = tomlkit.parse(path.read_text("utf-8"))
    for person in form["staff"]:
        person.pop("contact", None)
    path.write_text(tomlkit.dumps(form), "utf-8")
    await site.serve()
    for kind in (VERIFY, LOCATE):
        status, told = await submit(site, asked(kind, BY_PRESIDENT if kind == LOCATE else ()))
        assert (status, warned(told)) == (202, [("/handler", "handler-phone-missing")]), kind
