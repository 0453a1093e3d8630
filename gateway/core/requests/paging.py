"""Whom an alert pages, and when: A, then B, the duty desk, the bureau chief, until it is answered (domain.md 3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from gateway.core.requests.facts import Pair
from gateway.core.routing import Staff
from gateway.core.settings import Settings

PAGE = "page:"
HOLD = "hold"
LEVELS = ("A", "B", "desk", "chief")
CHIEF_ROLE = "bureau-chief"
UNANSWERED = frozenset({"approved", "blocked", "raised", "undeliverable", "delivered"})


def waits(settings: Settings) -> dict[str, timedelta]:
    """level → how long after the alert was raised it is paged, in their order."""
    return {
        "A": timedelta(0),
        "B": settings.page_backup_after,
        "desk": settings.page_desk_after,
        "chief": settings.page_chief_after,
    }


def next_level(level: str) -> str | None:
    """Who comes after `level`; None after the chief."""
    index = LEVELS.index(level) + 1
    return LEVELS[index] if index < len(LEVELS) else None


def persons(level: str, pair: Pair, desk: Iterable[str], staff: Mapping[str, Staff], day: date) -> list[str]:
    """Staff numbers of those that `level` pages, each registered and valid on `day`.

    pair: of the control that was hit. desk: who is on duty now.
    """
    if level == "chief":
        wanted: Iterable[str] = sorted(no for no, person in staff.items() if CHIEF_ROLE in person.roles)
    elif level == "desk":
        wanted = dict.fromkeys(desk)
    else:
        number = pair.get("A") if level == "A" else pair.get("B")
        wanted = [] if number is None else [number]
    return [no for no in wanted if no in staff and staff[no].valid_on(day)]


def reaches(channel: str, person: Staff) -> bool:
    """Whether this person has an address there. The court's SMS and voice platform knows telephones by number of
    staff; mail needs an address in the participant's file."""
    return channel != "mail" or person.mail is not None


def empty_until(shifts: Iterable[tuple[datetime, datetime]], now: datetime, until: datetime) -> datetime | None:
    """The first moment between `now` and `until` at which nobody is on duty; None when somebody always is."""
    reached = now
    for begins, ends in sorted(shifts):
        if begins > reached:
            break
        reached = max(reached, ends)
    return reached if reached < until else None
