"""The time on the wall in Shanghai, as people there write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))  # no daylight saving since 1991


def now() -> datetime:
    """This second."""
    return datetime.now(UTC).astimezone(SHANGHAI).replace(microsecond=0)


def compact(moment: datetime) -> str:
    """`YYYYMMDDhhmmss`, as several dialects want it (docs/dialects.md)."""
    return moment.strftime("%Y%m%d%H%M%S")
