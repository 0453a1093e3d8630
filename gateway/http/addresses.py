"""Whose address a call comes from: the peer's, or, behind a configured proxy, the one that the proxy names.

`Forwarded` (RFC 7239) counts before `X-Forwarded-For`. Of either only the part that our own proxies wrote is
believed: read from the right, the first address that is none of them. What stands further left is the caller's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from multidict import CIMultiDictProxy

Network = IPv4Network | IPv6Network
UNKNOWN = "unknown"
"""All whom a proxy of ours does not name count as one."""
_LAN_OF_ONE = 64  # bits: an IPv6 host chooses the rest of its address itself
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*"?(\[[0-9a-f:.]+\]|[0-9.]+)(?::\d+)?"?\s*(?:;|$)', re.IGNORECASE)
_PLAIN = re.compile(r"\s*(?:\[([0-9a-f:.]+)\](?::\d+)?|([0-9a-f:]*:[0-9a-f:.]+)|([0-9.]+)(?::\d+)?)\s*", re.IGNORECASE)


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
