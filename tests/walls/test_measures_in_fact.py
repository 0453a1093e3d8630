"""Measures in fact: what registers really answered decides, and a measure begins and ends as the law says."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest_asyncio

from simulation.parties import CREDIT, POLICE
from tests.court_system import CourtSystem, Posted, fresh_payload
from tests.eventually import eventually
from tests.faults import CONTROL, ENTRUST, HIT, LOCATE, SEAL
from tests.scenes import answer_to, hit
from tests.walls.product import Installation, WallClock
from tests.words import Said

PUBLISH = "sanction.dishonest.publish"
_cases = itertools.count(970_001)


def a_case() -> str:
    return f"（2026）陕0199执{next(_cases)}号"


def day(ahead: int) -> str:
    return (date.today() + timedelta(days=ahead)).isoformat()


@pytest_asyncio.fixture
async def court(running: Installation) -> AsyncIterator[CourtSystem]:
    """The court's own system at the shared gateway."""
    court = CourtSystem(WallClock(), running.parties.handover, running.parties.token)  # type: ignore[arg-type]
    await court.connect(running.url)
    yield court
    await court.close()


async def answered(site: Installation, number: str, result: dict[str, Any]) -> Said:
    """The one asked says `result`, and the gateway has dealt with it."""
    agency = await site.agency((await shown(site, number))["asked"])
    said = await agency.say(await agency.opened(number), "result", result)
    await agency.fence()
    return said


async def shown(site: Installation, number: str) -> dict[str, Any]:
    async with site.court.session.get(f"/v1/requests/{number}") as answer:
        found: dict[str, Any] = await answer.json()
    return found


async def measure(court: CourtSystem, number: str) -> dict[str, Any]:
    return await court.get(f"/v1/measures/{number}-1")


async def lapsed(court: CourtSystem, number: str) -> None:
    """Until the gateway's clock has noticed."""

    async def is_over() -> bool:
        return bool((await measure(court, number))["state"] == "lapsed")

    assert await eventually(is_over, 60)


async def heard(site: Installation, kind: str, number: str) -> list[dict[str, Any]]:
    return [e for e in await site.court.feed() if (e["kind"], e.get("request_no")) == (kind, number)]


def sealing(**changes: Any) -> dict[str, Any]:
    return fresh_payload(SEAL, start_on=day(0), end_on=day(700), **changes)


def freezing(amount: str) -> dict[str, Any]:
    payload = fresh_payload(ENTRUST, start_on=day(0), end_on=day(300))
    payload["objects"][0] |= {"amount": amount, "account_no": f"61{next(_cases):012d}"}
    return payload | {"entrusting": "陕0199", "entrusted": "陕0591"}


def of_share() -> dict[str, Any]:
    """A commission to freeze a share in a company."""
    payload = freezing("1.00") | {"matter_code": "freeze-equity"}
    thing = payload["objects"][0]
    company = {"ref": "c5t9c2hb", "name": "云川演示有限公司", "uscc": "91610199MA0000001Q"}
    payload["objects"] = [{"ref": thing["ref"], "kind": "equity", "party": thing["party"], "share": "30%"}]
    payload["objects"][0]["company"] = company
    return payload


def said(type: str, payload: dict[str, Any], without: str = "", **item: Any) -> dict[str, Any]:
    """The example's answer about this object; `without`: a member that it lacks."""
    result = answer_to(type, payload, datetime.now(UTC))
    line = {name: value for name, value in (result["items"][0] | item).items() if name not in without.split()}
    return result | {"items": [line]}


async def sealed(site: Installation, court: CourtSystem, case_no: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    payload = sealing(**changes)
    number = await court.ask(SEAL, payload, case_no=case_no)
    await answered(site, number, said(SEAL, payload))
    return number, payload


def named(number: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The seal of that request, as a paper names it."""
    return {"measure_no": f"{number}-1", "start_on": payload["start_on"], "end_on": payload["end_on"]}


def refused(posted: Posted) -> tuple[int, str]:
    return posted.status, posted.body.get("type", "").rsplit(":", 1)[-1]


# --- sums -----------------------------------------------------------------------------------------------------------


async def test_l2_what_is_frozen_in_fact_counts_not_what_was_asked(running: Installation, court: CourtSystem) -> None:
    """31.20 of 416,000.00 were on the account: the car may be sealed, and what covers the debt ends it."""
    case_no, asked = a_case(), freezing("416000.00")
    freeze = await court.ask(ENTRUST, asked, case_no=case_no)
    waiting = sealing(debt_amount="416000.00", value="90000.00")
    out = await court.submit(SEAL, waiting, case_no=case_no)
    assert out.status == 202, out  # only asked for: a warning
    (warning,) = await heard(running, "over-seizure-warning", out.request_no)
    assert warning["head"] == {"debt": "416000.00", "in_fact": "0.00", "asked": "416000.00"}
    await answered(running, freeze, said(ENTRUST, asked, amount="31.20"))
    await answered(running, out.request_no, said(SEAL, waiting))
    assert (await measure(court, freeze))["seized"] == "31.20"
    case = await court.get(f"/v1/cases?case_no={case_no}")
    assert [case["debt"][name] for name in ("debt", "in_fact", "asked")] == ["416000.00", "90031.20", "0.00"]

    flat = sealing(debt_amount="416000.00", value="330000.00")
    number = await court.ask(SEAL, flat, case_no=case_no)
    await answered(running, number, said(SEAL, flat))
    over = await court.submit(SEAL, sealing(debt_amount="416000.00", value="1.00"), case_no=case_no)
    assert refused(over) == (409, "over-seizure")
    assert "420031.20" in over.body["errors"][0]["detail"]


async def test_l2_a_case_has_one_debt_and_another_figure_a_reason(running: Installation, court: CourtSystem) -> None:
    case_no = a_case()
    await sealed(running, court, case_no, debt_amount="416000.00")
    invented = await court.submit(SEAL, sealing(debt_amount="999999.00"), case_no=case_no)
    assert refused(invented) == (409, "debt-differs")
    told = invented.body["errors"][0]["detail"]
    assert "416000.00" in told and "999999.00" in told
    more = sealing(debt_amount="421000.00", debt_reason="interest")
    number = await court.ask(SEAL, more, case_no=case_no)
    (event,) = await heard(running, "debt-changed", number)
    assert event["head"] == {"before": "416000.00", "debt": "421000.00", "reason": "interest"}
    history = (await court.get(f"/v1/cases?case_no={case_no}"))["debt"]["history"]
    assert [(d["amount"], d.get("reason")) for d in history] == [("416000.00", None), ("421000.00", "interest")]


async def test_l11_a_listing_where_enough_is_seized_is_told_with_the_figures(
    running: Installation, court: CourtSystem
) -> None:
    case_no = a_case()
    await sealed(running, court, case_no, debt_amount="50000.00", value="60000.00")
    number = await court.ask(PUBLISH, case_no=case_no, receiver=CREDIT)
    told = await heard(running, "listing-warning", number)
    assert [event["head"] for event in told] == [{"debt": "50000.00", "in_fact": "60000.00", "asked": "0.00"}]


# --- begun, renewed, ended ------------------------------------------------------------------------------------------


async def test_l1_registered_after_the_end_it_is_a_new_measure(running: Installation, court: CourtSystem) -> None:
    """And what was registered before it, and told late, goes on."""
    for registered, states in ((day(0), ["lapsed", "active"]), (day(-20), ["active"])):
        case_no = a_case()
        number, payload = await sealed(running, court, case_no)
        old, ended_on = named(number, payload), day(-10)
        renewal = {name: payload[name] for name in ("vehicle",)} | {"action": "renew", "original": old}
        renewal |= {"start_on": payload["end_on"], "end_on": day(1400)}
        renewing = await court.ask(SEAL, renewal, case_no=case_no)
        police = await running.agency(POLICE)
        talk = await police.opened(number)
        messages = (await court.get(f"/v1/requests/{number}/messages"))["messages"]
        first = next(m for m in messages if m["verb"] == "result")
        wrong = said(SEAL, payload, start_on=day(-700), end_on=ended_on)
        wrong |= {"supersedes": first["message_id"], "reason": "到期日录入有误"}
        await police.say(talk, "correct", wrong)
        await police.fence()

        await lapsed(court, number)
        answer = said(SEAL, renewal, start_on=registered, end_on=day(1400), registry_no="CF-2", rank=2)
        await answered(running, renewing, answer)
        listing = await court.get(f"/v1/measures?case_no={case_no}&state=active,lapsed")
        found = {m["measure_no"]: m for m in listing["measures"]}
        assert [found[n]["state"] for n in sorted(found)] == states
        if len(states) == 1:
            assert found[f"{number}-1"]["end_on"] == day(1400)
            continue
        new = found[f"{renewing}-1"]
        assert (new["start_on"], new["end_on"], new["rank"]) == (registered, day(1400), 2)
        assert found[f"{number}-1"]["end_on"] == ended_on
        (event,) = await heard(running, "measure-anew", renewing)
        assert (event["head"]["after"], event["head"]["lapsed_on"]) == (f"{number}-1", ended_on)


async def test_l3_the_ruling_that_sealed_does_not_release(running: Installation, court: CourtSystem) -> None:
    case_no = a_case()
    number, payload = await sealed(running, court, case_no)
    ending = {"vehicle": payload["vehicle"], "action": "release", "original": named(number, payload)}
    sealing_papers = [court.document(kind) for kind in ("enforcement-ruling", "assistance-notice")]
    same = await court.submit(SEAL, ending, case_no=case_no, documents=sealing_papers)
    assert refused(same) == (422, "documents-missing")
    assert "解除" in same.body["errors"][0]["detail"]
    old = [court.document("release-ruling") | {"issued_on": day(-1)}, court.document("assistance-notice")]
    early = await court.submit(SEAL, ending, case_no=case_no, documents=old)
    assert (early.status, early.rules) == (422, ["ending-paper-early"])

    (item,) = (await court.release(case_no, "enforcement-ruling", "assistance-notice"))["items"]
    assert (item["kind"], item["reason"]) == ("needs-hand", "documents-missing")
    assert item["ended_with"]["paper"] == "release-ruling"
    (item,) = (await court.release(case_no, "release-ruling", "assistance-notice"))["items"]
    assert item["kind"] == "ending"
    shown = await measure(court, number)
    assert shown["ending"]["request_no"] == item["request_no"]
    assert shown["ended_with"]["source"] == "查封扣押冻结规定第二十八条 (SFK-28)"
    await answered(running, item["request_no"], said(SEAL, payload, "start_on end_on rank registry_no"))
    assert (await measure(court, number))["state"] == "ended"


async def test_l21_a_share_is_frozen_from_its_publication(running: Installation, court: CourtSystem) -> None:
    """The one that was published first is the first, whichever was answered first."""
    first, second = of_share(), of_share()
    second["objects"][0]["company"], second["objects"][0]["party"] = (
        first["objects"][0]["company"],
        first["objects"][0]["party"],
    )
    earlier = await court.ask(ENTRUST, first, case_no=a_case())
    later = await court.ask(ENTRUST, second, case_no=a_case())
    unpublished = said(ENTRUST, second, "amount")
    await answered(running, later, unpublished)
    assert (await measure(court, later))["state"] == "requested", "frozen without having been published"

    at = datetime.now(UTC).replace(microsecond=0)
    moments = {later: at - timedelta(hours=1), earlier: at - timedelta(hours=50)}
    for number, payload in ((later, second), (earlier, first)):
        published = said(ENTRUST, payload, "amount start_on", published_at=moments[number].isoformat(), rank=1)
        await answered(running, number, published)
    ranks = {number: (await measure(court, number))["rank"] for number in (earlier, later)}
    assert ranks == {earlier: 1, later: 2}
    began = (moments[earlier] + timedelta(hours=8)).date().isoformat()
    assert (await measure(court, earlier))["start_on"] == began
    assert await heard(running, "company-to-be-told", earlier)


async def test_l25_done_has_its_number_and_money_its_amount(running: Installation, court: CourtSystem) -> None:
    """Refused by name, and the request waits for the whole answer."""
    car, money = sealing(), freezing("5000.00")
    cases = (
        (await court.ask(SEAL, car, case_no=a_case()), SEAL, car, "registry_no", "done-number-required"),
        (await court.ask(ENTRUST, money, case_no=a_case()), ENTRUST, money, "amount", "done-amount-required"),
    )
    for number, type_, payload, lacks, rule in cases:
        refused = await answered(running, number, said(type_, payload, lacks))
        assert (await shown(running, number))["state"] != "completed", f"done without {lacks}"
        (row,) = [row for row in await running.quarantine() if row["sha256"] == refused.sha256]
        assert (row["reason"], row["rule"]) == ("invalid-field", rule)
        await answered(running, number, said(type_, payload))
        assert (await shown(running, number))["state"] == "completed"
        assert (await measure(court, number))["control_no"]


async def test_l28_a_paper_names_the_seal_that_is_there(running: Installation, court: CourtSystem) -> None:
    case_no = a_case()
    number, payload = await sealed(running, court, case_no)
    window = {"start_on": day(0), "end_on": day(30)}
    for type_ in (LOCATE, CONTROL):
        wrong = fresh_payload(type_, vehicle=payload["vehicle"], seal=named(number, payload), **window)
        wrong["seal"] = wrong["seal"] | {"measure_no": "WRONG-1"}
        posted = await court.submit(type_, wrong, case_no=case_no)
        assert posted.status == 422, posted
        assert [(e["pointer"], e["rule"]) for e in posted.body["errors"]] == [
            ("/payload/seal/measure_no", "measure-no-mismatch")
        ]
        assert f"{number}-1" in posted.body["errors"][0]["detail"]
    by_register = named(number, payload) | {"measure_no": (await measure(court, number))["control_no"]}
    right = fresh_payload(CONTROL, vehicle=payload["vehicle"], seal=by_register, **window)
    assert (await court.submit(CONTROL, right, case_no=case_no)).status == 202


async def test_a_release_closes_the_alerts_of_the_case(running: Installation, court: CourtSystem) -> None:
    """Nobody is paged about a debtor who has paid; the police are told to let the car pass."""
    case_no = a_case()
    number, payload = await sealed(running, court, case_no)
    window = {"start_on": day(0), "end_on": day(30)}
    control = fresh_payload(CONTROL, vehicle=payload["vehicle"], seal=named(number, payload), **window)
    controlling = await court.ask(CONTROL, control, case_no=case_no)
    stopped = said(CONTROL, control)
    await answered(running, controlling, stopped)
    police = await running.agency(POLICE)
    opening = hit({"vehicle": control["vehicle"], "control_no": stopped["items"][0]["control_no"]})
    talk = police.begin(HIT)
    talk.refs = [opening["payload"]["ref"]]
    await police.say(talk, "open", opening)
    await police.fence()
    assert (await shown(running, talk.request_no))["done"] is False

    items = (await court.release(case_no, "release-ruling", "assistance-notice"))["items"]
    assert ("alert", talk.request_no) in [(item["kind"], item.get("request_no")) for item in items]
    assert (await shown(running, talk.request_no))["done"] is True
    told = await police.next(talk.request_no, "false-hit")
    assert "放行" in str(told.body)
    timeline = await court.get(f"/v1/requests/{talk.request_no}/timeline")
    assert [e["kind"] for e in timeline["events"]].count("let-go") == 1
