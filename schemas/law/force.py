"""`Law`: all tables as one value, and the one that is in force in this process.

A validator asks `law()`: it has no other way to what a deployment configures. Wiring (`gateway.bootstrap`, a command, a
partner's configuration) calls `put_in_force` when it loads its files; where nobody does, the product's own rows hold.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
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
    languages; row_faults: with one row of a file, which is told with its line."""

    name: str
    zh: str
    en: str
    entry: type[E]
    key: tuple[str, ...]
    default: tuple[E, ...]
    faults: Callable[[Mapping[str, E]], Iterable[str]] = _sound
    row_faults: Callable[[E], Iterable[Fault]] = _sound_row
    derived: Callable[[], tuple[E, ...]] = _none

    @property
    def shipped(self) -> tuple[E, ...]:
        return (*self.default, *self.derived())

    def key_of(self, entry: Entry) -> str:
        """`/` between the members where there are several."""
        return "/".join(str(getattr(entry, name)) for name in self.key)

    def rows(self, given: Iterable[E] = ()) -> dict[str, E]:
        """Shipped rows and given ones, by key."""
        return {self.key_of(row): row for row in (*self.shipped, *given)}


@dataclass(frozen=True, eq=False)
class Law:
    """given: the rows of files, by the table's name. Two are equal only if they are one: what is made of a `Law` is
    remembered by it."""

    given: Mapping[str, tuple[Entry, ...]]

    def of(self, table: Table[E]) -> Mapping[str, E]:
        """The rows that hold, by key."""
        found = self._rows.get(table.name)
        if found is None:
            found = self._rows[table.name] = table.rows(self.own(table))
        return cast("Mapping[str, E]", found)

    def own(self, table: Table[E]) -> tuple[E, ...]:
        """The deployment's own rows."""
        return cast("tuple[E, ...]", self.given.get(table.name, ()))

    def from_file(self, table: Table[E], key: str) -> bool:
        """Whether this row is the deployment's own."""
        return any(table.key_of(row) == key for row in self.own(table))

    @cached_property
    def _rows(self) -> dict[str, Mapping[str, Entry]]:
        return {}


SHIPPED = Law({})
_in_force = SHIPPED


def law() -> Law:
    """The tables that this process goes by."""
    return _in_force


def put_in_force(tables: Law) -> None:
    """From now on `law()` gives `tables`. Called when files are loaded, before anything is judged by them."""
    global _in_force  # noqa: PLW0603 (a process serves one court; a validator can be handed nothing)
    _in_force = tables
