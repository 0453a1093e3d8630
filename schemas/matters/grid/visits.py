"""Values that the grid types share: whom a grid worker is asked about, and who visited when (docs/domain.md 2.7).

As little data as possible: never the debt, the case or the judgment. They may assist and witness; they do not control,
enter or search.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, StringConstraints

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import upper
from lianzhi.protocol.times import PastMoment
from lianzhi.protocol.values import Line, Name
from schemas.catalogue import Deadline, DeadlineKind
from schemas.linkages import COURT_AND_OTHERS, Linkage

_TAIL = re.compile(r"[0-9]{3}[0-9X]")


def _tail(text: str) -> str:
    value = upper(text)
    if not _TAIL.fullmatch(value):
        raise broken("id-tail-form")
    return value


IdTail = Annotated[str, StringConstraints(max_length=8), AfterValidator(_tail)]
YesNo = Vocabulary[
    Annotated[Literal["yes"], "是"] | Annotated[Literal["no"], "否"] | Annotated[Literal["unknown"], "不详"]
]
IN_THREE_DAYS = Deadline(DeadlineKind.WORKING_DAYS, 3)  # [D] docs/domain.md 2.7
GRID_HELP = Linkage(
    group=COURT_AND_OTHERS,
    row=1,
    zh="法院+网格：核实、走访、协助送达、现场见证",
    en="Grid: verify, visit, help to serve, witness",
)
BEFORE_ENFORCEMENT = Linkage(
    group=COURT_AND_OTHERS,
    row=6,
    zh="执前督促、执前和解、执前答疑",
    en="Before enforcement",
    members=("stage",),
    note=("用审判案号，只限非强制事项", "with the trial's case number; nothing coercive"),
)


class Resident(Model):
    """Name and the last four characters of the ID: enough to tell namesakes apart at one address."""

    ref: Annotated[Ref, label("对象编号", "Reference of this person within the request")]
    name: Annotated[Name, label("姓名或字号", "Name of the person or the shop")]
    id_tail4: Annotated[IdTail, label("证件后四位", "Last four characters of the ID")]


class Visited(Model):
    """Who of the grid was there, and when."""

    ref: Annotated[Ref, label("对象编号", "The person, or the act")]
    worker_no: Annotated[Line, label("网格员编号", "Number of the grid worker")]
    worker_name: Annotated[Name, label("网格员", "Grid worker")]
    visited_at: Annotated[PastMoment, label("走访时间", "When visited")]
    remark: Annotated[Line | None, label("备注", "Remark, without names or numbers")] = None


RESIDENT_EXAMPLE: Mapping[str, Any] = {"ref": "m3x8d2va", "name": "李示例", "id_tail4": "462X"}
ADDRESS_EXAMPLE: Mapping[str, Any] = {"division_code": "610199", "street": "东街", "detail": "1号"}
VISITED_EXAMPLE: Mapping[str, Any] = {
    "ref": "m3x8d2va",
    "worker_no": "yc-0003",
    "worker_name": "孙示例",
    "visited_at": "2026-03-26T10:05:00+08:00",
}
