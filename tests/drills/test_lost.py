"""What an agency had is gone: its ledger, its ledger since last night, the queue with its answers. It says what it
lacks, or is asked for what it said, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import aio_pika
import pytest

from gateway.broker.topology import from_queue
from simulation.parties import GRID
from tests.conftest import Vhost
from tests.drills.room import Room, room
from tests.walls.product import apply_topology

ORDERS = 48
Drill = Callable[[Room], Awaitable[None]]


async def ledger_lost(here: Room) -> None:
    """After `delivered`, before the work: the application stood still, and the machine is a new one."""
    still = here.site.root / "still"
    still.touch()
    await here.stop_agency(GRID)
    await here.agency(GRID, "--still", still)
    await here.hand_in(ORDERS // 3)  # so few that the new ledger can say of each at once what it lacks: 10 a minute
    await here.stand_at("delivered", GRID, ORDERS // 6)
    load = here.hand_in(ORDERS)
    await here.kill_agency(GRID)
    here.lose_ledger(GRID)
    await here.agency(GRID)
    await load
    await here.urge("delivered", GRID)


async def ledger_of_last_night(here: Room) -> None:
    """When the copy was made all work was done; what has been done since stands in no book of the agency's. The gateway
    had a power cut too, but not at once with it: an order that it sends again because it could not mark it as sent is a
    new one for a ledger that has lost its memory of it."""
    part = ORDERS // 3
    await here.hand_in(part)
    await here.answered(part)
    await here.quiet()
    await here.stop_agency(GRID)
    copy = here.ledger_copy(GRID)
    await here.agency(GRID)
    load = here.hand_in(part)
    await here.done(part + part // 2)
    await here.kill()
    await here.serve()
    await load
    await here.answered(2 * part)
    await here.quiet()
    load = here.hand_in(part)
    await here.answered(2 * part + part // 3)
    await here.stop_agency(GRID)
    here.lose_ledger(GRID)
    copy.rename(here.ledger(GRID))
    await here.agency(GRID)
    await load
    await here.urge("delivered", GRID)


async def answers_lost(here: Room) -> None:
    """The agency's answers lie in its queue while the gateway is away; the queue goes, and comes back empty."""
    here.site.environment["LIANZHI_TIMING__REDELIVER_AFTER"] = "3"
    await here.stop()
    await here.serve()
    load = here.hand_in(ORDERS)
    await here.answered(ORDERS // 2)
    await here.kill()
    await here.quiet()
    async with await aio_pika.connect(here.site.vhost.url()) as connection, connection.channel() as channel:
        for lane in ("normal", "urgent"):
            await channel.queue_delete(from_queue(GRID, lane), if_unused=False, if_empty=False)
    await apply_topology(here.site)
    await here.serve()
    await load
    await here.urge("delivered", GRID)  # whose `delivered` had come before: only that shows what is missing


@pytest.mark.parametrize("drill", [ledger_lost, ledger_of_last_night, answers_lost])
async def test_what_an_agency_had_is_gone(tmp_path: Path, vhost: Vhost, drill: Drill) -> None:
    async with room(tmp_path, vhost) as here:
        await drill(here)
        await here.well()
