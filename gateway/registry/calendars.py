"""The calendar of a year as a TOML file: those that we ship, and one that an operator imports.

`published/<year>.toml` was made from the table of PyPI `chinesecalendar` and the State Council's notices; a test
compares every day of them.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from gateway.core.calendar import Calendar, Year
from gateway.registry.forms import Form
from lianzhi.errors import ConfigurationError
from lianzhi.text_files import read_toml

PUBLISHED = Path(__file__).parent / "published"


class YearForm(Form):
    """See `gateway.core.calendar.Year`."""

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
        where = "；".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{path}：字段不合规则。 A field breaks its rule: {where}") from error
    year = Year(form.year, form.notice, form.issued_on, frozenset(form.rest), frozenset(form.work))
    if faults := year.faults():
        raise ConfigurationError(f"{path}：日历有误。 The calendar is wrong: {'；'.join(faults)}")
    return year


def shipped() -> Calendar:
    """Every year that this version knows."""
    return Calendar(read_year(path) for path in sorted(PUBLISHED.glob("*.toml")))
