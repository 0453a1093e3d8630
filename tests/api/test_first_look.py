"""First look, then work: what was handed in before costs one read, no number, no seal, no signature."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.application.conversation import compose
from lianzhi.protocol.envelope import CONTENT_TYPE
from tests.api.world import CASE, COURT, World, gathered, grid_request, locate_request

MANY = 50


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each signature and each seal that the gateway makes."""
    words: list[str] = []

    def counted(name: str) -> None:
        really = getattr(compose, name)

        def count(*given: Any, **named: Any) -> Any:
            words.append(name)
            return really(*given, **named)

        monkeypatch.setattr(compose, name, count)

    counted("issue")
    counted("seal")
    return words


@pytest.fixture
def looks(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each look at what was answered, and each unit of work."""
    words: list[str] = []
    remembered, begin = type(world.store).remembered, type(world.store).begin

    async def looked(self: Any, *given: Any) -> Any:
        words.append("look")
        return await remembered(self, *given)

    def began(self: Any) -> Any:
        words.append("unit")
        return begin(self)

    monkeypatch.setattr(type(world.store), "remembered", looked)
    monkeypatch.setattr(type(world.store), "begin", began)
    return words


async def test_a_repeated_post_signs_nothing_and_takes_no_number(world: World, made: list[str]) -> None:
    number = await world.accepted(await world.submit(grid_request(), key="once"))
    assert made == ["seal", "issue"]
    for _ in range(MANY):
        assert await world.accepted(await world.submit(grid_request(), key="once")) == number
    assert made == ["seal", "issue"]
    following = await world.accepted(await world.submit(grid_request(), key="another"))
    assert (number, following) == (f"{COURT}-20260324-000001", f"{COURT}-20260324-000002")


async def test_a_repeated_signed_post_under_other_keys_is_looked_up_by_its_id(world: World, made: list[str]) -> None:
    await world.put_pdf()
    raw = world.signed(locate_request()).raw
    number = await world.accepted(await world.post("/v1/requests", raw, content_type=CONTENT_TYPE))
    before = list(made)
    for _ in range(MANY):
        assert await world.accepted(await world.post("/v1/requests", raw, content_type=CONTENT_TYPE)) == number
    assert made == before
    assert await world.accepted(await world.submit(grid_request())) == f"{COURT}-20260324-000002"


async def test_a_crowd_with_one_key_does_the_work_once(world: World, made: list[str]) -> None:
    replies = await gathered(*(world.submit(grid_request(), key="race") for _ in range(MANY)))
    assert len({reply.json["request_no"] for reply in replies}) == 1
    assert made == ["seal", "issue"]
    assert await world.accepted(await world.submit(grid_request())) == f"{COURT}-20260324-000002"


async def test_a_repeated_post_costs_one_look_and_no_unit_of_work(world: World, looks: list[str]) -> None:
    await world.accepted(await world.submit(grid_request(), key="once"))
    looks.clear()
    await world.submit(grid_request(), key="once")
    assert looks == ["look"]


async def test_what_was_answered_is_answered_again_weeks_later(world: World) -> None:
    """The look comes before the proof: the bytes are stale by now, but they were proved when they came."""
    raw = world.signed(locate_request()).raw
    first = await world.post("/v1/requests", raw, content_type=CONTENT_TYPE, key="once")
    world.clock.advance(days=40)
    again = await world.post("/v1/requests", raw, content_type=CONTENT_TYPE, key="once")
    assert (again.status, again.body) == (202, first.body)
    assert (await world.post("/v1/requests", raw + b"x", content_type=CONTENT_TYPE)).status == 400


async def test_a_release_that_is_repeated_takes_no_number_either(world: World, made: list[str]) -> None:
    await world.accepted(await world.submit(grid_request()))
    order = {"case_no": CASE, "reason": "paid", "by": "sn0199-0007"}
    raw = world.signed(order, COURT, matter="case.release").raw
    first = await world.post("/v1/cases/release", raw, content_type=CONTENT_TYPE, key="paid")
    assert first.status == 202, first
    before = list(made)
    for _ in range(MANY):
        again = await world.post("/v1/cases/release", raw, content_type=CONTENT_TYPE, key="paid")
        assert again.body == first.body
    assert made == before
    following = await world.accepted(await world.submit(grid_request()))
    assert int(following[-6:]) == int(first.json["release_no"][-6:]) + 1
