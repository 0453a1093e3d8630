"""Detects a store that was set back: compares it with marks kept outside of it, and writes these as the store goes on.

docs/adr/0030. A mark is written after the commit of a block and before its first number is used, every few seconds when
there were events, and at a clean stop. No number is given while no place can be read, and nothing is done at all on a
store that is behind a mark: an operator says first that it was set back (`lianzhi db restored`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

import structlog

from gateway.application.context import Context
from gateway.application.ports.recovery import MarkPlace, RecoveryReads
from gateway.core.readiness import MarksRefuse
from gateway.core.recovery.marks import Mark, Standing, Verdict, judge
from gateway.core.time.calendar import SHANGHAI
from lianzhi.errors import ConfigurationError, MarkUnreadableError, RejectedError, StoreUnavailableError

log = structlog.get_logger("marks")

MARK_SECONDS = 3.0
"""Between two looks whether there were events that no mark tells of; after this a restore within a block is seen."""
SOON_SECONDS = 0.3
"""As long as a place has not answered yet."""
DAYS = timedelta(days=3)
"""Numbers of how many days a mark tells: a message may be dated yesterday, never earlier."""

UNREADABLE: MarksRefuse = "marks-unreadable"
SET_BACK: MarksRefuse = "set-back"

TOLD = {
    Verdict.RESTORED: (
        "数据库是较早的副本：标记（{place}）为 {theirs}，数据库为 {ours}。请运行 lianzhi db restored 后再启动。",
        "The database is an older copy of itself: the mark ({place}) says {theirs}, the database {ours}."
        " Run `lianzhi db restored`, then start again.",
    ),
    Verdict.COPIED: (
        "另有网关在用同一数据库的副本：标记（{place}）不是本库所写。请停掉其一，留下的运行 lianzhi db restored。",
        "Another gateway serves a copy of this database: this one did not write the mark ({place})."
        " Stop one of them; for the one that stays run `lianzhi db restored`.",
    ),
    Verdict.FOREIGN: (
        "标记（{place}）属于另一个数据库，或本库早于标记。可能另一套安装已经接管（例如已在新机器恢复），那就让本网关停着；"
        "否则核对 [store] url 与代理虚拟主机。确知没有别的安装接管，而本库是恢复的，才运行 lianzhi db restored。",
        "The mark ({place}) is another database's, or this one is older than the marks. Another installation may have"
        " taken over, on a new machine for instance: then leave this one stopped. Else check [store] url and the"
        " broker's virtual host. Only when you know that none has taken over and that this database was restored, run"
        " `lianzhi db restored`.",
    ),
}
MISSING = (
    "标记都不见了，无法断定数据库是否为较早的副本：请运行 lianzhi db restored 后再启动。"
    " No mark is left, so nobody can tell whether this database is an older copy: run `lianzhi db restored`, then start"
    " again."
)


class Cover(Protocol):
    """What the giving of numbers waits for."""

    def check(self) -> None:
        """Raises RejectedError marks-unreadable, set-back: no number is given now."""
        ...

    async def cover(self) -> None:
        """A block was taken: returns when a mark tells of it. Raises RejectedError, StoreUnavailableError."""
        ...


class Uncovered:
    """Where no store is served: nothing to wait for."""

    def check(self) -> None:
        return

    async def cover(self) -> None:
        return


def first_day(now: datetime) -> str:
    """YYYYMMDD: the numbers of which days a mark tells."""
    return (now - DAYS).astimezone(SHANGHAI).strftime("%Y%m%d")


def new_token() -> str:
    return secrets.token_hex(8)


def told(verdict: Verdict, place: str, mark: Mark, standing: Standing) -> str:
    """In both languages, with the command to run."""
    theirs = f"{mark.sequence}/{mark.event_id}"
    ours = f"{standing.mark.sequence}/{standing.mark.event_id}"
    return " ".join(text.format(place=place, theirs=theirs, ours=ours) for text in TOLD[verdict])


async def standing_of(store: RecoveryReads, now: datetime) -> Standing:
    return await store.standing(first_day(now))


class MarkKeeper:
    """places: where marks lie. sound: set once a mark has vouched for the store. asked: set when, besides, every place
    that could answer was asked."""

    def __init__(self, context: Context, places: Sequence[MarkPlace]) -> None:
        self._ctx = context
        self._places = places
        self._faults: dict[str, MarkUnreadableError] = {}
        self._lock = asyncio.Lock()
        self._verdict: ConfigurationError | None = None
        self._wrong = asyncio.Event()
        self._refusal: MarksRefuse | None = UNREADABLE
        self._written_event = -1
        self.sound = asyncio.Event()
        self.asked = asyncio.Event()

    def why_not(self) -> MarksRefuse | None:
        """Why no number is given: a code; None when they are."""
        return self._refusal

    def told(self) -> Literal["both", "file", "broker", "none"]:
        """Where marks can be read and written."""
        names = {place.name for place in self._places} - self._faults.keys()
        if len(names) == len(self._places):
            return "both"
        return "file" if "file" in names else "broker" if "broker" in names else "none"

    def faults(self) -> list[str]:
        """What is wrong with the places, in words."""
        return [str(fault) for fault in self._faults.values()]

    async def start(self) -> None:
        """Compares, then goes on by one step. Raises ConfigurationError: the store was set back, is another's, or no
        mark is left; StoreUnavailableError."""
        async with self._lock:
            before = await self._standing()
            self._ctx.identity.ages = before.ages
            found = [await self._read(place, before, patient=not before.new) for place in self._places]
            await self._begin_if_sound(found)

    def check(self) -> None:
        if self._refusal is not None:
            raise RejectedError(self._refusal)

    async def cover(self) -> None:
        self.check()
        async with self._lock:
            self.check()
            await self._write_everywhere(again=False)
            self.check()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises ConfigurationError as soon as a mark shows that the store is not what it was."""
        while not stop.is_set():
            waits = [asyncio.ensure_future(event.wait()) for event in (stop, self._wrong)]
            try:
                pause = MARK_SECONDS if self.asked.is_set() else SOON_SECONDS
                await asyncio.wait(waits, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            if self._verdict is not None:
                raise self._verdict
            if stop.is_set():
                return
            try:
                await self.once()
            except StoreUnavailableError:
                continue

    async def once(self) -> None:
        """One look: places that could not be read are tried again, events that no mark tells of are marked.

        Raises ConfigurationError, StoreUnavailableError."""
        async with self._lock:
            if not self.sound.is_set():
                before = await self._standing()
                await self._begin_if_sound([await self._read(place, before, patient=True) for place in self._places])
            elif self._faults or await self._ctx.store.last_event() != self._written_event:
                await self._write_everywhere(again=True)
        if self._verdict is not None:
            raise self._verdict

    async def close(self) -> None:
        """A clean stop: what was done last is marked too."""
        if self._refusal is None and self._verdict is None:
            try:
                async with self._lock:
                    await self._write_everywhere(again=False)
            except StoreUnavailableError:
                log.warning("mark-not-written", why="store")

    async def _standing(self) -> Standing:
        return await standing_of(self._ctx.store, self._ctx.clock.now())

    async def _read(self, place: MarkPlace, standing: Standing, *, patient: bool = False) -> Mark | None:
        try:
            mark = await place.read([age.incarnation for age in standing.ages], patient=patient)
        except MarkUnreadableError as fault:
            self._note(place, fault)
            return None
        self._faults.pop(place.name, None)
        return mark

    def _note(self, place: MarkPlace, fault: MarkUnreadableError) -> None:
        if place.name not in self._faults:
            log.warning("mark-unreadable", place=place.name, answered=fault.answered)
        self._faults[place.name] = fault

    async def _begin_if_sound(self, found: Sequence[Mark | None]) -> None:
        """found: by place."""
        standing = await self._standing()
        for place, mark in zip(self._places, found, strict=True):
            if mark is not None:
                self._hold_against(place, mark, standing)
        if self._verdict is not None:
            raise self._verdict
        if not standing.new and not any(found):
            if not self._faults:
                raise ConfigurationError(MISSING)
            return
        async with self._ctx.store.begin() as tx:
            await tx.raise_sequence(new_token())
        self._refusal = None
        await self._write_everywhere(again=True)
        if self._verdict is not None:
            raise self._verdict
        if self._refusal is None:
            self.sound.set()

    def _hold_against(self, place: MarkPlace, mark: Mark, standing: Standing) -> bool:
        """Whether the store is what `mark`, which was read before it was looked at, says."""
        verdict = judge(standing, mark)
        if verdict is Verdict.SOUND:
            return True
        self._verdict = ConfigurationError(told(verdict, place.name, mark, standing))
        self._refusal = SET_BACK
        self._wrong.set()
        log.error("store-set-back", place=place.name, verdict=verdict.value)
        return False

    async def _write_everywhere(self, *, again: bool) -> None:
        """Compares with what lies there, then writes. again: also where it did not work the last time; else nobody
        waits for a place that is away."""
        written = False
        for place in self._places:
            if place.name in self._faults and not again:
                continue
            written |= await self._write(place)
            if self._verdict is not None:
                return
        away = self._faults.values()
        if not any(not fault.answered for fault in away):
            self.asked.set()
        self._refusal = None if written else UNREADABLE

    async def _write(self, place: MarkPlace) -> bool:
        standing = await self._standing()
        if standing.ages != self._ctx.identity.ages:
            self._verdict = ConfigurationError(
                "数据库已由 lianzhi db restored 换代，请重新启动。"
                " The database has begun a new incarnation; start again."
            )
            self._refusal = SET_BACK
            self._wrong.set()
            return False
        mark = await self._read(place, standing)
        if place.name in self._faults:
            return False
        if mark is not None:
            standing = await self._standing()
            if not self._hold_against(place, mark, standing):
                return False
        try:
            await place.write(standing.mark)
        except MarkUnreadableError as fault:
            self._note(place, fault)
            return False
        self._written_event = standing.mark.event_id
        return True
