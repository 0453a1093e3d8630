"""A store in which very many messages wait, written by two statements, and a dispatcher beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.registry import adapter_for
from gateway.application.context import Calendars, Context
from gateway.application.outbound.dispatch import Dispatcher
from gateway.bounds import Bounds
from gateway.core.records import Changes
from gateway.core.routing import Directory
from gateway.core.settings import Settings
from gateway.registry.calendars import shipped
from gateway.store import SqlStore
from gateway.store.engine.columns import micros
from lianzhi.crypto.limits import Limits
from lianzhi.errors import LianzhiError
from schemas.catalogue import catalogue
from tests.api.world import Keys, SetClock, participants
from tests.contract.samples import COURT, NOW, message, number, outbox, write

FAR = 1_000_000
"""Numbers of the messages of `pile`, away from those of a test."""


def context(store: SqlStore) -> Context:
    """With the participants of the API tests; `COURT` is none of them and owns what is sent."""
    return Context(
        directory=Directory(participants()),
        keyring=Keys.fresh().ring,
        catalogue=catalogue(),
        adapter_for=adapter_for,
        store=store,
        clock=SetClock(NOW),
        settings=Settings(),
        limits=Limits(),
        bounds=Bounds(),
        hash_key=b"0" * 32,
        calendars=Calendars(shipped()),
    )


@dataclass
class Wire:
    """`application.ports.broker.Publisher`: notes what would go, in order; a route in `answers` gets that error."""

    connected: bool = True
    sent: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    answers: dict[str, LianzhiError] = field(default_factory=dict)
    room: dict[str, int] = field(default_factory=dict)

    async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
        self.tried.append(routing_key)
        route = ".".join(routing_key.split(".")[:2])
        if route in self.answers and self.room.get(route, 0) <= 0:
            raise self.answers[route]
        self.room[route] = self.room.get(route, 0) - 1
        self.sent.append(routing_key)

    def routes(self) -> list[str]:
        """Of what went, in order."""
        return [".".join(key.split(".")[:2]) for key in self.sent]


def dispatcher(context: Context, wire: Wire) -> Dispatcher:
    return Dispatcher(context, wire, "test")


def key(receiver: str, lane: str = "normal") -> str:
    return f"{receiver}.{lane}.grid.verify.request.urge"


async def add(store: SqlStore, first: int, receiver: str, lane: str = "normal", *, count: int = 1) -> None:
    """Messages that belong to requests of their own; verb: one that moves no request."""
    numbers: Iterable[int] = range(first, first + count)
    await write(
        store,
        Changes(
            messages=[message(n, receiver=receiver, verb="urge") for n in numbers],
            outbox=[outbox(n, receiver=receiver, verb="urge", routing_key=key(receiver, lane)) for n in numbers],
        ),
    )


async def pile(
    store: SqlStore, count: int, receiver: str, *, one_request: bool = False, due: int | None = None
) -> None:
    """`count` normal messages for `receiver`. one_request: all of one, of which only the first can go. due: when the
    first of them can (microseconds); the others when they were stored."""
    many = (
        f"SELECT n FROM generate_series({FAR + 1}, {FAR + count}) AS numbers (n)"
        if not store.database.is_sqlite
        else f"WITH RECURSIVE numbers (n) AS (SELECT {FAR + 1} UNION ALL SELECT n + 1 FROM numbers "
        f"WHERE n < {FAR + count}) SELECT n FROM numbers"
    )
    request = f"'{number(FAR)}'" if one_request else f"'{COURT}-20260324-' || n"
    seqno, at = f"n - {FAR}" if one_request else "1", micros(NOW)
    state = f"CASE WHEN n = {FAR + 1} THEN 'ready' ELSE 'waiting' END" if one_request else "'ready'"
    first_due = at if due is None else due
    async with store.database.engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO messages (sender, id, request_no, receiver, verb, seqno, digest, jws, disclosure, "
            f"disposition, time, stored_at) SELECT '{COURT}', 'far-' || n, {request}, '{receiver}', 'urge', {seqno}, "
            f"'d', 'head.body.signature', 'disclosure', 'sent', {at}, {at} FROM ({many}) AS many"
        )
        await connection.exec_driver_sql(
            "INSERT INTO outbox (sender, message_id, receiver, request_no, seqno, verb, routing_key, overtakes, state, "
            f"attempts, due_at, route) SELECT '{COURT}', 'far-' || n, '{receiver}', {request}, {seqno}, 'urge', "
            f"'{key(receiver)}', false, {state}, 0, CASE WHEN n = {FAR + 1} THEN {first_due} ELSE {at} END, "
            f"'{receiver}.normal' FROM ({many}) AS many"
        )
