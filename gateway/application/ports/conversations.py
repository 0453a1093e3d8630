"""Requests and what is said in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.core.records import ApprovalRow, Changes, IdempotencyRow, Message, Request, Submission


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """What a dedup look-up answers. answer: the stored answer to publish again, if any. receiver: whom it is to."""

    digest: str
    disposition: str
    answer_id: str | None
    request_no: str | None
    receiver: str


class Requests(Protocol):
    """Read in a unit of work and outside of one; nothing is locked."""

    async def request(self, request_no: str) -> Request | None: ...

    async def submission_of(self, request_no: str) -> Submission | None:
        """What opened the request."""
        ...

    async def requests_of_case(self, opener: str, case_no: str) -> list[Request]:
        """Every request that `opener` opened in its case, by number: no page, for decisions."""
        ...

    async def approvals(self, numbers: Sequence[str]) -> list[ApprovalRow]:
        """Of these requests, in the order in which they were recorded."""
        ...


class RequestReads(Requests, Protocol):
    """Reads outside of a unit of work."""

    async def messages(self, request_no: str) -> list[Message]: ...

    async def message_page(self, request_no: str, after: tuple[datetime, str], limit: int) -> list[Message]:
        """Those that are not in quarantine, in the order of (stored_at, id), above that pair."""
        ...

    async def remembered(
        self, keys: Sequence[tuple[str, str]], signed: Sequence[tuple[str, str]]
    ) -> tuple[dict[tuple[str, str], IdempotencyRow], dict[tuple[str, str], Submission]]:
        """What was answered under these (client, key), and what was handed in as these (sender, id)."""
        ...

    async def requests_of_group(self, opener: str, group_no: str) -> list[Request]:
        """Every member of a group of `opener`'s, by number: no page, for decisions."""
        ...


class RequestUnit(Requests, Protocol):
    """Inside a unit of work: locked, then decided about."""

    async def lock_requests(self, numbers: Sequence[str]) -> dict[str, Request]:
        """The rows, locked for this unit in request_no order; absent ones are absent."""
        ...

    async def lock_group(self, group_no: str, opener: str) -> list[Request]:
        """The members of a group of `opener`'s, locked, in request_no order."""
        ...

    async def lock_case(self, case_no: str, court: str) -> list[Request]:
        """The requests that `court` opened in that case, locked, in request_no order."""
        ...

    async def lock_open_alerts(self, case_no: str, court: str) -> list[Request]:
        """Alerts to `court` about measures of its case that are not over, locked, in request_no order."""
        ...

    async def known(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], KnownMessage]:
        """(sender, id) → what we hold."""
        ...

    async def message(self, sender: str, message_id: str) -> Message | None: ...

    async def message_start(self, sender: str, message_id: str, size: int) -> bytes:
        """The first `size` bytes of a stored message as it came."""
        ...

    async def seqno_owner(self, request_no: str, sender: str, seqno: int) -> str | None:
        """The id of the message that used up this number."""
        ...

    async def sent_from(self, request_no: str, sender: str, seqno: int, limit: int) -> list[tuple[str, int]]:
        """(id, seqno) of what `sender`, whom we speak for, said in that request from that number on and whose content
        still exists; in order."""
        ...

    async def submissions(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Submission]: ...

    async def apply(self, changes: Changes) -> None:
        """Writes them, at the latest with the unit's commit. Raises ConflictError and MisuseError, then or there: the
        unit ends with it."""
        ...
