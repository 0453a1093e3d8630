"""The spool: what was said and not yet answered survives whatever happens to us."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lianzhi.client.spool import ANSWERS_KEPT, Outgoing, Spool, answer_of
from lianzhi.errors import ConfigurationError, MisuseError

NOW = datetime(2026, 3, 24, 2, 10, tzinfo=UTC)


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path / "spool.sqlite", "a@b", lambda: NOW)
    await spool.open()
    yield spool
    await spool.close()


def item(key: str = "k1", mark: str = "f1", content: bytes = b"bytes") -> Outgoing:
    return Outgoing(key, "/v1/requests", "application/json", mark, content)


async def test_what_is_put_is_there_after_another_opens_the_file(spool: Spool, tmp_path: Path) -> None:
    await spool.put(item())
    other = Spool(tmp_path / "spool.sqlite", "a@b", lambda: NOW)
    await other.open()
    assert await other.unanswered() == ["k1"]
    assert await other.get("k1") == item()
    await other.close()


async def test_the_first_bytes_stay(spool: Spool) -> None:
    await spool.put(item())
    assert (await spool.put(item(content=b"signed anew"))).body == b"bytes"


async def test_another_content_under_the_same_key_is_a_mistake(spool: Spool) -> None:
    await spool.put(item())
    with pytest.raises(MisuseError):
        await spool.put(item(mark="f2"))
    await spool.answered("k1", 202, "{}")
    with pytest.raises(MisuseError):
        await spool.put(item(mark="f2"))


async def test_the_same_content_under_another_key_is_found_once_it_was_accepted(spool: Spool) -> None:
    await spool.put(item())
    await spool.put(item("k2"))
    await spool.put(item("k3", mark="f2"))
    assert await spool.said_before("k2") is None  # not answered yet
    await spool.answered("k1", 202, '{"request_no":"n"}')
    found = await spool.said_before("k2")
    assert found is not None and answer_of(found) == {"request_no": "n"}
    assert await spool.said_before("k1") is None and await spool.said_before("k3") is None


async def test_an_answer_ends_it_and_destroys_the_bytes(tmp_path: Path) -> None:
    secret = "王演示".encode() * 400
    path = tmp_path / "spool.sqlite"
    spool = Spool(path, "a@b", lambda: NOW)
    await spool.open()
    await spool.put(item(content=secret))
    await spool.answered("k1", 202, '{"request_no":"n"}')
    kept = await spool.put(item())
    assert (kept.body, kept.accepted, answer_of(kept)) == (None, True, {"request_no": "n"})
    assert await spool.unanswered() == []
    await spool.close()
    assert secret[:9] not in path.read_bytes()
    assert not path.with_name("spool.sqlite-wal").exists()


async def test_what_was_refused_gives_way_to_corrected_words(spool: Spool) -> None:
    await spool.put(item())
    await spool.answered("k1", 422, "{}")
    corrected = item(mark="f2", content=b"corrected")
    assert await spool.put(corrected) == corrected
    assert await spool.unanswered() == ["k1"]


async def test_oldest_first(tmp_path: Path) -> None:
    times = iter([NOW, NOW + timedelta(seconds=2), NOW + timedelta(seconds=1)])
    spool = Spool(tmp_path / "s", "a@b", lambda: next(times))
    await spool.open()
    for key in ("late", "early"):
        await spool.put(item(key))
    assert await spool.unanswered() == ["early", "late"]
    await spool.close()


async def test_old_answers_are_cleared_and_nothing_else(spool: Spool, tmp_path: Path) -> None:
    await spool.put(item("answered"))
    await spool.put(item("open"))
    await spool.answered("answered", 202, "{}")
    later = Spool(tmp_path / "spool.sqlite", "a@b", lambda: NOW + ANSWERS_KEPT + timedelta(seconds=1))
    await later.open()
    assert await later.get("answered") is None
    assert await later.unanswered() == ["open"]
    await later.close()


async def test_nobody_else_reads_the_file(spool: Spool, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "spool.sqlite").stat().st_mode) == 0o600


async def test_another_courts_spool_is_refused(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a@b"):
        await opened(Spool(tmp_path / "spool.sqlite", "c@b", lambda: NOW))


async def test_a_newer_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "newer.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 2")
    with pytest.raises(ConfigurationError, match="newer"):
        await opened(Spool(path, "a@b", lambda: NOW))
    path.write_bytes(b"not a database, and long enough to be looked at as one" * 20)
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        await opened(Spool(path, "a@b", lambda: NOW))


async def opened(spool: Spool) -> None:
    try:
        await spool.open()
    finally:
        await spool.close()
