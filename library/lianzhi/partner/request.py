"""What the application holds while it handles one message: the message, and a transaction that makes it once-only."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import time_ns
from types import TracebackType
from typing import Any, Literal, Protocol

from lianzhi.errors import MisuseError
from lianzhi.faults import kind_of
from lianzhi.partner.engine.replies import Saying, Writer
from lianzhi.partner.engine.stored import trace_in
from lianzhi.partner.ledger.records import Conversation, OutboxRow
from lianzhi.partner.ledger.unit import Key, Unit
from lianzhi.protocol.envelope import Envelope, opener_of
from lianzhi.protocol.tracing import Span, Tracer, about, parse_traceparent

_log = logging.getLogger(__name__)

Outcome = Literal["committed", "withdrawn", "already-done"]
Statement = tuple[str, Sequence[Any] | Mapping[str, Any]]
_CONTROL = re.compile(r"\s*(begin|commit|end|rollback|savepoint|release|attach|detach|pragma|vacuum)\b", re.IGNORECASE)
_READS = re.compile(r"\s*(select|explain|values)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finished:
    """What a transaction came to, and the rows it gave the publisher."""

    outcome: Outcome
    send: list[OutboxRow]
    dropped: list[str]


@dataclass(slots=True)
class Finish:
    """Job: the application's own statements, its replies and `done`, together or not at all.

    key: the message that is finished by it; None when only something is said. request_no: of the replies.
    """

    request_no: str
    key: Key | None
    statements: Sequence[Statement]
    sayings: Sequence[Saying]
    writer: Writer
    now: datetime

    @property
    def requests(self) -> Collection[str]:
        return (self.request_no,)

    @property
    def ids(self) -> Collection[str]:
        return (self.key[1],) if self.key else ()

    def run(self, unit: Unit) -> Finished:
        held = unit.conversation(self.request_no)
        if held is None:
            raise MisuseError(f"台账中没有 {self.request_no} no such request in the ledger")
        if self.key is not None and (state := unit.state(self.key)) != "pending":
            return Finished("withdrawn" if state == "overtaken" else "already-done", [], [])
        if held.withdrawn and not held.started:
            return Finished("withdrawn", [], [])
        for sql, parameters in self.statements:
            unit.execute_for_application(sql, parameters)
        conversation = replace(held)
        sayings = self.sayings if self.writer.tracer is None else [self._traced(unit, one) for one in self.sayings]
        rows = [self.writer.say(conversation, saying, self.now) for saying in sayings]
        for row in rows:
            unit.send(row)
        if self.key is not None:
            self._done(unit, self.key, conversation)
        unit.put(conversation)
        return Finished("committed", rows, self._overtaken(unit, conversation))

    def _traced(self, unit: Unit, saying: Saying) -> Saying:
        """What is said outside the handling of a message belongs to the trace of its request too."""
        return saying if saying.trace is not None else replace(saying, trace=trace_in(unit, self.request_no))

    def _done(self, unit: Unit, key: Key, conversation: Conversation) -> None:
        known = unit.known(key)
        if known is not None and known.verb == "open":
            conversation.started = True
        unit.set_state(key, "done")

    def _overtaken(self, unit: Unit, conversation: Conversation) -> list[str]:
        """A withdrawal that took effect: what waited before it is never acted on."""
        effects = [s.head["effect"] for s in self.sayings if s.verb == "withdraw-ack"]
        if not effects or effects[-1] == "too-late":
            return []
        slots = unit.slots(self.request_no, conversation.peer)
        waiting = [s.id for n, s in slots.items() if n < conversation.withdrawn and s.state == "pending"]
        for message_id in waiting:
            unit.set_state((conversation.peer, message_id), "overtaken")
        return waiting


class Committer(Protocol):
    """Runs a `Finish` in the ledger and publishes its rows; what it gives back is committed (`desk`)."""

    async def finish(
        self, request_no: str, key: Key | None, statements: Sequence[Statement], sayings: Sequence[Saying]
    ) -> Finished: ...


class Handling:
    """The span of what the application does with one message, from its handing out to the end of a transaction."""

    def __init__(self, tracer: Tracer, envelope: Envelope) -> None:
        self._tracer = tracer
        self._envelope = envelope
        self._parent = parse_traceparent(envelope.traceparent)
        self._started = time_ns()
        self.context = tracer.begin(self._parent)

    def end(self, error: str | None) -> None:
        """error: the kind of what the application raised, or why nothing was written."""
        one = self._envelope
        message = about(
            request_no=one.subject, matter_type=one.matter_type, verb=one.verb, partner=one.sender, message_id=one.id
        )
        name, ended = f"handle {one.matter_type}.{one.verb}", time_ns()
        self._tracer.record(Span(name, "internal", self.context, self._parent, self._started, ended, message, error))
        self._started, self.context = ended, self._tracer.begin(self._parent)  # of another transaction


class Request:
    """One message addressed to the application.

    body: in the partner's dialect, opened. head: the codes in clear. Finish it with a transaction, `reply` or
    `done`; one that is not finished is handed out again after a restart. tracer: None where nothing is traced.
    """

    def __init__(
        self, envelope: Envelope, body: dict[str, Any], committer: Committer, tracer: Tracer | None = None
    ) -> None:
        self.envelope = envelope
        self.body = body
        self.head: dict[str, Any] = envelope.data.head.model_dump(exclude_none=True) if envelope.data.head else {}
        self.finished = False
        self.failed = False
        self.handling = None if tracer is None else Handling(tracer, envelope)
        self._committer = committer

    @property
    def type(self) -> str:
        return self.envelope.matter_type

    @property
    def verb(self) -> str:
        return self.envelope.verb

    @property
    def request_no(self) -> str:
        return self.envelope.subject

    @property
    def case_no(self) -> str | None:
        return self.envelope.caseno

    @property
    def sender(self) -> str:
        return self.envelope.sender

    @property
    def key(self) -> Key:
        return self.envelope.sender, self.envelope.id

    @property
    def ours(self) -> bool:
        """Whether we opened this request."""
        return opener_of(self.envelope.subject) != self.envelope.sender

    def __repr__(self) -> str:
        return f"<Request {self.request_no} {self.verb} seqno={self.envelope.seqno}>"

    def transaction(self) -> Transaction:
        """`async with request.transaction() as tx:` once-only handling."""
        return Transaction(self, self._committer)

    async def reply(self, verb: str, body: Mapping[str, Any], **head: Any) -> str | None:
        """Say `verb` and mark the message handled. The id of what was said, None if it was withdrawn meanwhile.

        May be called again later in the same conversation; only the first call marks the message handled.
        """
        async with self.transaction() as tx:
            message_id = tx.reply(verb, body, **head)
        return message_id if tx.outcome == "committed" else None

    async def done(self) -> Outcome:
        """Mark the message handled without saying anything."""
        async with self.transaction() as tx:
            pass
        assert tx.outcome is not None
        return tx.outcome


class Transaction:
    """The handler's own statements, its replies, and the mark that the message is handled: one commit.

    Statements run in order when the block ends, in the ledger's file; a block that raises writes nothing, and the
    message is handed out again. If the message was withdrawn while the block ran, nothing is written either:
    `outcome` is then `withdrawn`, and `already-done` if another process of ours handled it.
    """

    def __init__(self, request: Request, committer: Committer) -> None:
        self.outcome: Outcome | None = None
        self._request = request
        self._committer = committer
        self._statements: list[Statement] = []
        self._sayings: list[Saying] = []

    async def __aenter__(self) -> Transaction:
        return self

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> None:
        """A writing statement on the application's own tables (names not beginning with `lz_`).

        Raises MisuseError for what would end the transaction, and for a query: read with `partner.query`. When the
        block ends it raises MisuseError for a statement that would write a table of the ledger; nothing is written.
        """
        if _CONTROL.match(sql):
            raise MisuseError("事务由库掌握 the transaction is the library's: no BEGIN, COMMIT, PRAGMA, ATTACH here")
        if _READS.match(sql):
            raise MisuseError("查询请用 partner.query read with `await partner.query(sql)`; statements run at the end")
        self._statements.append((sql, parameters))

    def reply(self, verb: str, body: Mapping[str, Any], **head: Any) -> str:
        """Say `verb` in this conversation. body: in the dialect; head: codes in clear. The id it will have.

        Raises MisuseError when the verb or its head is wrong.
        """
        handling = self._request.handling
        trace = None if handling is None else str(handling.context)
        saying = Saying(verb, body, head, self._request.envelope.id, trace=trace)
        self._sayings.append(saying)
        return saying.id

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        request = self._request
        if error is not None:
            request.failed = True
            self._end(kind_of(error))
            return
        key = None if request.finished else request.key
        try:
            finished = await self._committer.finish(request.request_no, key, self._statements, self._sayings)
        except BaseException as failed:
            request.failed = True
            self._end(kind_of(failed))
            raise
        self._end(None if finished.outcome == "committed" else finished.outcome)
        self.outcome = finished.outcome
        request.finished = True
        if finished.outcome != "committed":
            _log.warning("%s %s: %s, nothing written", request.request_no, request.verb, finished.outcome)

    def _end(self, error: str | None) -> None:
        """error: as `Handling.end` has it."""
        if (handling := self._request.handling) is not None:
            handling.end(error)
