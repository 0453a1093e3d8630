"""What the database tells: that it can be written, its clock, the calendar, the roster, and what waits in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from gateway.application.inbound.notices import NEWEST
from gateway.application.ports.store import Store
from gateway.core import checkup
from gateway.core.checkup import Check
from gateway.core.requests.paging import empty_until
from gateway.core.routing import Directory
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.calendars import shipped
from gateway.registry.config import Config
from lianzhi.errors import STORE_AWAY, ConfigurationError, RejectedError, StoreUnavailableError

TITLE = "数据库 store"
NAMES = "时钟、日历、值班、隔离区、暂停、版本 clock, calendar, roster, quarantine, pauses, versions"
AHEAD = timedelta(hours=24)
MOST_ROWS = 1000
Look = Callable[[Store, datetime], Awaitable[Check | list[Check]]]


async def look_at_store(config: Config, directory: Directory | None, now: datetime) -> list[Check]:
    """Reads, and writes one row of its own. Never raises for what is wrong with the store."""
    from gateway.store.store import open_store

    try:
        store = await open_store(config.store_url)
    except ConfigurationError as error:
        return [checkup.failed("store", TITLE, error, _mend(error)), _unseen()]
    except StoreUnavailableError as error:
        zh, en = STORE_AWAY
        return [
            Check("store", TITLE, "wrong", f"{zh}（{error}）", f"{en} ({error})", "核对 [store] url see to it"),
            _unseen(),
        ]
    try:
        looks: list[Callable[[Store, datetime], Awaitable[Check | list[Check]]]] = [
            _writes,
            _clock,
            _partner_clocks,
            _calendar,
            _quarantine,
            _paused,
            _holds,
        ]
        found = [check for look in looks for check in await _looked(look, store, now)]
        if directory is not None:
            known = directory
            found += await _looked(lambda s, at: _roster(s, at, known, config), store, now)
            found += await _looked(lambda s, at: _versions(s, known), store, now)
        return found
    finally:
        await store.close()


async def _looked(look: Look, store: Store, now: datetime) -> list[Check]:
    try:
        found = await look(store, now)
        return found if isinstance(found, list) else [found]
    except (StoreUnavailableError, RejectedError) as error:
        return [checkup.failed(look.__name__.strip("_<>"), TITLE, error, "核对 [store] url see to it")]


def _mend(error: ConfigurationError) -> str:
    return "lianzhi db migrate" if "db migrate" in str(error) else "核对 [store] url see to it"


def _unseen() -> Check:
    return checkup.unseen("stored", NAMES, "数据库不可用", "the store is not available")


async def _writes(store: Store, now: datetime) -> Check:
    await store.try_writing(now)
    waiting = await store.backlog()
    return Check("store", TITLE, "ok", f"可读写，待发 {waiting}", f"read and written, {waiting} wait to be sent")


async def _clock(store: Store, now: datetime) -> Check:
    del now  # of the beginning: a clock is compared with ours at the same moment
    from gateway.bootstrap import SystemClock

    before = SystemClock().now()
    return checkup.clock(("数据库", "database"), await store.now() - before)


async def _partner_clocks(store: Store, now: datetime) -> list[Check]:
    del now
    heard = await store.partner_clocks()
    return checkup.partner_clocks({one.participant: timedelta(milliseconds=one.offset_ms) for one in heard})


async def _calendar(store: Store, now: datetime) -> Check:
    imported = {row.year for row in await store.calendars()}
    return checkup.calendar(imported | shipped().years.keys(), now.astimezone(SHANGHAI).date())


async def _quarantine(store: Store, now: datetime) -> Check:
    """What nobody has dealt with yet."""
    del now
    open_rows = await store.operating.quarantine(owner=None, whole=False, limit=MOST_ROWS)
    return checkup.quarantine(Counter(row.reason for row, _ in open_rows))


async def _paused(store: Store, now: datetime) -> Check:
    return checkup.paused((await store.counts())["paused"])


async def _holds(store: Store, now: datetime) -> Check:
    del now
    return checkup.holds(await store.operating.holds())


async def _roster(store: Store, now: datetime, directory: Directory, config: Config) -> Check:
    async with store.begin() as tx:
        shifts = await tx.shifts(directory.home.code, now, now + AHEAD)
    gap = empty_until([(shift.begins, shift.ends) for shift in shifts], now, now + AHEAD)
    return checkup.roster(gap, pages=bool(config.notify.channels))


async def _versions(store: Store, directory: Directory) -> Check:
    async with store.begin() as tx:
        told = {p.code: p.notice_version or await tx.notice_version(p.code) for p in directory.amqp()}
    return checkup.versions(told, NEWEST)
