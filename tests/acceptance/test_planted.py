"""What a person, a thing or a place is called stands only where its reader opens it: nowhere an operator looks.

Planted requests and answers of several types go through a real broker, some refused, quarantined, or failing with an
error; then everything that an operator, a monitor or a report can show is searched for the markers: the whole of an
operator's session (`tests/operators_session.py`), the log, the metrics, the pages that ask for no token.
"""

from __future__ import annotations

import asyncio
import builtins
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from pydantic import BaseModel

from gateway.application.operating.replays import Replays
from gateway.core.operating.operators import Operator
from gateway.core.records import Changes, Event
from gateway.core.recovery.doubts import Doubt
from gateway.core.recovery.forgotten import Forgotten
from gateway.core.requests.lifecycle import OUTCOMES
from gateway.http.description.operations import OPERATIONS
from gateway.observability import configure_logging
from schemas.bodies import content_model
from schemas.catalogue import catalogue
from simulation.parties import POLICE
from tests.agency import Agency
from tests.bounds.messages import Form
from tests.clerk import answered
from tests.command_tree import options_of
from tests.court_system import digest_of, fresh_case, paper
from tests.dead import thrown_away
from tests.faults import GRID, NOTICE, PERSON, SEAL
from tests.operators_session import SESSION, NotTyped
from tests.scenes import partner_in, ready
from tests.typed import Line, typed
from tests.world import World
from tools.planted import Marker, Message, Mint, planted, search

pytestmark = pytest.mark.slow

ASKED = (PERSON, SEAL, GRID, "police.person-info.query", "grid.visit.request")
SHOWN = {f"{SEAL} result /items/0<ControlledItem>/registry_no"}
"""The number under which a registry keeps a measure: what the measure is called, in its listing and by the API."""
NO_PAPER = "3f" * 32
"""The digest that `tests.bounds` fills in."""
AT_ONCE = 3
"""Commands that only read run beside each other."""
ELSEWHERE = Operator("planner", "拟定人", "operator")


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
        self.left: list[Marker] = []
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
        return [*markers, *result.markers, *await self._unsealed(police)]

    async def _unsealed(self, police: Agency) -> list[Marker]:
        """The last row of the quarantine: an answer in the clear, under a case number that is not its request's."""
        payload, markers = (await planted_requests(self.world, SEAL, self.mint))[0]
        talk = await police.opened(await self.world.court.ask(SEAL, payload))
        result = planted_result(self.world, SEAL, payload, self.mint)
        wrong = await police.say(talk, "result", result.data, seqno=1, caseno="（2026）陕0199执1号")
        await self.world.quarantined(wrong)
        return [*markers, *result.markers]

    async def leftovers(self) -> dict[str, str]:
        """What the commands work on besides requests: dead messages, plans of somebody else, what a restore has lost.
        By the names of `operators_session.PLACES`."""
        world, gateway = self.world, self.world.gateway
        assert gateway is not None
        context = gateway.context
        dead = [await self._dead() for _ in range(2)]
        replays = Replays(context, lambda: None)
        plans = [await replays.plan(ELSEWHERE, None, [number], 1, "对方程序已改好") for number in dead]
        (lost,) = [m for m in await context.store.messages(self.numbers[0]) if m.verb == "result"]
        forgotten, now = f"{self.numbers[0][:-6]}900001", world.clock.now()
        body = f"{lost.jws}{lost.disclosure}".encode()
        row = Forgotten(
            lost.sender, lost.digest, forgotten, lost.sender, lost.id, lost.verb, 1, None, None, body, len(body),
            now, now,
        )  # fmt: skip
        told = Event(now, context.home.code, "incident", self.numbers[0], message_id=lost.id, detail="dispatch:fault")
        doubt = Doubt("cms1", "a-key", context.home.code, "/v1/requests", "0" * 64, now, type=PERSON)
        async with context.store.begin() as tx:
            await tx.apply(Changes(forgotten=[row], events=[told]))
            assert await tx.note_doubt(doubt, 10)
        (incident, *_) = await context.store.operating.incidents(context.home.code, None, 1)
        rows = sorted(row.id or 0 for row in await context.store.quarantine(limit=10))
        measure = (await world.measures(self.numbers[ASKED.index(SEAL)]))[0].measure_no
        return {
            "no": self.numbers[0], "dead": dead[0], "row": str(rows[0]), "plain": str(rows[-1]), "measure": measure,
            "incident": str(incident.id), "plan": str(plans[0]["plan"]), "other_plan": str(plans[1]["plan"]),
            "forgotten": forgotten, "client": doubt.client, "key": doubt.key, "partner": POLICE,
        }  # fmt: skip

    async def _dead(self) -> str:
        """A planted request that the agency's program throws away."""
        payload, markers = (await planted_requests(self.world, GRID, self.mint))[0]
        number = await thrown_away(self.world, partner_in(GRID), GRID, payload)
        self.numbers.append(number)
        self.left += markers
        return number

    async def pages(self, out: Path) -> None:
        """Into `out`: what the API tells of requests without opening them, every page without a token, the metrics."""
        get, gateway = self.world.court.get, self.world.gateway
        assert gateway is not None
        paths = [f"/v1/requests/{no}{part}" for no in self.numbers for part in ("", "/timeline")]
        paths += ["/v1/requests?limit=200", "/v1/events?limit=1000", "/v1/measures?limit=200", "/v1/ledgers"]
        paths += ["/v1/requests?waits=partner", "/v1/requests?overdue=true"]
        shown = {path: await get(path) for path in paths}
        (out / "api.json").write_text(json.dumps(shown, ensure_ascii=False), "utf-8")
        to_all = [one.path for one in OPERATIONS if one.scope is None and one.method.upper() == "GET"]
        assert {"/docs", "/openapi.json", "/asyncapi.json", "/readyz"} <= set(to_all)
        urls = [f"{gateway.url}{path}" for path in to_all] + [f"http://127.0.0.1:{gateway.metrics_port}/metrics"]
        async with aiohttp.ClientSession() as session:
            for number, url in enumerate(urls):
                async with session.get(url) as answer:
                    assert answer.status == 200, url
                    (out / f"page-{number:02d}").write_bytes(await answer.read())

    async def session(self, places: dict[str, str], out: Path, shown: Path) -> dict[str, Path]:
        """Everything that an operator types, into `out`; what may name a person into folders of its own in `shown`:
        command → its folder."""
        apart: dict[str, Path] = {}
        reading: list[tuple[str, Path]] = []
        for command, one in SESSION.items():
            if isinstance(one, NotTyped):
                continue
            if one.acts:
                await self._all(reading)
                reading = []
            if one.shows:
                apart[command] = shown / command.replace(" ", "-")
                apart[command].mkdir(parents=True)
            for number, line in enumerate(one.said(command)):
                said = line.format(**places, out=out, shown=apart.get(command, ""))
                file = out / f"{command.replace(' ', '-')}-{number:02d}.txt"
                if one.acts:
                    await self._typed(said, file)
                else:
                    reading.append((said, file))
        await self._all(reading)
        return apart

    async def _all(self, lines: list[tuple[str, Path]]) -> None:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(said: str, file: Path) -> None:
            async with room:
                await self._typed(said, file)

        await asyncio.gather(*(one(*line) for line in lines))

    async def _typed(self, said: str, file: Path) -> None:
        code = await typed(Line((*said.split(), *_folder(said, self.world.parties.folder)), file))
        printed = await asyncio.to_thread(file.read_text, "utf-8")
        assert code in (0, 1), (said, printed)  # 1: it found something wrong, and says what
        assert "Traceback" not in printed, (said, printed)
        assert printed or "--out" in said, said


def _folder(said: str, folder: Path) -> tuple[str, ...]:
    command = max((one for one in SESSION if said.startswith(one)), key=len)
    return ("--dir", str(folder)) if "--dir" in options_of(command) else ()


async def test_what_is_planted_is_seen_by_its_reader_and_nowhere_else(
    world: World, out: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    room = Room(world)
    for type in ASKED:
        await room.asks(type)
    await room.tells(NOTICE)
    mishaps = await room.mishaps()
    places = files_of(world, await room.leftovers(), out)
    await room.pages(out)
    apart = await room.session(places, out, tmp_path_factory.mktemp("shown"))
    planted_in_all = [*room.sent, *room.left, *mishaps]

    opened = json.dumps(room.opened).encode()
    assert {one.field for one in search(opened, room.sent)} == {one.field for one in room.sent}
    assert {one.field for one in search(out, planted_in_all)} == SHOWN
    assert "message-broke-intake" in (out / "gateway.log").read_text("utf-8")  # the log has what went wrong
    for command, folder in apart.items():
        assert search(folder, planted_in_all), f"{command} is said to show what was planted, and does not"


def files_of(world: World, places: dict[str, str], out: Path) -> dict[str, str]:
    """The rest of the places: dates, and the files that a command reads."""
    now = world.clock.now()
    year, week, _ = now.isocalendar()
    figures, platform = out / "figures.csv", out / "platform.csv"
    figures.write_text(f"period,name,value\n{year}-W{week:02d},execution-completed-rate,50\n", "utf-8")
    platform.write_text(f"request_no,no,filed_on\n{places['no']},P1,{now.date()}\n", "utf-8")
    return places | {
        "week": f"{year}-W{week:02d}", "month": f"{now:%Y-%m}", "year": str(now.year), "figures": str(figures),
        "platform": str(platform),
    }  # fmt: skip
