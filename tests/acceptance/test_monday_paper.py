"""A played month with known faults, and every figure of its Monday papers counted a second time over the three ledgers.

The second count is `tests.second_count`. The faults: late, silent, refused, returned, lapsed, unconfirmed, hits that
were not met, and what our own court owes.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
import pytest_asyncio

from gateway.application.queries.reports import Reporting
from gateway.core.figures.indicators import Indicators, Report
from gateway.core.figures.periods import Period, last_week, month_of
from gateway.report import content, names_in, write_pdf, write_xlsx
from simulation.parties import BACKUP, CHIEF, FUPING, GAOLING, GRID, HANDLER, HOME, POLICE, PRESIDENT
from simulation.private_broker import PrivateBroker
from tests.clerk import answered
from tests.court_system import fresh_case, fresh_payload
from tests.faults import CANCEL, CONTROL, ENTRUST, HIT, SEAL
from tests.faults import GRID as VERIFY
from tests.scenes import answer_to, commission, hit
from tests.second_count import SHANGHAI, Asked, Ledgers, count, count_of, gateway_events, late_requests, partner_ledger
from tests.unit.test_report import Book
from tests.words import standing
from tests.world import World, open_world

pytestmark = pytest.mark.slow  # a world whose clock runs for six weeks

ONE, TWO = "执行一团队", "执行二团队"
SPRING = "春雷行动"


@dataclass
class Month:
    """The world, and what the court wrote down of what it handed in."""

    world: World
    asked: dict[str, Asked] = field(default_factory=dict)
    payloads: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    async def until(self, month: int, day: int, hour: int, minute: int = 0) -> None:
        """That moment in Shanghai; what was due by then has been dealt with and sent."""
        moment = datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)
        self.world.clock.pass_by(seconds=(moment - self.world.clock.now()).total_seconds())
        await self.world.caught_up()
        await self.world.sent_all()

    async def ask(self, type: str, payload: Mapping[str, Any] | None = None, **members: Any) -> str:
        payload = payload or fresh_payload(type)
        members = {"case_no": fresh_case(), "handler": HANDLER, **members}
        if members["handler"] == BACKUP:
            members["backup_handler"] = HANDLER
        number = await self.world.court.ask(type, payload, **members)
        self.payloads[number] = payload
        whose: dict[str, Any] = {n: members.get(n) for n in ("team", "campaign", "lead", "handler", "case_no")}
        end = date.fromisoformat(payload["end_on"]) if type in (SEAL, CONTROL) else None
        partner = members.get("receiver") or (GRID if type == VERIFY else POLICE)
        self.asked[number] = Asked(partner, type, end_on=end, frees=type == CANCEL, **whose)
        return number

    async def done(self, number: str, payload: Mapping[str, Any], *, confirmed: bool = True) -> None:
        """The police do it, and the court confirms."""
        police = await self.world.office(POLICE)
        result = answered(self.asked[number].type, payload, self.world.clock.now())
        await police.answer(number, "result", result)
        await self.world.reaches(number, "completed")
        if confirmed:
            await self.confirm(number)

    def verified(self, number: str) -> Mapping[str, Any]:
        return answered(VERIFY, self.payloads[number], self.world.clock.now())

    async def confirm(self, number: str) -> None:
        assert (await self.world.court.say(number, "confirm", {"why": "已核对"})).status == 202
        await self.world.reaches(number, "closed")

    async def answer(self, partner: str, number: str, verb: str, state: str, data: Any = None) -> None:
        await (await self.world.office(partner)).answer(number, verb, data)
        await self.world.reaches(number, state)

    async def controlled(self) -> dict[str, Any]:
        """A vehicle under seal and control: its vehicle, the number of its control, and its request."""
        seal = fresh_payload(SEAL, end_on="2027-03-20")
        case = fresh_case()
        sealed = await self.ask(SEAL, seal, case_no=case, team=ONE)
        await self.done(sealed, seal)
        payload = fresh_payload(CONTROL, vehicle=seal["vehicle"], end_on="2026-06-10")
        payload["seal"]["measure_no"] = f"{sealed}-1"
        number = await self.ask(CONTROL, payload, case_no=case, team=ONE)
        police = await self.world.office(POLICE)
        result = answer_to(CONTROL, payload, self.world.clock.now())
        await police.answer(number, "result", result)
        await self.world.reaches(number, "completed")
        await self.confirm(number)
        control_no = result["items"][0]["control_no"]
        return {"vehicle": payload["vehicle"], "control_no": control_no, "request": number, "case": case}

    async def hit(self, control: Mapping[str, Any]) -> str:
        opening = hit(control)
        at = self.world.clock.now().astimezone(SHANGHAI)
        until = (at + timedelta(hours=23)).isoformat(timespec="seconds")
        opening["payload"] |= {"hit_at": at.isoformat(timespec="seconds"), "hold_until": until}
        police = await self.world.office(POLICE)
        number = await police.raise_(HIT, opening)
        await self.world.reaches(number, "delivered")
        return number

    async def ledgers(self) -> Ledgers:
        """As the three sides have them now."""
        world, folder = self.world, self.world.parties.folder
        partners = {code: partner_ledger(world.parties.partners[code] / "inbox.sqlite") for code in PARTIES}
        numbers = [*self.asked, *(n for ledger in partners.values() for n in ledger.said if n not in self.asked)]
        views = {number: await world.court.get(f"/v1/requests/{number}") for number in numbers}
        deadlines = {n: datetime.fromisoformat(view["due_at"]) for n, view in views.items() if view.get("due_at")}
        events = gateway_events(folder / "lianzhi.sqlite", HOME)
        return Ledgers(HOME, self.asked, partners, deadlines, events, HIT)


PARTIES = (POLICE, GRID, FUPING, GAOLING)


@pytest_asyncio.fixture
async def month(broker: PrivateBroker, tmp_path: Path) -> AsyncIterator[Month]:
    async with open_world(broker, tmp_path) as world:
        await world.start()
        for code in PARTIES:
            await world.office(code)
        yield Month(world)


async def first_week(month: Month) -> None:
    """Tuesday to Friday: ordinary work, and what will become faults."""
    world, mine = month.world, dict[str, Any](team=ONE, campaign=SPRING, lead=PRESIDENT)
    await world.nobody_reads(FUPING)  # silent from the beginning
    good, unconfirmed, late, refused, returned, withdrawn = [await month.ask(VERIFY, **mine) for _ in range(6)]
    for number in (good, unconfirmed, late, refused, returned, withdrawn):
        await world.reaches(number, "delivered")
    for _ in range(2):
        await month.ask(ENTRUST, to_fuping(), receiver=FUPING, team=TWO, handler=BACKUP, lead=CHIEF)
    lapsing, ending = fresh_payload(SEAL, end_on="2026-04-15"), fresh_payload(SEAL, end_on="2026-05-20")
    for seal in (lapsing, ending):
        await month.done(await month.ask(SEAL, seal, team=TWO), seal)
    await month.until(3, 24, 11)
    await month.answer(GRID, good, "receipt", "received")
    await month.answer(GRID, good, "result", "completed", month.verified(good))
    await month.confirm(good)
    await month.answer(GRID, refused, "refuse", "refused")
    assert (await world.court.say(withdrawn, "withdraw", standing("withdraw", world.clock.now()))).status == 202
    await world.reaches(withdrawn, "withdrawn")  # the library says so itself of what nobody has begun
    await month.until(3, 26, 15)
    await month.answer(GRID, unconfirmed, "result", "completed", month.verified(unconfirmed))
    await month.answer(GRID, returned, "return", "returned", RETURN)
    await neighbour_asks(month)


CONTACT = {"at": "2026-03-25T10:00:00+08:00", "person": "李演示", "note": "电话联系，同意退回"}
RETURN = {"reason_code": "not-in-jurisdiction", "explanation": "不在本辖区", "contact_log": [CONTACT]}


def to_fuping() -> dict[str, Any]:
    return fresh_payload(ENTRUST, entrusting="陕0199", entrusted="陕0591")


async def neighbour_asks(month: Month) -> None:
    """Three commissions to our court: received at once and answered, received too late, never received."""
    world = month.world
    neighbour = await world.office(GAOLING)
    numbers = []
    for n in range(3):
        entrusted = commission(f"（2026）陕0191执90000{n + 1}号")
        number = await neighbour.raise_(ENTRUST, entrusted, case_no=entrusted["request"]["case_no"])
        await world.reaches(number, "delivered")
        numbers.append((number, entrusted["payload"]))
    (at_once, payload), (too_late, _), _ = numbers
    await our_court(month, at_once, "receipt", standing("receipt", world.clock.now()), "received")
    await our_court(month, at_once, "result", answer_to(ENTRUST, payload, world.clock.now()), "completed")
    await month.until(3, 31, 9)
    await our_court(month, too_late, "receipt", standing("receipt", world.clock.now()), "received")


async def our_court(month: Month, number: str, verb: str, data: Mapping[str, Any], state: str) -> None:
    posted = await month.world.court.say(number, verb, data)
    assert posted.status == 202, posted
    await month.world.reaches(number, state)


async def second_week(month: Month) -> None:
    """Three hits: met in four minutes, in eleven, never. A control is cancelled, and that takes thirty hours."""
    world = month.world
    await month.until(3, 31, 10)
    controls = [await month.controlled() for _ in range(3)]
    for control, minutes in zip(controls, (4, 11, None), strict=True):
        alert = await month.hit(control)
        if minutes is not None:
            world.clock.pass_by(minutes=minutes)
            said = {"by": HANDLER, "at": now_in(world), "why": "号牌识别有误"}
            assert (await world.court.say(alert, "false-hit", said)).status == 202
    control = controls[0]
    payload = fresh_payload(CANCEL, **cancelling(control))
    number = await month.ask(CANCEL, payload, case_no=control["case"], team=ONE)
    await world.reaches(number, "delivered")
    await month.until(4, 1, 16)
    await month.done(number, payload)
    month.asked[control["request"]].end_on = None  # it has ended
    (late,) = [number for number in month.asked if (await world.request(number)).state == "delivered"]
    await month.answer(GRID, late, "receipt", "received")  # after the urges


def now_in(world: World) -> str:
    return world.clock.now().astimezone(SHANGHAI).isoformat(timespec="seconds")


def cancelling(control: Mapping[str, Any]) -> dict[str, Any]:
    example = fresh_payload(CANCEL)
    known = {**control["vehicle"], "control_no": control["control_no"], "ref": control["vehicle"]["ref"]}
    return {name: known[name] for name in example if name in known}


# --- the comparison -----------------------------------------------------------------------------------------------


def shown(values: Indicators) -> dict[str, Any]:
    """The report's figures under the names of the second count."""
    return {
        **{name: getattr(values, name) for name in ("delivered", "undelivered", "overdue", "results", "unconfirmed")},
        **{name: getattr(values, name) for name in ("lapsed", "ending", "releases")},
        **{f"{name}_part": getattr(values, name).part for name in ("receipt", "acceptance", "on_time")},
        **{f"{name}_whole": getattr(values, name).whole for name in ("receipt", "acceptance", "on_time")},
        "refusals": dict(values.refusals),
        "returns": dict(values.returns),
        "median_hours": values.median_hours,
        "release_hours": values.release_hours,
    }


def of_the_court(report: Report) -> dict[str, Any]:
    """With hits, and what others asked of us."""
    total, received = report.total, report.received
    return shown(total) | {
        "alerts": total.alerts,
        "alerts_in_time_part": total.alerts_in_time.part,
        "hits_missed": total.hits_missed,
        "alert_minutes": total.alert_minutes,
        "received": received.delivered,
        "received_in_time": received.receipt.part,
        "received_overdue": received.overdue,
    }


def agree(found: Mapping[str, Any], counted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs. Durations are a partner's own by its clock and ours by our store: a minute apart at most."""
    differs = {}
    for name, value in counted.items():
        close = (
            abs(found[name] - value) <= 1 / 30
            if isinstance(value, float) and found[name] is not None and name.endswith("hours")
            else abs(found[name] - value) <= 1
            if isinstance(value, float) and found[name] is not None
            else found[name] == value
        )
        if not close:
            differs[name] = (found[name], value)
    return differs


async def compared(month: Month, period: Period) -> tuple[Report, Ledgers]:
    """The report of that period, every figure of it counted again."""
    assert month.world.gateway is not None
    report = await Reporting(month.world.gateway.context).report(period)
    ledgers = await month.ledgers()
    assert agree(of_the_court(report), count(ledgers, period.first, period.last)) == {}, period.name
    for member, lines in {"partner": report.partners, **report.splits}.items():
        values = {getattr(one, member) for one in month.asked.values()}
        for line in lines:
            again = count_of(ledgers, period.first, period.last, member, line.key or None)
            assert agree(shown(line.values), again) == {}, (period.name, member, line.key)
        missing = values - {line.key or None for line in lines}
        for value in missing:
            again = count_of(ledgers, period.first, period.last, member, value)
            assert not any(v for v in again.values() if v), (period.name, member, value)
    late = late_requests(ledgers, period.last)
    assert {one.ask.request_no for one in report.attention.late} == late.keys()
    return report, ledgers


async def test_a_played_month_is_counted_twice(month: Month, tmp_path: Path) -> None:
    played = {}
    await first_week(month)
    first, _ = await compared(month, last_week(date(2026, 3, 31)))
    played[first.period.name] = first
    await second_week(month)
    await compared(month, month_of(date(2026, 3, 1)))
    for day in ((4, 7), (4, 13), (4, 20), (4, 27), (5, 6)):
        await month.until(*day, 9)
        today = month.world.clock.now().astimezone(SHANGHAI).date()
        report, _ = await compared(month, last_week(today))
        played[report.period.name] = report
    april, ledgers = await compared(month, month_of(date(2026, 4, 1)))

    # Each fault that was played is there, so that no two empty counts agree.
    total = april.total
    assert (total.undelivered, total.lapsed, total.releases) == (2, 1, 1)
    assert (first.received.receipt.part, first.received.receipt.whole) == (1, 3)
    assert dict(first.total.refusals) == {"homonym": 1}
    assert dict(first.total.returns) == {"not-in-jurisdiction": 1}
    assert played["2026-W14"].total.hits_missed == 2
    assert played["2026-W14"].total.unconfirmed == 1
    assert april.received.overdue == 2
    late = {one.ask.request_no: one for one in april.attention.late}
    assert len(late) == 3
    assert {one.ask.partner for one in late.values()} == {GRID, FUPING}
    urges = late_requests(ledgers, april.period.last)
    (of_grid,) = [number for number, one in late.items() if one.ask.partner == GRID]
    assert len(late[of_grid].ask.done.urged_at) == urges[of_grid] > 0
    assert late[of_grid].ask.done.answered

    on_paper(month, april, tmp_path)


def on_paper(month: Month, report: Report, folder: Path) -> None:
    """The paper and the workbook name each late request with its case and its handler."""
    assert month.world.gateway is not None
    context = month.world.gateway.context
    page = content(report, context.home.zh, names_in(context.directory, context.catalogue))
    write_pdf(page, folder / "m.pdf")
    write_xlsx(page, folder / "m.xlsx")
    text = "".join(page.extract_text() for page in pypdf.PdfReader(folder / "m.pdf").pages)
    paper = re.sub(r"[\s\u200b]", "", text)
    cells = [str(value) for value in Book(folder / "m.xlsx").cells("对方逾期").values()]
    for one in report.attention.late:
        assert one.ask.case_no is not None
        for words in (one.ask.request_no, one.ask.case_no):
            assert words in paper
            assert words in cells
    assert context.home.staff[HANDLER].name in cells
    assert "本月需院领导关注" in paper
