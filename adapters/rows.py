"""What a kind's folder is written in: rows, and the dialect that holds them.

`fields` and `hidden` are ordered scopes. A scope is `"<glob over matter types> <verb>"`; the rows of every
fitting scope apply, a later one wins, and the order of the rows is the order of the members in the body. A row
maps a canonical path to a dialect path: `payload.person.name` → `XM`, `payload.objects[].account_no` →
`objects[].KHZH`, `payload.vehicle.owner.ref` → `SYR.ref`. A row for an object or a list of objects keeps the
canonical names of everything below it that has no row of its own. `hidden` names paths with all that is below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters import codecs
from adapters.codecs import Codec


@dataclass(frozen=True, slots=True)
class Row:
    """names: the dialect member, or several that say one canonical value together (then the codec gives and
    takes a tuple). clock: a moment, written as the table says for the matter type."""

    names: tuple[str, ...]
    codec: Codec | None = None
    clock: bool = False


Rows = Mapping[str, str | Row]  # a plain text: the value as it is, under another name
Scopes = Sequence[tuple[str, Rows]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one kind of partner speaks: the constant `DIALECT` of `adapters/<kind>/__init__.py`.

    name: `police/1`, as it stands on the wire. zh, en: what the kind is called. default: spoken by each participant of
    the kind that names none. canonical: members without a row keep their canonical names. clocks: (glob over matter
    types, codec of moments), the last that fits counts; without any, moments stay RFC 3339.
    """

    name: str
    zh: str
    en: str
    default: bool = True
    fields: Scopes = ()
    hidden: Sequence[tuple[str, Sequence[str]]] = ()
    clocks: Sequence[tuple[str, Codec]] = ()
    canonical: bool = False


def answers(matter: str, rows: Rows) -> Scopes:
    """The rows of a result, which a correction repeats. matter: a glob over matter types."""
    return ((f"{matter} result", rows), (f"{matter} correct", rows))


def code(name: str, table: Mapping[str, str]) -> Row:
    """A value out of a code table (canonical → code)."""
    return Row((name,), codecs.table(table))


def codes(name: str, table: Mapping[str, str]) -> Row:
    """A list of values out of a code table."""
    return Row((name,), codecs.each(codecs.table(table)))


def flag(name: str, true: str = "1", false: str = "0") -> Row:
    return Row((name,), codecs.switch(true, false))


def day(name: str) -> Row:
    """A date without time, YYYYMMDD."""
    return Row((name,), codecs.DAY)


def moment(name: str) -> Row:
    return Row((name,), clock=True)


def joined(name: str, separator: str = "；") -> Row:
    """A list of texts as one text."""
    return Row((name,), codecs.joined(separator))


def legal(name: str) -> Row:
    """Legal references as text."""
    return Row((name,), codecs.LEGAL)


def spread(names: tuple[str, ...], table: Mapping[str, tuple[str | None, ...]]) -> Row:
    """One value out of a code table whose codes take several members."""
    return Row(names, codecs.lines(table, names))


def several(*names: str) -> Row:
    """A list with at most as many texts as there are members: `TP1`, `TP2`, `TP3`."""
    return Row(names, codecs.numbered(len(names)))


def texts(name: str, table: Mapping[str, str], separator: str = "；") -> Row:
    """A list of values out of a table as one text."""
    return Row((name,), codecs.texts(table, separator))


def under(prefix: str, rows: Rows, into: str = "") -> dict[str, str | Row]:
    """The same rows below another canonical prefix; `into`: a dialect prefix for their names."""
    return {f"{prefix}{path}": _into(into, row) for path, row in rows.items()}


def _into(prefix: str, row: str | Row) -> str | Row:
    if isinstance(row, str):
        return prefix + row
    return Row(tuple(prefix + name for name in row.names), row.codec, row.clock)
