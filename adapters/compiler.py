"""Compiles a dialect's rows and the shape of a message to a `Level`: once for all messages of one shape that the same
rows fit (most verbs look alike in every type).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from adapters.plan import Level, Step
from adapters.rows import Dialect, Row
from adapters.shape import Node


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a member goes: its level, the slot of the object that owns it, and its place among the members."""

    level: Level
    slot: int
    rank: tuple[int, ...]


@dataclass(slots=True)
class Compiled:
    """One type and verb. named: canonical path → dialect path; spread: canonical path of a list
    → the dialect paths of the members that it is said in, one each; hidden: paths that are withheld; missing: paths
    neither named nor hidden (a fault of the table); used: the paths of the rows that were met."""

    level: Level = field(default_factory=Level)
    named: dict[str, str] = field(default_factory=dict)
    spread: dict[str, tuple[str, ...]] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Fitting:
    """What of a table fits a message, by place in the table. clock: of the last that fits, None where none does."""

    fields: tuple[int, ...]
    hidden: tuple[int, ...]
    clock: int | None


def fitting(table: Dialect, matter: str, verb: str) -> Fitting:
    def of(scopes: Sequence[tuple[str, object]]) -> tuple[int, ...]:
        return tuple(
            n for n, (scope, _) in enumerate(scopes) if scope.endswith(end) and _met(scope.removesuffix(end), matter)
        )

    end = f" {verb}"
    clocks = [n for n, (glob, _) in enumerate(table.clocks) if _met(glob, matter)]
    return Fitting(of(table.fields), of(table.hidden), clocks[-1] if clocks else None)


def _met(glob: str, matter: str) -> bool:
    """Cheap where it can be: an installation compiles a thousand messages at its start."""
    return glob in ("*", matter) or ("*" in glob and fnmatchcase(matter, glob))


def compile_message(table: Dialect, fits: Fitting, root: Node) -> Compiled:
    """Raises ValueError when the table contradicts itself: two members of one name, a name in another list."""
    return _Compiler(table, fits).run(root)


class _Compiler:
    """Walks the members of a message once and gives each its row, or notes that it has none."""

    def __init__(self, table: Dialect, fits: Fitting) -> None:
        self.canonical = table.canonical
        self.rows: dict[str, str | Row] = {}
        for place in fits.fields:
            self.rows |= table.fields[place][1]
        self.rank = {path: (i,) for i, path in enumerate(self.rows)}
        self.hidden = {path for place in fits.hidden for path in table.hidden[place][1]}
        self.clock = None if fits.clock is None else table.clocks[fits.clock][1]
        self.out = Compiled()

    def run(self, root: Node) -> Compiled:
        self._object(root, "", "" if self.canonical else None, Spot(self.out.level, 0, (len(self.rows),)))
        self.out.level.freeze()
        return self.out

    def _object(self, node: Node, path: str, said: str | None, spot: Spot) -> None:
        """The members of the object at canonical `path`; said: its dialect path, None when it is flattened."""
        for order, (key, member) in enumerate(node.members.items()):
            here = f"{path}.{key}" if path else key
            if here in self.hidden:
                self.out.hidden.append(here)
                continue
            row = self._row(here, said, key)
            place = Spot(spot.level, spot.slot, self.rank.get(here, (*spot.rank, order)))
            if not member.members:
                self._leaf(here, key, row, place)
            elif member.many:
                self._list(member, here, key, row, place)
            else:
                if row:
                    self.out.named[here] = row.names[0]
                spot.level.slots.append((spot.slot, key))
                inner = Spot(spot.level, len(spot.level.slots), place.rank)
                self._object(member, here, row.names[0] if row else None, inner)

    def _row(self, path: str, said: str | None, key: str) -> Row | None:
        row = self.rows.get(path)
        if row is not None:
            self.out.used.add(path)
            return Row((row,)) if isinstance(row, str) else row
        if said is None:
            return None
        return Row((f"{said}.{key}" if said else key,))

    def _leaf(self, path: str, key: str, row: Row | None, spot: Spot) -> None:
        if row is None:
            self.out.missing.append(path)
            return
        if path.count("[]") != row.names[0].count("[]"):
            raise ValueError(f"{path} and {row.names[0]} stand in different lists")
        into, names = _place(row.names)
        codec = self.clock if row.clock else row.codec
        spot.level.steps.append(Step(spot.rank, spot.slot, key, _inside(path), into, names, codec))
        self.out.named[path] = row.names[0]
        if len(row.names) > 1:
            self.out.spread[path] = row.names

    def _list(self, node: Node, path: str, key: str, row: Row | None, spot: Spot) -> None:
        items, before = Level(), len(self.out.named)
        self._object(node, f"{path}[]", f"{row.names[0]}[]" if row else None, Spot(items, 0, spot.rank))
        depth = path.count("[]") + 1
        lists = {"[].".join(said.split("[].")[:depth]) for said in [*self.out.named.values()][before:]}
        if len(lists) > 1:
            raise ValueError(f"{path} is spread over the lists {', '.join(sorted(lists))}")
        if not lists:
            return  # everything in it is hidden, or missing and noted so
        items.freeze()
        said = lists.pop()
        into, names = _place((said,))
        rank = min(s.rank for s in items.steps)
        spot.level.steps.append(Step(rank, spot.slot, key, _inside(path), into, names, items=items))
        self.out.named[path] = said


def _place(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Dialect paths → the dialect object inside their list, and their names: `a[].SYR.ref` → (("SYR",), ("ref",))."""
    inside = [_inside(name).split(".") for name in names]
    return tuple(inside[0][:-1]), tuple(name[-1] for name in inside)


def _inside(path: str) -> str:
    """The path inside its innermost list."""
    return path.rsplit("[].", 1)[-1]
