"""Documents on disk: whole or not there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.papers import LocalDocuments
from lianzhi.errors import RejectedError, StoreUnavailableError

BODY = os.urandom(3_000_000)
SHA = hashlib.sha256(BODY).hexdigest()
LIMIT = 4_000_000


async def pieces(body: bytes, fail_at: int | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 50_000):
        if fail_at is not None and start >= fail_at:
            raise ConnectionResetError("the peer went away")
        yield body[start : start + 50_000]


async def whole(documents: LocalDocuments, sha256: str) -> bytes:
    return b"".join([part async for part in documents.get(sha256)])


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_what_is_put_can_be_read(tmp_path: Path) -> None:
    documents = LocalDocuments(tmp_path / "papers")
    assert not await documents.exists(SHA)
    assert await documents.put(SHA, pieces(BODY), LIMIT) == len(BODY)
    assert await documents.exists(SHA)
    assert await whole(documents, SHA) == BODY
    assert [path.name for path in files(tmp_path)] == [SHA]


async def test_a_second_put_of_the_same_bytes_changes_nothing(tmp_path: Path) -> None:
    documents = LocalDocuments(tmp_path)
    await documents.put(SHA, pieces(BODY), LIMIT)
    before = files(tmp_path)[0].stat()
    assert await documents.put(SHA, pieces(BODY), LIMIT) == len(BODY)
    assert [path.stat().st_ino for path in files(tmp_path)] == [before.st_ino]


async def test_an_empty_document_is_a_document(tmp_path: Path) -> None:
    documents = LocalDocuments(tmp_path)
    empty = hashlib.sha256(b"").hexdigest()
    assert await documents.put(empty, pieces(b""), LIMIT) == 0
    assert await whole(documents, empty) == b""


async def test_other_bytes_than_the_digest_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    documents = LocalDocuments(tmp_path)
    with pytest.raises(RejectedError, match="document-mismatch"):
        await documents.put(SHA, pieces(BODY[:-1]), LIMIT)
    assert not await documents.exists(SHA)
    assert files(tmp_path) == []


async def test_the_limit_stops_the_reading(tmp_path: Path) -> None:
    documents, taken = LocalDocuments(tmp_path), 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal taken
        async for piece in pieces(BODY):
            taken += len(piece)
            yield piece

    with pytest.raises(RejectedError, match="too-large"):
        await documents.put(SHA, counted(), 1_000_000)
    assert taken == 1_050_000
    assert files(tmp_path) == []


async def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    documents = LocalDocuments(tmp_path)
    with pytest.raises(ConnectionResetError):
        await documents.put(SHA, pieces(BODY, fail_at=2_000_000), LIMIT)
    assert not await documents.exists(SHA)
    assert files(tmp_path) == []


async def test_bytes_that_are_gone_are_an_unavailable_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError):
        await whole(LocalDocuments(tmp_path), SHA)


async def test_what_a_crash_left_behind_is_swept_after_a_day(tmp_path: Path) -> None:
    documents = LocalDocuments(tmp_path)
    assert await documents.sweep(datetime.now(UTC)) == 0
    (tmp_path / "incoming").mkdir()
    left = tmp_path / "incoming" / "left#1"
    left.write_bytes(b"half")
    assert await documents.sweep(datetime.now(UTC)) == 0
    assert left.exists()
    assert await documents.sweep(datetime.now(UTC) + timedelta(days=2)) == 1
    assert not left.exists()
