"""Requests and what is said in them: messages, what court systems handed in, approvals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, bindparam, func, literal_column, select

from gateway.application.ports.conversations import KnownMessage
from gateway.core.records import ApprovalRow, IdempotencyRow, Message, Request, Submission
from gateway.core.requests.lifecycle import ALERT_OPEN
from gateway.store.engine.columns import Instant, among
from gateway.store.engine.connection import Asking, Unit
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query
from gateway.store.tables import APPROVAL, IDEMPOTENCY, MESSAGE, REQUEST, SUBMISSION

_r, _m, _s, _i, _a = REQUEST.c, MESSAGE.c, SUBMISSION.c, IDEMPOTENCY.c, APPROVAL.c
_requests, _messages, _submissions = select(*REQUEST.columns), select(*MESSAGE.columns), select(*SUBMISSION.columns)
_limit = bindparam("limit", type_=Integer())
_this_message = (_m.id == bindparam("message"), _m.sender == bindparam("by"))

REQUEST_BY_NUMBER = Query(_requests.where(_r.request_no == bindparam("number")))


def of_opener(opener: BindParameter[str]) -> tuple[ColumnElement[bool], ...]:
    """Every row of one opener, whose code begins the number, and no limit: what a decision of law is made on."""
    return _r.asker == opener, _r.request_no > bindparam("first"), _r.request_no < bindparam("end")


def range_of(opener: str | None) -> dict[str, object]:
    """The numbers that an opener gives, as parameters of a query."""
    return {"first": f"{opener}-", "end": f"{opener}."}


_opened = _requests.where(*of_opener(bindparam("opener"))).order_by(_r.request_no)
OPENED_IN_CASE = Query(_opened.where(_r.case_no == bindparam("case")))
OPENED_IN_GROUP = Query(_opened.where(_r.group_no == bindparam("group")))
# What opened the request; the members of a group share one.
SUBMISSION_OF = Query(
    _submissions.join(REQUEST.table, (_s.id == _r.submission_id) & (_s.sender == _r.asker)).where(
        _r.request_no == bindparam("number")
    )
)
SUBMISSIONS = Query(_submissions.where(among(_s.id, "ids")))
IDEMPOTENCY_ROWS = Query(select(*IDEMPOTENCY.columns).where(among(_i.key, "keys")))
APPROVALS_OF = Query(
    select(*APPROVAL.columns).where(among(_a.request_no, "numbers")).order_by(_a.recorded_at, _a.approver)
)
MESSAGES_OF = Query(_messages.where(_m.request_no == bindparam("number")).order_by(_m.stored_at, _m.id))
_at = bindparam("at", type_=Instant())
MESSAGE_PAGE = Query(
    _messages.where(
        _m.request_no == bindparam("number"),
        _m.disposition != "quarantined",
        (_m.stored_at > _at) | ((_m.stored_at == _at) & (_m.id > bindparam("last"))),
    )
    .order_by(_m.stored_at, _m.id)
    .limit(_limit)
)

_in_turn = _requests.order_by(_r.request_no).with_for_update()
LOCK_REQUESTS = Query(_in_turn.where(among(_r.request_no, "numbers")))
GROUP = Query(_in_turn.where(_r.group_no == bindparam("number"), _r.asker == bindparam("opener")))
CASE_REQUESTS = Query(_in_turn.where(_r.case_no == bindparam("case"), _r.asker == bindparam("court")))
OPEN_ALERTS = Query(
    _in_turn.where(
        _r.asked_case_no == bindparam("case"),
        _r.asked == bindparam("court"),
        _r.shape == literal_column("'alert'"),
        among(_r.state, "states"),
    )
)
KNOWN_MESSAGES = Query(
    select(_m.sender, _m.id, _m.digest, _m.disposition, _m.answer_id, _m.request_no, _m.receiver).where(
        among(_m.id, "ids")
    )
)
MESSAGE_BY_ID = Query(_messages.where(*_this_message))
_size = bindparam("size", type_=Integer())
MESSAGE_START = Query(select(func.substr(_m.jws, 1, _size), func.substr(_m.disclosure, 1, _size)).where(*_this_message))
_said = (_m.request_no == bindparam("number"), _m.sender == bindparam("by"))
SEQNO_OWNER = Query(select(_m.id).where(*_said, _m.seqno == bindparam("seqno")))
SENT_FROM = Query(
    select(_m.id, _m.seqno)
    .where(*_said, _m.seqno >= bindparam("seqno"), _m.disclosure.is_not(None))
    .order_by(_m.seqno)
    .limit(_limit)
)

Keys = Sequence[tuple[str, str]]


class Requests(Asking):
    """`application.ports.conversations.Requests`."""

    async def request(self, request_no: str) -> Request | None:
        return await self._one(REQUEST, REQUEST_BY_NUMBER, number=request_no)

    async def submission_of(self, request_no: str) -> Submission | None:
        return await self._one(SUBMISSION, SUBMISSION_OF, number=request_no)

    async def requests_of_case(self, opener: str, case_no: str) -> list[Request]:
        return await self._all(REQUEST, OPENED_IN_CASE, opener=opener, case=case_no, **range_of(opener))

    async def approvals(self, numbers: Sequence[str]) -> list[ApprovalRow]:
        return await self._all(APPROVAL, APPROVALS_OF, numbers=numbers) if numbers else []


class RequestReads(Requests, Reads):
    """`application.ports.conversations.RequestReads`."""

    async def requests_of_group(self, opener: str, group_no: str) -> list[Request]:
        return await self._all(REQUEST, OPENED_IN_GROUP, opener=opener, group=group_no, **range_of(opener))

    async def messages(self, request_no: str) -> list[Message]:
        return await self._all(MESSAGE, MESSAGES_OF, number=request_no)

    async def message_page(self, request_no: str, after: tuple[datetime, str], limit: int) -> list[Message]:
        at, last = after
        return await self._all(MESSAGE, MESSAGE_PAGE, number=request_no, at=at, last=last, limit=limit)

    async def remembered(
        self, keys: Keys, signed: Keys
    ) -> tuple[dict[tuple[str, str], IdempotencyRow], dict[tuple[str, str], Submission]]:
        async with self.database.reader() as connection:  # one for both
            asked = RequestUnit(connection)
            return await asked.idempotency(keys), await asked.submissions(signed)


class RequestUnit(Requests, Unit):
    """`application.ports.conversations.RequestUnit`, without `apply`."""

    async def lock_requests(self, numbers: Sequence[str]) -> dict[str, Request]:
        rows = await self._all(REQUEST, LOCK_REQUESTS, numbers=list(set(numbers))) if numbers else ()
        return {request.request_no: request for request in rows}

    async def lock_group(self, group_no: str, opener: str) -> list[Request]:
        return await self._all(REQUEST, GROUP, number=group_no, opener=opener)

    async def lock_case(self, case_no: str, court: str) -> list[Request]:
        return await self._all(REQUEST, CASE_REQUESTS, case=case_no, court=court)

    async def lock_open_alerts(self, case_no: str, court: str) -> list[Request]:
        return await self._all(REQUEST, OPEN_ALERTS, case=case_no, court=court, states=ALERT_OPEN)

    async def known(self, keys: Keys) -> dict[tuple[str, str], KnownMessage]:
        rows = await self._rows(KNOWN_MESSAGES, ids=second(keys)) if keys else ()
        found = {(sender, message_id): KnownMessage(*rest) for sender, message_id, *rest in rows}
        return {key: found[key] for key in keys if key in found}

    async def submissions(self, keys: Keys) -> dict[tuple[str, str], Submission]:
        rows = await self._all(SUBMISSION, SUBMISSIONS, ids=second(keys)) if keys else ()
        found = {(row.sender, row.id): row for row in rows}
        return {key: found[key] for key in keys if key in found}

    async def idempotency(self, keys: Keys) -> dict[tuple[str, str], IdempotencyRow]:
        """(client, key) → what was answered under that; of `RequestReads.remembered`."""
        rows = await self._all(IDEMPOTENCY, IDEMPOTENCY_ROWS, keys=second(keys)) if keys else ()
        found = {(row.client, row.key): row for row in rows}
        return {key: found[key] for key in keys if key in found}

    async def message(self, sender: str, message_id: str) -> Message | None:
        return await self._one(MESSAGE, MESSAGE_BY_ID, message=message_id, by=sender)

    async def message_start(self, sender: str, message_id: str, size: int) -> bytes:
        rows = await self._rows(MESSAGE_START, message=message_id, by=sender, size=size)
        return next((f"{jws}~{disclosure or ''}~".encode()[:size] for jws, disclosure in rows), b"")

    async def seqno_owner(self, request_no: str, sender: str, seqno: int) -> str | None:
        owner: str | None = await self._scalar(SEQNO_OWNER, number=request_no, by=sender, seqno=seqno)
        return owner

    async def sent_from(self, request_no: str, sender: str, seqno: int, limit: int) -> list[tuple[str, int]]:
        rows: Any = await self._rows(SENT_FROM, number=request_no, by=sender, seqno=seqno, limit=limit)
        return [(message_id, number) for message_id, number in rows]


def second(keys: Keys) -> list[str]:
    """The ids of (owner, id): one look-up by ids alone, owners compared in memory."""
    return list({identifier for _, identifier in keys})
