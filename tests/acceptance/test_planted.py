"""What a person, a thing or a place is called stands only where its reader opens it: nowhere an operator looks.

Planted requests and answers of several types go through a real broker, some refused, quarantined, or failing with an
error; then everything that an operator, a monitor or a report can show is searched for the markers.
"""

from __future__ import annotations

import asyncio
import builtins
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from pydantic import BaseModel

from gateway.core.requests.lifecycle import OUTCOMES
from gateway.observability import configure_logging
from schemas.bodies import content_model
from schemas.catalogue import catalogue
from tests.bounds.messages import Form
from tests.clerk import answered
from tests.court_system import digest_of, fresh_case, paper
from tests.faults import GRID, NOTICE, PERSON, SEAL
from tests.scenes import partner_in, ready
from tests.world import World
from tools.planted import Marker, Message, Mint, planted, search

pytestmark = pytest.mark.slow

ASKED = (PERSON, SEAL, GRID, "police.person-info.query", "grid.visit.request")
LIANZHI = Path(sys.executable).with_name("lianzhi")
SHOWN = {f"{SEAL} result /items/0<ControlledItem>/registry_no"}
"""The number under which a registry keeps a measure: what the measure is called, in its listing and by the API."""
NO_PAPER = "3f" * 32
"""The digest that `tests.bounds` fills in."""
COMMANDS = (
    "doctor", "request show {no}", "request trace {no}", "request show {no} --json", "request trace {no} --json",
    "quarantine list", "quarantine list --json", "quarantine show {row}", "quarantine show {row} --json",
    "quarantine list --all", "partners", "partners --json", "acts", "dead list", "incident list", "pauses --json",
    "alerts list", "alerts list --json", "pauses", "measure list", "measure list --json", "measure show {measure}",
    "ledger show measure-ending", "ledger list", "participants list", "participants check", "clients list",
    "keys list", "db check", "db doubts list", "db forgotten list",
    "report weekly --week {week} --xlsx {out}/week.xlsx --pdf {out}/week.pdf", "report weekly --week {week} --json",
)  # fmt: skip
"""What an operator may run beside a gateway that serves. A backup is none of them: it holds what the store holds."""


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which everything is collected; the gateway's log goes there, everything down to DEBUG."""
    configure = structlog.configure

    def uncached(**given: Any) -> None:  # a logger that keeps its configuration would keep it after this test
        configure(**given | {"cache_logger_on_first_use": False})

    before = logging.getLogger().handlers[:], logging.getLogger().level
    monkeypatch.setattr(structlog, "configure", uncached)
    configure_logging(level=logging.DEBUG, file=tmp_path / "gateway.log")
    yield tmp_path
    logging.basicConfig(handlers=before[0], level=before[1], force=True)
    structlog.reset_defaults()


async def planted_requests(world: World, type: str, mint: Mint) -> list[tuple[dict[str, Any], tuple[Marker, ...]]]:
    """(payload, its markers): together they have a marker in each member of the payload that the type knows, but for
    those of a measure of before (`original`), which would have to be in force."""
    payload, _ = await ready(world, type, fresh_case())
    digest = digest_of(paper("planted"))  # handed in, so that nothing waits for it
    form = Form(catalogue()[type], "open", model(type, "open"), {"request": {}, "payload": payload})
    made = planted(form, mint, ("payload",))
    return [
        (json.loads(json.dumps(one.data["payload"]).replace(NO_PAPER, digest)), one.markers)
        for one in made
        if "original" not in one.data["payload"]
    ]


def planted_result(world: World, type: str, payload: dict[str, Any], mint: Mint) -> Message:
    """An answer to that request, with a marker in each member that can stand in one answer."""
    form = Form(catalogue()[type], "result", model(type, "result"), answered(type, payload, world.clock.now()))
    return next(planted(form, mint))


def model(type: str, verb: str) -> builtins.type[BaseModel]:
    found = content_model(catalogue()[type], verb)
    assert found is not None
    return found


class Room:
    """What was sent, and what its readers have opened."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.mint = Mint("acceptance")
        self.numbers: list[str] = []
        self.sent: list[Marker] = []
        self.opened: list[Any] = []

    async def asks(self, type: str) -> None:
        """Our court asks, the agency opens and answers, the court opens the answer."""
        world, office = self.world, await self.world.office(partner_in(type))
        for payload, markers in await planted_requests(world, type, self.mint):
            request_no = await world.court.ask(type, payload)
            understood = (await office.understood(await office.next(request_no, "open")))["payload"]
            result = planted_result(world, type, understood, self.mint)
            await office.answer(request_no, "result", result.data)
            await world.reaches(request_no, OUTCOMES[result.data["outcome"]])
            self.numbers.append(request_no)
            self.sent += [*markers, *result.markers]
            self.opened += [understood, await world.court.read(request_no, "result")]

    async def tells(self, type: str) -> None:
        """Our court tells, the agency reads."""
        office = await self.world.office(partner_in(type))
        for payload, markers in await planted_requests(self.world, type, self.mint):
            request_no = await self.world.court.ask(type, payload)
            self.numbers.append(request_no)
            self.sent += markers
            self.opened.append(await office.understood(await office.next(request_no, "open")))

    async def mishaps(self) -> list[Marker]:
        """What is refused at the door, fails with an error, goes to quarantine: of these nothing is opened."""
        world, police = self.world, await self.world.agency()
        payload, markers = (await planted_requests(world, PERSON, self.mint))[0]
        refused = await world.court.submit(PERSON, payload, purpose="no such purpose")
        assert refused.status == 422
        request_no = await world.court.ask(PERSON, payload)
        talk = await police.opened(request_no)
        result = planted_result(world, PERSON, payload, self.mint)
        broken = await police.make(talk, "result", result.data, seqno=1)
        world.gates.breaks.add(broken.id)
        await police.publish(broken)
        await world.quarantined(broken)
        long = await police.say(talk, "result", result.data | {"ttl_hours": 73}, seqno=1)
        assert (await world.quarantined(long)).reason == "bad-envelope"
        self.numbers.append(request_no)
        return [*markers, *result.markers]

    async def collect(self, out: Path) -> None:
        """Into `out`: what the API tells of requests without opening them, metrics, and what the commands print."""
        get, gateway = self.world.court.get, self.world.gateway
        assert gateway is not None
        paths = [f"/v1/requests/{no}{part}" for no in self.numbers for part in ("", "/timeline")]
        paths += ["/v1/requests?limit=200", "/v1/events?limit=1000", "/v1/measures?limit=200", "/v1/ledgers"]
        shown = {path: await get(path) for path in paths}
        (out / "api.json").write_text(json.dumps(shown, ensure_ascii=False), "utf-8")
        url = f"http://127.0.0.1:{gateway.metrics_port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            (out / "metrics.txt").write_text(await answer.text(), "utf-8")
        year, week, _ = self.world.clock.now().isocalendar()
        rows = await self.world.store.quarantine(limit=10)
        measure = (await self.world.measures(self.numbers[ASKED.index(SEAL)]))[0].measure_no
        for number, command in enumerate(COMMANDS):
            said = command.format(
                no=self.numbers[0], row=rows[0].id, measure=measure, week=f"{year}-W{week:02d}", out=out
            )
            run = await asyncio.create_subprocess_exec(
                *(str(LIANZHI), *said.split(), "--dir", str(self.world.parties.folder)),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=os.environ | {"COLUMNS": "1000"},  # a cell that is folded would hide what stands in it
            )
            printed, _ = await run.communicate()
            assert run.returncode in (0, 1), (said, printed.decode())  # 1: it found something wrong, and says what
            assert printed, said
            (out / f"{number:02d}.txt").write_bytes(printed)


async def test_what_is_planted_is_seen_by_its_reader_and_nowhere_else(world: World, out: Path) -> None:
    room = Room(world)
    for type in ASKED:
        await room.asks(type)
    await room.tells(NOTICE)
    mishaps = await room.mishaps()
    await room.collect(out)

    opened = json.dumps(room.opened).encode()
    assert {one.field for one in search(opened, room.sent)} == {one.field for one in room.sent}
    assert {one.field for one in search(out, [*room.sent, *mishaps])} == SHOWN
    assert "message-broke-intake" in (out / "gateway.log").read_text("utf-8")  # the log has what went wrong
