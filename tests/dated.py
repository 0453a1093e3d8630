"""Examples have days of their own; a test has a clock of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from lianzhi.protocol.times import SHANGHAI
from schemas.catalogue import MatterType
from schemas.validation import InvalidError, parse_data
from tests.faults import changed

AHEAD = {"day-in-future": 10, "moment-in-future": 25}  # rule → characters of a day, of a moment
MONTH = timedelta(days=30)


def by_now(matter: MatterType, verb: str, data: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """`data` with everything in it that would have happened only after `now` having happened now."""
    at = now.astimezone(SHANGHAI).isoformat(timespec="seconds")
    told = dict(data)
    try:
        parse_data(matter, verb, told, said_at=now)
    except KeyError:
        return told  # no such verb: a test that says so on purpose
    except InvalidError as error:
        for one in error.errors:
            if one.rule in AHEAD:
                told = changed(told, one.pointer, at[: AHEAD[one.rule]])
    return told


def lasting(matter: MatterType, payload: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """`payload` of a request with the term that would be over at `now` beginning then, for a month."""
    given = dict(payload)
    first, last = (moment.astimezone(SHANGHAI).date().isoformat() for moment in (now, now + MONTH))
    try:
        parse_data(matter, "open", {"request": {}, "court": {"name": "x"}, "payload": given}, said_at=now)
    except InvalidError as error:
        if any(one.rule == "day-over" and one.pointer == "/payload/end_on" for one in error.errors):
            given |= {"start_on": first, "end_on": last}
    return given


def held(payload: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """`payload` of a hit whose example's hold is long over, and would let the alert lapse at once, as of today."""
    at = now.astimezone(SHANGHAI)
    until = at + timedelta(hours=23)
    return {**payload, "hit_at": at.isoformat(timespec="seconds"), "hold_until": until.isoformat(timespec="seconds")}
