"""The mark beside the keys: `mark.json`, 600 (docs/adr/0030)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from gateway.core.recovery.marks import Mark
from lianzhi.errors import MarkUnreadableError
from lianzhi.files import write_private

MARK_FILE = "mark.json"
LARGEST = 1 << 20  # bytes


class MarkFile:
    """`application.ports.recovery.MarkPlace` in the installation's folder."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        self._path = folder / MARK_FILE

    async def read(self, incarnations: Sequence[str], *, patient: bool = False) -> Mark | None:
        return await asyncio.to_thread(self._read)

    async def write(self, mark: Mark) -> None:
        try:
            await asyncio.to_thread(write_private, self._path, mark.model_dump_json().encode())
        except OSError as error:
            raise self._unreadable(error.strerror or "") from error

    def _read(self) -> Mark | None:
        try:
            with self._path.open("rb") as file:
                content = file.read(LARGEST)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error.strerror or "") from error
        try:
            return Mark.model_validate_json(content)
        except ValueError:
            raise self._unreadable("not a mark") from None

    def _unreadable(self, why: str) -> MarkUnreadableError:
        zh = f"{self._path} 无法读写，请检查属主、空间与内容。"
        return MarkUnreadableError(
            zh, f"It cannot be read or written; check owner, space and content: {why}", answered=True
        )
