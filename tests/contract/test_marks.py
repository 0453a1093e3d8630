"""The keeper of marks on both databases: when numbers are given, when they stop, what goes on after a restore."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.application.context import Identity
from gateway.application.marks import MarkKeeper
from gateway.application.recovery.restored import look, restored
from gateway.application.submission.numbers import Numbers
from gateway.core.records import Changes, Event
from gateway.core.recovery.marks import MARGIN, Mark, highest
from gateway.registry.mark_file import MARK_FILE, MarkFile
from gateway.store.store import SqlStore
from lianzhi.errors import ConfigurationError, MarkUnreadableError, RejectedError
from tests.api.world import GRID, Keys, grid_request, serving
from tests.contract.samples import NOW
from tests.contract.test_held import outgoing

HOME = "court-sn0114"


class Place:
    """Marks in memory; `away`: it cannot be read, `gone`: for a moment nothing is seen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mark: Mark | None = None
        self.away = False

    async def read(self, incarnations: Sequence[str], *, patient: bool = False) -> Mark | None:
        self._there()
        return self.mark

    async def write(self, mark: Mark) -> None:
        self._there()
        self.mark = mark

    def _there(self) -> None:
        if self.away:
            raise MarkUnreadableError("不在", "away", answered=False)


def context_of(store: SqlStore) -> Any:
    """What the keeper needs of a context."""
    home = SimpleNamespace(code=HOME, local=True)
    clock = SimpleNamespace(now=lambda: NOW)
    return SimpleNamespace(store=store, clock=clock, identity=Identity(), home=home, directory=[home])


async def started(store: SqlStore, *places: Place) -> MarkKeeper:
    keeper = MarkKeeper(context_of(store), places)
    await keeper.start()
    return keeper


async def test_a_mark_tells_of_a_block_before_its_first_number_is_used(store: SqlStore) -> None:
    file, broker = Place("file"), Place("broker")
    keeper = await started(store, file, broker)
    number = await Numbers(store, 100, keeper).next(HOME, NOW)
    for place in (file, broker):
        assert place.mark is not None
        assert place.mark.numbers[f"{HOME}/{number.split('-')[-2]}"] == 101
    assert keeper.told() == "both"


async def test_one_place_is_enough_and_is_compared_when_it_is_back(store: SqlStore) -> None:
    file, broker = Place("file"), Place("broker")
    await started(store, file, broker)
    assert broker.mark is not None
    broker.mark = broker.mark.model_copy(update={"sequence": 99})
    broker.away = True
    keeper = await started(store, file, broker)
    numbers = Numbers(store, 1, keeper)
    await numbers.next(HOME, NOW)
    assert keeper.told() == "file"
    assert not keeper.asked.is_set(), "nothing is dispatched before the broker was asked"
    broker.away = False
    with pytest.raises(ConfigurationError, match="lianzhi db restored"):
        await keeper.once()
    with pytest.raises(RejectedError, match="set-back"):
        await numbers.next(HOME, NOW)


async def test_no_number_is_given_while_no_place_can_be_read(store: SqlStore) -> None:
    file, broker = Place("file"), Place("broker")
    await started(store, file, broker)
    file.away = broker.away = True
    keeper = await started(store, file, broker)
    with pytest.raises(RejectedError, match="marks-unreadable"):
        await Numbers(store, 100, keeper).next(HOME, NOW)
    assert not keeper.sound.is_set()
    file.away = False
    await keeper.once()
    assert keeper.sound.is_set()
    await Numbers(store, 100, keeper).next(HOME, NOW)


async def test_a_place_that_fails_later_stops_numbers_until_it_is_back(store: SqlStore) -> None:
    file = Place("file")
    keeper = await started(store, file)
    numbers = Numbers(store, 1, keeper)
    await numbers.next(HOME, NOW)
    file.away = True
    with pytest.raises(RejectedError, match="marks-unreadable"):
        await numbers.next(HOME, NOW)
    file.away = False
    await keeper.once()
    await numbers.next(HOME, NOW)


async def test_events_without_a_block_are_marked_too(store: SqlStore) -> None:
    file = Place("file")
    keeper = await started(store, file)
    async with store.begin() as tx:
        await tx.apply(Changes(events=[Event(at=NOW, audience=HOME, kind="incident")]))
    await keeper.once()
    assert file.mark is not None
    assert file.mark.event_id == await store.last_event()


async def test_with_both_marks_gone_a_store_that_has_served_asks_for_a_person(store: SqlStore) -> None:
    await started(store, Place("file"), Place("broker"))
    with pytest.raises(ConfigurationError, match="lianzhi db restored"):
        await started(store, Place("file"), Place("broker"))


async def test_a_mark_that_this_store_did_not_write_is_of_a_copy(store: SqlStore) -> None:
    broker = Place("broker")
    keeper = await started(store, broker)
    assert broker.mark is not None
    broker.mark = broker.mark.model_copy(update={"sequence": broker.mark.sequence + 1, "token": "another"})
    with pytest.raises(RejectedError, match="set-back"):
        await Numbers(store, 100, keeper).next(HOME, NOW)


async def test_a_running_process_ends_when_a_higher_mark_is_found(store: SqlStore) -> None:
    broker = Place("broker")
    keeper = await started(store, broker)
    running = asyncio.create_task(keeper.run(asyncio.Event()))
    assert broker.mark is not None
    broker.mark = broker.mark.model_copy(update={"event_id": 10**6})
    with suppress(RejectedError):
        await Numbers(store, 100, keeper).next(HOME, NOW)
    with pytest.raises(ConfigurationError, match="lianzhi db restored"):
        await running


async def test_after_a_restore_the_store_is_another_incarnation_past_all_numbers(store: SqlStore) -> None:
    file, broker = Place("file"), Place("broker")
    keeper = await started(store, file, broker)
    before = await Numbers(store, 100, keeper).next(HOME, NOW)
    assert broker.mark is not None
    day = before.split("-")[-2]
    broker.mark = broker.mark.model_copy(update={"sequence": 50, "numbers": {f"{HOME}/{day}": 5001}})
    context = context_of(store)
    findings = await look(context, [file, broker])
    assert findings.set_back
    mark = await restored(context, [file, broker], findings)
    assert file.mark == broker.mark == mark
    later = context_of(store)
    again = MarkKeeper(later, [file, broker])
    await again.start()
    assert later.identity.ages[-1].began_at == NOW
    number = await Numbers(store, 100, again).next(HOME, NOW)
    assert number == f"{HOME}-{day}-{5001 + MARGIN:06d}"
    with pytest.raises(ConfigurationError):
        await keeper.once()  # whoever served the older life stops


class Queue(Place):
    """As the broker's: whoever reads leaves the highest of what lies there."""

    def __init__(self) -> None:
        super().__init__("broker")
        self.lies: list[Mark] = []

    async def read(self, incarnations: Sequence[str], *, patient: bool = False) -> Mark | None:
        found = highest(self.lies, incarnations)
        self.lies = [found] if found is not None else []
        return found

    async def write(self, mark: Mark) -> None:
        self.lies.append(mark)


async def test_a_second_restore_to_before_the_first_leaves_no_mark_of_the_life_between(store: SqlStore) -> None:
    """The store, being older, has never heard of that life: its mark went before ours, and nobody served any more."""
    queue = Queue()
    await started(store, queue)
    between = queue.lies[-1].model_copy(update={"incarnation": "b" * 36, "sequence": 70})
    queue.lies.append(between)
    with pytest.raises(ConfigurationError):
        await started(store, queue)
    context = context_of(store)
    await restored(context, [queue], await look(context, [queue]))
    again = await started(store, queue)
    assert again.sound.is_set()


async def test_after_a_restore_a_partner_is_asked_for_what_it_said_meanwhile(store: SqlStore, tmp_path: Path) -> None:
    async with serving(store, tmp_path / "papers", Keys.fresh()) as world:
        number = await world.accepted(await world.submit(grid_request()))
        await world.sent()
        delivered = {"stored_at": "2026-03-24T10:10:00+08:00", "system": "网格平台"}
        await world.reply(number, "delivered", delivered, seqno=1)
        places = [Place("file"), Place("broker")]
        await restored(world.context, places, await look(world.context, places))
        await world.clockwork.once()
        assert await outgoing(world) == [(GRID, "notice")]


async def test_the_file_holds_what_was_written_and_says_what_it_cannot_read(tmp_path: Path) -> None:
    place = MarkFile(tmp_path)
    assert await place.read([]) is None
    mark = Mark(incarnation="a" * 36, sequence=1, token="t", event_id=2, numbers={"a/20260101": 3})
    await place.write(mark)
    assert await place.read([]) == mark
    assert (tmp_path / MARK_FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / MARK_FILE).write_text("{")
    with pytest.raises(MarkUnreadableError, match=r"mark\.json"):
        await place.read([])
