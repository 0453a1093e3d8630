"""The body of `delivered`, which the library writes itself, in the words of each dialect (docs/dialects.md).

A form maps field names to templates: `{time:%Y…}` is when our ledger stored the message, +08:00; `{system}` is our
system's name. `partner.toml` may give its own form; else the contract's goes first (`VerbContract.form`); this table is
for installations without one. The library must not know the adapters, so a test holds the table against theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase

SHANGHAI = timezone(timedelta(hours=8))  # no daylight saving since 1991

_ISO = "{time:%Y-%m-%dT%H:%M:%S}+08:00"
DELIVERED_FORMS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    # dialect, matter type, form: the first that fits
    ("police/*", "police.vehicle-*", {"CCSJ": "{time:%Y-%m-%d %H:%M:%S}", "CCXT": "{system}"}),
    ("police/*", "*", {"CCSJ": "{time:%Y%m%d%H%M%S}", "CCXT": "{system}"}),
    ("department/*", "*", {"CCSJ": "{time:%Y-%m-%d %H:%M:%S}", "CCXT": "{system}"}),
    ("court/*", "*", {"CCSJ": "{time:%Y%m%d%H%M%S}", "CCXT": "{system}"}),
    ("grid/*", "*", {"storedAt": _ISO, "system": "{system}"}),
    ("association/*", "*", {"storedAt": _ISO, "system": "{system}"}),
    ("*", "*", {"stored_at": _ISO, "system": "{system}"}),
)


def delivered_body(
    dialect: str, matter: str, system: str, now: datetime, own_form: Mapping[str, str] | None = None
) -> dict[str, str]:
    """dialect: `police/1`, …; matter: the matter type's name. now: aware. own_form: taken instead of the table's."""
    form = own_form or next(f for d, m, f in DELIVERED_FORMS if fnmatchcase(dialect, d) and fnmatchcase(matter, m))
    local = now.astimezone(SHANGHAI)
    return {name: template.format(time=local, system=system) for name, template in form.items()}
