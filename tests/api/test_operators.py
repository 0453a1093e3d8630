"""The operators' door itself, over a real socket: who is let in, how much of a body is read, how many at once."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.application.duty.alerts import Alerts
from gateway.application.operating.draining import Draining
from gateway.application.operating.incidents import Incidents
from gateway.application.operating.partners import Partners
from gateway.application.operating.pauses import Pauses
from gateway.application.operating.quarantine_acts import QuarantineActs
from gateway.application.operating.replays import Replays
from gateway.application.operating.resending import Resending
from gateway.application.operating.restores import Restores
from gateway.application.outbound.lease_gate import LeaseGate
from gateway.core.records import Changes, Event, Request
from gateway.http.operating.calls import ROUTES
from gateway.http.operating.door import IN_FLIGHT, Door, serve_operators
from gateway.http.operating.place import SOCKET, below, group_of, listening, socket_of
from gateway.registry.config import FILE
from gateway.registry.operators import read_operators
from lianzhi.errors import ConfigurationError
from tests.api.world import COURT, GRID, NEIGHBOUR, World
from tests.eventually import eventually
from tests.operators import OWN, list_operators


@dataclass(frozen=True)
class Answer:
    status: int
    told: Any

    @property
    def rules(self) -> list[str]:
        return [error["rule"] for error in self.told["errors"]]


@dataclass(frozen=True)
class Doorway:
    """folder: of the installation whose socket is served."""

    folder: Path
    door: Door
    world: World

    async def call(self, method: str, path: str, body: Mapping[str, Any] | bytes | None = None) -> Answer:
        """One request on a connection of its own, written by hand."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        head = [
            f"{method} /operate/v1{path} HTTP/1.1",
            "Host: o",
            "Connection: close",
            f"Content-Length: {len(content)}",
        ]
        return await self.raw("\r\n".join([*head, "", ""]).encode() + content)

    async def raw(self, request: bytes) -> Answer:
        with below(socket_of(self.folder).parent) as name:
            reader, writer = await asyncio.open_unix_connection(name)
        writer.write(request)
        answered = await reader.read()
        writer.close()
        head, _, body = answered.partition(b"\r\n\r\n")
        return Answer(int(head.split(b" ", 2)[1]), json.loads(body))

    def operators(self, role: str = "supervisor") -> None:
        list_operators(self.folder, {OWN: ("演示操作员", role)})


@asynccontextmanager
async def served(world: World, folder: Path) -> AsyncIterator[Doorway]:
    context, gate = world.context, LeaseGate()

    def wake() -> None:
        world.wakes.append(1)

    door = Door(
        context=context,
        operators=partial(read_operators, folder / FILE),
        quarantine=QuarantineActs(context, wake),
        replays=Replays(context, wake),
        resending=Resending(context, wake),
        pauses=Pauses(context, gate, wake),
        draining=Draining(context, gate, wake),
        alerts=Alerts(context),
        incidents=Incidents(context),
        partners=Partners(context, None),
        restores=Restores(context),
    )
    with listening(folder) as sock:
        assert sock is not None
        async with serve_operators(door, sock, ROUTES):
            yield Doorway(folder, door, world)


@pytest_asyncio.fixture
async def doorway(world: World, tmp_path: Path) -> AsyncIterator[Doorway]:
    folder = tmp_path / ("longer-than-a-socket-address-holds-" * 4)
    folder.mkdir(mode=0o700)
    (folder / FILE).write_text("", "utf-8")
    async with served(world, folder) as doorway:
        doorway.operators()
        yield doorway


async def test_the_kernel_says_who_calls(doorway: Doorway) -> None:
    assert await doorway.call("GET", "/who") == Answer(200, {"user": OWN, "name": "演示操作员", "role": "supervisor"})
    list_operators(doorway.folder, {"somebody": ("某人", "supervisor")})
    answer = await doorway.call("GET", "/who")
    assert (answer.status, answer.rules) == (403, ["operator-not-listed"])
    assert f"[operators.{OWN}]" in answer.told["errors"][0]["detail"]


async def test_a_list_that_is_wrong_lets_nobody_in(doorway: Doorway) -> None:
    doorway.operators("chief")
    answer = await doorway.call("GET", "/who")
    assert (answer.status, answer.rules) == (503, ["operators-unreadable"])
    assert "操作人名单" in answer.told["title"] and "存储" not in answer.told["title"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/quarantine/0", 404),
        ("GET", "/quarantine/x", 404),
        ("GET", "/quarantine/99999999999999999999", 404),
        ("GET", "/quarantine/7", 404),
        ("GET", "/plans/7", 404),
        ("GET", "/incidents/7", 404),
        ("POST", "/plans/7/replay", 404),
        ("POST", "/plans/7/step", 404),
        ("POST", "/plans/7/cancel", 404),
        ("POST", "/incidents/7/owner", 404),
        ("POST", "/quarantine/7/retry", 404),
        ("POST", "/requests/court-sn0199-20260324-000001/resend", 422),
        ("DELETE", "/pauses", 405),
        ("GET", "/quarantine?limit=0", 422),
        ("GET", "/quarantine?limit=x", 422),
        ("GET", "/acts?before=-1", 422),
    ],
)
async def test_what_is_not_there_or_makes_no_sense(doorway: Doorway, method: str, path: str, status: int) -> None:
    assert (await doorway.call(method, path)).status == status


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/pauses", b"[1]", 400),
        ("/pauses", b"{", 400),
        ("/pauses", b'{"scope":"all","scope":"all"}', 400),
        ("/pauses", {"scope": "all", "why": "试", "who": "root"}, 422),
        ("/pauses", {"scope": "some", "name": GRID, "why": "试"}, 422),
        ("/pauses", {"scope": "partner", "name": COURT, "why": "试"}, 422),
        ("/pauses", {"scope": "partner", "name": 7, "why": "试"}, 422),
        ("/pauses", {"scope": "partner", "name": GRID}, 422),
        ("/plans", {"requests": "all", "why": "试"}, 422),
        ("/plans", {"limit": 0, "why": "试"}, 422),
        ("/plans", {"why": "试"}, 404),
        ("/doubts", {"client": "cms1", "key": "k", "state": "maybe"}, 422),
        ("/doubts", {"client": "cms1", "key": "k", "state": "accepted"}, 404),
        ("/forgotten/court-sn0199-20260324-000001/take-up", {"submission": "!"}, 422),
    ],
)
async def test_a_body_that_is_wrong_does_nothing(doorway: Doorway, path: str, body: Any, status: int) -> None:
    answer = await doorway.call("POST", path, body)
    assert answer.status == status
    assert await doorway.world.store.operating.acts() == []


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(doorway: Doorway) -> None:
    head = b"POST /operate/v1/pauses HTTP/1.1\r\nHost: o\r\nConnection: close\r\nContent-Length: 70000\r\n\r\n"
    assert (await doorway.raw(head)).status == 413


async def test_one_user_has_so_many_in_flight(doorway: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = asyncio.Event()

    async def slow() -> list[dict[str, Any]]:
        await waits.wait()
        return []

    monkeypatch.setattr(doorway.door.partners, "list", slow)
    asked = [asyncio.create_task(doorway.call("GET", "/partners")) for _ in range(IN_FLIGHT)]
    await eventually(lambda: doorway.door.in_flight[os.geteuid()] == IN_FLIGHT)
    assert (await doorway.call("GET", "/who")).status == 429
    waits.set()
    assert {answer.status for answer in await asyncio.gather(*asked)} == {200}
    assert (await doorway.call("GET", "/who")).status == 200


async def test_of_two_who_pause_at_once_one_wins_and_each_act_is_one_event(doorway: Doorway) -> None:
    body = {"scope": "partner", "name": GRID}
    both = await asyncio.gather(*(doorway.call("POST", "/pauses", {**body, "why": why}) for why in ("甲", "乙")))
    assert sorted(answer.told["changed"] for answer in both) == [False, True]
    assert len({answer.told["why"] for answer in both}) == 1
    ended = await asyncio.gather(*(doorway.call("POST", "/pauses/end", body) for _ in range(2)))
    assert sorted(answer.told["changed"] for answer in ended) == [False, True]
    events = [e for e in await doorway.world.store.events(COURT, 0, 100) if e.kind == "operated"]
    assert [e.detail for e in events] == [f"pause:partner:{GRID}:paused", f"resume:partner:{GRID}:resumed"]
    assert events[0].head is not None and events[0].head["user"] == OWN


async def test_who_operates_here_is_told_to_no_other_court(doorway: Doorway) -> None:
    """Both courts use this gateway; the request between them has the act in its timeline, for the home court alone."""
    store, now = doorway.world.store, doorway.world.clock.now()
    number = f"{COURT}-20260324-000001"
    between = Request(number, "entrust.matter.request", 1, "ask", "dispatched", COURT, NEIGHBOUR, now, now)
    async with store.begin() as tx:
        await tx.apply(Changes(new_requests=[between], events=[Event(now, COURT, "incident", number, detail="gap")]))
    ((_, incident),) = [(e.audience, e.id) for e in await store.operating.incidents(COURT, None, 10)]
    told = await doorway.call("POST", f"/incidents/{incident}/notes", {"text": "已联系"})
    assert (told.status, told.told["notes"]) == (200, 1)
    (event,) = [e for e in await store.timeline(number) if e.kind == "operated"]
    assert (event.audience, event.request_no) == (COURT, number)
    assert [e for e in await store.events(NEIGHBOUR, 0, 100) if e.kind == "operated"] == []


async def test_the_socket_of_a_killed_process_is_taken_over_and_that_of_a_living_one_left(doorway: Doorway) -> None:
    with listening(doorway.folder) as second:
        assert second is None
    assert (await doorway.call("GET", "/who")).status == 200


async def test_modes_and_group(world: World, tmp_path: Path) -> None:
    """The socket of a process that was killed is in the way of nobody; at the end it is gone."""
    folder = tmp_path / "installation"
    (folder / "run").mkdir(mode=0o700, parents=True)
    (folder / "run" / SOCKET).touch()
    gid, _ = group_of(folder)
    with listening(folder) as sock:
        assert sock is not None
        for path, mode in ((folder, 0o710), (folder / "run", 0o750), (socket_of(folder), 0o660)):
            assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == (mode, gid)
    assert not socket_of(folder).exists()


async def test_where_no_socket_can_be_made_the_start_says_so(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way", "utf-8")
    with pytest.raises(ConfigurationError, match=r"operate\.sock"), listening(tmp_path):
        pass
