"""What the application's statements may do in the ledger's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from lianzhi.errors import MisuseError
from lianzhi.partner.ledger.guard import Guard
from lianzhi.partner.ledger.records import TABLES


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(TABLES + "CREATE TABLE work (request_no TEXT, lz_note TEXT);")
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO work (request_no) VALUES ('a')",
        "UPDATE work SET lz_note = 'x'",
        "DELETE FROM work WHERE request_no IN (SELECT request_no FROM lz_message)",
        "INSERT INTO work (request_no) SELECT id FROM lz_outbox",
        "CREATE TABLE more (no INTEGER PRIMARY KEY, at TEXT)",
        "CREATE INDEX work_at ON work (request_no)",
        "CREATE TRIGGER t AFTER INSERT ON work BEGIN DELETE FROM work WHERE request_no IS NULL; END",
        "CREATE VIEW seen AS SELECT * FROM lz_message",
    ],
)
def test_its_own_tables_are_its_own(connection: sqlite3.Connection, sql: str) -> None:
    done: list[str] = []
    connection.set_trace_callback(done.append)
    Guard(connection).write(sql, ())
    assert [text.endswith(sql) for text in done] == [True]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO lz_counter VALUES ('a', 1)",
        "/* */ update LZ_OUTBOX set state = 'sent'",
        "WITH a AS (SELECT 1) DELETE FROM lz_message",
        "REPLACE INTO lz_counter VALUES ('a', 1)",
        "DROP TABLE lz_notice",
        "DROP INDEX lz_message_pending",
        "ALTER TABLE lz_message ADD COLUMN mine TEXT",
        "CREATE TABLE lz_mine (a)",
        "CREATE TEMP TABLE lz_message (a)",
        "CREATE INDEX mine ON lz_message (id)",
        "CREATE TRIGGER mine AFTER INSERT ON lz_message BEGIN DELETE FROM work; END",
        "ATTACH ':memory:' AS other",
        "-- \nPRAGMA user_version = 7",
        "/**/ COMMIT",
        "/**/ SAVEPOINT a",
        "VACUUM INTO '/tmp/never'",
    ],
)
def test_the_ledgers_tables_are_not(connection: sqlite3.Connection, sql: str) -> None:
    guard = Guard(connection)
    with pytest.raises(MisuseError):
        guard.write(sql, ())
    assert connection.execute("SELECT count(*) FROM lz_counter").fetchone() == (0,)


def test_a_trigger_of_its_own_that_writes_the_ledger_fails_where_it_fires(connection: sqlite3.Connection) -> None:
    guard = Guard(connection)
    guard.write("CREATE TRIGGER t AFTER INSERT ON work BEGIN DELETE FROM lz_message; END", ())
    with pytest.raises(MisuseError):
        guard.write("INSERT INTO work (request_no) VALUES ('a')", ())


def test_our_own_statement_in_its_words_is_still_its_own(connection: sqlite3.Connection) -> None:
    """Python keeps compiled statements by their text."""
    guard = Guard(connection)
    sql = "DELETE FROM lz_message"
    for _ in range(2):
        connection.execute(sql)
        with pytest.raises(MisuseError):
            guard.write(sql, ())


def test_its_mistakes_stay_its_own(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        Guard(connection).write("INSERT INTO nowhere VALUES (1)", ())


@pytest.mark.parametrize("sql", ["SELECT count(*) FROM lz_message", "VALUES (1)", "EXPLAIN SELECT * FROM work"])
def test_a_query_reads_everything(connection: sqlite3.Connection, sql: str) -> None:
    assert Guard(connection).query(sql, ())


@pytest.mark.parametrize(
    "sql", ["DELETE FROM work", "WITH a AS (SELECT 1) DELETE FROM work", "PRAGMA user_version = 7", "BEGIN"]
)
def test_a_query_writes_nothing(connection: sqlite3.Connection, sql: str) -> None:
    with pytest.raises(MisuseError):
        Guard(connection).query(sql, ())
    assert not connection.in_transaction


def test_a_script_may_have_its_transaction_but_has_to_end_it(connection: sqlite3.Connection) -> None:
    guard = Guard(connection)
    guard.script("BEGIN; CREATE TABLE IF NOT EXISTS more (a); COMMIT;")
    with pytest.raises(MisuseError, match="COMMIT"):
        guard.script("BEGIN; CREATE TABLE another (a);")
    with pytest.raises(MisuseError):
        guard.script("CREATE TABLE IF NOT EXISTS more (a); DROP TABLE lz_outbox;")
    assert not connection.in_transaction
    connection.execute("SELECT 1 FROM lz_outbox")
