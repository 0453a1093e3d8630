"""`Law`: all tables as one value, and the one that is in force in this process.

A rule is asked for a day. Of a deployment's own rows the one that holds on that day counts (`Entry.holds_on`); on a day
on which none does, before the first or after the last, the shipped one. A key's own rows follow each other without gap
or overlap (`succession`), so that the answer is one row. Which day it is, each table's question says, and why.

A validator asks `law()`: it has no other way to what a deployment configures. Wiring (`gateway.bootstrap`, a command, a
partner's configuration) calls `put_in_force` when it loads its files; where nobody does, the product's own rows hold.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import ClassVar, Generic, NamedTuple, TypeVar, cast

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(ABC):
    """A row of any table; a table's own adds its members.

    source: the text that it rests on, with its article. since: the first day on which it holds; until: the first on
    which it no longer does. reading: the text is not plain, not found or only reported by others ("?"), so that this is
    our reading of it: a deployment that knows better writes its own row.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    source: str
    since: date
    until: date | None = None
    reading: bool = False

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


E = TypeVar("E", bound=Entry)


class Fault(NamedTuple):
    """What is wrong with one row of a file. word: the member that is meant. zh, en: what is allowed, without a stop."""

    word: str
    zh: str
    en: str


def _sound(_: Mapping[str, E]) -> Iterable[str]:
    return ()


def _sound_row(_: E) -> Iterable[Fault]:
    return ()


def _none() -> tuple[E, ...]:
    return ()


@dataclass(frozen=True, slots=True, eq=False)
class Table(Generic[E]):
    """name: of its file, `law/<name>.toml`. zh, en: what it holds. key: the members of a row that name it; a row of a
    file takes the place of the shipped one with the same key. default: the shipped rows; derived: more of them, made
    when they are asked for, of what asks the tables itself. faults: what is wrong with all rows together, in both
    languages; row_faults: with one row of a file, which is told with its line. dated: whether a key may have several
    rows, one after the other; False: a key has one row, whatever the day."""

    name: str
    zh: str
    en: str
    entry: type[E]
    key: tuple[str, ...]
    default: tuple[E, ...]
    faults: Callable[[Mapping[str, E]], Iterable[str]] = _sound
    row_faults: Callable[[E], Iterable[Fault]] = _sound_row
    derived: Callable[[], tuple[E, ...]] = _none
    dated: bool = True

    @property
    def shipped(self) -> tuple[E, ...]:
        return (*self.default, *self.derived())

    def key_of(self, entry: Entry) -> str:
        """`/` between the members where there are several."""
        return "/".join(str(getattr(entry, name)) for name in self.key)

    def rows(self, given: Iterable[E] = ()) -> dict[str, E]:
        """Shipped rows and given ones, by key: the last of each."""
        return {self.key_of(row): row for row in (*self.shipped, *given)}


class Break(NamedTuple):
    """Two rows of one key that do not follow each other. overlap: both hold on some day; else none does on some day."""

    earlier: Entry
    later: Entry
    overlap: bool


def succession(rows: Iterable[Entry]) -> Iterable[Break]:
    """rows: of one key. Where one ends before or after the next begins; nothing where each ends as the next begins."""
    ordered = sorted(rows, key=_since)
    for earlier, later in pairwise(ordered):
        if earlier.until != later.since:
            yield Break(earlier, later, overlap=earlier.until is None or earlier.until > later.since)


def _since(row: Entry) -> date:
    return row.since


def _shipped_on(rows: Sequence[E], day: date) -> E | None:
    """The first is taken for the days before it too: the product knows nothing older."""
    holding = [row for row in rows if row.holds_on(day)]
    first = min(rows, key=_since, default=None)
    return holding[0] if holding else first if first is not None and day < first.since else None


@dataclass(frozen=True, eq=False)
class Law:
    """given: the rows of files, by the table's name. Two are equal only if they are one: what is made of a `Law` is
    remembered by it."""

    given: Mapping[str, tuple[Entry, ...]]

    def of(self, table: Table[E]) -> Mapping[str, E]:
        """By key its newest row, whatever the day: for tables that are not `dated`, and for what is only shown."""
        return {key: max(own or shipped, key=_since) for key, (own, shipped) in self._by_key(table).items()}

    def on(self, table: Table[E], day: date) -> Mapping[str, E]:
        """By key the row that counts on `day`."""
        found = ((key, self.row(table, key, day)) for key in self._by_key(table))
        return {key: row for key, row in found if row is not None}

    def row(self, table: Table[E], key: str, day: date) -> E | None:
        """The row of this key that counts on `day`: the deployment's own that holds then, else the shipped one.

        None: no row has the key, or only rows that do not hold and that no shipped one backs.
        """
        own, shipped = self._by_key(table).get(key, ((), ()))
        holding = [row for row in own if row.holds_on(day)]
        return holding[0] if holding else _shipped_on(shipped, day)

    def all(self, table: Table[E]) -> Iterable[tuple[E, bool]]:
        """Every row, in order of keys as shipped; of a key the deployment's own (True) first."""
        for own, shipped in self._by_key(table).values():
            yield from ((row, True) for row in own)
            yield from ((row, False) for row in shipped if table.dated or not own)

    def own(self, table: Table[E]) -> tuple[E, ...]:
        """The deployment's own rows."""
        return cast("tuple[E, ...]", self.given.get(table.name, ()))

    def _by_key(self, table: Table[E]) -> Mapping[str, tuple[tuple[E, ...], tuple[E, ...]]]:
        """Of each key the deployment's own rows and the shipped ones. Sorted once: a validator asks for each value."""
        found = self._rows.get(table.name)
        if found is None:
            own, shipped = grouped(table, self.own(table)), grouped(table, table.shipped)
            found = {key: (own.get(key, ()), shipped.get(key, ())) for key in {**shipped, **own}}
            self._rows[table.name] = found
        return cast("Mapping[str, tuple[tuple[E, ...], tuple[E, ...]]]", found)

    @cached_property
    def _rows(self) -> dict[str, Mapping[str, tuple[tuple[Entry, ...], tuple[Entry, ...]]]]:
        return {}


def grouped(table: Table[E], rows: Iterable[E]) -> dict[str, tuple[E, ...]]:
    """By key, each in the order of the rows."""
    found: dict[str, tuple[E, ...]] = {}
    for row in rows:
        key = table.key_of(row)
        found[key] = (*found.get(key, ()), row)
    return found


SHIPPED = Law({})
_in_force = SHIPPED


def law() -> Law:
    """The tables that this process goes by."""
    return _in_force


def put_in_force(tables: Law) -> None:
    """From now on `law()` gives `tables`. Called when files are loaded, before anything is judged by them."""
    global _in_force  # noqa: PLW0603 (a process serves one court; a validator can be handed nothing)
    _in_force = tables
