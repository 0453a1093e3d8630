"""Which dialects there are: module constants of the packages in `adapters/`; nothing registers itself at import."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import adapters
from adapters.contract import Adapter
from adapters.rows import Table
from adapters.table import TableAdapter
from schemas.catalogue import Kind, MatterType


def discover(package: ModuleType) -> dict[str, Adapter]:
    """Every dialect of the sub-packages of `package`: a `Table` constant makes one, an `Adapter` constant of the
    same dialect takes its place (code where tables do not suffice)."""
    constants = [value for module in _modules(package) for value in vars(module).values()]
    found: dict[str, Adapter] = {t.dialect: TableAdapter(t) for t in constants if isinstance(t, Table)}
    return found | {a.dialect: a for a in constants if isinstance(a, Adapter)}


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in sorted(pkgutil.walk_packages(package.__path__, f"{package.__name__}."), key=lambda i: i.name):
        if info.name.count(".") > package.__name__.count(".") + 1:
            yield importlib.import_module(info.name)


@cache
def _all() -> dict[str, Adapter]:
    return discover(adapters)


def dialects() -> list[str]:
    return sorted(_all())


def adapter_for(dialect: str) -> Adapter:
    """Raises LookupError, which names the dialects that there are."""
    try:
        return _all()[dialect]
    except KeyError:
        raise LookupError(f"no dialect {dialect}; there are {', '.join(dialects())}") from None


def partners(matter: MatterType) -> frozenset[Kind]:
    """The kinds of participant that the home court may meet in this type, so whose dialects must say it.

    The home court itself needs none; another court is met only where courts write to courts.
    """
    kinds = matter.senders | matter.receivers
    return kinds if Kind.COURT in matter.senders & matter.receivers else kinds - {Kind.COURT}
