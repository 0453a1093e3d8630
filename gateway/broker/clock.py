"""The broker's clock, by the `Date` of its management listener: HTTP gives it to anybody (RFC 9110 section 6.6.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

from gateway.broker.management import trusting
from lianzhi.errors import ConfigurationError

HALF_A_SECOND = timedelta(milliseconds=500)
"""What the header leaves out, in the middle."""


async def broker_time(url: str, *, timeout: float = 3.0, ca_file: Path | None = None) -> datetime | None:
    """Aware UTC, within half a second and the way there; None when it does not answer, says no time, or cannot be
    believed. ca_file: who issued an https server's certificate, in PEM."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
            session.get(url, allow_redirects=False, ssl=trusting(ca_file)) as answer,
        ):
            date = parsedate_to_datetime(answer.headers["Date"])
    except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError, ConfigurationError):
        return None
    return date.astimezone(UTC) + HALF_A_SECOND
