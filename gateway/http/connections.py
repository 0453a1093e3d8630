"""How many connections stand open, of whom, and which one goes when another comes (`[limits]` `http_connections…`).

A connection over a bound takes the place of the oldest that nothing is being done for, one that has not sent a whole
request yet before one that rests between two. So a flood of half-open connections pushes out itself, and whoever sends
a request is served. Where every connection of the bound is at work, a few places are left to ask for health alone;
beyond them a connection is answered 503 and closed before anything is read from it.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from typing import Protocol

from multidict import CIMultiDictProxy

from gateway.bounds import Bounds, Reached
from gateway.http.addresses import Network, counted_as, forwarded_for, is_among
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

RESERVE = 16
"""Places beyond the bounds, for `HEALTH` alone."""
HEALTH = frozenset({"/livez", "/readyz"})
OTHER_FILES = 128
"""Descriptors that the process needs beside its HTTP connections: database, broker, documents, log."""


class Connection(Protocol):
    @property
    def at_work(self) -> bool:
        """Whether a whole request has come that is not answered yet."""

    @property
    def asked_before(self) -> bool:
        """Whether a whole request ever came."""

    def give_way(self) -> None:
        """Close at once."""


class Place(Enum):
    OPEN = auto()
    HEALTH_ALONE = auto()
    NONE = auto()


class Connections:
    """proxies: whose word on the caller's address is believed. Their connections are not bounded by address, but the
    requests of each address that they name are."""

    def __init__(self, bounds: Bounds, reached: Reached, proxies: Sequence[Network] = ()) -> None:
        self.bounds = bounds
        self.reached = reached
        self._proxies = proxies
        self._total = min(bounds.http_connections, _descriptors() - OTHER_FILES)
        self._all: dict[Connection, str] = {}
        self._of: dict[str, dict[Connection, None]] = {}
        self._reserve: dict[Connection, None] = {}
        self._forwarded: Counter[str] = Counter()

    @property
    def standing(self) -> int:
        """How many stand open, without those that may ask for health alone."""
        return len(self._all)

    def is_proxy(self, peer: str) -> bool:
        return bool(self._proxies) and is_among(peer, self._proxies)

    def enter(self, connection: Connection, peer: str) -> Place:
        """peer: its address, as text. Whatever is not refused must `leave`."""
        address = counted_as(peer)
        if len(self._all) >= self._total and not self._make_room("http_connections", self._all):
            return self._last_resort(connection)
        theirs = self._of.get(address, {})
        full = len(theirs) >= self.bounds.http_connections_per_address and not self.is_proxy(peer)
        if full and not self._make_room("http_connections_per_address", theirs):
            return self._last_resort(connection)
        self._all[connection] = address
        self._of.setdefault(address, {})[connection] = None
        return Place.OPEN

    def leave(self, connection: Connection) -> None:
        """Once is enough, more does no harm."""
        self._reserve.pop(connection, None)
        address = self._all.pop(connection, None)
        if address is None:
            return
        theirs = self._of[address]
        del theirs[connection]
        if not theirs:
            del self._of[address]

    @contextmanager
    def forwarded(self, headers: CIMultiDictProxy[str]) -> Iterator[None]:
        """While a request that a proxy handed on is being answered. Raises RejectedError too-many-requests."""
        address = forwarded_for(headers, self._proxies)
        if self._forwarded[address] >= self.bounds.http_connections_per_address:
            self.reached.count("http_connections_per_address")
            raise _too_many_of_one_address()
        self._forwarded[address] += 1
        try:
            yield
        finally:
            self._forwarded[address] -= 1
            if not self._forwarded[address]:
                del self._forwarded[address]

    def _last_resort(self, connection: Connection) -> Place:
        if len(self._reserve) >= RESERVE and not self._push_out(self._reserve):
            return Place.NONE
        self._reserve[connection] = None
        return Place.HEALTH_ALONE

    def _make_room(self, bound: str, among: Iterable[Connection]) -> bool:
        self.reached.count(bound)
        return self._push_out(among)

    def _push_out(self, among: Iterable[Connection]) -> bool:
        """The oldest stands first."""
        resting: Connection | None = None
        for connection in among:
            if connection.at_work:
                continue
            if not connection.asked_before:
                resting = connection
                break
            resting = resting or connection
        if resting is None:
            return False
        self.leave(resting)
        resting.give_way()
        return True


def _descriptors() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 20


def _too_many_of_one_address() -> RejectedError:
    detail = FieldError(
        pointer="",
        rule="requests-of-one-address",
        detail="同一来源地址的在办请求已达上限，请等前面的请求答复后再发",
        detail_en="Too many requests of one address are in flight; wait for their answers",
    )
    return RejectedError("too-many-requests", [detail], retry_after=1)
