"""No clock that is wrong for a while decides anything for good: not ours, not a partner's.

The gateway runs under a clock that the test sets meanwhile (`tests.faketime`); the broker, the court and the agencies
keep the true one unless told otherwise."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lianzhi.protocol.envelope import GATEWAY_PING
from simulation.parties import FUPING, GRID
from tests.agency import Agency
from tests.eventually import eventually
from tests.faketime import FakeTime
from tests.fault.court import LOCATE, VERIFY
from tests.walls.library import program
from tests.walls.product import Installation
from tests.walls.test_intake import asked, disposition, shown

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
SOON = 20.0
"""Seconds in which something must have happened that waits for nothing: far less than any step of these tests."""


@dataclass(frozen=True, slots=True)
class ClockAhead:
    """Of an agency."""

    ahead: timedelta

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def set_clock(agency: Agency, ahead: timedelta) -> None:
    agency.clock = ClockAhead(ahead)  # its `now` is enough


@pytest.fixture
def fake(tmp_path: Path) -> FakeTime:
    return FakeTime.in_folder(tmp_path)


async def metrics(site: Installation) -> dict[str, float]:
    """Name with labels → value."""
    text = ""
    async with aiohttp.ClientSession() as session:
        for port in (site.port + 1, site.port):
            with suppress(aiohttp.ClientConnectionError):
                async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    text += await answer.text() if answer.status == 200 else ""
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


async def told(site: Installation, kind: str, reason: str, count: int = 1) -> list[dict[str, Any]]:
    """Events of that kind that the court hears for that reason, once there are so many."""

    async def found() -> list[dict[str, Any]] | None:
        rows = await site.court.feed()
        fitting = [e for e in rows if e["kind"] == kind and (e.get("head") or {}).get("reason") == reason]
        return fitting if len(fitting) >= count else None

    return await eventually(found, SOON)


async def steps(site: Installation, count: int) -> list[float]:
    """The sizes of so many steps in seconds, as they are told."""
    return [event["head"]["step_ms"] / 1000 for event in await told(site, "incident", "clock-step", count)]


async def offset(site: Installation, code: str) -> float:
    """By how much that participant's clock is told to be ahead, seconds."""

    async def found() -> float | None:
        for event in await told(site, "incident", "clock-ahead"):
            if event["head"]["participant"] == code:
                return float(event["head"]["clock_offset_ms"]) / 1000
        return None

    return await eventually(found, SOON)


async def submitted(site: Installation, count: int, first: int) -> list[str]:
    orders = site.court.orders(count, [VERIFY], first=first)
    await site.court.submit_all(orders)
    return [site.court.accepted[order.key] for order in orders]


async def answers_on_http(site: Installation) -> bool:
    with suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession() as session, session.get(f"{site.url}/livez") as answer:
            return answer.status == 200
    return False


# T3: what our own clock did while it was ahead


@pytest.mark.parametrize("ahead", [HOUR, pytest.param(3 * HOUR, marks=pytest.mark.chaos)], ids=["1h", "3h"])
async def test_t3_what_a_clock_ahead_accepted_goes_at_once(
    site: Installation, fake: FakeTime, ahead: timedelta
) -> None:
    """Accepted while the clock was ahead, sent when it is right: before what is accepted since, and no age is below
    zero meanwhile."""
    fake.set(ahead)
    accepting = await site.serve(roles="api", wait=False, **fake.environment)
    await eventually(lambda: answers_on_http(site))
    early = await submitted(site, 3, 10)
    await site.stop(accepting)
    fake.set(timedelta(0))
    accepting = await site.serve(roles="api", wait=False, **fake.environment)
    await eventually(lambda: answers_on_http(site))
    shown_age = (await metrics(site))["lianzhi_outbox_oldest_seconds"]
    await site.stop(accepting)
    await site.serve(**fake.environment)
    later = await submitted(site, 1, 20)
    grid = await site.agency(GRID)
    await eventually(lambda: {t.request_no for t in grid.taken} >= {*early, *later}, SOON)
    assert shown_age >= 0


@pytest.mark.parametrize(
    "step", [HOUR, pytest.param(3 * HOUR, marks=pytest.mark.chaos), -30 * SECOND, 30 * SECOND], ids=str
)
async def test_t3_a_step_is_told_once_with_its_size_and_work_goes_on(
    site: Installation, fake: FakeTime, step: timedelta
) -> None:
    """The clock of the running gateway is set and set back; what is submitted before, between and after goes out."""
    await site.serve(**fake.environment)
    grid = await site.agency(GRID)
    numbers = await submitted(site, 1, 30)
    fake.set(step)
    assert await steps(site, 1) == pytest.approx([step.total_seconds()], abs=1)
    numbers += await submitted(site, 2, 40)
    await eventually(lambda: {t.request_no for t in grid.taken} >= set(numbers), SOON)
    fake.set(timedelta(0))
    sizes = [step.total_seconds(), -step.total_seconds()]
    assert await steps(site, 2) == pytest.approx(sizes, abs=1)
    numbers += await submitted(site, 1, 50)
    await eventually(lambda: {t.request_no for t in grid.taken} >= set(numbers), SOON)
    await grid.fence()
    assert len(await steps(site, 2)) == 2
    found = await metrics(site)
    assert found['lianzhi_clock_steps_total{direction="forward"}'] == 1
    assert found['lianzhi_clock_steps_total{direction="back"}'] == 1
    assert all(value >= 0 for name, value in found.items() if name.endswith("oldest_seconds"))


async def test_t3_a_clock_that_was_set_back_while_nothing_ran_is_told(site: Installation, fake: FakeTime) -> None:
    fake.set(HOUR)
    before = await site.serve(**fake.environment)
    await submitted(site, 1, 60)
    await site.stop(before)
    fake.set(timedelta(0))
    await site.serve(**fake.environment)
    [size] = await steps(site, 1)
    assert -3600 <= size < -3400


# Final decisions


async def test_t3_nothing_final_is_decided_by_a_step_that_no_other_clock_confirms(
    site: Installation, fake: FakeTime, record_property: Any
) -> None:
    """Three days and an hour ahead, a place would be destroyed at once. The broker says that it is not so."""
    record_property("new", "an earlier version has no metric of a clock in doubt")
    await site.serve(**fake.environment)
    fake.set(timedelta(days=3, hours=1))
    await told(site, "incident", "clock-in-doubt")
    found = await metrics(site)
    assert found["lianzhi_clock_doubt_seconds"] == pytest.approx(73 * 3600, abs=5)
    assert found['lianzhi_clock_offset_seconds{clock="broker",partner=""}'] == pytest.approx(-73 * 3600, abs=5)
    done = await site.run("doctor")
    assert "✗ 时钟" not in done.err, "doctor's own clock is the true one"
    assert "broker" in done.out
    fake.set(timedelta(0))
    await told(site, "recovered", "clock-in-doubt")
    assert (await metrics(site))["lianzhi_clock_doubt_seconds"] == 0


# T4: the feed


@pytest.mark.parametrize("ahead", [HOUR + MINUTE, pytest.param(3 * HOUR, marks=pytest.mark.chaos)], ids=str)
async def test_t4_the_feed_takes_its_own_cursors_after_a_step_back(
    site: Installation, fake: FakeTime, ahead: timedelta
) -> None:
    fake.set(ahead)
    await site.serve(**fake.environment)
    await submitted(site, 2, 70)
    before = await site.court.feed()
    fake.set(timedelta(0))
    async with site.court.session.get("/v1/events", params={"after": before[-1]["cursor"]}) as answer:
        assert answer.status == 200, await answer.text()
    await submitted(site, 1, 80)
    after = await site.court.feed()
    assert after[: len(before)] == before, "the same event has the same cursor in every answer"
    assert len({event["cursor"] for event in after}) == len(after)


# T5: a partner's clock


async def test_t5_a_partner_that_is_ahead_waits_and_is_heard(site: Installation) -> None:
    """Twelve seconds ahead where five are allowed: its answers wait for their time, both sides are told, its later
    words, by a clock that is right again, keep their order."""
    site.limit(ahead_seconds=5)
    await site.serve()
    grid, talk = await asked(site, GRID, VERIFY)
    await grid.publish(await grid.make_outside(GATEWAY_PING, {"notice_version": 2}))
    await grid.fence()
    set_clock(grid, 12 * SECOND)
    early = [await grid.say(talk, verb) for verb in ("delivered", "receipt")]
    set_clock(grid, timedelta(0))
    late = await grid.say(talk, "accept")
    assert await offset(site, GRID) == pytest.approx(12, abs=2)
    notice = await grid.noticed(reason="clock-ahead", body_sha256=early[0].sha256)
    assert (notice["request_no"], notice["next_seqno"]) == (talk.request_no, 1)
    assert notice["rule"] == "held-until-its-time"
    assert notice["clock_offset_ms"] == pytest.approx(12_000, abs=2_000)
    await eventually(lambda: _state(site, talk.request_no, "accepted"))
    assert [await disposition(site, talk.request_no, said) for said in (*early, late)] == ["applied"] * 3
    assert await site.quarantine() == []
    shown_offset = (await metrics(site))[f'lianzhi_clock_offset_seconds{{clock="partner",partner="{GRID}"}}']
    assert shown_offset == pytest.approx(12, abs=2)


@pytest.mark.parametrize("behind", [10 * MINUTE, pytest.param(23 * HOUR, marks=pytest.mark.chaos)], ids=str)
async def test_t5_ours_is_behind(site: Installation, fake: FakeTime, behind: timedelta) -> None:
    """Everybody looks ahead then: answers and what partners open wait, and are taken as soon as it is put right."""
    await site.serve(**fake.environment)
    grid, talk = await asked(site, GRID, VERIFY)
    neighbour = await site.agency(FUPING)
    fake.set(-behind)
    await steps(site, 1)
    for verb in ("delivered", "receipt", "accept"):
        await grid.say(talk, verb)
    opened = neighbour.begin("entrust.matter.request")
    words = await neighbour.make(opened, "urge", answers=("01900000-0000-7000-8000-000000000000", "A" * 43), seqno=2)
    await neighbour.publish(words)
    for code in (GRID, FUPING):
        assert await offset(site, code) == pytest.approx(behind.total_seconds(), abs=60)
    assert await disposition(site, opened.request_no, words) is None
    fake.set(timedelta(0))
    await eventually(lambda: _state(site, talk.request_no, "accepted"), SOON)

    async def held() -> bool:
        return await disposition(site, opened.request_no, words) == "held"

    await eventually(held, SOON)
    assert await site.quarantine() == []


async def test_t5_too_far_ahead_is_refused_for_good(site: Installation) -> None:
    """Thirty hours; its number is not used up, so that the next word, by a clock that is right, is taken."""
    await site.serve()
    grid, talk = await asked(site, GRID, VERIFY)
    set_clock(grid, 30 * HOUR)
    said = await grid.make(talk, "delivered")
    await grid.publish(said)
    assert await offset(site, GRID) == pytest.approx(30 * 3600, abs=60)

    async def refused() -> bool:
        return [row["reason"] for row in await site.quarantine()] == ["clock-ahead"]

    await eventually(refused)
    talk.seqno -= 1
    set_clock(grid, timedelta(0))
    await grid.say(talk, "delivered")
    await eventually(lambda: _state(site, talk.request_no, "delivered"), SOON)


async def test_t5_how_much_waits_for_its_time_is_bounded(site: Installation) -> None:
    """Two of one request may wait; the third is refused, told, and may come again as it is."""
    site.limit(ahead_seconds=5, held_per_request=2)
    await site.serve()
    grid, talk = await asked(site, GRID, VERIFY)
    set_clock(grid, 15 * SECOND)
    said = [await grid.say(talk, verb) for verb in ("delivered", "receipt", "accept")]
    notice = await grid.noticed(reason="clock-ahead", body_sha256=said[2].sha256)
    assert notice["pointer"] == "/time"
    rows = await site.quarantine()
    assert [(row["reason"], row["sha256"]) for row in rows] == [("clock-ahead", said[2].sha256)]
    assert (await metrics(site))[f'lianzhi_bound_reached_total{{bound="held_per_request",partner="{GRID}"}}'] == 1
    await eventually(lambda: _state(site, talk.request_no, "received"))
    set_clock(grid, timedelta(0))

    async def taken_in_the_end() -> bool:
        await grid.publish(said[2])
        return bool((await shown(site, talk.request_no))["state"] == "accepted")

    await eventually(taken_in_the_end)


async def test_t5_bytes_that_nobody_signed_never_wait(site: Installation) -> None:
    await site.serve()
    grid, talk = await asked(site, GRID, VERIFY)
    set_clock(grid, HOUR)
    said = await grid.make(talk, "delivered")
    altered = bytearray(said.raw)
    at = said.raw.index(b"~") - 5
    altered[at] = ord("A") if altered[at] != ord("A") else ord("B")
    await grid.publish(bytes(altered), routing_key=said.routing_key)

    async def refused() -> bool:
        return [row["reason"] for row in await site.quarantine()] == ["bad-signature"]

    await eventually(refused)
    await grid.publish(said)
    assert await offset(site, GRID) == pytest.approx(3600, abs=60)
    assert [row["reason"] for row in await site.quarantine()] == ["bad-signature"]


async def _state(site: Installation, number: str, state: str) -> bool:
    return bool((await shown(site, number))["state"] == state)


async def test_t5_the_court_hands_in_the_same_bytes_again(site: Installation, fake: FakeTime) -> None:
    """Ten minutes ahead of ours: 400 with the difference, nothing used up; 202 for the same bytes and key when it is
    put right."""
    fake.set(-10 * MINUTE)
    await site.serve(**fake.environment)
    await site.court.hand_in_paper()
    [order] = site.court.orders(1, [LOCATE], first=90)  # signed
    status, problem, _ = await site.court.post(order)
    assert (status, problem["type"]) == (400, "urn:lianzhi:problem:clock-ahead")
    assert re.search(r"\b(59\d|60\d) s ahead", problem["errors"][0]["detail_en"]), problem
    fake.set(timedelta(0))
    assert await steps(site, 1) == pytest.approx([600], abs=1)
    status, _, _ = await site.court.post(order)
    assert status == 202


async def test_t5_an_agency_that_is_behind_takes_the_order_when_its_clock_is_set(
    site: Installation, tmp_path: Path, fake: FakeTime
) -> None:
    """The library reads what came before its time again while it runs."""
    fake.set(-10 * MINUTE)
    await site.serve()
    toml = site.parties.partners[GRID] / "partner.toml"
    async with program(tmp_path, "agency.py", toml, **fake.environment) as agency:
        await agency.told("ready")
        [number] = await submitted(site, 1, 95)
        await eventually(lambda: _kind(site, "partner-notice"), SOON)
        fake.set(timedelta(0))
        [handled] = await agency.told("handled", timeout=SOON)
        assert handled["request_no"] == number


async def _kind(site: Installation, kind: str) -> bool:
    return any(event["kind"] == kind for event in await site.court.feed())
