"""How many connections there are, which one gives way, and whose address counts behind a proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.bounds import Bounds, Reached
from gateway.core.routing import Participant
from gateway.http.connections import RESERVE, UNKNOWN, Connections, Place, counted_as, forwarded_for, networks
from gateway.store import SqlStore
from tests.api.world import COURT, NEIGHBOUR, Keys, World, grid_request, serving
from tests.eventually import eventually

PROXY, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@dataclass(eq=False)
class Peer:
    at_work: bool = False
    asked_before: bool = False
    gone: list[str] = field(default_factory=list)

    def give_way(self) -> None:
        self.gone.append("gave way")


def door(total: int = 4, each: int = 3, proxies: tuple[str, ...] = ()) -> Connections:
    bounds = Bounds(http_connections=total, http_connections_per_address=each)
    return Connections(bounds, Reached(), networks(proxies))


def test_the_oldest_that_never_asked_gives_way_first() -> None:
    connections = door()
    rested, first, second, late = Peer(asked_before=True), Peer(), Peer(), Peer()
    for peer in (rested, first, second, late):
        assert connections.enter(peer, ELSEWHERE) is Place.OPEN
    assert [bool(p.gone) for p in (rested, first, second, late)] == [False, True, False, False]
    for peer in (second, late):
        peer.asked_before = True
    assert connections.enter(Peer(), ELSEWHERE) is Place.OPEN
    assert rested.gone and not second.gone


def test_one_that_works_never_gives_way_and_health_is_still_asked() -> None:
    connections = door(total=2, each=2)
    workers = [Peer(at_work=True) for _ in range(2)]
    for peer in workers:
        connections.enter(peer, ELSEWHERE)
    asking = [Peer() for _ in range(RESERVE)]
    assert {connections.enter(peer, PROXY) for peer in asking} == {Place.HEALTH_ALONE}
    assert connections.enter(Peer(), PROXY) is Place.HEALTH_ALONE
    assert asking[0].gone and not any(peer.gone for peer in workers)
    for peer in asking:
        peer.at_work = True
    answers = [connections.enter(Peer(at_work=True), PROXY) for _ in range(2)]
    assert answers == [Place.HEALTH_ALONE, Place.NONE]
    assert connections.reached.counts()["http_connections", ""] == RESERVE + 3
    connections.leave(workers[0])
    assert connections.enter(Peer(), ELSEWHERE) is Place.OPEN


def test_one_address_does_not_take_anothers_places() -> None:
    connections = door(total=10, each=2)
    theirs = [Peer() for _ in range(50)]
    mine = Peer()
    connections.enter(mine, ELSEWHERE)
    for peer in theirs:
        connections.enter(peer, "203.0.113.9")
    assert sum(not peer.gone for peer in theirs) == 2
    assert not mine.gone
    assert connections.reached.counts() == {("http_connections_per_address", ""): 48}


def test_a_proxys_connections_are_those_of_many() -> None:
    connections = door(total=10, each=2, proxies=(PROXY,))
    peers = [Peer(at_work=True) for _ in range(5)]
    assert {connections.enter(peer, PROXY) for peer in peers} == {Place.OPEN}
    for peer in (*peers, *peers):
        connections.leave(peer)


@pytest.mark.parametrize(
    ("headers", "counted"),
    [
        ([("Forwarded", f"for={ELSEWHERE}")], ELSEWHERE),
        ([("Forwarded", f'for="{ELSEWHERE}:4711";proto=https;by=192.0.2.43')], ELSEWHERE),
        ([("Forwarded", f"proto=https; For={ELSEWHERE}")], ELSEWHERE),
        ([("Forwarded", f'for="evil, for={ELSEWHERE}')], ELSEWHERE),
        ([("Forwarded", f"for=10.0.0.1, for={ELSEWHERE}, for={PROXY}")], ELSEWHERE),
        ([("Forwarded", "for=10.0.0.1"), ("Forwarded", f"for={ELSEWHERE}")], ELSEWHERE),
        ([("Forwarded", 'for="[2001:db8:1:2:3::4]:4711"')], "2001:db8:1:2::/64"),
        ([("Forwarded", "for=unknown")], UNKNOWN),
        ([("Forwarded", "for=_hidden")], UNKNOWN),
        ([("Forwarded", "by=10.0.0.1")], UNKNOWN),
        ([("Forwarded", f"for={PROXY}")], UNKNOWN),
        ([("Forwarded", f"for={ELSEWHERE}"), ("X-Forwarded-For", "10.9.9.9")], ELSEWHERE),
        ([("X-Forwarded-For", f"10.0.0.1, {ELSEWHERE}")], ELSEWHERE),
        ([("X-Forwarded-For", f"{ELSEWHERE}:443")], ELSEWHERE),
        ([("X-Forwarded-For", "2001:db8:1:2:3::4")], "2001:db8:1:2::/64"),
        ([("X-Forwarded-For", "[2001:db8:1:2:3::4]:80")], "2001:db8:1:2::/64"),
        ([("X-Forwarded-For", f"::ffff:{ELSEWHERE}")], ELSEWHERE),
        ([("X-Forwarded-For", "who knows")], UNKNOWN),
        ([("X-Forwarded-For", "999.1.1.1")], UNKNOWN),
        ([], UNKNOWN),
    ],
    ids=str,
)
def test_whom_a_proxy_names(headers: list[tuple[str, str]], counted: str) -> None:
    assert forwarded_for(CIMultiDictProxy(CIMultiDict(headers)), networks([PROXY])) == counted


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_caller_writes_before_a_proxy_its_own_address_is_counted(forged: str, more: str) -> None:
    line = f"{forged},{more}, for={ELSEWHERE}"
    assert forwarded_for(CIMultiDictProxy(CIMultiDict({"Forwarded": line})), networks([PROXY])) == ELSEWHERE
    line = f"{forged},{more}, {ELSEWHERE}"
    assert forwarded_for(CIMultiDictProxy(CIMultiDict({"X-Forwarded-For": line})), networks([PROXY])) == ELSEWHERE


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_a_host_chooses_half_of_its_address_and_gains_nothing(address: Any, chosen: int) -> None:
    other = IPv6Address((int(address) >> 64 << 64) + chosen)
    if address.ipv4_mapped is None and other.ipv4_mapped is None:
        assert counted_as(str(address)) == counted_as(str(other))


# --- served -----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def bounded(
    store: SqlStore, folder: Path, keys: Keys, *, proxies: tuple[str, ...] = (), **bounds: Any
) -> AsyncIterator[World]:
    async with serving(store, folder, keys, bounds=Bounds(**bounds), proxies=networks(proxies)) as world:
        yield world


async def ask(world: World, head: str, *, read: bool = True) -> tuple[bytes, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(head.encode())
    return (await reader.read(65536) if read else b""), writer


async def test_behind_a_proxy_one_address_has_so_many_requests_in_flight(
    store: SqlStore, tmp_path: Path, keys: Keys
) -> None:
    async with bounded(store, tmp_path / "p", keys, proxies=("127.0.0.1",), http_connections_per_address=2) as world:
        theirs = {"Forwarded": f"for={ELSEWHERE}"}
        polls = [asyncio.create_task(world.get("/v1/events?wait=30", headers=theirs)) for _ in range(2)]
        await eventually(lambda: world.api.watch.waiting == 2)
        refused = await world.get("/v1/types", headers=theirs)
        assert (refused.status, refused.code, refused.rules) == (
            429, "too-many-requests", [("", "requests-of-one-address")],
        )  # fmt: skip
        assert (await world.get("/v1/types", headers={"Forwarded": "for=203.0.113.9"})).status == 200
        assert (await world.get("/livez", client=None, headers=theirs)).status == 200
        world.api.watch.close()
        await asyncio.gather(*polls)
        assert (await world.get("/v1/types", headers=theirs)).status == 200


async def test_a_stranger_names_himself_in_vain(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    """Whoever it says that it asks for, its connections are counted as its own."""
    async with bounded(store, tmp_path / "p", keys, http_connections_per_address=2) as world:
        names = [{"Forwarded": f"for=203.0.113.{number}"} for number in range(2)]
        polls = [asyncio.create_task(world.get("/v1/events?wait=30", headers=name)) for name in names]
        await eventually(lambda: world.api.watch.waiting == 2)
        said = (await ask(world, "GET /v1/types HTTP/1.1\r\nHost: x\r\nForwarded: for=203.0.113.9\r\n\r\n"))[0]
        assert b" 503 " in said and b"too-many-connections" in said
        world.api.watch.close()
        await asyncio.gather(*polls)


async def test_where_all_work_only_health_is_told(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with bounded(store, tmp_path / "p", keys, http_connections=2) as world:
        polls = [asyncio.create_task(world.get("/v1/events?wait=30")) for _ in range(2)]
        await eventually(lambda: world.api.watch.waiting == 2)
        assert b" 200 " in (await ask(world, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"))[0]
        said = (await ask(world, "GET /v1/types HTTP/1.1\r\nHost: x\r\n\r\n"))[0]
        assert b" 503 " in said and b"too-many-connections" in said and b"Retry-After" in said
        assert b"connection: close" in said.lower()
        world.api.watch.close()
        await asyncio.gather(*polls)


async def test_beyond_the_reserve_nothing_is_read(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with bounded(store, tmp_path / "p", keys, http_connections=1) as world:
        poll = asyncio.create_task(world.get("/v1/events?wait=30"))
        await eventually(lambda: world.api.watch.waiting == 1)
        asking = [world.api.connections.enter(Peer(at_work=True), "127.0.0.1") for _ in range(RESERVE)]
        assert set(asking) == {Place.HEALTH_ALONE}
        said, _ = await ask(world, "")
        assert said.startswith(b"HTTP/1.1 503 ") and b"too-many-connections" in said
        world.api.watch.close()
        await poll


@pytest.mark.parametrize("begun", ["", "GET /liv"])
async def test_a_head_has_its_time(store: SqlStore, tmp_path: Path, keys: Keys, begun: str) -> None:
    async with bounded(store, tmp_path / "p", keys, http_header_seconds=0.1) as world:
        async with asyncio.timeout(20):
            said, _ = await ask(world, begun)
        assert (b"too-slow" in said and b" 408 " in said) == bool(begun)
        assert world.context.reached.counts()["http_header_seconds", ""] == 1
        assert world.api.connections.standing == 0


async def test_a_pipelined_head_has_its_time_too(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    """It began while the request before it was being answered."""
    async with bounded(store, tmp_path / "p", keys, http_header_seconds=0.1) as world:
        first = f"GET /v1/events?wait=1 HTTP/1.1\r\nHost: x\r\nAuthorization: {world.authorization('cms1')}\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(first.encode())
        await eventually(lambda: world.api.watch.waiting == 1)
        writer.write(b"GET /liv")
        async with asyncio.timeout(20):
            said = await reader.read()
        assert said.count(b"HTTP/1.1") == 2 and b" 200 " in said and b" 408 " in said
        writer.close()


async def test_a_head_has_its_size(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with bounded(store, tmp_path / "p", keys) as world:
        many = "".join(f"X-{n}: {'y' * 4000}\r\n" for n in range(12))
        said, _ = await ask(world, f"GET /livez HTTP/1.1\r\n{many}")
        assert b" 400 " in said and b"malformed-request" in said
        few = "".join(f"X-{n}: y\r\n" for n in range(80))
        said, _ = await ask(world, f"GET /livez HTTP/1.1\r\nHost: x\r\n{few}\r\n")
        assert b" 400 " in said and b"malformed-request" in said


async def test_a_body_has_its_time(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with bounded(store, tmp_path / "p", keys, http_body_seconds=0.1) as world:
        head = (
            f"POST /v1/requests HTTP/1.1\r\nHost: x\r\nAuthorization: {world.authorization('cms1')}\r\n"
            "Idempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
        said, _ = await ask(world, head)
        assert b" 408 " in said and b"body-time" in said
        assert world.context.reached.counts()["http_body_seconds", "court-sn0199"] == 1


async def test_a_commit_of_anothers_costs_those_who_wait_no_question(world: World) -> None:
    waiting = [asyncio.create_task(world.get("/v1/events?wait=30", client="cms2")) for _ in range(8)]
    await eventually(lambda: world.api.watch.waiting == 8)
    asked: list[str] = []
    feed = world.api.queries.feed

    async def counted(who: Participant, *how: Any) -> Any:
        asked.append(who.code)
        return await feed(who, *how)

    world.api.queries.feed = counted  # type: ignore[method-assign, assignment]
    cursor = (await world.get("/v1/events")).json["cursor"]
    for _ in range(4):
        poll = asyncio.create_task(world.get(f"/v1/events?wait=30&after={cursor}"))
        await eventually(lambda: world.api.watch.waiting == 9)
        await world.accepted(await world.submit(grid_request()))
        cursor = (await poll).json["cursor"]
    assert asked.count(COURT) >= 8
    assert asked.count(NEIGHBOUR) <= 8  # at most once each: when the watch begins, it does not know what it missed
    world.api.watch.close()
    await asyncio.gather(*waiting)


async def test_who_goes_away_waits_no_longer(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with bounded(store, tmp_path / "p", keys, polls_in_flight=1) as world:
        for _ in range(3):
            poll = asyncio.create_task(world.get("/v1/events?wait=60"))
            await eventually(lambda: world.api.watch.waiting == 1)
            poll.cancel()
            await eventually(lambda: world.api.watch.waiting == 0)
        await eventually(lambda: not +world.api.budgets.taken)


async def test_no_more_polls_and_uploads_than_the_bound(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with bounded(store, tmp_path / "p", keys, polls_in_flight=2, requests_in_flight=3) as world:
        polls = [asyncio.create_task(world.get("/v1/events?wait=30")) for _ in range(2)]
        await eventually(lambda: world.api.watch.waiting == 2)
        refused = await world.get("/v1/events?wait=1")
        assert (refused.status, refused.code, refused.rules) == (
            429, "too-many-requests", [("/Authorization", "polls-in-flight")],
        )  # fmt: skip
        assert int(refused.headers["Retry-After"]) > 0
        assert (await world.get("/v1/events")).status == 200
        others = asyncio.create_task(world.get("/v1/events?wait=30", client="cms2"))
        await eventually(lambda: world.api.watch.waiting == 3)
        world.api.watch.close()
        await asyncio.gather(*polls, others)
        assert not +world.api.budgets.taken
        assert (await world.get("/v1/events?wait=1")).status == 200
