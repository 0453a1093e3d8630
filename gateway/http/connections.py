"""How many connections stand open, of whom, and which one goes when another comes (`[limits]` `http_connections…`).

A connection over a bound takes the place of the oldest that nothing is being done for, one that has not sent a whole
request yet before one that rests between two. So a flood of half-open connections pushes out itself, and whoever sends
a request is served. Where every connection of the bound is at work, a few places are left to ask for health alone;
beyond them a connection is answered 503 and closed before anything is read from it.
"""

from __future__ import annotations

import re
import resource
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Protocol

from multidict import CIMultiDictProxy

from gateway.bounds import Bounds, Reached
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

Network = IPv4Network | IPv6Network
UNKNOWN = "unknown"
"""All whom a proxy of ours does not name count as one."""
_LAN_OF_ONE = 64  # bits: an IPv6 host chooses the rest of its address itself
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*"?(\[[0-9a-f:.]+\]|[0-9.]+)(?::\d+)?"?\s*(?:;|$)', re.IGNORECASE)
_PLAIN = re.compile(r"\s*(?:\[([0-9a-f:.]+)\](?::\d+)?|([0-9a-f:]*:[0-9a-f:.]+)|([0-9.]+)(?::\d+)?)\s*", re.IGNORECASE)
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


# --- whose address a call comes from: the peer's, or, behind a configured proxy, the one that the proxy names
#
# `Forwarded` (RFC 7239) counts before `X-Forwarded-For`. Of either only the part that our own proxies wrote is
# believed: read from the right, the first address that is none of them. What stands further left is the caller's own.


def networks(names: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks. Raises ValueError."""
    return tuple(ip_network(name, strict=False) for name in names)


@lru_cache(maxsize=4096)
def counted_as(text: str) -> str:
    """The name under which an address is counted; an IPv6 one by its network of 64 bits."""
    address = _address(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), _LAN_OF_ONE), strict=False))
    return UNKNOWN if address is None else str(address)


def is_among(text: str, proxies: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in proxies)


def forwarded_for(headers: Mapping[str, str] | CIMultiDictProxy[str], proxies: Sequence[Network]) -> str:
    """The name under which a call that a proxy of ours handed on is counted."""
    for text in reversed(_named(headers)):
        if text is None:
            return UNKNOWN
        if not is_among(text, proxies):
            return counted_as(text)
    return UNKNOWN


def _named(headers: Mapping[str, str] | CIMultiDictProxy[str]) -> list[str | None]:
    """The addresses in the order of the way; None: one that is hidden or is no address."""
    parts = _parts(headers, "Forwarded")
    if parts:
        return [found[1].strip("[]") if (found := _FOR.search(part)) else None for part in parts]
    plain = [_PLAIN.fullmatch(part) for part in _parts(headers, "X-Forwarded-For")]
    return [next(filter(None, one.groups())) if one else None for one in plain]


def _parts(headers: Mapping[str, str] | CIMultiDictProxy[str], name: str) -> list[str]:
    """Our proxies quote no comma, so whatever a caller wrote before them, the last part is theirs."""
    lines = headers.getall(name, []) if isinstance(headers, CIMultiDictProxy) else [headers.get(name, "")]
    return ",".join(lines).split(",") if any(lines) else []


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
