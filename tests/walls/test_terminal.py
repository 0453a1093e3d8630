"""Row O9: what a person sees in a window of eighty columns, in any encoding: nothing folded, nothing eaten."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import pytest
import pytest_asyncio

from simulation.parties import GRID, HOME
from tests.eventually import eventually
from tests.fault.court import NOTICE, VERIFY
from tests.walls.product import Finished, Installation, clean_environment
from tests.walls.terminal import in_window, too_wide

ENCODINGS = ("utf-8", *(pytest.param(name, marks=pytest.mark.slow) for name in ("gbk", "ascii")))
LISTINGS = (
    "types", "participants list", "participants check", "clients list", "keys list", "quarantine list",
    "quarantine show {row}", "request show {no}", "request trace {no}", "measure list", "ledger list",
    "ledger show measure-ending", "ledger show platform", "law list", "law list answer-terms", "calendar show",
    "calendar show --year 2026", "report weekly", "db doubts list", "db forgotten list", "doctor",
)  # fmt: skip
HELP = (
    "", "types", "quarantine", "quarantine list", "participants", "keys new", "broker apply", "db", "db backup",
    "request", "case release", "partner", "partner reply", "law list", "report weekly", "doctor",
)  # fmt: skip
JSON = (
    "types", "participants list", "clients list", "keys list", "quarantine list", "quarantine show {row}",
    "request show {no}", "request trace {no}", "measure list", "ledger list", "law list", "calendar show",
    "report weekly", "db doubts list", "db forgotten list",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """An installation with a request that was answered by something refused. no, row: the request's number, the row of
    the quarantine."""

    site: Installation
    no: str
    row: str

    def words(self, line: str, *, where: bool = True) -> list[str]:
        words = line.format(no=self.no, row=self.row).split()
        return [*words, "--dir", str(self.site.folder)] if where else words

    async def all(self, lines: Iterable[str], encoding: str, *, where: bool = True) -> list[tuple[str, Finished]]:
        """Each of these commands and what it showed; three at a time, for each is a second of starting."""
        room = asyncio.Semaphore(3)

        async def one(line: str) -> tuple[str, Finished]:
            async with room:
                words = self.words(line, where=where)
                return line, await in_window(self.environment, *words, encoding=encoding)

        return await asyncio.gather(*map(one, lines))

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment() | self.site.environment


@pytest_asyncio.fixture(scope="module")
async def seen(running: Installation) -> AsyncIterator[Seen]:
    [order, _] = running.court.orders(2, [VERIFY, NOTICE])
    await running.court.submit(order)
    no = running.court.accepted[order.key]
    grid = await running.agency(GRID)
    await grid.opened(no)
    await grid.publish(b"no message at all")
    rows = await eventually(running.quarantine)
    yield Seen(running, no, str(rows[0]["id"]))


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_o9_no_line_is_wider_than_the_window(seen: Seen, encoding: str) -> None:
    """Every listing, in every encoding: it does not fail, and no line is folded."""
    found = await seen.all(LISTINGS, encoding)
    assert {line: wide for line, shown in found if (wide := too_wide(shown.out, encoding))} == {}
    assert [line for line, shown in found if "UnicodeEncodeError" in shown.out] == []
    assert [(line, shown.out) for line, shown in found if "Traceback" in shown.out or shown.code not in (0, 1)] == []


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_o9_what_is_copied_stands_in_one_piece(seen: Seen, encoding: str) -> None:
    """Request numbers, digests and codes, however narrow the window is."""
    [row] = [r for r in await seen.site.quarantine() if str(r["id"]) == seen.row]
    wanted = {
        "request show {no}": [seen.no],
        "request trace {no}": [seen.no],
        "quarantine list": [row["sha256"], row["reason"]],
        "quarantine show {row}": [row["sha256"]],
        "participants list": [GRID, HOME],
        "types": ["police.person-locate.request", "assoc.member-notice.publish"],
    }
    for line, shown in await seen.all(wanted, encoding):
        for word in wanted[line]:
            assert word in shown.out, (line, word, shown.out)


async def test_o9_times_are_local_and_to_the_second(seen: Seen) -> None:
    shown = await in_window(seen.environment, *seen.words("quarantine list"))
    assert re.search(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", shown.out), shown.out
    assert not re.search(r"\d\d:\d\d:\d\d\.\d|\+00:00|\dZ\b", shown.out), shown.out
    there = await in_window(seen.environment | {"TZ": "UTC"}, *seen.words("quarantine list"))
    assert there.out != shown.out, "TZ is heard"


async def test_o9_brackets_are_no_markup(seen: Seen) -> None:
    """The table of a configuration in a text, and a folder's name."""
    folder = seen.site.root / "x[/etc]"
    shown = await in_window(seen.environment, "init", "--court", "陕0114", "--dir", str(folder))
    assert shown.code == 0 and "lz_cms1_" in shown.out, "a token that nobody saw is lost"
    assert "[[staff]]" in shown.out.replace("\n", "")
    assert "x[/etc]" in shown.out.replace("\n", "")


async def test_o9_nothing_that_a_terminal_obeys(seen: Seen) -> None:
    name = "ledger\x1b[2J\u202eshow"
    shown = await in_window(seen.environment, "ledger", "show", name, "--dir", str(seen.site.folder))
    assert "\x1b[2J" not in shown.out and "\u202e" not in shown.out
    assert "\\u001b" in shown.out and "\\u202e" in shown.out


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_o9_help_is_not_cut(seen: Seen, encoding: str) -> None:
    for line, shown in await seen.all([f"{line} --help" for line in HELP], encoding, where=False):
        assert shown.code == 0, (line, shown.out)
        assert too_wide(shown.out, encoding) == [], line
        assert not re.search(r"\w…|\w\.\.\.(\s|$)", shown.out.replace("[ARGS]...", "")), (line, shown.out)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "ascii"])
async def test_o9_every_listing_has_json(seen: Seen, encoding: str) -> None:
    """The same in every encoding."""
    for line, shown in await seen.all([f"{line} --json" for line in JSON], encoding):
        assert shown.code == 0, (line, shown.out)
        json.loads(shown.out)
