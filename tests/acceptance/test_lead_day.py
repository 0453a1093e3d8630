"""A day of 拒执: a lead for hidden property, refused by the police in words, then answered as the law has it, and the
case withdrawn in time (docs/adr/0038)."""

from __future__ import annotations

import json
from typing import Any

from simulation.parties import POLICE
from tests.court_system import day, fresh_payload
from tests.world import World

LEAD, STATUS = "refusal.lead.transfer", "refusal.case.status"


async def _item(world: World, number: str) -> dict[str, Any]:
    items = (await world.court.get("/v1/ledgers/refusal"))["items"]
    return next(dict(item) for item in items if item["item_no"] == number)


async def test_a_lead_refused_in_words_answered_lawfully_and_withdrawn_in_time(world: World) -> None:
    police = await world.agency()
    payload = fresh_payload(LEAD, grounds=["NPC-1"], prior_penalties=[], facts="判决生效后隐匿车辆和存款")
    number = await world.court.ask(LEAD, payload, receiver=POLICE, purpose="investigate-refusal")
    lead = await police.next(number, "open")
    assert lead.body["JZQX"] == "NPC-1"
    await police.answer(number, "delivered")
    await police.answer(number, "receipt")

    # The police do not like it and say so. Nothing is settled by that, and they hear what they may say.
    refusal = {"reason_code": "technical", "explanation": "内部流程不符"}
    said = await police.say(await police.opened(number), "refuse", refusal)
    assert (await world.quarantined(said)).reason == "answer-not-lawful"
    told = json.dumps(await police.noticed(message_id=said.id), ensure_ascii=False)
    assert all(answer in told for answer in ("立案", "不予立案", "移送", "supplement-request"))
    assert (await world.request(number)).state == "received"
    assert (await _item(world, number))["state"] == "turned-away"

    # Two days later they file it, within their seven.
    world.clock.pass_by(days=2)
    decided = {
        "ref": payload["suspect"]["ref"],
        "decision": "filed",
        "decided_on": day(2),
        "file_no": "云公（刑）立字〔2026〕900001号",
    }
    result = {"outcome": "done", "as_of": f"{day(2)}T09:00:00+08:00", "items": [decided]}
    await police.answer(number, "result", result)
    await world.reaches(number, "completed")
    filed = await _item(world, number)
    assert (filed["outcome"], filed["turned_away_on"], filed["overdue_days"]) == ("filed", day(0), 0)

    # A month later the case is withdrawn; the court hears of it on the fifth day, with the reasons.
    world.clock.pass_by(days=35)
    revoked = {
        "ref": payload["suspect"]["ref"],
        "lead_no": number,
        "stage": "case-revoked",
        "on": day(32),
        "unit": "云川县公安局（演示）",
        "document_no": "云公（刑）撤案字〔2026〕900001号",
        "reason": "没有犯罪事实",
    }
    talk = police.begin(STATUS)
    talk.refs = [revoked["ref"]]
    court = {"name": "云川县公安局（演示）"}
    await police.say(talk, "open", {"request": {}, "court": court, "payload": revoked})
    await world.reaches(talk.request_no, "delivered")
    withdrawn = await _item(world, talk.request_no)
    assert (withdrawn["state"], withdrawn["settled_on"]) == ("case-revoked", day(37))
    assert withdrawn["due_on"] >= withdrawn["settled_on"]
    assert not await world.events(request_no=talk.request_no, detail="told-late")
    assert (await world.court.read(talk.request_no, "open"))["payload"]["reason"] == "没有犯罪事实"
