"""The kinds of partner and their dialects: the folders of `adapters/`; nothing registers itself at import.

A folder `adapters/<kind>/` is a kind of that word. Its `__init__.py` holds a `Dialect` constant (or several: versions),
and where tables do not suffice an `Adapter` constant of the same name, which takes the table's place.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import ModuleType

import adapters
from adapters.contract import Adapter
from adapters.rows import Dialect
from adapters.table import TableAdapter
from schemas.catalogue import Kind, MatterType


@dataclass(frozen=True, slots=True)
class PartnerKind:
    """zh, en: what it is called. dialects: those that its folder declares. default: the dialect of whoever of the kind
    names none; None: each must name one."""

    zh: str
    en: str
    dialects: tuple[str, ...]
    default: str | None


@dataclass(slots=True)
class Known:
    """kinds: in the order of their words. adapters: by dialect. speakers: the kinds that declare a dialect."""

    kinds: dict[Kind, PartnerKind] = field(default_factory=dict)
    adapters: dict[str, Adapter] = field(default_factory=dict)
    speakers: dict[str, frozenset[Kind]] = field(default_factory=dict)


def discover(package: ModuleType) -> Known:
    """What the sub-packages of `package` declare. Raises ValueError, which names the folder: no dialect, two defaults,
    two names of one kind, or one dialect that two folders declare differently."""
    known = Known()
    tables: dict[str, Dialect] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name):
        if not info.ispkg:
            continue
        constants = [*vars(importlib.import_module(f"{package.__name__}.{info.name}")).values()]
        spoken = [value for value in constants if isinstance(value, Dialect)]
        kind = Kind(info.name)
        known.kinds[kind] = _kind(info.name, spoken)
        for dialect in spoken:
            nameless = replace(dialect, zh="", en="")
            if tables.setdefault(dialect.name, nameless) != nameless:
                raise ValueError(f"adapters/{info.name}: another folder declares {dialect.name} differently")
            known.adapters.setdefault(dialect.name, TableAdapter(dialect))
            known.speakers[dialect.name] = known.speakers.get(dialect.name, frozenset()) | {kind}
        known.adapters |= {a.dialect: a for a in constants if isinstance(a, Adapter)}
    return known


def _kind(folder: str, spoken: list[Dialect]) -> PartnerKind:
    names = {(dialect.zh, dialect.en) for dialect in spoken}
    defaults = [dialect.name for dialect in spoken if dialect.default]
    if len(names) != 1 or len(defaults) > 1:
        said = [dialect.name for dialect in spoken]
        raise ValueError(f"adapters/{folder}: one Dialect, or several of one zh and en with one default; found {said}")
    (name,) = names
    return PartnerKind(*name, tuple(dialect.name for dialect in spoken), defaults[0] if defaults else None)


@cache
def _all() -> Known:
    return discover(adapters)


def kinds() -> Mapping[Kind, PartnerKind]:
    """Those that are known, in the order of their words."""
    return _all().kinds


def dialects() -> list[str]:
    return sorted(_all().adapters)


def speakers(dialect: str) -> frozenset[Kind]:
    """The kinds whose folder declares it."""
    return _all().speakers[dialect]


def adapter_for(dialect: str) -> Adapter:
    """Raises LookupError, which names the dialects that there are."""
    try:
        return _all().adapters[dialect]
    except KeyError:
        raise LookupError(f"no dialect {dialect}; there are {', '.join(dialects())}") from None


def partners(matter: MatterType) -> frozenset[Kind]:
    """The kinds of participant that the home court may meet in this type, so whose dialects must say it.

    The home court itself needs none; another court is met only where courts write to courts.
    """
    kinds = matter.senders | matter.receivers
    return kinds if Kind.COURT in matter.senders & matter.receivers else kinds - {Kind.COURT}


def strangers(types: Mapping[str, MatterType]) -> Iterator[tuple[str, Kind]]:
    """(type, kind) of each sender and receiver that has no folder: a misspelt word, or a folder that is missing."""
    for name, matter in sorted(types.items()):
        yield from ((name, kind) for kind in sorted(matter.senders | matter.receivers) if kind not in kinds())
