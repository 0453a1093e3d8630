"""The calendar of a year as a TOML file: those that we ship, and one that an operator imports.

`published/<year>.toml` was made from the table of PyPI `chinesecalendar` and the State Council's notices; a test
compares every day of them.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from gateway.core.time.calendar import Calendar, Year
from gateway.registry.forms import Form
from lianzhi.errors import ConfigurationError
from lianzhi.protocol.rules import all_told
from lianzhi.text_files import read_toml

PUBLISHED = Path(__file__).parent / "published"
REST_DAYS, WORK_DAYS = (7, 40), (1, 15)
"""Days off beside weekends and days worked on weekends, of one year: those that are shipped have 18 or 19, and
5 to 8."""


class YearForm(Form):
    """See `gateway.core.time.calendar.Year`."""

    year: Annotated[int, Field(ge=2004, le=2100)]
    notice: str
    issued_on: date
    rest: list[date]
    work: list[date]


def read_year(path: Path) -> Year:
    """One file. Raises ConfigurationError that names everything wrong with it."""
    try:
        form = YearForm.model_validate(read_toml(path))
    except ValidationError as error:
        raise ConfigurationError(f"{path}：字段不合规则。 A field breaks its rule: {all_told(error)}") from error
    year = Year(form.year, form.notice, form.issued_on, frozenset(form.rest), frozenset(form.work))
    if faults := year.faults():
        raise ConfigurationError(f"{path}：日历有误。 The calendar is wrong: {'；'.join(faults)}")
    return year


def check_likely(path: Path, year: Year, today: date) -> None:
    """What no notice of the State Council has ever said: it would move every term of that year.

    today: in Shanghai. Raises ConfigurationError that names everything.
    """
    found = []
    for word, days, (least, most) in (("rest", year.rest, REST_DAYS), ("work", year.work, WORK_DAYS)):
        if not least <= len(days) <= most:
            found.append(
                f"{word}：{len(days)} 天，应为 {least} 至 {most} 天 {len(days)} days, {least} to {most} expected"
            )
    if year.issued_on > today:
        found.append(f"issued_on：{year.issued_on} 尚未到来 lies in the future")
    if found:
        raise ConfigurationError(f"{path}：不像公布的日历。 Not like a published calendar: {'；'.join(found)}")


def differences(known: Year | None, year: Year) -> list[str]:
    """What an import would change, a line each: `+ rest 2027-01-01`, `- work 2027-02-06`."""
    lines = []
    for word in ("rest", "work"):
        before: frozenset[date] = frozenset() if known is None else getattr(known, word)
        after: frozenset[date] = getattr(year, word)
        lines += [f"+ {word} {day}" for day in sorted(after - before)]
        lines += [f"- {word} {day}" for day in sorted(before - after)]
    return lines


def shipped() -> Calendar:
    """Every year that this version knows."""
    return Calendar(read_year(path) for path in sorted(PUBLISHED.glob("*.toml")))
