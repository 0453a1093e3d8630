"""The broker's clock, by the `Date` of its management listener: HTTP gives it to anybody (RFC 9110 section 6.6.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp

HALF_A_SECOND = timedelta(milliseconds=500)
"""What the header leaves out, in the middle."""


async def broker_time(url: str, *, timeout: float = 3.0) -> datetime | None:
    """Aware UTC, within half a second and the way there; None when it does not answer or says no time."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            date = parsedate_to_datetime(answer.headers["Date"])
    except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError):
        return None
    return date.astimezone(UTC) + HALF_A_SECOND
