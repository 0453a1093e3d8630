"""`GET /v1/requests` of what is not done: by deadline, for whom it waits; what is refused, and by which name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.test_read import located
from tests.api.world import POLICE, World


async def listed(world: World, query: str) -> list[str]:
    reply = await world.get(f"/v1/requests?{query}")
    assert reply.status == 200, reply.json
    return [request["request_no"] for request in reply.json["requests"]]


async def refused(world: World, query: str, **other: Any) -> list[tuple[str, str]]:
    reply = await world.get(f"/v1/requests?{query}", **other)
    assert reply.status == 422, reply.json
    return [(error["pointer"], error["rule"]) for error in reply.json["errors"]]


async def test_what_waits_for_a_partner_is_listed_and_what_is_not_is_not(world: World) -> None:
    number = await located(world)
    assert await listed(world, "waits=partner&order=age") == [number]
    assert await listed(world, f"partner={POLICE}&order=age") == [number]
    assert await listed(world, "waits=us&order=age") == []
    assert await listed(world, "waits=approval&order=age") == []
    assert await listed(world, "overdue=true") == []


@pytest.mark.parametrize(
    ("query", "pointer", "rule"),
    [
        ("overdue=true&due_within=3d", "/overdue", "not-together"),
        ("overdue=true&state=closed", "/state", "not-together"),
        ("waits=us&case_no=（2026）陕0114执123号", "/case_no", "not-together"),
    ],
)
async def test_filters_that_exclude_each_other_are_refused_by_name(
    world: World, query: str, pointer: str, rule: str
) -> None:
    assert await refused(world, query) == [(pointer, rule)]


@pytest.mark.parametrize("query", ["waits=everybody", "order=handler", "due_within=soon", "overdue=perhaps"])
async def test_a_value_that_is_none_is_refused_by_name(world: World, query: str) -> None:
    ((pointer, _),) = await refused(world, query)
    assert pointer == f"/{query.partition('=')[0]}"


async def test_a_cursor_of_another_order_is_refused(world: World) -> None:
    for _ in range(2):
        await located(world)
    first = (await world.get("/v1/requests?order=age&limit=1")).json
    assert len(await listed(world, f"order=age&limit=1&after={first['next']}")) == 1
    assert (await world.get(f"/v1/requests?order=due&after={first['next']}")).code == "bad-cursor"
