"""A command of the product in a terminal window of eighty columns, as a person has it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import termios
import unicodedata
from collections.abc import Mapping

from tests.walls.product import PRODUCT, Finished, command

COLUMNS = 80
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


async def in_window(environment: Mapping[str, str], *arguments: str, encoding: str = "utf-8") -> Finished:
    """`lianzhi …` to its end, its output and errors in one terminal. encoding: of the terminal."""
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    named = {n: v for n, v in environment.items() if n != "COLUMNS"}
    process = await asyncio.create_subprocess_exec(
        command(), *arguments, cwd=PRODUCT, stdin=far, stdout=far, stderr=far, start_new_session=True,
        env=named | {"PYTHONIOENCODING": encoding, "TERM": "xterm"},
    )  # fmt: skip
    os.close(far)
    written = await asyncio.to_thread(_whole, near)
    return Finished(await process.wait(), _STYLE.sub("", written.decode(encoding, "replace")).replace("\r\n", "\n"), "")


def _whole(near: int) -> bytes:
    """Until the last program at the other end has closed it."""
    parts = []
    with os.fdopen(near, "rb", buffering=0) as terminal:
        while True:
            try:
                part = terminal.read(1 << 16)
            except OSError:  # EIO: nobody is there any more
                break
            if not part:
                break
            parts.append(part)
    return b"".join(parts)


def too_wide(text: str, encoding: str = "utf-8") -> list[str]:
    """Lines that the window would fold; UAX 11, by which a terminal in GBK makes the ambiguous ones wide.

    A path that is longer than the window stands alone on its line: it is copied, and must not be cut."""
    wide = "WFA" if encoding == "gbk" else "WF"

    def columns(line: str) -> int:
        return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in wide else 1 for c in line)

    return [line for line in text.splitlines() if columns(line) > COLUMNS and not _is_a_path(line.strip())]


def _is_a_path(text: str) -> bool:
    return text.startswith("/") and " " not in text
