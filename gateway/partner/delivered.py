"""The body of `delivered`, which the library writes itself, in each family of dialects (docs/dialects.md).

A form maps field names to templates: `{time:%Y…}` is when our ledger stored the message, +08:00; `{system}` is our
system's name. `partner.toml` may give its own form.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))  # no daylight saving since 1991

CANONICAL_FORM: Mapping[str, str] = {"stored_at": "{time:%Y-%m-%dT%H:%M:%S}+08:00", "system": "{system}"}
DELIVERED_FORM: Mapping[str, Mapping[str, str]] = {
    "police": {"CCSJ": "{time:%Y%m%d%H%M%S}", "CCXT": "{system}"},
}


def delivered_body(
    dialect: str, system: str, now: datetime, own_form: Mapping[str, str] | None = None
) -> dict[str, str]:
    """dialect: `police/1`, …; a family without a form of its own speaks canonical names. now: aware."""
    form = own_form or DELIVERED_FORM.get(dialect.partition("/")[0], CANONICAL_FORM)
    local = now.astimezone(SHANGHAI)
    return {name: template.format(time=local, system=system) for name, template in form.items()}
