"""Whatever a schema lets somebody sign has room in its column: every bound, on both databases.

A partner chooses numbers up to 2^53 - 1 and texts up to the longest that the envelope takes; what does not fit a column
would be a fault of ours (`poison`), not a refusal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, select, text

from gateway.core.records import Changes
from gateway.store import SqlStore
from gateway.store.engine import statements as bulk
from gateway.store.engine.columns import Instant, Json, Stored
from gateway.store.engine.connection import Connection
from gateway.store.engine.statements import Query
from gateway.store.queries.leasing import AT_ONCE
from gateway.store.tables import (
    ACT,
    APPROVAL,
    CALENDAR,
    CASE_DEBT,
    COURT_FIGURE,
    DOCUMENT,
    DUTY_SHIFT,
    EARLY,
    EVENT,
    FORGOTTEN,
    HELD,
    HOLD,
    IDEMPOTENCY,
    LEDGER,
    MEASURE,
    MEASURE_STEP,
    MESSAGE,
    OUTBOX,
    PAGE,
    PARTNER_CLOCK,
    PARTNER_VERSION,
    QUARANTINE,
    QUARANTINE_END,
    RELEASE,
    RELEASE_ITEM,
    REQUEST,
    SUBJECT_USE,
    SUBMISSION,
    TIMER,
    metadata,
)
from lianzhi.protocol.envelope import Envelope, Head
from lianzhi.protocol.verbs import VERBS
from tests.contract.samples import message, number, outbox, request, write

LARGEST = 2**53 - 1
LONGEST = "长" * 2_000
CODECS: dict[str, Stored[Any]] = {
    "requests": REQUEST,
    "messages": MESSAGE,
    "submissions": SUBMISSION,
    "outbox": OUTBOX,
    "timers": TIMER,
    "measures": MEASURE,
    "measure_steps": MEASURE_STEP,
    "documents": DOCUMENT,
    "held": HELD,
    "early_messages": EARLY,
    "forgotten_messages": FORGOTTEN,
    "partner_clocks": PARTNER_CLOCK,
    "quarantine": QUARANTINE,
    "partner_versions": PARTNER_VERSION,
    "idempotency": IDEMPOTENCY,
    "events": EVENT,
    "ledger_entries": LEDGER,
    "court_figures": COURT_FIGURE,
    "calendars": CALENDAR,
    "case_debts": CASE_DEBT,
    "pages": PAGE,
    "duty_shifts": DUTY_SHIFT,
    "approvals": APPROVAL,
    "subject_uses": SUBJECT_USE,
    "releases": RELEASE,
    "release_items": RELEASE_ITEM,
    "operator_acts": ACT,
    "holds": HOLD,
    "quarantine_ends": QUARANTINE_END,
}


def bounds(schema: Any) -> Iterator[int]:
    """Every bound of a number in a JSON Schema."""
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") and isinstance(value, int):
                yield value
            else:
                yield from bounds(value)
    elif isinstance(schema, list):
        for one in schema:
            yield from bounds(one)


SCHEMAS: list[type[BaseModel]] = [Envelope, Head, *{verb.model for verb in VERBS.values() if verb.model is not None}]
NUMBERS = sorted(
    {n for model in SCHEMAS for n in bounds(model.model_json_schema())} | {0, 1, 2**31 - 1, 2**31, 2**32, LARGEST}
)
integers = st.sampled_from(NUMBERS) | st.integers(0, LARGEST)
texts = st.sampled_from(["", "a", "（2026）陕0199执123号", LONGEST, "𰻝" * 60]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60
)
jsons = st.lists(texts, max_size=3)


def value_for(column: Any) -> st.SearchStrategy[Any]:
    kind = column.type
    if isinstance(kind, Instant):
        return st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
    if isinstance(kind, Json):
        return jsons
    if isinstance(kind, LargeBinary):
        return st.binary(max_size=40)
    if isinstance(kind, Boolean):
        return st.booleans()
    if isinstance(kind, BigInteger | Integer):
        return integers
    return texts


async def test_every_number_has_64_bits(store: SqlStore) -> None:
    if store.database.is_sqlite:
        pytest.skip("an INTEGER of SQLite has 64 bits")
    async with store.database.engine.connect() as connection:
        narrow = await connection.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
                "AND data_type IN ('integer', 'smallint') AND table_name != 'alembic_version'"
            )
        )
        assert list(narrow.all()) == []


def test_every_table_that_records_are_written_to_is_tried() -> None:
    papers = {"document_refs", "document_puts", "document_readers", "document_claims", "documents_unnamed"}
    others = {"number_blocks", "notices", "daily_uses", "paused_routes", "tokens_used", "write_probes"}
    standing = {"installation", "incarnations", "doubts", "replay_plans", "silences", "digests", "alarms", "tellings"}
    assert set(metadata.tables) - set(CODECS) <= papers | others | standing


class _TakenBackError(Exception):
    """Ends a unit of work without a commit."""


@pytest.mark.parametrize("table", sorted(CODECS))
async def test_any_value_of_a_schema_comes_back_from_its_column(store: SqlStore, table: str) -> None:
    """Written as the store writes it, many rows at once; read by the same codec."""
    codec = CODECS[table]
    members = [column for column in codec.written if column not in codec.derived]
    examples: list[dict[str, Any]] = []

    @settings(max_examples=30, suppress_health_check=list(HealthCheck), database=None)
    @given(st.fixed_dictionaries({c.name: value_for(c) for c in members}))
    def collect(values: dict[str, Any]) -> None:
        examples.append(values)

    collect()
    when = [metadata.tables[table].c.due_at] if table == "outbox" else []  # no member of the record
    insert = bulk.insert(metadata.tables[table], [*members, *when])
    write_one = codec.writer(members)
    everything = Query(select(*codec.columns))
    for example in examples:
        record = codec.record(**example)
        with suppress(_TakenBackError):
            async with store.database.writer() as connection:
                await alone(connection)
                assert await connection.run(insert, [(*write_one(record), *(AT_ONCE for _ in when))]) == 1
                (row,) = await connection.fetch(everything)
                found = codec.read(row)
                raise _TakenBackError
        assert {name: getattr(found, name) for name in example} == {name: getattr(record, name) for name in example}


async def alone(connection: Connection) -> None:
    """One row of one table: what its foreign keys want is not what is asked here."""
    sql = "SET LOCAL session_replication_role = replica" if connection.locks else "PRAGMA defer_foreign_keys=ON"
    await connection.fetch(Query(text(sql)))


@pytest.mark.parametrize("seqno", NUMBERS)
async def test_a_signed_number_goes_the_whole_way(store: SqlStore, seqno: int) -> None:
    """Through the statements of the store itself: request, message and outbox row, asked for by that number."""
    if seqno < 1:
        return
    last = request(1, asker_seq=seqno, asked_seq=seqno, held=seqno)
    said = message(1, seqno=seqno)
    await write(store, Changes(new_requests=[last], messages=[said], outbox=[outbox(1, seqno=seqno)]))
    async with store.begin() as unit:
        assert await unit.seqno_owner(number(1), said.sender, seqno) == said.id
        assert await unit.held_at(number(1), said.sender, seqno) is None
        assert await unit.held_after(number(1), said.sender, seqno) == []
        again = await unit.lock_requests([number(1)])
        await unit.apply(Changes(requests=list(again.values())))
    found = await store.request(number(1))
    assert found is not None
    assert (found.asker_seq, found.asked_seq, found.held, found.rev) == (seqno, seqno, seqno, 1)
