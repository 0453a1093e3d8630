"""What `/readyz` says of what was seen, and how often it tries."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest

from gateway.application.recovery import readiness
from gateway.application.recovery.readiness import Readiness
from gateway.core.readiness import BLOCKING, WORDS, FindingName, Wire, findings
from lianzhi.errors import RejectedError, StoreUnavailableError

UP = Wire(connected=True, blocked=False, missing=0, silent=0)


def names(*seen: Any, **more: Any) -> list[str]:
    return [finding.name for finding in findings(*seen, **more)]


def test_every_finding_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(get_args(FindingName)) >= BLOCKING
    assert all(zh and en and zh != en for zh, en in WORDS.values())


def test_only_what_keeps_from_accepting_blocks() -> None:
    assert names("ok", backlog_full=False, wire=UP) == []
    assert [f.blocks for f in findings("away", backlog_full=False, wire=UP)] == [True]
    assert names("not-written", backlog_full=False) == ["store-not-written"]
    assert names("ok", backlog_full=True) == ["backlog-full"]
    down = findings("ok", backlog_full=False, wire=Wire(connected=False, blocked=True, missing=3, silent=3))
    assert [(f.name, f.blocks) for f in down] == [("broker-away", False)]  # the rest is not known
    hurt = findings("ok", backlog_full=False, wire=Wire(connected=True, blocked=True, missing=3, silent=2))
    assert [(f.name, f.count) for f in hurt] == [
        ("broker-blocked", None),
        ("queues-missing", 3),
        ("queues-not-consumed", 2),
    ]
    assert not any(f.blocks for f in hurt)


class Store:
    """Counts how often it is written."""

    def __init__(self) -> None:
        self.away = self.full = False
        self.tries = 0

    async def ping(self) -> None:
        if self.away:
            raise StoreUnavailableError("gone")

    async def try_writing(self, now: datetime) -> None:
        self.tries += 1
        await asyncio.sleep(0)
        if self.full:
            raise StoreUnavailableError("database or disk is full")


class Seconds:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def looks(store: Store, seconds: Seconds) -> Readiness:
    async def backlog() -> None:
        return None

    context: Any = SimpleNamespace(store=store, clock=SimpleNamespace(now=lambda: datetime(2026, 3, 24, tzinfo=UTC)))
    return Readiness(context, backlog, None, seconds=seconds)


async def test_however_many_ask_one_row_is_written_in_five_seconds(
    looks: Readiness, store: Store, seconds: Seconds
) -> None:
    assert await asyncio.gather(*(looks.findings() for _ in range(50))) == [[]] * 50
    assert store.tries == 1
    seconds.now += readiness.PROBE_SECONDS - 0.1
    await looks.findings()
    assert store.tries == 1
    seconds.now += 0.1
    await looks.findings()
    assert store.tries == 2


async def test_a_failure_is_tried_again_sooner(looks: Readiness, store: Store, seconds: Seconds) -> None:
    store.full = True
    assert [f.name for f in await looks.findings()] == ["store-not-written"]
    store.full = False
    assert [f.name for f in await looks.findings()] == ["store-not-written"]
    seconds.now += readiness.PROBE_AGAIN_SECONDS
    assert await looks.findings() == []
    store.away, seconds.now = True, seconds.now + readiness.PROBE_SECONDS
    assert [f.name for f in await looks.findings()] == ["store-away"]


async def test_a_store_that_never_answers_is_not_waited_for(
    looks: Readiness, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PROBE_TIMEOUT", 0.01)
    monkeypatch.setattr(store, "try_writing", cast(Any, lambda now: asyncio.Event().wait()))
    assert [f.name for f in await looks.findings()] == ["store-not-written"]


async def test_a_full_backlog_blocks(store: Store, seconds: Seconds) -> None:
    async def full() -> None:
        raise RejectedError("unavailable")

    context: Any = SimpleNamespace(store=store, clock=SimpleNamespace(now=lambda: datetime(2026, 3, 24, tzinfo=UTC)))
    assert [f.name for f in await Readiness(context, full, lambda: UP, seconds=seconds).findings()] == ["backlog-full"]
