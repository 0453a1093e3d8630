"""`lianzhi db check`: a store that an installation left in the middle of its work is clean, and every single kind of
damage that is done to it is found and named, on both databases.

The store is that of `tests/fixtures/written_before`, brought to today's schema: requests in many states, rows that have
not left, an answer that waits, measures, a release, documents.
"""

from __future__ import annotations

import asyncio
import gzip
import shutil
import sqlite3
import subprocess
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from gateway.core.recovery.soundness_words import RULES
from gateway.keeping import Checked, look_over
from gateway.registry.config import load_config
from gateway.store.upkeep.migrate import migrate
from lianzhi.errors import ConfigurationError, StoreUnavailableError
from tests import postgres

FIXTURES = Path(__file__).parents[1] / "fixtures" / "written_before" / "f2027db"
T = TypeVar("T")
NUMBER = "court-sn0199-20260324-0000{:02d}"
DONE, ACCEPTED, WANTED, WITHDRAWING, BLOCKED, AWAITING = (NUMBER.format(n) for n in (1, 4, 6, 7, 8, 9))
SENT, EARLY, READ, UNDELIVERABLE, APPROVED = (NUMBER.format(n) for n in (12, 13, 16, 18, 19))
POLICE, UNKNOWN = "police-610199", "court-sn0199-20260324-000099"


@dataclass(frozen=True)
class Damage:
    """statements: what is done. rule, key: what must be found, and a part of the key of the row that is named."""

    rule: str
    key: str
    statements: tuple[str, ...]


def damage(rule: str, key: str, *statements: str) -> Damage:
    return Damage(rule, key, statements)


def no_timer(rule: str, number: str, kind: str) -> Damage:
    return damage(rule, f"{number} {kind}", f"DELETE FROM timers WHERE request_no = '{number}' AND kind = '{kind}'")


def timer(number: str, kind: str) -> str:
    return f"INSERT INTO timers (request_no, kind, due_at, \"count\") VALUES ('{number}', '{kind}', 0, 0)"


def no_request(rule: str, key: str, number: str = ACCEPTED) -> Damage:
    return damage(rule, key, f"DELETE FROM requests WHERE request_no = '{number}'")


def of_request(rule: str, assign: str, key: str = ACCEPTED, number: str = ACCEPTED) -> Damage:
    return damage(rule, key, f"UPDATE requests SET {assign} WHERE request_no = '{number}'")


DAMAGES = [
    no_request("message-request", "court-sn0199/"),
    no_request("outbox-request", "court-sn0199/"),
    no_request("timer-request", f"{ACCEPTED} due"),
    no_request("event-request", ACCEPTED),
    no_request("accepted", "cms1/"),
    no_request("submission-request", "court-sn0199/"),
    no_request("parent", DONE, number=DONE),
    damage("message-party", f"{POLICE}/",
           f"UPDATE messages SET sender = '{POLICE}' WHERE sender = 'grid-610199' AND seqno = 2",
           f"UPDATE requests SET asked_seq = 1 WHERE request_no = '{NUMBER.format(15)}'"),
    of_request("state", "state = 'nonsense'"),
    of_request("clock-idle", "state = 'refused'"),
    of_request("clock", "state = 'delivered'"),
    of_request("seqno-counter", "asker_seq = 7", f"{ACCEPTED} asker_seq"),
    of_request("seqno-counter", "asked_seq = 1", f"{ACCEPTED} asked_seq"),
    of_request("mark", """marks = '{"open": ["x", "y"]}'""", f"{ACCEPTED} open x"),
    of_request("json", "facts = '{'"),
    of_request("held-count", "held = 0", EARLY, EARLY),
    of_request("request-submission", "submission_id = 'gone'"),
    damage("seqno-gap", f"{ACCEPTED} {POLICE}",
           f"DELETE FROM messages WHERE request_no = '{ACCEPTED}' AND verb = 'delivered'"),
    damage("seqno-counter", f"{ACCEPTED} asked_seq",
           f"DELETE FROM messages WHERE request_no = '{ACCEPTED}' AND verb = 'accept'"),
    damage("mark", f"{ACCEPTED} accept", f"DELETE FROM messages WHERE request_no = '{ACCEPTED}' AND verb = 'accept'"),
    damage("answer", f"{POLICE}/",
           f"DELETE FROM messages WHERE receiver = '{POLICE}' AND verb = 'delivered'"),
    damage("parent", "", f"DELETE FROM messages WHERE request_no = '{APPROVED}'"),
    damage("outbox-missing", "court-sn0199/", f"DELETE FROM outbox WHERE request_no = '{APPROVED}'"),
    damage("outbox-message", "court-sn0199/", f"UPDATE outbox SET seqno = 9 WHERE request_no = '{APPROVED}'"),
    damage("outbox-message", "court-sn0199/", f"UPDATE outbox SET receiver = 'x' WHERE request_no = '{APPROVED}'"),
    damage("outbox-route", "court-sn0199/", f"UPDATE outbox SET route = 'x.normal' WHERE request_no = '{APPROVED}'"),
    damage("outbox-state", "court-sn0199/", f"UPDATE outbox SET state = 'lost' WHERE request_no = '{APPROVED}'"),
    damage("outbox-stuck", "court-sn0199/", f"UPDATE outbox SET state = 'waiting' WHERE request_no = '{APPROVED}'"),
    damage("held-row", f"{POLICE}/", "DELETE FROM held"),
    damage("held-message", EARLY, "UPDATE messages SET disposition = 'applied' WHERE disposition = 'held'"),
    damage("held-turn", EARLY, "UPDATE held SET seqno = 0"),
    no_timer("clock", ACCEPTED, "due"),
    no_timer("clock", READ, "receipt"),
    no_timer("clock", WANTED, "supplement"),
    no_timer("clock", WITHDRAWING, "withdrawal"),
    no_timer("clock", BLOCKED, "blocked"),
    no_timer("clock", AWAITING, "approval"),
    no_timer("clock", APPROVED, "unsent"),
    no_timer("clock", UNDELIVERABLE, "due"),
    no_timer("clock", DONE, "confirm"),
    no_timer("redeliver-timer", SENT, "redeliver:open"),
    no_timer("mend-timer", BLOCKED, "mend"),
    damage("gap-timer", f"{EARLY} gap:", f"DELETE FROM timers WHERE request_no = '{EARLY}' AND kind = 'gap:asked'"),
    no_timer("measure-timer", DONE, "measure:1:0"),
    damage("timer-measure", f"{DONE} measure:9:0", timer(DONE, "measure:9:0")),
    damage("clock-idle", f"{DONE} receipt", timer(DONE, "receipt")),
    damage("timer-request", f"{UNKNOWN} due", timer(UNKNOWN, "due")),
    damage("step-measure", f"{DONE}-1", f"DELETE FROM measures WHERE measure_no = '{DONE}-1'"),
    damage("number-block", NUMBER.format(22), "UPDATE number_blocks SET next = 22"),
    damage("number-block", DONE, "DELETE FROM number_blocks"),
    damage("release-number", "court-sn0199-", "UPDATE number_blocks SET next = 1"),
    damage("parent", " ", "DELETE FROM releases"),
    damage("accepted", "cms1/",
           f"""UPDATE idempotency SET response = '{{"request_no": "{UNKNOWN}"}}' WHERE request_no = '{DONE}'"""),
    damage("json", "cms1/", f"UPDATE idempotency SET response = '[' WHERE request_no = '{DONE}'"),
    damage("request-submission", DONE, f"DELETE FROM submissions WHERE request_no = '{DONE}'"),
    damage("approval-submission", "court-sn0199-", "DELETE FROM submissions"),
    damage("submission-request", "court-sn0199/",
           f"UPDATE submissions SET request_no = '{UNKNOWN}' WHERE request_no = '{DONE}'"),
    damage("document-row", DONE, "DELETE FROM documents"),
    damage("ledger-request", "closure ", f"UPDATE ledger_entries SET request_no = '{UNKNOWN}'"),
    damage("paused-route", f"{POLICE}.normal",
           "INSERT INTO paused_routes (route, participant, reason, since, until, failures, allowed, told)"
           f" VALUES ('{POLICE}.normal', 'grid-610199', 'queue-full', 0, 0, 1, 1, {{no}})"),
]  # fmt: skip
FILES = {
    "document-file": lambda path: path.unlink(),
    "document-size": lambda path: path.write_bytes(b"short"),
    "document-digest": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}
ELSEWHERE = {
    "integrity",
    "seqno-double",
}  # not by a statement: below, and in tests/unit/test_soundness.py


@dataclass
class Left:
    """An installation that was left behind. url: of its database, migrated."""

    folder: Path
    url: str

    async def run(self, statements: tuple[str, ...]) -> None:
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as db, db:
                for statement in statements:
                    db.execute(statement.replace("{no}", "0"))
            return
        where = {"host": str(postgres.shared().folder), "user": postgres.SUPERUSER, "database": name_of(self.url)}
        connection = await asyncpg.connect(**where)
        try:
            await connection.execute("SET session_replication_role = replica")  # foreign keys are not looked at
            for statement in statements:
                await connection.execute(statement.replace("{no}", "false"))
        finally:
            await connection.close()

    async def checked(self, *, digests: bool = False) -> Checked:
        return await look_over(load_config(self.folder, store={"url": self.url}), digests=digests)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("left")
    subprocess.run(["tar", "-xzf", str(FIXTURES / "sqlite" / "installation.tar.gz"), "-C", str(folder)], check=True)
    return folder / "gateway"


def done(work: Coroutine[Any, Any, T]) -> T:
    """In a loop of its own: fixtures of a module have none."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "lianzhi.sqlite"
    path.write_bytes(gzip.decompress((FIXTURES / "sqlite" / "store.sqlite.gz").read_bytes()))
    done(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="module")
def postgres_template() -> Iterator[str]:
    binaries = postgres.binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed")
    url = done(postgres.shared().new_database("template0"))
    dump = gzip.decompress((FIXTURES / "postgresql" / "store.sql.gz").read_bytes())
    psql = (binaries / "postgres").resolve().with_name("psql")
    subprocess.run([str(psql), "-q", "-v", "ON_ERROR_STOP=1", url], input=dump, capture_output=True, check=True)
    done(migrate(url))
    yield name_of(url)
    done(postgres.shared().drop_database(url))


def name_of(url: str) -> str:
    """The database's name in a URL of the shared cluster."""
    return url.partition("@/")[2].partition("?")[0]


@pytest.fixture
def sqlite_left(installation: Path, sqlite_file: Path, tmp_path: Path) -> Left:
    shutil.copy(sqlite_file, tmp_path / "lianzhi.sqlite")
    return Left(installation, f"sqlite:///{tmp_path / 'lianzhi.sqlite'}")


@pytest.fixture
def postgres_left(installation: Path, postgres_template: str) -> Iterator[Left]:
    url = done(postgres.shared().new_database(postgres_template))
    yield Left(installation, url)
    done(postgres.shared().drop_database(url))


@pytest.fixture(params=["sqlite_left", pytest.param("postgres_left", marks=pytest.mark.slow)])
def left(request: pytest.FixtureRequest) -> Left:
    found: Left = request.getfixturevalue(request.param)
    return found


async def test_what_was_left_in_the_middle_of_work_is_clean(sqlite_left: Left) -> None:
    await _clean(sqlite_left)


async def test_on_postgresql_as_well(postgres_left: Left) -> None:
    await _clean(postgres_left)


async def _clean(left: Left) -> None:
    checked = await left.checked(digests=True)
    assert checked.findings == []
    assert checked.requests == 24  # and the duty roster's timer


@pytest.mark.parametrize("what", DAMAGES, ids=[f"{d.rule}-{n}" for n, d in enumerate(DAMAGES)])
async def test_every_damage_is_found_and_named(left: Left, what: Damage) -> None:
    await left.run(what.statements)
    checked = await left.checked()
    named = [f for f in checked.findings if f.rule == what.rule and what.key in f.key]
    assert named, f"{what}: {checked.findings}"
    assert all(f.found and f.wanted for f in named)


def largest_document(folder: Path) -> Path:
    return max((p for p in (folder / "documents").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)


@pytest.mark.parametrize("rule", FILES)
async def test_a_document_that_is_not_as_registered_is_found(sqlite_left: Left, tmp_path: Path, rule: str) -> None:
    path = largest_document(shutil.copytree(sqlite_left.folder, tmp_path / "gateway"))
    FILES[rule](path)
    checked = await Left(tmp_path / "gateway", sqlite_left.url).checked(digests=True)
    assert [(f.rule, f.key) for f in checked.findings] == [(rule, path.name)]


def spoil(left: Left, *, whole: bool) -> None:
    path = Path(left.url.removeprefix("sqlite:///"))
    content = bytearray(path.read_bytes())
    begin = 0 if whole else 8 * 4096
    content[begin:] = b"x" * (len(content) - begin)
    path.write_bytes(content)


async def test_a_damaged_page_is_found(sqlite_left: Left) -> None:
    spoil(sqlite_left, whole=False)
    checked = await sqlite_left.checked()
    assert "integrity" in checked.counts


async def test_what_is_no_database_is_found(sqlite_left: Left) -> None:
    spoil(sqlite_left, whole=True)
    assert (await sqlite_left.checked()).counts == {"integrity": 1}


async def test_what_cannot_be_looked_at_is_an_error(sqlite_left: Left, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError):
        await Left(sqlite_left.folder, f"sqlite:///{tmp_path / 'absent.sqlite'}").checked()
    assert not (tmp_path / "absent.sqlite").exists()
    await sqlite_left.run(("UPDATE alembic_version SET version_num = '0001'",))
    with pytest.raises(ConfigurationError, match="db migrate"):
        await sqlite_left.checked()


def test_every_rule_has_its_damage() -> None:
    assert {d.rule for d in DAMAGES} | FILES.keys() | ELSEWHERE == RULES.keys()
