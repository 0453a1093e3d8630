"""`[limits]` that change while a gateway serves, in a process of its own: what holds at once, what says so if not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
import tomlkit

from tests.eventually import eventually
from tests.fault.court import VERIFY, Order
from tests.walls.product import Installation

pytestmark = pytest.mark.slow  # an installation of its own


def write_limits(site: Installation, **limits: object) -> None:
    """The file as an editor leaves it; no signal."""
    path = site.folder / "lianzhi.toml"
    document = tomlkit.parse(path.read_text("utf-8"))
    document["limits"] = limits
    beside = path.with_suffix(".new")
    beside.write_text(tomlkit.dumps(document), "utf-8")
    beside.chmod(0o600)
    beside.replace(path)


def logged(site: Installation, event: str) -> list[Mapping[str, Any]]:
    lines = [line for line in site.log.read_text("utf-8").splitlines() if line.startswith("{")]
    return [line for line in map(json.loads, lines) if line.get("event") == event]


async def listed(site: Installation) -> int:
    async with site.court.session.get("/v1/requests?limit=50") as answer:
        assert answer.status == 200
        return len((await answer.json())["requests"])


async def test_limits_that_change_hold_while_it_serves(site: Installation) -> None:
    """The same process throughout: the length of a list, the depth of a submission."""
    gateway = await site.serve()
    await site.court.hand_in_paper()
    orders = site.court.orders(4, [VERIFY])
    await site.court.submit_all(orders[:3])
    assert await listed(site) == 3

    write_limits(site, page_items=2)
    await eventually(lambda: two(site), 60)
    write_limits(site, page_items=500, json_depth=2)
    await eventually(lambda: len(logged(site, "reloaded")) == 2, 60)
    assert await refusal(site, orders[3]) == "too-deep"
    write_limits(site)
    await eventually(lambda: len(logged(site, "reloaded")) == 3, 60)
    await site.court.submit(orders[3])  # of any depth again
    assert await listed(site) == 4
    assert gateway.returncode is None
    assert len(logged(site, "running")) == 1
    assert logged(site, "restart-needed") == []


async def two(site: Installation) -> bool:
    return await listed(site) == 2


async def refusal(site: Installation, order: Order) -> str | None:
    """The kind of problem that the submission meets."""
    status, document, _ = await site.court.post(order)
    return None if status == 202 else str(document["type"]).rpartition(":")[2]


async def test_a_limit_that_needs_more_than_the_file_says_so(site: Installation) -> None:
    """By a restart, by the broker's own command; put back, no restart is needed any more."""
    gateway = await site.serve()
    write_limits(site, message_bytes=100_000, http_connections=50, page_items=7, queue_messages=99)
    await eventually(lambda: logged(site, "restart-needed"), 60)
    (told,) = logged(site, "restart-needed")
    assert told["members"] == ["[limits] message_bytes", "[limits] http_connections"]
    (told,) = logged(site, "broker-apply-needed")
    assert told["members"] == ["[limits] queue_messages"]
    assert await metric(site, "lianzhi_restart_needed") == 2

    write_limits(site, message_bytes=100_000, http_connections=50)
    await eventually(lambda: len(logged(site, "reloaded")) == 2, 60)
    assert len(logged(site, "restart-needed")) == 1  # told once
    write_limits(site)
    await eventually(lambda: logged(site, "restart-not-needed"), 60)
    assert await metric(site, "lianzhi_restart_needed") == 0
    assert gateway.returncode is None


async def metric(site: Installation, name: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{site.port + 1}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))
