"""What a matter type enters into the court's ledgers 台账 (docs/domain.md 2.10, issue 3 deliver 8).

A ledger is a list of items (a lead, a petition, a sum received), each made of dated lines. A line holds codes, days,
amounts and numbers only, never a payload (docs/architecture.md 6): a matter type says in pure functions of its
payload and of what is answered which line is entered, and by default none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Ledger = Literal["closure", "petition", "fund", "refusal", "bankruptcy"]
OPENED = "opened"
UNIDENTIFIED, CLAIMED = "unidentified", "claimed"
"""Money of which nobody knows the case yet 不明款, and the word that it is known now 认领."""
BEGINNINGS = frozenset({OPENED, UNIDENTIFIED})
"""What begins an item."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line.

    kind: what happened, a code: `opened` begins the item, any other is the item's state from then on.
    settles: whether nothing more is owed after it; of an item with an amount, as soon as the settling lines come to
    that amount.
    item: number of the item, where several requests write to one (a receipt and its releases); None: the request's
    own. A number or a code, never a name.
    on: YYYY-MM-DD, None: the day on which the gateway enters it. due_on: until when; None: the ledger's own term.
    term: instead of due_on, a term of the law's table and the day that begins it (`schemas.law.terms`).
    amount: CNY as on the wire, `1234.50`.
    receivers: kinds of participant; a request to another kind (a copy) enters nothing. Empty: any.
    """

    ledger: Ledger
    kind: str = OPENED
    settles: bool = False
    item: str | None = None
    on: str | None = None
    due_on: str | None = None
    term: tuple[str, str] | None = None
    amount: str | None = None
    receivers: tuple[str, ...] = ()


def no_entry(_: Any) -> LedgerEntry | None:
    """Of a payload: nothing is entered."""
    return None


def no_answer_entry(_verb: str, _data: Mapping[str, Any]) -> LedgerEntry | None:
    """Of an answer: nothing is entered."""
    return None
