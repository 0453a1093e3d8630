"""Query parameters: one model for each call that has some; what it does not name is refused, not ignored."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.bounds import Bounds
from gateway.core.lifecycle import STATES as REQUEST_STATES
from gateway.core.measure_moves import OPEN_STATES, STATES
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.base import label
from lianzhi.protocol.envelope import Code, RequestNo
from schemas.bodies import MatterName
from schemas.validation import InvalidError, validate
from schemas.values.identifiers import CaseNo

PAGE_LIMIT = 200
FEED_LIMIT = 1000
LONGEST_WAIT = 60  # seconds; below the idle timeouts of common proxies

Cursor = Annotated[str, StringConstraints(min_length=1, max_length=160)]
After = Annotated[Cursor | None, label("游标", "Cursor of an earlier page")]
Limit = Annotated[int, label("条数上限", "At most so many", ge=1, le=PAGE_LIMIT)]
_REQUEST_STATE = f"^({'|'.join(sorted(frozenset.union(*REQUEST_STATES.values())))})$"
_STATE = f"({'|'.join(STATES)})"
States = Annotated[
    str,
    StringConstraints(pattern=f"^{_STATE}(,{_STATE}){{0,{len(STATES) - 1}}}$"),
    label("状态", "States, with commas between"),
]


class Query(BaseModel):
    """Not strict: every parameter comes as text."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoQuery(Query):
    """A call without parameters."""


class RequestsQuery(Query):
    case_no: Annotated[CaseNo | None, label("案号", "Case number")] = None
    type: Annotated[MatterName | None, label("事项", "Matter type")] = None
    state: Annotated[str | None, Field(pattern=_REQUEST_STATE, title="状态", description="State")] = None
    receiver: Annotated[Code | None, label("接收方", "Who is asked")] = None
    group_no: Annotated[RequestNo | None, label("组编号", "Group")] = None
    after: After = None
    limit: Limit = 50


class PartsQuery(Query):
    """Of one request: its messages, its timeline."""

    after: After = None
    limit: Limit = PAGE_LIMIT


class EventsQuery(Query):
    after: Annotated[Cursor | None, label("游标", "Absent: from the oldest event that is kept")] = None
    wait: Annotated[int, label("等待秒数", "Wait so long for something new", ge=0, le=LONGEST_WAIT)] = 0
    limit: Annotated[int, label("条数上限", "At most so many", ge=1, le=FEED_LIMIT)] = 200


class MeasuresQuery(Query):
    state: States = ",".join(OPEN_STATES)
    case_no: Annotated[CaseNo | None, label("案号", "Case number")] = None
    expiring_within: Annotated[
        str | None, Field(pattern=r"^[0-9]{1,4}d$", title="到期天数", description="Ends within so many days: 30d")
    ] = None
    after: After = None
    limit: Limit = 50


DayParameter = Annotated[str | None, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class LedgerQuery(Query):
    """`from` and `until` are reserved or plain words: the fields carry aliases."""

    first: Annotated[DayParameter, label("起始日期", "From this day, 2026-03-23", alias="from")] = None
    last: Annotated[DayParameter, label("截止日期", "Until this day, inside", alias="until")] = None
    after: After = None
    limit: Limit = 50


class ReportQuery(Query):
    """Absent: the last week that is over."""

    week: Annotated[
        str | None, Field(pattern=r"^[0-9]{4}-W[0-9]{2}$", title="周", description="ISO week, 2026-W13")
    ] = None
    month: Annotated[str | None, Field(pattern=r"^[0-9]{4}-[0-9]{2}$", title="月", description="2026-03")] = None


class CaseQuery(Query):
    case_no: Annotated[CaseNo, label("案号", "Case number")]


def at_most(limit: int, bounds: Bounds) -> int:
    """Items of one page: as asked for, and never more than `page_items`. A page may hold fewer than was asked for."""
    return min(limit, bounds.page_items)


Q = TypeVar("Q", bound=Query)


def parse(model: type[Q], given: MultiMapping[str]) -> Q:
    """Raises RejectedError invalid-field; the pointer is the parameter's name."""
    once: dict[str, Any] = {}
    for name, value in given.items():
        if name in once:
            raise _twice(name)
        once[name] = value
    try:
        return validate(model, once)
    except InvalidError as error:
        raise RejectedError("invalid-field", error.errors) from error


def _twice(name: str) -> RejectedError:
    detail = FieldError(
        pointer=f"/{name[:80]}",
        rule="duplicate-parameter",
        detail="同一查询参数出现了两次",
        detail_en="The query parameter stands twice",
    )
    return RejectedError("invalid-field", [detail])
