"""The weekly report over the API, counted from what really went to and fro."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.core.records import Changes, CourtFigure
from schemas.catalogue import catalogue
from tests.api.world import COURT, GRID, NOW, POLICE, World, grid_request, seal_request
from tests.stored import measures_in

RESULT = dict(catalogue()["grid.verify.request"].example_result)
RECEIPT = {"received_at": "2026-03-24T12:00:00+08:00", "person": "网格员演示", "badge": "W-1"}


async def report(world: World, query: str = "?week=2026-W13") -> dict[str, Any]:
    reply = await world.get(f"/v1/reports/weekly{query}")
    assert reply.status == 200, reply
    return dict(reply.json)


async def asked(world: World, **more: Any) -> str:
    number = await world.accepted(await world.submit(grid_request(**more)))
    await world.sent()
    return number


async def due(world: World, number: str, hours: float) -> None:
    """As the clock of the request keeps it."""
    request = await world.store.request(number)
    assert request is not None
    request.facts["due"] |= {"at": (NOW + timedelta(hours=hours)).isoformat()}
    async with world.store.begin() as tx:
        await tx.apply(Changes(requests=[request]))


async def test_a_week_as_it_was(world: World) -> None:
    """NOW is Tuesday, 10:10 in Shanghai."""
    first, second, third = [await asked(world, team="执行一团队") for _ in range(3)]
    await due(world, first, 24)
    await due(world, second, 1)
    world.clock.advance(hours=1)
    for number in (first, second):
        await world.reply(number, "delivered", {"stored_at": "2026-03-24T11:10:00+08:00", "system": "x"}, seqno=1)
        await world.reply(number, "receipt", RECEIPT, seqno=2)
    refusal = {"reason_code": "not-in-jurisdiction", "explanation": "不在本辖区"}
    await world.reply(third, "refuse", refusal, seqno=1)
    world.clock.advance(hours=4)  # 15:10, of which 2 h 30 min are office hours
    for number in (first, second):
        await world.reply(number, "result", RESULT, seqno=3)

    world.clock.advance(days=7)
    found = await report(world)
    total = found["total"]
    assert (found["period"], found["first"], found["last"]) == ("2026-W13", "2026-03-23", "2026-03-29")
    assert (found["complete"], found["as_of"]) == (True, "2026-03-29T16:00:00.000Z")
    assert total["delivered"] == 3
    assert total["receipt"] == {"part": 3, "whole": 3, "rate": 100.0}
    assert total["acceptance"] == {"part": 2, "whole": 3, "rate": 66.7}
    assert total["on_time"] == {"part": 2, "whole": 3, "rate": 66.7}, "a refusal is an answer too"
    assert (total["results"], total["median_hours"]) == (2, 2.5)
    assert total["refusals"] == {"not-in-jurisdiction": 1}
    assert total["unconfirmed"] == 2, "Wednesday, Thursday and Friday are over"
    [partner] = found["partners"]
    assert (partner["key"], partner["name"]) == (GRID, "云川县网格中心（演示）")
    assert partner["indicators"] == total
    assert [line["key"] for line in found["teams"]] == ["执行一团队"]
    assert (found["incoming"], found["imported"]) == ([], {})
    assert len(found["trend"]) == 8


async def test_each_late_request_is_named(world: World) -> None:
    """With whose it is and what was done; staff by number."""
    late = await asked(world, team="执行一团队", campaign="春雷行动", lead="sn0199-0001")
    answered = await asked(world)
    await due(world, late, 1)
    await due(world, answered, 1)
    await world.reply(answered, "result", RESULT, seqno=1)
    world.clock.advance(days=7)
    found = await report(world)
    attention = found["attention"]
    (one,) = attention["late"]
    assert (attention["late_count"], one["request_no"], one["partner"]) == (1, late, GRID)
    assert (one["handler"], one["lead"], one["team"]) == ("sn0199-0007", "sn0199-0001", "执行一团队")
    assert (one["due_at"], one["urges"], one["urge_answered"]) == ("2026-03-24T03:10:00.000Z", 0, False)
    assert one["hours_over"] == 29.3, "50 minutes, 4.5 hours, and three days of eight until the week's end"
    assert attention["unconfirmed"] == [answered]
    assert [one["partner"] for one in attention["undelivered"]] == [GRID]
    splits = {name: [line["key"] for line in lines] for name, lines in found["splits"].items()}
    assert splits["campaign"] == ["", "春雷行动"]
    assert splits["type"] == ["grid.verify.request"]
    assert "李演示" not in str(found)


async def test_a_hit_that_the_court_answers(world: World) -> None:
    await world.put_pdf()
    sealed = await world.accepted(await world.submit_signed(seal_request()))
    await world.sent()
    result = dict(catalogue()["police.vehicle-seal.request"].example_result)
    await world.reply(sealed, "result", result, seqno=1)
    hit = dict(catalogue()["police.vehicle-hit.alert"].example_request)
    [measure] = await measures_in(world.store, ("active",))
    hit |= {"control_no": measure.control_no, "ref": measure.ref}
    number = f"{POLICE}-20260324-000001"
    await world.raised("police.vehicle-hit.alert", hit, number)
    assert (await report(world, "?week=2026-W13"))["total"]["alerts"] == 1
    world.clock.advance(minutes=4)
    said = {"verb": "acknowledge", "by": "sn0199-0007", "data": {"at": "2026-03-24T10:14:00+08:00"}}
    assert (await world.post(f"/v1/requests/{number}/messages", said)).status == 202
    total = (await report(world))["total"]
    assert (total["alerts"], total["alert_minutes"]) == (1, 4.0)
    assert total["alerts_in_time"] == {"part": 1, "whole": 1, "rate": 100.0}


async def test_a_running_week_a_month_and_the_last_week(world: World) -> None:
    await asked(world)
    running = await report(world)
    assert (running["complete"], running["as_of"]) == (False, "2026-03-24T02:10:00.000Z")
    assert (await report(world, ""))["period"] == "2026-W12"
    month = await report(world, "?month=2026-03")
    assert (month["period"], month["first"], month["last"]) == ("2026-03", "2026-03-01", "2026-03-31")
    assert [line["key"] for line in month["trend"]][-2:] == ["2026-02", "2026-03"]


async def test_what_the_court_hands_in_is_shown_and_never_computed(world: World) -> None:
    assert (await report(world))["imported"] == {}
    figure = CourtFigure("2026-W13", "execution-completed-rate", "87.50", NOW)
    async with world.store.begin() as tx:
        await tx.apply(Changes(court_figures=[figure]))
    assert (await report(world))["imported"] == {"execution-completed-rate": "87.50"}


@pytest.mark.parametrize(
    ("query", "pointer", "rule"),
    [
        ("?week=2026-W60", "/week", "no-such-period"),
        ("?month=2026-13", "/month", "no-such-period"),
        ("?week=2026-W14", "/week", "period-in-future"),
        ("?week=2026-W12&month=2026-03", "/month", "week-or-month"),
    ],
)
async def test_what_is_no_period(world: World, query: str, pointer: str, rule: str) -> None:
    reply = await world.get(f"/v1/reports/weekly{query}")
    assert (reply.status, reply.code, reply.rules) == (422, "invalid-field", [(pointer, rule)])


async def test_the_team_stays_with_the_request(world: World) -> None:
    with_team = await world.store.request(await asked(world, team="执行一团队"))
    without = await world.store.request(await asked(world))
    assert with_team is not None
    assert without is not None
    assert with_team.facts["team"] == "执行一团队"
    assert "team" not in without.facts
    assert without.asker == COURT
