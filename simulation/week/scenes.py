"""What happens in the week. Each scene plays through the public libraries and says what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lianzhi.partner import Partner
from simulation.clock import SHANGHAI, compact
from simulation.court.bodies import Draft
from simulation.parties import (
    BACKUP,
    CHIEF,
    CLERK,
    CREDIT,
    FUPING,
    GAOLING,
    HANDLER,
    HOME,
    LINTONG,
    PRESIDENT,
    PRESS,
)
from simulation.week.stage import SceneError, WeekStage

ENTRUST_RETURN = {"reason_code": "not-in-jurisdiction"}
PUBLISH = "sanction.dishonest.publish"


@dataclass(slots=True)
class Scene:
    """One thing that happened. steps: (when, Chinese, English)."""

    zh: str
    en: str
    steps: list[tuple[datetime, str, str]] = field(default_factory=list)

    def say(self, stage: WeekStage, zh: str, en: str) -> None:
        self.steps.append((stage.clock.now().astimezone(SHANGHAI), zh, en))


async def ordinary_work(stage: WeekStage) -> Scene:
    """Monday: commissions, searches and notices; one grid centre and one court that do not answer."""
    scene = Scene("星期一，日常协作", "Monday, ordinary work")
    clerk = stage.clerk()
    courts = (FUPING, GAOLING, FUPING, GAOLING)
    asked = [*(clerk.commission(court, "freeze-deposit") for court in courts), *(clerk.search() for _ in range(3))]
    told = [clerk.notice() for _ in range(2)]
    await asyncio.gather(*(_asked(stage, draft) for draft in asked), *(_told(stage, draft) for draft in told))
    scene.say(stage, "委托 4 件、查找 3 件、通报 2 件，均有答复", "4 commissions, 3 searches, 2 notices: all answered")
    (late,) = await stage.hand_in(stage.clerk().verification())
    await stage.reaches(late, "delivered")
    scene.say(stage, f"网格核实 {late} 已送达，无人办理", "One verification is delivered, and nobody takes it up")
    return scene


async def without_contact_log(stage: WeekStage) -> Scene:
    """Tuesday: a neighbour sends a commission back without having talked to anybody."""
    scene = Scene("星期二，未联系就退回的委托", "Tuesday, a commission returned without a contact log")
    await stage.let_pass(stage.at(1, 10))
    (number,) = await stage.hand_in(stage.clerk().commission(LINTONG, "freeze-deposit"))
    await stage.reaches(number, "delivered")
    neighbour = stage.silent[LINTONG]
    returned: dict[str, Any] = {"THYY": "不属本院辖区"}
    await neighbour.say(number, "return", returned, **ENTRUST_RETURN)
    notice = await anext(aiter(neighbour.notices()))
    state = (await stage.client.request(number)).state
    if (notice.reason, state) != ("invalid-field", "delivered"):
        raise SceneError(f"{notice.reason}, {state}")
    scene.say(stage, f"退回被拒：{notice.title_zh}，状态不变", f"Refused: {notice.reason}; the state stays {state}")
    talked = {"LXSJ": compact(stage.clock.now().astimezone(SHANGHAI)), "LXR": "李演示", "LXNR": "电话联系，同意退回"}
    await neighbour.say(number, "return", {**returned, "LXJL": [talked]}, **ENTRUST_RETURN)
    await stage.reaches(number, "returned")
    scene.say(stage, "补上联系记录后退回成立", "With its contact log the return stands")
    return scene


async def hit_at_night(stage: WeekStage) -> Scene:
    """A car is sealed and controlled; it passes a checkpoint at night, and nobody answers at first."""
    scene = Scene("星期三夜间，布控车辆命中", "Wednesday night, a controlled car is stopped")
    seal = stage.clerk().seal()
    (sealed,) = await stage.hand_in(seal)
    await stage.settled(sealed)
    control = stage.clerk().control(seal)
    control.body["payload"]["seal"]["measure_no"] = f"{sealed}-1"
    (number,) = await stage.hand_in(control)
    await stage.reaches(number, "completed")
    await _roster(stage)
    await stage.let_pass(stage.at(2, 23, 7))
    await stage.client.answer(number, "confirm", {"why": "已核对"}, by=HANDLER)  # the car passes a moment later
    alert = await _alert(stage)
    scene.say(stage, f"{alert} 命中，车已拦下", "The car was seen and stopped")
    called = ["A"]
    await _rung(stage, alert, called)
    for level, minutes in (("B", 5), ("desk", 10)):
        await stage.let_pass(stage.clock.now() + timedelta(minutes=5))
        called.append(level)
        await _rung(stage, alert, called)
        scene.say(stage, f"{minutes} 分钟无人确认，呼叫 {level}", f"Nobody after {minutes} minutes: {level} is paged")
    at = {"at": stage.clock.now().astimezone(SHANGHAI).isoformat(timespec="seconds")}
    page = next(p for p in stage.pages.rang if p["alert"] == alert and p["level"] == "B")
    await stage.call("POST", page["acknowledge_url"].removeprefix(stage.gateway.url))
    scene.say(stage, "B 岗按链接确认", "B answers by the link in the page")
    checked = {"plate_ok": True, "vin_ok": True, "photo_ok": True}
    signed = {
        "place": "云川县法院涉案车辆停放点（演示）",
        "handed_by": "交警大队值班员（演示）",
        "received_by": "备演示",
    }
    for verb, data in (("send-team", {"team": "执行一团队"}), ("identity-check", checked), ("handover", signed)):
        await stage.client.answer(alert, verb, {**at, **data}, by=BACKUP)
    state = (await stage.client.request(alert)).state
    await stage.let_pass(stage.clock.now() + timedelta(minutes=10))
    if state != "handed-over" or stage.pages.levels(alert) != called:
        raise SceneError(f"{state}, {stage.pages.levels(alert)}")
    scene.say(stage, "派人、核验、移交；局长未被惊动", "Team sent, car checked, handed over; the chief slept on")
    return scene


async def a_debtor_pays(stage: WeekStage) -> Scene:
    """Thursday: a car under seal, a listing at two publishers, a search under way; then the debt is paid."""
    scene = Scene("星期四，被执行人履行完毕", "Thursday, a debtor pays")
    await stage.let_pass(stage.at(3, 9))
    seal = stage.clerk().seal()
    case_no = seal.body["case_no"]
    (sealed,) = await stage.hand_in(seal)
    await stage.settled(sealed)
    listed = await stage.hand_in(_listing(stage, seal), CREDIT, PRESS)
    for number in listed:
        await stage.settled(number)
    unsent = stage.clerk().verification()
    unsent.body["case_no"] = case_no
    (asked,) = await stage.hand_in(unsent)
    await stage.reaches(asked, "delivered")
    scene.say(stage, f"{case_no}：查封 1、失信发布 2、核实 1", "One seal, two listings, one verification")
    ruling = stage.clerk().world.paper("release-ruling", f"{case_no}之二", HOME, days=0)
    await stage.client.put_document(ruling.content, media_type=ruling.document["media_type"])
    papers = [paper.document for paper in (ruling, *seal.papers)]
    released = await stage.client.release(case_no, by=HANDLER, reason="paid", documents=papers)
    kinds = sorted(item.kind for item in released.items)
    if released.by_hand or kinds != ["ending", "ending", "ending", "withdraw"]:
        raise SceneError(f"{kinds}, {released.by_hand}")
    scene.say(stage, f"一次解除 {released.release_no}：撤回 1、解除 3", "One order: 1 withdrawn, 3 to be ended")
    waiting = (await stage.client.released(released.release_no)).waiting_for
    scene.say(stage, f"等待确认：{'、'.join(waiting)}", "Who has not acknowledged is named")

    async def everybody() -> bool:
        return (await stage.client.released(released.release_no)).done

    awake = asyncio.create_task(_lets_go(stage.silent[unsent.receiver]))
    try:
        await stage.until(everybody, "every acknowledgement")
    finally:
        awake.cancel()
    case = await stage.client.case(case_no)
    if case.measures:
        raise SceneError(f"{len(case.measures)} measures are still live")
    scene.say(stage, "各单位全部回执，本案再无措施", "Everybody has acknowledged; nothing is in force any more")
    return scene


async def overdue(stage: WeekStage) -> Scene:
    """Friday and the week-end pass: what nobody answered is reminded and urged by itself."""
    scene = Scene("星期五至下星期一，期限自行催办", "To Monday, the clocks urge by themselves")
    await stage.let_pass(stage.at(7, 9))
    home = stage.gateway.context.home.code
    events = await stage.gateway.context.store.events(home, 0, 100_000)
    said = {kind: sum(e.kind == kind for e in events) for kind in ("reminder", "overdue")}
    if not all(said.values()):
        raise SceneError(str(said))
    scene.say(
        stage,
        f"到期前提醒 {said['reminder']} 次，逾期催办 {said['overdue']} 次",
        f"Reminders {said['reminder']}, overdue {said['overdue']}: each said once",
    )
    return scene


async def _asked(stage: WeekStage, draft: Draft) -> None:
    (number,) = await stage.hand_in(draft)
    await stage.settled(number)


async def _told(stage: WeekStage, draft: Draft) -> None:
    (number,) = await stage.hand_in(draft)
    await stage.reaches(number, "read")


async def _lets_go(partner: Partner) -> None:
    """Somebody at the silent one reads what has come: what was withdrawn is let go, the rest stays where it is. Of
    what it has not yet taken up, its library says so by itself."""
    async for word in partner.inbox:
        if word.verb == "withdraw":
            await word.reply("withdraw-ack", {}, effect="not-started")
        else:
            await word.done()


async def _roster(stage: WeekStage) -> None:
    begins = stage.clock.now() - timedelta(hours=1)
    shift = {
        "begins": begins.isoformat(timespec="seconds"),
        "ends": (begins + timedelta(days=6)).isoformat(timespec="seconds"),
        "person": CLERK,
    }
    await stage.call("PUT", "/v1/duty-roster", {"shifts": [shift]})


async def _alert(stage: WeekStage) -> str:
    """The number of the alert that the police have raised."""
    found: list[str] = []

    async def raised() -> bool:
        page = await stage.call("GET", "/v1/requests?type=police.vehicle-hit.alert")
        found[:] = [line["request_no"] for line in page["requests"]]
        return bool(found)

    await stage.until(raised, "the alert of the police")
    return found[0]


async def _rung(stage: WeekStage, alert: str, levels: list[str]) -> None:
    async def heard() -> bool:
        return stage.pages.levels(alert) == levels

    await stage.until(heard, f"pages {levels}")


def _listing(stage: WeekStage, seal: Draft) -> Draft:
    """The owner of the sealed car on the public list; approved by two."""
    owner: Mapping[str, Any] = seal.body["payload"]["vehicle"]["owner"]
    number = str(owner["id_no"])
    world = stage.world
    decision = world.paper("dishonesty-decision", f"{seal.body['case_no']}之二", "court-sn0199")
    entry = {
        "card_no": f"{number[:10]}****{number[-4:]}",
        "basis_no": f"（{world.today.year - 1}）陕0199民初{900_000 + world.next()}号",
        "basis_court": "云川县人民法院（演示）",
        "obligation": "偿还借款及利息",
        "performance": "none",
        "disruption": ["able-but-refuses"],
        "filed_on": world.day(-60),
    }
    at = (stage.clock.now() - timedelta(minutes=5)).astimezone(SHANGHAI).isoformat(timespec="seconds")
    approvals = [
        {"by": by, "role": role, "decision": "approve", "at": at}
        for by, role in ((CHIEF, "bureau-chief"), (PRESIDENT, "president"))
    ]
    body = seal.body | {
        "type": PUBLISH,
        "legal_basis": ["CPL-266"],
        "purpose": "publish-dishonest",
        "approvals": approvals,
        "documents": [decision.document],
        "payload": {"debtor": {**owner, "ref": world.ref()}, "entry": entry, "publish_on": world.day(3)},
    }
    return Draft(CREDIT, body, (decision,), number[-4:], signed=True)
