"""What waits for one partner, or cannot reach it, decides nothing about what goes to the others."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any

import aio_pika
from aio_pika.abc import AbstractQueue

from gateway.broker.topology import GATEWAY_USER
from simulation.parties import FUPING, GRID
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import ENTRUST, VERIFY
from tests.walls.product import Installation, apply_topology

GRIDS_QUEUE = f"lianzhi.to.{GRID}"
BATCH = 256  # `Settings.dispatch_batch`
WAITING = 3_000


async def policy(vhost: Vhost, queue: str, **definition: Any) -> None:
    """Above every other; without a definition it is gone."""
    name = f"test {queue}"
    if not definition:
        await vhost.management.delete("policies", vhost.name, name)
        return
    pattern = "^" + queue.replace(".", r"\.") + "$"
    body = {"pattern": pattern, "definition": definition, "priority": 200, "apply-to": "queues"}
    await vhost.management.put("policies", vhost.name, name, body=body)


async def fill(site: Installation, queue: str = GRIDS_QUEUE) -> None:
    """Until the broker takes nothing more for it."""
    await policy(site.vhost, queue, **{"max-length": 1})
    async with await aio_pika.connect(site.vhost.url()) as connection:
        channel = await connection.channel(publisher_confirms=True)
        message = aio_pika.Message(b"in the way", user_id=site.vhost.user)

        async def refused() -> bool:
            try:
                await channel.default_exchange.publish(message, queue)
            except aio_pika.exceptions.DeliveryError:
                return True
            return False

        await eventually(refused)


async def empty(site: Installation, queue: str = GRIDS_QUEUE) -> None:
    """Everything may come again."""
    await policy(site.vhost, queue)
    async with await aio_pika.connect(site.vhost.url()) as connection, connection.channel() as channel:
        found = await channel.get_queue(queue, ensure=False)
        await eventually(lambda: _room(channel, queue))
        await found.purge()


async def _room(channel: Any, queue: str) -> bool:
    try:
        await channel.default_exchange.publish(aio_pika.Message(b"in the way"), queue)
    except aio_pika.exceptions.DeliveryError:
        return False
    return True


async def submitted(site: Installation, count: int, kind: str, *, first: int) -> list[str]:
    """Their request numbers."""
    orders = site.court.orders(count, [kind], first=first)
    await site.court.submit_all(orders)
    return [site.court.accepted[order.key] for order in orders]


async def shown(site: Installation, number: str) -> dict[str, Any]:
    async with site.court.session.get(f"/v1/requests/{number}") as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def told(site: Installation, kind: str = "incident", participant: str = GRID) -> list[dict[str, Any]]:
    """Heads of the events that are about a participant's queue."""
    heads = [e.get("head") or {} for e in await site.court.feed() if e["kind"] == kind]
    return [head for head in heads if head.get("participant") == participant]


def queue_of(reason: str, lane: str = "normal", participant: str = GRID) -> dict[str, Any]:
    return {"participant": participant, "lane": lane, "reason": reason}


async def publishing_channels(site: Installation) -> set[str]:
    """The broker's own names of the gateway's channels with confirms."""
    said = await site.vhost.broker.control(
        "--quiet", "list_channels", "--vhost", site.vhost.name, "pid", "user", "confirm", "vhost", "--no-table-headers"
    )
    rows = [line.split("\t") for line in said.splitlines() if "\t" in line]
    return {
        pid for pid, user, confirm, vhost in rows
        if (user, confirm, vhost) == (GATEWAY_USER, "true", site.vhost.name)
    }  # fmt: skip


async def test_s5_nack_costs_only_its_partner(site: Installation) -> None:
    """The grid's queue is full; the channel on which everybody else's messages go stays the one it was."""
    await site.serve()
    await site.court.hand_in_paper()
    fuping = await site.agency(FUPING)
    (number,) = await submitted(site, 1, ENTRUST, first=1)
    await fuping.next(number, "open")
    before = await publishing_channels(site)
    assert before
    await fill(site)
    await submitted(site, 20, VERIFY, first=10)
    await eventually(lambda: "not-sent" in site.said())
    for number in await submitted(site, 10, ENTRUST, first=50):
        await fuping.next(number, "open")
    assert before <= await publishing_channels(site), "the others lost their channel"


async def test_s5_full_queue_pauses_its_partner_with_a_reason_and_opens_again(site: Installation) -> None:
    """Told once, however many messages wait; when the partner takes them, everything arrives."""
    await site.serve()
    await fill(site)
    numbers = await submitted(site, 40, VERIFY, first=1)
    await eventually(lambda: "not-sent" in site.said())
    assert await told(site) == [queue_of("queue-full")]
    await empty(site)
    grid = await site.agency(GRID)
    for number in numbers:
        await grid.next(number, "open")
    await eventually(lambda: told(site, "recovered"))
    assert await told(site) == await told(site, "recovered") == [queue_of("queue-full")]


async def test_s5_missing_queue_pauses_its_partner_with_a_reason_and_opens_again(site: Installation) -> None:
    await site.serve()
    await site.court.hand_in_paper()
    fuping = await site.agency(FUPING)
    async with await aio_pika.connect(site.vhost.url()) as connection, connection.channel() as channel:
        await channel.queue_delete(GRIDS_QUEUE, if_unused=False, if_empty=False)
    numbers = await submitted(site, 5, VERIFY, first=1)
    await eventually(lambda: "not-sent" in site.said())
    (other,) = await submitted(site, 1, ENTRUST, first=50)
    await fuping.next(other, "open")
    assert await told(site) == [queue_of("queue-missing")]
    await apply_topology(site)
    grid = await site.agency(GRID)
    for number in numbers:
        await grid.next(number, "open")


async def test_s5_a_backlog_for_one_holds_up_neither_its_urgent_ones_nor_the_others(site: Installation) -> None:
    """3,000 normal messages for the grid, older than an urgent one for it and a normal one for a court."""
    away = site.vhost.url_at(1)
    process = await site.serve(wait=False, LIANZHI_BROKER__URL=away)
    await eventually(lambda: _alive(site))
    await site.court.hand_in_paper()
    (template,) = await submitted(site, 1, VERIFY, first=1)
    (urgent,) = await submitted(site, 1, VERIFY, first=3)  # every seventh is urgent
    (other,) = await submitted(site, 1, ENTRUST, first=5)
    await site.stop(process)
    multiply(site, template, WAITING)
    async with tapped(site.vhost) as tap:
        await site.serve()
        seen = await read(tap, until={urgent, other})
    for number in (urgent, other):
        # Two dispatchers take a batch each at the same time.
        assert seen.index(number) < 2 * BATCH, f"behind {seen.index(number)} others"


async def test_o16_parked_is_written_for_what_can_never_go(site: Installation) -> None:
    """A message above the broker's own limit: the request says so, somebody is told, and it costs the others
    nothing."""
    async with tapped(site.vhost) as tap:
        process = await site.serve()
        await site.court.hand_in_paper()
        small, large = await submitted(site, 1, VERIFY, first=1), await submitted(site, 1, ENTRUST, first=2)
        sizes = {m.number: m.size for m in await taken(tap, {*small, *large})}
        await site.stop(process)
    small_size, large_size = sizes[small[0]], sizes[large[0]]
    assert small_size + 100 < large_size
    grid = await site.agency(GRID)
    async with broker_limit(site.vhost, (small_size + large_size) // 2):
        await site.serve()
        (never,) = await submitted(site, 1, ENTRUST, first=10)
        for number in await submitted(site, 5, VERIFY, first=20):
            await grid.next(number, "open")
        await eventually(lambda: _left(site, never, "approved"), timeout=20)
        found = await shown(site, never)
        assert (found["state"], found["reason"]) == ("undeliverable", "message-too-large")
        events = [e for e in await site.court.feed() if e.get("request_no") == never and e["kind"] == "incident"]
        assert [e["head"]["reason"] for e in events] == ["message-too-large"]
        for number in await submitted(site, 5, VERIFY, first=40):
            await grid.next(number, "open")


# What they use.


async def _state(site: Installation, number: str, state: str) -> bool:
    return bool((await shown(site, number))["state"] == state)


async def _left(site: Installation, number: str, state: str) -> bool:
    return not await _state(site, number, state)


async def _alive(site: Installation) -> bool:
    try:
        async with site.court.session.get("/livez") as answer:
            return answer.status == 200
    except OSError:
        return False


def multiply(site: Installation, number: str, count: int) -> None:
    """`count` more messages like the `open` of that request, all of them an hour older; each of a request of its own
    of which nothing else is known."""
    with closing(sqlite3.connect(site.folder / "lianzhi.sqlite")) as db, db:
        db.row_factory = sqlite3.Row
        message = dict(db.execute("SELECT * FROM messages WHERE request_no = ?", (number,)).fetchone())
        row = dict(db.execute("SELECT * FROM outbox WHERE request_no = ?", (number,)).fetchone())
        row.pop("id")
        copies = [(f"{number[:-6]}{800_000 + n}", f"copy-{n}") for n in range(count)]
        _insert(db, "messages", [message | {"request_no": no, "id": id} for no, id in copies])
        older = {"due_at": row["due_at"] - 3_600_000_000}
        _insert(db, "outbox", [row | older | {"request_no": no, "message_id": id} for no, id in copies])


def _insert(db: sqlite3.Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    names = list(rows[0])
    marks = ", ".join("?" * len(names))
    quoted = ", ".join(f'"{name}"' for name in names)
    db.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({marks})", [tuple(row[n] for n in names) for row in rows])


class Seen:
    """number: of the request in the bytes (the subject). size: of the body."""

    def __init__(self, body: bytes) -> None:
        from lianzhi.crypto.sdjwt import parse

        self.number = str(parse(body).event.get("subject"))
        self.size = len(body)


@asynccontextmanager
async def tapped(vhost: Vhost) -> AsyncIterator[AbstractQueue]:
    """A queue that gets everything that the gateway publishes, in the broker's order."""
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        queue = await channel.declare_queue("test.tap", exclusive=True)
        await queue.bind("lianzhi.out", "#")
        yield queue


async def taken(tap: AbstractQueue, wanted: set[str]) -> list[Seen]:
    """Until every one of these requests was seen."""
    seen: list[Seen] = []
    missing = set(wanted)
    async with asyncio.timeout(60), tap.iterator(no_ack=True) as messages:
        async for message in messages:
            if not message.body:
                continue  # the gateway looks whether the broker takes anything
            seen.append(Seen(message.body))
            missing.discard(seen[-1].number)
            if not missing:
                break
    return seen


async def read(tap: AbstractQueue, until: set[str]) -> list[str]:
    return [seen.number for seen in await taken(tap, until)]


@asynccontextmanager
async def broker_limit(vhost: Vhost, size: int) -> AsyncIterator[None]:
    """`max_message_size` of every channel that is opened meanwhile."""
    before = (await vhost.broker.control("eval", "application:get_env(rabbit, max_message_size).")).strip()
    await vhost.broker.control("eval", f"application:set_env(rabbit, max_message_size, {size}).")
    try:
        yield
    finally:
        restored = "134217728" if before == "undefined" else before.removeprefix("{ok,").removesuffix("}")
        await vhost.broker.control("eval", f"application:set_env(rabbit, max_message_size, {restored}).")
