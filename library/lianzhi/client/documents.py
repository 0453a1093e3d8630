"""Uploads and downloads documents by their SHA-256: streamed, never whole in memory, each checked against its
digest.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import tempfile
from pathlib import Path
from typing import IO

import aiohttp

from lianzhi.client.answers import StoredDocument, read_answer
from lianzhi.client.problems import UnexpectedAnswerError
from lianzhi.client.wire import Backoff, Reply, Wire, check_plain, line_error, until_answered
from lianzhi.errors import MisuseError, RejectedError

MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".ofd": "application/ofd",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
}
CHUNK = 1 << 16
TRANSFER_SECONDS = 600.0  # 100 MiB at 1.4 Mbit/s


class Papers:
    def __init__(self, wire: Wire, backoff: Backoff, patience: float) -> None:
        self._wire = wire
        self._backoff = backoff
        self._patience = patience

    async def put(self, source: Path | bytes, media_type: str | None) -> StoredDocument:
        """The same bytes again change nothing. Raises ProblemError, UnavailableError, UnexpectedAnswerError,
        MisuseError (media type)."""
        kind = media_type or (MEDIA_TYPES.get(source.suffix.lower()) if isinstance(source, Path) else None)
        if kind is None:
            raise MisuseError("须说明文书格式（media_type） say which media_type it is")
        digest = await asyncio.to_thread(_digest, source)

        async def attempt() -> Reply:
            with _opened(source) as file:
                return await self._wire.exchange(
                    "PUT", f"/v1/documents/{digest}", headers={"Content-Type": kind}, body=file, wait=TRANSFER_SECONDS
                )

        reply = await until_answered(attempt, self._backoff, name=f"document {digest[:12]}", patience=self._patience)
        stored = read_answer(StoredDocument, reply.document())
        if stored.sha256 != digest:
            raise UnexpectedAnswerError("回答所述的不是这份文书 the answer is about another paper")
        return stored

    async def save(self, digest: str, target: Path) -> None:
        """Whole and right, or not at all: `target` appears only when the digest has been found right.

        Raises ProblemError, UnavailableError, UnexpectedAnswerError, RejectedError document-mismatch.
        """

        async def attempt() -> Reply:
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".document-", delete=False) as file:
                try:
                    reply = await self._fetch(digest, file)
                    file.flush()
                    if reply.status == 200:
                        await asyncio.to_thread(_keep, Path(file.name), target, digest)
                finally:
                    await asyncio.to_thread(Path(file.name).unlink, missing_ok=True)
            return reply

        reply = await until_answered(attempt, self._backoff, name=f"document {digest[:12]}", patience=self._patience)
        if reply.status != 200:
            raise reply.problem() or reply.unexpected()

    async def _fetch(self, digest: str, into: IO[bytes]) -> Reply:
        """One attempt; only a 200 is written out, and no more than a paper may have. Raises LineError,
        UnexpectedAnswerError."""
        path, most = f"/v1/documents/{digest}", self._wire.bounds.document_bytes
        try:
            async with self._wire.request("GET", path, wait=TRANSFER_SECONDS) as answer:
                if answer.status != 200:
                    return await self._wire.reply_of(answer)
                check_plain(answer)
                written = 0
                async for chunk in answer.content.iter_chunked(CHUNK):
                    written += len(chunk)
                    if written > most:
                        answer.close()
                        raise UnexpectedAnswerError(
                            f"文书超过 {most} 字节（上限 document_bytes）。 The paper is larger than {most} bytes."
                        )
                    into.write(chunk)
                return Reply(200, answer.content_type, b"", None)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise line_error("GET", path, error) from error


def _opened(source: Path | bytes) -> io.BufferedReader | io.BytesIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _digest(source: Path | bytes) -> str:
    with _opened(source) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(received: Path, target: Path, digest: str) -> None:
    if _digest(received) != digest:
        raise RejectedError("document-mismatch", pointer="")
    received.rename(target)
