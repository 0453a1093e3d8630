"""A value as people read it in a table: local time to the second, a dash for nothing, nothing that a terminal obeys."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from lianzhi.printable import printable

SHANGHAI = timezone(timedelta(hours=8))
NOTHING = "–"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def cell(value: Any) -> str:
    """None and an empty text are a dash; a moment is told in the time of `local`, also where it is ISO text."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, datetime):
        return local(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return local(datetime.fromisoformat(value)) if _MOMENT.fullmatch(value) else printable(value, None)
    if isinstance(value, list | tuple | set | frozenset):
        return " ".join(map(cell, value)) or NOTHING
    if isinstance(value, dict):
        return printable(json.dumps(value, ensure_ascii=False, default=str), None)
    return printable(value, None)


def local(moment: datetime) -> str:
    """`2026-03-25 23:07:09` by the clock of Shanghai, or of TZ where that is set. moment: aware, else it is local."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(None if os.environ.get("TZ") else SHANGHAI)
    return f"{moment:%Y-%m-%d %H:%M:%S}"
