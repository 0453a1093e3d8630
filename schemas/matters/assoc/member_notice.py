"""Trade associations (docs/domain.md 2.8): only what the public list of dishonest debtors already shows."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import upper
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line, Name
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import notice
from schemas.linkages import COURT_AND_OTHERS, Linkage
from schemas.values.identifiers import QuotedCaseNo, credit_code

_MASKED = re.compile(r"[0-9]{6,10}\*{4,8}[0-9]{3}[0-9X]")


def _public_number(text: str) -> str:
    value = upper(text)
    if _MASKED.fullmatch(value) and len(value) == 18:
        return value
    if value[:1] in ("1", "5", "9", "N", "Y", "A") and not value[:17].isdigit():
        return credit_code(value)
    raise broken("id-not-masked")


PublicNumber = Annotated[str, StringConstraints(max_length=40), AfterValidator(_public_number)]
"""As the public list prints it: a person's ID with its middle hidden, or an organisation's USCC in full."""

Performance = Vocabulary[
    Annotated[Literal["none"], "全部未履行"]
    | Annotated[Literal["partial"], "部分未履行"]
    | Annotated[Literal["full"], "已履行"]
]
Disruption = Vocabulary[
    Annotated[Literal["able-but-refuses"], "有履行能力而拒不履行生效法律文书确定义务"]
    | Annotated[Literal["obstructs"], "以伪造证据、暴力、威胁等方法妨碍、抗拒执行"]
    | Annotated[Literal["evades"], "以虚假诉讼、虚假仲裁或者以隐匿、转移财产等方法规避执行"]
    | Annotated[Literal["false-property-report"], "违反财产报告制度"]
    | Annotated[Literal["breaks-consumption-limit"], "违反限制消费令"]
    | Annotated[Literal["breaks-settlement"], "无正当理由拒不履行执行和解协议"]
]
ASSOCIATIONS = Linkage(
    group=COURT_AND_OTHERS,
    row=4,
    zh="法院+行业协会：会员通报、信用反馈",
    en="Associations: members told, credit reported",
)


class ListedDebtor(Model):
    ref: Annotated[Ref, label("对象编号", "Reference of this debtor within the notice")]
    name: Annotated[Name, label("姓名或名称", "Name")]
    card_no: Annotated[PublicNumber, label("证件号码（隐去部分）", "ID as the public list shows it")]
    business_entity: Annotated[Name | None, label("法定代表人或负责人", "Legal representative")] = None


class MemberNotice(Model):
    """One entry of the public list. Sums, ages and the wording of the obligation have no member."""

    debtor: Annotated[ListedDebtor, label("失信被执行人", "The debtor")]
    court_name: Annotated[Line, label("执行法院", "Court")]
    area_name: Annotated[Line, label("省份", "Province")]
    case_code: Annotated[QuotedCaseNo | None, label("案号", "Only where the public list shows it")] = None
    basis_no: Annotated[Line, label("执行依据文号", "Number of the judgment")]
    filed_on: Annotated[PastDay, label("立案日期", "Filed on")]
    published_on: Annotated[PastDay, label("发布日期", "Published on")]
    performance: Annotated[Performance, label("履行情况", "Performance")]
    disruption: Annotated[list[Disruption], label("失信行为", "What the debtor did", min_length=1, max_length=6)]


MEMBER_NOTICE = notice(
    name="assoc.member-notice.publish",
    zh="会员通报",
    en="Notice to members",
    help_zh="把失信名单上已公开的内容通报给行业协会会员。只能使用公开名单上的内容，身份证号须隐去中间部分；"
    "案号仅在公开名单显示时填写。",
    help_en="Tells an association's members what the public list already shows. The ID is masked as there; the case "
    "number only where the list prints it.",
    linkages=(ASSOCIATIONS,),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.ASSOCIATION}),
    request=MemberNotice,
    request_class=Classification.PUBLIC,
    fan_out=True,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),
    example_request={
        "debtor": {"ref": "q4w8n3zt", "name": "周样例", "card_no": "6101991985****1234"},
        "court_name": "云川县人民法院（演示）",
        "area_name": "陕西",
        "basis_no": "（2025）陕0199民初900007号",
        "filed_on": "2026-01-12",
        "published_on": "2026-03-02",
        "performance": "none",
        "disruption": ["able-but-refuses"],
    },
)
