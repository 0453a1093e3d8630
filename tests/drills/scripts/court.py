"""A court system's program on the public client library: hands in what stands in its list, and keeps its own book.

court.py CONFIG WORK BOOK
WORK: one JSON object a line, appended while it runs: {mark, key, receiver, body, again}, or {"ask": true}. again: the
same bytes go in once more under the same key, from a second work station whose spool knows nothing of the first. ask:
the gateway is asked for each request that it gave a number.
BOOK: `handed` before the first attempt, `answered` with the number, `refused` with the problem's code; `unknown`, with
the code, what the gateway does not have when asked, and `asked` when all were. What is in doubt is said again until a
person has decided.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lianzhi.client import ClientConfig, CourtClient, ProblemError

HANDS = 8
LOOK_SECONDS = 0.05
DOUBT_SECONDS = 0.5


class Station:
    """One work station. again: it hands in what the other one has handed in."""

    def __init__(self, client: CourtClient, book: Book, *, again: bool = False) -> None:
        self._client, self._book, self._again = client, book, again

    async def hand_in(self, work: dict[str, Any]) -> None:
        if not self._again:
            self._book.write("handed", mark=work["mark"])
        while True:
            try:
                accepted = await self._client.submit(work["body"], receiver=work["receiver"], key=work["key"])
            except ProblemError as problem:
                if problem.code == "in-doubt":
                    await asyncio.sleep(DOUBT_SECONDS)
                    continue
                self._book.write("refused", mark=work["mark"], code=problem.code, again=self._again)
            else:
                for number in accepted.request_nos:
                    self._book.answered(work["mark"], number, self._again)
            return

    async def ask(self) -> None:
        """For every number that it was given."""
        for number in sorted(self._book.numbers):
            try:
                await self._client.request(number)
            except ProblemError as problem:
                self._book.write("unknown", request_no=number, code=problem.code)
        self._book.write("asked")


class Book:
    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self.numbers: set[str] = set()

    def answered(self, mark: str, number: str, again: bool) -> None:
        self.numbers.add(number)
        self.write("answered", mark=mark, request_no=number, again=again)

    def write(self, did: str, **more: Any) -> None:
        self._file.write(json.dumps({"did": did, **more}, ensure_ascii=False) + "\n")


async def listed(path: Path, todo: asyncio.Queue[dict[str, Any]]) -> None:
    """Every line of the list as it is appended."""
    with path.open(encoding="utf-8") as lines:
        while True:
            line = lines.readline()
            if not line.endswith("\n"):
                lines.seek(lines.tell() - len(line.encode()))
                await asyncio.sleep(LOOK_SECONDS)
                continue
            await todo.put(json.loads(line))


async def main(config: Path, work: Path, book: Path) -> None:
    first = ClientConfig.load(config)
    second = replace(first, spool=first.spool.with_name("second.sqlite"))
    todo: asyncio.Queue[dict[str, Any]] = asyncio.Queue(2 * HANDS)
    pages = Book(book)
    async with CourtClient.from_config(first) as one, CourtClient.from_config(second) as other:
        station, insistent = Station(one, pages), Station(other, pages, again=True)

        async def hands() -> None:
            while True:
                order = await todo.get()
                if "ask" in order:
                    await station.ask()
                    continue
                await station.hand_in(order)
                if order["again"]:
                    await insistent.hand_in(order)

        everything = asyncio.gather(listed(work, todo), *(hands() for _ in range(HANDS)))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, everything.cancel)
        print(json.dumps({"event": "ready"}), flush=True)
        with suppress(asyncio.CancelledError):
            await everything


if __name__ == "__main__":
    asyncio.run(main(*map(Path, sys.argv[1:])))
