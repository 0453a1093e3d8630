"""What goes through the national command platform as well, and so has a number there.

委托执行规定 article 4 and 法发〔2017〕27号: a commissioned matter is filed on the platform. The full text of 27号 could
not be read, so this is a reading; a commission without its number is taken with a warning, unless a deployment asks
for the number before anything leaves (`duty = "required"`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from schemas.law.force import Entry, Table, law


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformItem(Entry):
    """type: a matter type. duty: what a submission without number and without exemption meets."""

    type: str
    duty: Literal["warn", "required"]


def _known_types(rows: Mapping[str, PlatformItem]) -> Iterable[str]:
    from schemas.catalogue import catalogue  # the types themselves ask tables of this package

    for name in sorted(rows.keys() - catalogue().keys()):
        yield f"{name}：没有这个事项，见 lianzhi types。 No such matter type; see `lianzhi types`."


PLATFORM_ITEMS = Table(
    name="platform-items",
    zh="须在全国执行指挥平台办理的事项",
    en="Matters that are filed on the national command platform too",
    entry=PlatformItem,
    key=("type",),
    faults=_known_types,
    default=(
        PlatformItem(
            type="entrust.matter.request",
            duty="warn",
            source="委托执行规定第四条 (WT-4)；法发〔2017〕27号",
            since=date(2017, 9, 8),
            reading=True,
        ),
    ),
)


def platform_duty(matter_type: str, day: date) -> Literal["warn", "required"] | None:
    """Of a request that is handed in on `day`: it is filed on the platform before it leaves. None: this type has
    nothing to do with the platform."""
    row = law().row(PLATFORM_ITEMS, matter_type, day)
    return None if row is None else row.duty
