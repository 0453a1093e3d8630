"""Every bound of what a court system's client reads: the table `[limits]` of `client.toml`.

Whoever answers at the gateway's address, also a broken proxy, makes the client hold or write no more than stands here
(docs/adr/0027).
"""

from __future__ import annotations

from dataclasses import dataclass

CURSOR_LENGTH = 1_000
"""Characters of a cursor; ours are far shorter."""


@dataclass(frozen=True, slots=True)
class ClientBounds:
    """answer_bytes: one answer; list_bytes: all pages of the messages or the timeline of a request. json_depth: open
    brackets. document_bytes: one paper that is fetched. keys: of the pinned key set. unmoved: answers of the feed in a
    row that lead nowhere before it is an error. pages_remembered: cursors of the feed's latest pages with events, so
    that one that leads back is noticed."""

    answer_bytes: int = 64 << 20
    list_bytes: int = 256 << 20
    json_depth: int = 64
    document_bytes: int = 100 << 20
    keys: int = 20_000
    unmoved: int = 5
    pages_remembered: int = 64


DEFAULT_BOUNDS = ClientBounds()
