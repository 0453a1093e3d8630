"""Police · a person who is looked out for was met (docs/domain.md 2.3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import ValidationInfo, model_validator

from lianzhi.protocol.base import Model, Vocabulary, accepted_before, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyMoment, PastMoment, day_of
from lianzhi.protocol.values import Line, Name
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import alert
from schemas.law.lookouts import HOLD, longest
from schemas.linkages import PAGED, PEOPLE_AND_VEHICLES, Linkage
from schemas.values.identifiers import DivisionCode, Phone
from schemas.values.objects import MeasureNo

Activity = Vocabulary[
    Annotated[Literal["hotel"], "旅馆住宿"]
    | Annotated[Literal["border"], "出入境"]
    | Annotated[Literal["transport"], "乘机乘车"]
    | Annotated[Literal["checkpoint"], "盘查卡口"]
    | Annotated[Literal["service"], "窗口办事"]
    | Annotated[Literal["other"], "其他"]
]


class PersonHitAlert(Model):
    """ref: that of the person in the control that was hit. What is registered there may be somebody else's."""

    ref: Annotated[Ref, label("对象编号", "The person, as in the control")]
    hit_no: Annotated[MeasureNo, label("预警编号", "Number of the hit")]
    control_no: Annotated[MeasureNo, label("临控编号", "Number of the control")]
    hit_at: Annotated[PastMoment, label("命中时间", "When")]
    division_code: Annotated[DivisionCode | None, label("活动地区划", "Division where it happened")] = None
    place: Annotated[Line, label("活动地详址", "Where it happened")]
    unit: Annotated[Line, label("处置单位", "Unit that met or holds the person")]
    officer: Annotated[Name | None, label("处置民警", "Officer")] = None
    officer_phone: Annotated[Phone, label("民警电话", "The officer's telephone")]
    activity: Annotated[Activity | None, label("活动类别", "What gave the person away")] = None
    seen_name: Annotated[Name | None, label("登记姓名", "Name as registered there, against namesakes")] = None
    seen_id_no: Annotated[Line | None, label("登记证件号码", "ID number as registered there")] = None
    held: Annotated[bool, label("是否已控制", "The person is held")]
    hold_until: Annotated[AnyMoment | None, label("留置截止", "Until when the person can be held")] = None

    @model_validator(mode="after")
    def _hold(self, info: ValidationInfo) -> PersonHitAlert:
        if self.hold_until is None:
            return self
        if not self.held:
            raise broken("hold-not-needed", at="/hold_until")
        if datetime.fromisoformat(self.hold_until) <= datetime.fromisoformat(self.hit_at):
            raise broken("hold-before-hit", at="/hold_until")
        hit_at = datetime.fromisoformat(self.hit_at)
        hours = longest(HOLD, day_of(hit_at))
        lasts = datetime.fromisoformat(self.hold_until) - hit_at
        if lasts > timedelta(hours=hours) and not accepted_before(info):
            raise broken("hold-too-long", at="/hold_until", hours=hours)
        return self


def _control_no(payload: PersonHitAlert) -> str:
    return payload.control_no


def _hold_until(payload: PersonHitAlert) -> str | None:
    return payload.hold_until


PERSON_HIT = alert(
    name="police.person-hit.alert",
    zh="命中预警",
    en="A person looked out for was met",
    help_zh="公安机关发现临控对象时向法院发出。法院须立即确认并派人，接收前先核验身份；已控制的须在留置截止前接走。"
    "不是本案人员的，按误报处理，由公安机关立即放行。",
    help_en="The police met or hold somebody that the court looks for. The court acknowledges at once, sends a team, "
    "checks the identity before it takes over, and comes before the hold ends. Somebody else is a false hit: let go.",
    linkages=(Linkage(group=PEOPLE_AND_VEHICLES, row=4, zh="命中（人）", en="A person is found", note=PAGED),),
    senders=frozenset({Kind.POLICE}),
    receivers=frozenset({Kind.COURT}),
    request=PersonHitAlert,
    request_class=Classification.SENSITIVE,
    case_required=False,  # the control that it names knows its case
    alert_control_no=_control_no,
    hold_until=_hold_until,
    checks=("id_ok",),
    deadline=Deadline(DeadlineKind.CLOCK_HOURS, 24),
    example_request={
        "ref": "k7m2q9xa",
        "hit_no": "RY6101990000001",
        "control_no": "LK6101990000001",
        "hit_at": "2026-04-02T22:58:41+08:00",
        "division_code": "610199",
        "place": "演示区东街旅馆（演示）",
        "unit": "云川县公安局东街派出所（演示）",
        "officer": "赵演示",
        "officer_phone": "13800138002",
        "activity": "hotel",
        "seen_name": "王演示",
        "seen_id_no": "610199199003071237",
        "held": True,
        "hold_until": "2026-04-03T22:58:41+08:00",
    },
)
