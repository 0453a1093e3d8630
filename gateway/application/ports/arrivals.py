"""What arrives and is not applied at once: it waits for its number or its time, or was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

from gateway.core.records import EarlyMessage, Held, PartnerClock, QuarantineRow

NOTICE_WINDOW = timedelta(minutes=1)
"""`notices_per_minute` counts those of so long."""

NoticeRoom = Literal["free", "told", "full"]
"""Whether a notice may go; told: one about the same went before; full: too many went within `NOTICE_WINDOW`."""


class ArrivalReads(Protocol):
    """Outside of a unit of work."""

    async def early_due(self, until: datetime, limit: int) -> list[EarlyMessage]:
        """Messages whose own time lies no later, in the order in which they arrived."""
        ...

    async def partner_clocks(self) -> list[PartnerClock]: ...

    async def quarantine(self, *, owner: str | None = None, limit: int = 100) -> list[QuarantineRow]: ...

    async def quarantine_row(self, row_id: int) -> QuarantineRow | None: ...


class ArrivalUnit(Protocol):
    """Inside a unit of work."""

    async def held_at(self, request_no: str, sender: str, seqno: int) -> Held | None:
        """The early message of that sender with exactly this number."""
        ...

    async def held_after(self, request_no: str, sender: str, seqno: int) -> list[Held]:
        """Early messages of that sender behind this number, by number, without their bytes."""
        ...

    async def held_count(self, request_no: str, sender: str) -> int: ...

    async def held_totals(self, sender: str) -> tuple[int, int]:
        """(how many early messages, how many bytes) of that sender in all requests."""
        ...

    async def is_early(self, owner: str, body_sha256: str) -> bool:
        """Whether these bytes wait for their time."""
        ...

    async def early_count(self, owner: str, request_no: str) -> int:
        """How many messages that name this request wait for their time."""
        ...

    async def early_totals(self, owner: str) -> tuple[int, int]:
        """(how many messages, how many bytes) of that owner wait for their time."""
        ...

    async def take_early(self, ids: Sequence[int]) -> set[int]:
        """They wait no more. Those that this unit may go on with; the others are another's."""
        ...

    async def quarantined(self, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of (owner, body_sha256) that are in quarantine already."""
        ...

    async def quarantined_since(self, owner: str, since: datetime, now: datetime, limit: int) -> int:
        """How many rows of that owner are younger; counted up to `limit`."""
        ...

    async def notice_version(self, participant: str) -> int | None:
        """Which version of notices that partner has said that it reads."""
        ...

    async def admit_notice(self, owner: str, body_sha256: str, now: datetime, per_minute: int) -> NoticeRoom:
        """Record that a notice about these bytes goes to `owner`, unless one went before or too many did."""
        ...
