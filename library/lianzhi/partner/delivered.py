"""The body of `delivered`, which the library writes itself, in the words of each dialect (docs/dialects.md).

A form maps field names to templates: `{time:%Y…}` is when our ledger stored the message, +08:00; `{system}` is our
system's name. `partner.toml` may give its own form; else the contract's goes first (`VerbContract.form`);
`delivered.json`, written from the gateway's dialects by `make docs`, is for installations without one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

SHANGHAI = timezone(timedelta(hours=8))  # no daylight saving since 1991
_TABLE = Path(__file__).with_suffix(".json")
_CANONICAL = {"stored_at": "{time:%Y-%m-%dT%H:%M:%S}+08:00", "system": "{system}"}


@cache
def _forms() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Dialect → matter type, or `*` for all others → form."""
    found: Mapping[str, Mapping[str, Mapping[str, str]]] = json.loads(_TABLE.read_text("utf-8"))
    return found


def delivered_body(
    dialect: str, matter: str, system: str, now: datetime, own_form: Mapping[str, str] | None = None
) -> dict[str, str]:
    """dialect: `police/1`, …; one that is not known has canonical names. matter: the matter type's name. now: aware.
    own_form: taken instead of the table's."""
    forms = _forms().get(dialect, {"*": _CANONICAL})
    form = own_form or forms.get(matter, forms["*"])
    local = now.astimezone(SHANGHAI)
    return {name: template.format(time=local, system=system) for name, template in form.items()}
