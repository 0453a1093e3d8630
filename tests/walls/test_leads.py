"""Leads on refusal, dates, terms: what the law says about them, from outside (docs/adr/0038)."""

from __future__ import annotations

import copy
import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

from uuid_utils.compat import uuid7

from gateway.registry.calendars import shipped
from lianzhi.client import signing
from lianzhi.protocol.cards import cards
from schemas.catalogue import catalogue
from simulation.parties import BACKUP, CHIEF, CLERK, GRID, HANDLER, POLICE, PRESIDENT, PROCURATORATE, REALTY
from tests.agency import Agency
from tests.eventually import eventually
from tests.fault.court import PAPER_SHA256, VERIFY
from tests.walls.product import Installation
from tests.walls.test_authority import agreed, author, get, post
from tests.words import SHANGHAI, standing

LEAD, STATUS, SUGGESTION = "refusal.lead.transfer", "refusal.case.status", "procuratorate.suggestion.issue"
VISIT, QUERY, CLOSURES = "grid.service-assist.request", "dept.property.query", "/v1/ledgers/closure"
PAPERS = ("lead-transfer-letter", "enforcement-statement")
FAR = "2062-01-01"


def day(days: int = 0) -> str:
    return (datetime.now(SHANGHAI) + timedelta(days=days)).date().isoformat()


def moment(**ahead: float) -> str:
    return (datetime.now(SHANGHAI) + timedelta(**ahead)).isoformat(timespec="seconds")


def papers(*kinds: str, issued_on: str = "2026-03-20") -> list[dict[str, Any]]:
    paper = {"issued_on": issued_on, "sha256": PAPER_SHA256, "pages": 1, "media_type": "application/pdf"}
    return [{"kind": kind, **paper} for kind in kinds]


def submission(
    site: Installation, type: str, payload: dict[str, Any], receiver: str, number: int, **changes: Any
) -> signing.Handed:
    """Signed where the catalogue wants it, with the approvals of two."""
    body = {
        "type": type,
        "schema_version": catalogue()[type].version,
        "case_no": f"（2026）陕0199执{710000 + number}号",
        "legal_basis": ["CPL-117"],
        "purpose": "enforcement",
        "handler": HANDLER,
        "backup_handler": BACKUP,
        "drafted_by": CLERK,
        "approvals": [agreed(CHIEF, "bureau-chief"), agreed(PRESIDENT, "president")],
        "payload": payload,
        **changes,
    }
    now = datetime.now(UTC)
    return signing.submission(
        author(site), body, receivers=[receiver], sign=None, message_id=str(uuid7()), cards=cards(), now=now
    )


def lead(grounds: list[str] | None = None, **changes: Any) -> dict[str, Any]:
    """A debtor who hid property: known to every version unless the grounds are newer."""
    payload = copy.deepcopy(dict(catalogue()[LEAD].example_request))
    for group in payload["evidence"].values():
        group[0]["sha256"] = PAPER_SHA256
    return payload | {"grounds": grounds or ["JZ3-1"], "transferred_on": day(), **changes}


async def transferred(site: Installation, number: int, grounds: list[str] | None = None) -> str:
    """The number of a lead that the police have."""
    await site.court.hand_in_paper()
    handed = submission(site, LEAD, lead(grounds), POLICE, number, documents=papers(*PAPERS))
    status, document = await post(site, "/v1/requests", handed)
    assert status == 202, document
    return str(document["request_no"])


def decision(**members: Any) -> dict[str, Any]:
    item = {"ref": "k7m2q9xa", "decision": "filed", "decided_on": day(), "file_no": "云公（刑）立字〔2026〕900001号"}
    line = {name: value for name, value in (item | members).items() if value is not None}
    return {"outcome": "done", "as_of": moment(), "items": [line]}


async def state(site: Installation, number: str) -> str:
    status, document = await get(site, f"/v1/requests/{number}")
    return str(document["state"]) if status == 200 else f"http {status}"


async def item_of(site: Installation, ledger: str, number: str) -> dict[str, Any]:
    """The item as the ledger shows it; empty where there is none."""
    _, document = await get(site, f"/v1/ledgers/{ledger}", limit="200")
    return next((dict(item) for item in document["items"] if item["item_no"] == number), {})


async def test_l12_the_grounds_of_the_interpretation_of_2002_can_be_named(running: Installation) -> None:
    await running.court.hand_in_paper()
    helper = {
        "ref": "p4c8m2td",
        "name": "李演示",
        "id_kind": "resident-id",
        "id_no": "610199198807152345",
        "conduct": "明知判决已生效，受让并代持车辆",
    }
    for number, grounds in enumerate([[f"NPC-{n}"] for n in range(1, 6)] + [["JZ6"], ["NPC-1", "JZ8"]]):
        more = {"accomplices": [helper]} if "JZ8" in grounds else {}
        payload = lead(grounds, prior_penalties=[], **more)
        handed = submission(running, LEAD, payload, POLICE, number, documents=papers(*PAPERS))
        status, document = await post(running, "/v1/requests", handed)
        assert status == 202, document
    police = await running.agency(POLICE)
    assert (await police.next(document["request_no"], "open")).body["JZQX"] == "NPC-1,JZ8"


async def test_l13_a_lead_has_its_letter_and_the_statement(running: Installation) -> None:
    await running.court.hand_in_paper()
    for given in PAPERS:
        handed = submission(running, LEAD, lead(), POLICE, 20, documents=papers(given))
        status, document = await post(running, "/v1/requests", handed)
        assert status == 422, document
        assert document["type"].endswith("documents-missing")


async def test_l14_the_police_decide_on_a_lead_and_do_not_turn_it_away(running: Installation) -> None:
    site, number = running, await transferred(running, 30)
    police = await site.agency(POLICE)
    await police.answer(number, "delivered")
    words = {"reason_code": "technical", "explanation": "内部流程不符"}
    await police.say(await police.opened(number), "refuse", words)
    await police.fence()
    assert await state(site, number) != "refused"
    [notice] = police.notices(request_no=number) or police.notices(reason="answer-not-lawful")
    told = json.dumps(notice, ensure_ascii=False)
    assert all(word in told for word in ("立案", "不予立案", "移送", "supplement-request"))
    contact = {"at": moment(), "person": "李演示", "note": "已电话沟通"}
    back = {"reason_code": "not-in-jurisdiction", "contact_log": [contact]}
    await police.say(await police.opened(number), "return", back)
    await police.fence()
    assert await state(site, number) == "delivered"
    item = await item_of(site, "refusal", number)
    assert (item["state"], item.get("turned_away_on")) == ("turned-away", day())
    _, report = await get(site, "/v1/reports/weekly", week=_week())
    assert report["total"]["leads_turned_away"] >= 1
    unfounded = decision(decision="not-filed", file_no=None, reason="没有犯罪事实")
    await police.answer(number, "result", unfounded)
    await police.fence()
    assert await state(site, number) == "delivered"  # no article of law
    lawful = {**unfounded, "items": [{**unfounded["items"][0], "legal_ref": "刑事诉讼法第一百一十二条"}]}
    await police.answer(number, "result", lawful)
    assert await eventually(lambda: _is(site, number, "completed"))
    item = await item_of(site, "refusal", number)
    assert (item["outcome"], item["turned_away_on"]) == ("not-filed", day())


def _week() -> str:
    year, week, _ = datetime.now(SHANGHAI).date().isocalendar()
    return f"{year}-W{week:02d}"


async def _is(site: Installation, number: str, wanted: str) -> bool:
    return await state(site, number) == wanted


async def test_l14_what_is_another_units_is_transferred(running: Installation) -> None:
    number = await transferred(running, 31)
    police = await running.agency(POLICE)
    moved = decision(decision="transferred", file_no=None, reason="犯罪地在外地", transferred_to="云岭县公安局（演示）")
    await police.answer(number, "result", moved)
    await police.fence()
    assert await state(running, number) == "completed"
    assert (await item_of(running, "refusal", number))["outcome"] == "transferred"


async def status_told(police: Agency, lead_no: str, on: str) -> str:
    """A notice of the police that a case was withdrawn on that day."""
    payload = {
        "ref": "k7m2q9xa",
        "lead_no": lead_no,
        "stage": "case-revoked",
        "on": on,
        "unit": "云川县公安局（演示）",
        "document_no": "云公（刑）撤案字〔2026〕900001号",
        "reason": "没有犯罪事实",
    }
    talk = police.begin(STATUS)
    data = {"request": {}, "court": {"name": "云川县公安局（演示）"}, "payload": payload}
    await police.say(talk, "open", data)
    await police.fence()
    return talk.request_no


async def test_l15_a_case_that_the_police_withdraw_is_told_with_its_clock(running: Installation) -> None:
    site, number = running, await transferred(running, 40)
    police = await site.agency(POLICE)
    await police.answer(number, "result", decision())
    for on, late in ((day(-1), False), (day(-30), True)):
        told = await status_told(police, number, on)
        assert await state(site, told) == "delivered", police.notices()
        item = await item_of(site, "refusal", told)
        assert (item["state"], item["settled_on"]) == ("case-revoked", day())
        assert (item["due_on"] < day()) is late
        _, timeline = await get(site, f"/v1/requests/{told}/timeline")
        assert any(e.get("detail") == "told-late" for e in timeline["events"]) is late


async def test_l16_what_happened_is_not_in_the_future(running: Installation) -> None:
    await running.court.hand_in_paper()
    number = await transferred(running, 50)
    police = await running.agency(POLICE)
    future = [
        ("receipt", {**standing("receipt", datetime.now(UTC)), "received_at": f"{FAR}T09:00:00+08:00"}),
        ("result", decision(decided_on=FAR)),
        ("result", {**decision(), "as_of": f"{FAR}T09:00:00+08:00"}),
        ("result", decision(decided_on=day(-1))),  # before its lead
    ]
    for verb, data in future:
        said = await police.make(await police.opened(number), verb, data, as_is=True)
        await police.publish(said)
        await police.fence()
        assert police.notices(message_id=said.id), (verb, data)
    assert await state(running, number) in ("dispatched", "delivered")
    handed = submission(running, LEAD, lead(), POLICE, 51, documents=papers(*PAPERS, issued_on=FAR))
    status, document = await post(running, "/v1/requests", handed)
    assert status == 422, document
    assert {(e["pointer"], e["rule"]) for e in document["errors"]} == {
        ("/documents/0/issued_on", "day-in-future"),
        ("/documents/1/issued_on", "day-in-future"),
    }


async def test_l16_what_is_to_come_is_not_over(running: Installation) -> None:
    payload = dict(catalogue()[VISIT].example_request)
    for meet_at, wanted in ((moment(days=-90), 422), (moment(days=2), 202)):
        handed = submission(running, VISIT, payload | {"meet_at": meet_at}, GRID, 55)
        status, document = await post(running, "/v1/requests", handed)
        assert status == wanted, document
        if status == 422:
            assert [(e["pointer"], e["rule"]) for e in document["errors"]] == [("/payload/meet_at", "moment-over")]


def months_on(start: date, months: int) -> date:
    """The same day of a later month, or the last of a shorter one; then the first working day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = next(d for d in range(start.day, 0, -1) if _exists(year, month + 1, d))
    end, calendar = date(year, month + 1, last), shipped()
    while not calendar.is_working(end):
        end += timedelta(days=1)
    return end


def _exists(year: int, month: int, of_month: int) -> bool:
    try:
        date(year, month, of_month)
    except ValueError:
        return False
    return True


async def test_l23_three_months_run_to_the_same_day(running: Installation) -> None:
    _, type_ = await get(running, f"/v1/types/{SUGGESTION}")
    assert type_["deadline"] == {"kind": "legal_months", "amount": 3}
    procuratorate = await running.agency(PROCURATORATE)
    payload = dict(catalogue()[SUGGESTION].example_request)
    talk = procuratorate.begin(SUGGESTION)
    data = {
        "request": {},
        "court": {"name": "云川县人民检察院（演示）"},
        "documents": papers("procuratorate-suggestion"),
        "payload": payload,
    }
    await procuratorate.say(talk, "open", data)
    await procuratorate.fence()
    status, document = await get(running, f"/v1/requests/{talk.request_no}")
    assert status == 200, procuratorate.notices()
    assert document["due_on"] == months_on(datetime.now(SHANGHAI).date(), 3).isoformat()


def is_paused(site: Installation, number: str) -> bool:
    """Whether the main clock stands, straight from the database file."""
    with closing(sqlite3.connect(f"file:{site.folder / 'lianzhi.sqlite'}?mode=ro", uri=True)) as connection:
        [row] = connection.execute("SELECT facts FROM requests WHERE request_no = ?", (number,)).fetchall()
    return "paused" in json.loads(row[0])["due"]


async def test_l24_an_objection_stops_the_clock_only_of_registers(running: Installation) -> None:
    asked = {
        GRID: (VERIFY, {}),
        REALTY: (QUERY, {"documents": papers("inquiry-notice", "work-permit-copy")}),
    }
    await running.court.hand_in_paper()
    stopped = {}
    for number, (receiver, (type, more)) in enumerate(asked.items(), start=60):
        payload = copy.deepcopy(dict(catalogue()[type].example_request))
        status, document = await post(
            running, "/v1/requests", submission(running, type, payload, receiver, number, **more)
        )
        assert status == 202, document
        partner = await running.agency(receiver)
        for verb in ("delivered", "receipt", "objection"):
            await partner.answer(document["request_no"], verb)
        await partner.fence()
        stopped[receiver] = is_paused(running, document["request_no"])
    assert stopped == {GRID: False, REALTY: True}


async def test_l26_a_closing_carries_its_preconditions(running: Installation) -> None:
    case_no = "（2026）陕0199执710070号"
    closing_ = {
        "event": "closed",
        "case_no": case_no,
        "on": day(),
        "by": HANDLER,
        "preconditions": [{"item": "1", "on": "2026-01-05"}, {"item": "4", "on": "2026-04-01"}],
    }
    status, document = await post(running, CLOSURES, closing_)
    assert status == 201, document
    assert document["missing"] == ["2", "3", "5"]
    shown = (await item_of(running, "closure", case_no))["preconditions"]
    assert [one.get("met_on") for one in shown] == ["2026-01-05", None, None, "2026-04-01", None]
    early = {**closing_, "case_no": case_no.replace("070", "071"), "preconditions": [{"item": "1", "on": FAR}]}
    assert (await post(running, CLOSURES, early))[0] == 422
