"""One ledger transaction over many messages: load what they need, decide in memory, write it all at once.

A job names the requests and message ids it touches; the unit reads those of every job of the group with one
statement for each table, the jobs change them in memory, and `flush` writes each table with as few statements
as there are chunks. Few calls into SQLite matter: each one gives the interpreter lock away and may wait for it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol, TypeVar

from lianzhi.partner.ledger.guard import Guard
from lianzhi.partner.ledger.records import (
    CONVERSATION,
    MESSAGE,
    NOTICE,
    OUTBOX,
    Conversation,
    KeptNotice,
    MessageState,
    OutboxRow,
    SetAside,
    Slot,
    StoredMessage,
    insert,
)

T_co = TypeVar("T_co", covariant=True)
Key = tuple[str, str]  # (sender, message id)

_CHUNKS = (64, 16, 4, 1)


class Job(Protocol[T_co]):
    """Something to do inside a unit. It may be run again after a rollback, so it must not keep what it did."""

    @property
    def requests(self) -> Collection[str]: ...

    @property
    def ids(self) -> Collection[str]: ...

    def run(self, unit: Unit) -> T_co: ...


class Unit:
    """The working set of one transaction."""

    def __init__(self, connection: sqlite3.Connection, guard: Guard) -> None:
        self._connection = connection
        self._guard = guard
        self._conversations: dict[str, Conversation] = {}
        self._messages: dict[Key, StoredMessage | None] = {}
        self._known: dict[Key, Slot] = {}
        self._request_of: dict[Key, str | None] = {}
        self._slots: dict[tuple[str, str], dict[int, Slot]] = {}
        self._changed: set[str] = set()
        self._new: dict[Key, StoredMessage] = {}
        self._states: dict[Key, MessageState] = {}
        self._outbox: list[OutboxRow] = []
        self.set_aside: list[SetAside] = []
        self._notices: list[KeptNotice] = []
        self._counters: dict[str, int] = {}
        self._notes: dict[str, int] = {}
        self._asked: dict[str, tuple[Any, ...]] = {}

    # reading

    def load(self, requests: Collection[str], ids: Collection[str]) -> None:
        """Conversations with the messages they hold, and messages by id wherever they stand."""
        if requests:
            columns = ",".join(CONVERSATION)
            for row in self._rows(
                f"SELECT json_group_array(json_array({columns})) FROM lz_conversation"  # noqa: S608
                " WHERE request_no IN (SELECT value FROM json_each(?))",
                list(requests),
            ):
                self._conversations[row[0]] = _conversation(row)
        for row in self._rows(
            "SELECT json_group_array(json_array(sender, id, digest, verb, state, request_no, seqno)) FROM lz_message"
            " WHERE id IN (SELECT value FROM json_each(?1, '$[0]'))"
            " OR request_no IN (SELECT value FROM json_each(?1, '$[1]'))",
            [list(ids), list(self._conversations)],
        ):
            sender, message_id, digest, verb, state, request_no, seqno = row
            self._remember((sender, message_id), Slot(message_id, digest, verb, state), request_no, seqno)

    def _rows(self, sql: str, wanted: list[Any]) -> list[list[Any]]:
        rows: list[list[Any]] = json.loads(self._connection.execute(sql, (json.dumps(wanted),)).fetchone()[0])
        return rows

    def _remember(self, key: Key, slot: Slot, request_no: str | None, seqno: int | None) -> None:
        self._known[key] = slot
        self._request_of[key] = request_no
        if request_no is not None and seqno is not None:
            self._slots.setdefault((request_no, key[0]), {})[seqno] = slot

    def conversation(self, request_no: str) -> Conversation | None:
        return self._conversations.get(request_no)

    def known(self, key: Key) -> Slot | None:
        return self._known.get(key)

    def slots(self, request_no: str, sender: str) -> Mapping[int, Slot]:
        return self._slots.get((request_no, sender), {})

    def added(self, state: MessageState) -> list[StoredMessage]:
        """What this unit stored in that state and has not written yet."""
        return [message for message in self._new.values() if message.state == state]

    def state(self, key: Key) -> MessageState | None:
        slot = self._known.get(key)
        return slot.state if slot else None

    # changing

    def put(self, conversation: Conversation) -> None:
        self._conversations[conversation.request_no] = conversation
        self._changed.add(conversation.request_no)

    def add(self, message: StoredMessage) -> None:
        self._new[message.key] = message
        slot = Slot(message.id, message.digest, message.verb, message.state)
        self._remember(message.key, slot, message.request_no, message.seqno)

    def set_state(self, key: Key, state: MessageState) -> None:
        slot = self._known[key]
        request_no = self._request_of[key]
        self._known[key] = changed = Slot(slot.id, slot.digest, slot.verb, state)
        for seqno, other in self._slots.get((request_no or "", key[0]), {}).items():
            if other.id == slot.id:
                self._slots[(request_no or "", key[0])][seqno] = changed
                break
        if key in self._new:
            self._new[key].state = state
        else:
            self._states[key] = state

    def send(self, row: OutboxRow) -> None:
        self._outbox.append(row)

    def notice(self, notice: KeptNotice) -> None:
        self._notices.append(notice)

    def sent_again(self, request_no: str, since: str, until: str) -> tuple[int, int]:
        """Messages that went out again in that time: (in that request, in all)."""
        here, everywhere = self.execute(
            "SELECT coalesce(sum(CASE WHEN request_no = ? THEN messages END), 0), coalesce(sum(messages), 0)"
            " FROM lz_again WHERE at > ? AND at <= ?",
            (request_no, since, until),
        ).fetchone()
        return int(here), int(everywhere)

    def went_again(self, request_no: str, messages: int, at: str) -> None:
        if messages > 0:
            self.execute("INSERT INTO lz_again (request_no, at, messages) VALUES (?, ?, ?)", (request_no, at, messages))

    def note(self, name: str, value: int) -> None:
        """A number that stands for itself and is not added up."""
        self._notes[name] = value

    def once(self, sql: str) -> tuple[Any, ...]:
        """The one row of a query that is asked again and again, as it stood when it was first asked here."""
        if sql not in self._asked:
            self._asked[sql] = self.execute(sql).fetchone()
        return self._asked[sql]

    def count(self, name: str, by: int = 1) -> None:
        self._counters[name] = self._counters.get(name, 0) + by

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        """A statement of its own, at once, inside this transaction."""
        return self._connection.execute(sql, parameters)

    def execute_for_application(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> None:
        """The application's own statement, inside this transaction. Raises MisuseError when it touches the ledger's
        tables, and sqlite3.Error for its own mistakes."""
        self._guard.write(sql, parameters)

    # writing

    def flush(self) -> None:
        """Write what changed. Nothing may be changed afterwards."""
        self._insert("INSERT", "lz_message", MESSAGE, [_values(m, MESSAGE) for m in self._new.values()])
        for state, sender, ids in self._state_groups():
            self.execute(
                "UPDATE lz_message SET state = ? WHERE sender = ? AND id IN (SELECT value FROM json_each(?))",
                (state, sender, json.dumps(ids)),
            )
        self._insert(
            "INSERT OR REPLACE",
            "lz_conversation",
            CONVERSATION,
            [_conversation_values(self._conversations[no]) for no in self._changed],
        )
        self._insert("INSERT", "lz_outbox", OUTBOX, [_values(r, OUTBOX) for r in self._outbox])
        notices = [(*_values(n.notice, NOTICE), n.arrived_at, n.sent_again) for n in self._notices]
        self._insert("INSERT OR IGNORE", "lz_notice", (*NOTICE, "arrived_at", "sent_again"), notices)
        for item in self.set_aside:
            self._write_set_aside(item)
        for name, value in self._counters.items():
            self.execute(
                "INSERT INTO lz_counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                (name, value),
            )
        for name, value in self._notes.items():
            self.execute(
                "INSERT INTO lz_counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def _state_groups(self) -> Iterable[tuple[str, str, list[str]]]:
        groups: dict[tuple[str, str], list[str]] = {}
        for (sender, message_id), state in self._states.items():
            groups.setdefault((state, sender), []).append(message_id)
        return [(state, sender, ids) for (state, sender), ids in groups.items()]

    def _insert(self, verb: str, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        start = 0
        for size in _CHUNKS:
            while len(rows) - start >= size:
                chunk = rows[start : start + size]
                self.execute(insert(verb, table, columns, size), [value for row in chunk for value in row])
                start += size

    def _write_set_aside(self, item: SetAside) -> None:
        self.execute(
            "INSERT INTO lz_set_aside (sha256, body, queue, lane, reason, pointer, sender, message_id, request_no,"
            " first_at, last_at, count) VALUES (:sha256, :body, :queue, :lane, :reason, :pointer, :sender,"
            " :message_id, :request_no, :at, :at, 1) ON CONFLICT (sha256) DO UPDATE SET"
            " reason = excluded.reason, pointer = excluded.pointer, last_at = excluded.last_at, count = count + 1",
            asdict(item),
        )


def _values(record: object, columns: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in columns)


def _conversation_values(c: Conversation) -> tuple[Any, ...]:
    return (*_values(c, CONVERSATION[:-2]), json.dumps(c.marks), json.dumps(c.refs))


def _conversation(row: list[Any]) -> Conversation:
    c = Conversation(*row[:6])
    c.lane, c.case_no, c.reply_key, c.peer_next, c.our_seq = row[6:11]
    c.opened, c.started, c.withdrawn = bool(row[11]), bool(row[12]), row[13]
    c.marks = {verb: (mark[0], mark[1]) for verb, mark in json.loads(row[14]).items()}
    c.refs = json.loads(row[15])
    return c
