"""The ledger: what a job's future says is on disk, a failing job hurts only itself, one process consumes."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest

from lianzhi.errors import ConfigurationError, MisuseError, StoreUnavailableError
from lianzhi.partner.ledger import Ledger, connect
from lianzhi.partner.ledger.guard import Guard
from lianzhi.partner.ledger.lock import ConsumerLock
from lianzhi.partner.ledger.records import Conversation, OutboxRow, StoredMessage
from lianzhi.partner.ledger.unit import Unit

COURT = "court-sn0199"


def number(n: int) -> str:
    return f"{COURT}-20260324-{n:06d}"


@dataclass
class Write:
    """A job that stores one message in its conversation, or fails where it is told to."""

    n: int
    fail: BaseException | None = None

    @property
    def requests(self) -> Collection[str]:
        return [number(self.n)]

    @property
    def ids(self) -> Collection[str]:
        return [f"id-{self.n}"]

    def run(self, unit: Unit) -> str | None:
        known = unit.known((COURT, f"id-{self.n}"))
        talk = unit.conversation(number(self.n)) or Conversation(number(self.n), "t", 1, "asked", COURT, "police/1")
        talk.our_seq += 1
        talk.marks = {"open": (f"id-{self.n}", "digest")}
        talk.refs = ["k7m2q9xa"]
        unit.put(talk)
        if known is None:
            unit.add(
                StoredMessage(COURT, f"id-{self.n}", "d", number(self.n), "open", 1, "pending", "normal", "text", "now")
            )
        else:
            unit.set_state((COURT, f"id-{self.n}"), "done")
        unit.send(OutboxRow(f"out-{self.n}-{talk.our_seq}", number(self.n), talk.our_seq, "receipt", "key", "t", "now"))
        unit.count("written")
        if self.fail is not None:
            raise self.fail
        return known.state if known else None


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def others_may(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o077 for file in folder.iterdir()}


async def test_many_jobs_share_a_transaction_and_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    async with Ledger(path) as ledger:
        jobs = [*(Write(n) for n in range(150)), *(Write(n) for n in range(150))]
        results = await asyncio.gather(*(ledger.submit(job) for job in jobs))
    assert results == [None] * 150 + ["pending"] * 150
    assert rows(path, "SELECT state, count(*) FROM lz_message GROUP BY state") == [("done", 150)]
    assert rows(path, "SELECT count(*), min(our_seq), max(our_seq) FROM lz_conversation") == [(150, 2, 2)]
    assert rows(path, "SELECT count(*) FROM lz_outbox WHERE state = 'ready'") == [(300,)]
    assert rows(path, "SELECT value FROM lz_counter WHERE name = 'written'") == [(300,)]


async def test_a_conversation_comes_back_as_it_was(tmp_path: Path) -> None:
    async with Ledger(tmp_path / "inbox.sqlite") as ledger:
        await ledger.submit(Write(1))

        def look(connection: sqlite3.Connection) -> Conversation | None:
            unit = Unit(connection, Guard(connection))
            unit.load([number(1)], [])
            return unit.conversation(number(1))

        assert await ledger.read(look) == Conversation(
            number(1),
            "t",
            1,
            "asked",
            COURT,
            "police/1",
            our_seq=1,
            marks={"open": (f"id-{1}", "digest")},
            refs=["k7m2q9xa"],
        )


async def test_a_failing_job_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    async with Ledger(path) as ledger:
        jobs = [Write(n, ValueError("no") if n == 7 else None) for n in range(20)]
        results = await asyncio.gather(*(ledger.submit(job) for job in jobs), return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, ValueError)] == [7]
    assert rows(path, "SELECT count(*) FROM lz_message") == [(19,)]


async def test_a_file_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    async with Ledger(path) as ledger:
        await ledger.read(lambda connection: connection.execute("PRAGMA query_only = ON"))
        with pytest.raises(StoreUnavailableError):
            await ledger.submit(Write(1))
        await ledger.read(lambda connection: connection.execute("PRAGMA query_only = OFF"))
        await ledger.submit(Write(1))
    assert rows(path, "SELECT count(*) FROM lz_message") == [(1,)]


async def test_a_query_sees_what_was_submitted_before_it(tmp_path: Path) -> None:
    async with Ledger(tmp_path / "inbox.sqlite") as ledger:
        written = [ledger.submit(Write(n)) for n in range(30)]
        count = await ledger.read(lambda c: c.execute("SELECT count(*) FROM lz_message").fetchone()[0])
        assert count == 30
        await asyncio.gather(*written)


async def test_what_arrived_is_nobody_elses_to_read(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    async with Ledger(path) as ledger:
        await ledger.submit(Write(1))
        assert others_may(tmp_path) == {"inbox.sqlite": 0, "inbox.sqlite-wal": 0, "inbox.sqlite-shm": 0}


async def test_a_closed_ledger_takes_nothing(tmp_path: Path) -> None:
    with pytest.raises(MisuseError):
        Ledger(tmp_path / "inbox.sqlite").submit(Write(1))


async def test_a_ledger_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        await Ledger(tmp_path / "nowhere" / "inbox.sqlite").__aenter__()
    (tmp_path / "text.sqlite").write_text("this is no database, whatever its name says" * 100)
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        await Ledger(tmp_path / "text.sqlite").__aenter__()


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    connection = connect(tmp_path / "inbox.sqlite")
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(ConfigurationError, match="another version"):
        connect(tmp_path / "inbox.sqlite")


@pytest.mark.parametrize("flock", [True, False], ids=["flock", "beside"])
def test_two_processes_do_not_consume_with_one_ledger(tmp_path: Path, flock: bool) -> None:
    lock = ConsumerLock(tmp_path / "inbox.sqlite", flock=flock)
    lock.acquire()
    script = (
        "import sys; from pathlib import Path; from lianzhi.partner.ledger.lock import ConsumerLock\n"
        f"sys.exit(3 if ConsumerLock(Path(sys.argv[1]), flock={flock}).held_by_another() else 4)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "inbox.sqlite")]
    assert subprocess.run(command, check=False).returncode == 3
    with pytest.raises(ConfigurationError, match="Another process"):
        ConsumerLock(tmp_path / "inbox.sqlite", flock=flock).acquire()
    lock.release()
    assert subprocess.run(command, check=False).returncode == 4
    with pytest.raises(ConfigurationError, match="Cannot be written"):
        ConsumerLock(tmp_path / "nowhere" / "inbox.sqlite", flock=flock).acquire()


async def test_the_lock_is_on_the_ledger_itself(tmp_path: Path) -> None:
    """Deleting what an earlier version locked changes nothing, nor does asking beside a ledger that is open."""
    path = tmp_path / "inbox.sqlite"
    lock = ConsumerLock(path)
    lock.acquire()
    async with Ledger(path):
        path.with_name("inbox.sqlite.lock").touch()
        path.with_name("inbox.sqlite.lock").unlink()
        assert ConsumerLock(path).held_by_another()
        lock.release()
        assert not ConsumerLock(path).held_by_another()
        # A second process would find no lock of SQLite's if asking had closed a descriptor of the file.
        script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA journal_mode = DELETE')"
        other = await asyncio.create_subprocess_exec(*(sys.executable, "-c", script, str(path)), stderr=subprocess.PIPE)
        _, told = await other.communicate()
        assert b"database is locked" in told
