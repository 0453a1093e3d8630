"""Departments · what their registers say about somebody's property (docs/domain.md 2.8)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastMoment
from lianzhi.protocol.values import Line
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import COURT_AND_OTHERS, Linkage
from schemas.matters.dept.records import (
    FundRecord,
    InsuranceRecord,
    MachineRecord,
    MarketRecord,
    MarriageRecord,
    RealtyRecord,
    ShipRecord,
    TaxRecord,
)
from schemas.parts.items import Found, distinct
from schemas.values.departments import DEPARTMENTS, DEPT_LABELS, Dept, Field, check_fields
from schemas.values.objects import Person

REGISTERS = ("realty", "companies", "insurances", "funds", "taxpayers", "marriages", "machines", "ships")
"""The members of an answer that hold records: one for each department, in the order of `DEPARTMENTS`."""


class PropertyQuery(Model):
    """One department, one subject, and only the fields that the case needs."""

    dept: Annotated[Dept, label("查询部门", "Which department", DEPT_LABELS)]
    subject: Annotated[Person, label("被查询人", "About whom")]
    fields: Annotated[
        list[Field],
        label("查询内容", "What to look up; each department has its own", min_length=1, max_length=6),
        AfterValidator(distinct),
    ]

    @model_validator(mode="after")
    def _of_this_department(self) -> PropertyQuery:
        if DEPARTMENTS[self.dept].human and self.subject.id_kind == "uscc":
            raise broken("natural-person", at="/subject/id_kind")
        check_fields(self.dept, list(self.fields))
        return self


class PropertyItem(Model):
    """found, none and denied are three different answers, and each is one. Only the register asked lists anything."""

    ref: Annotated[Ref, label("对象编号", "The subject")]
    status: Annotated[Found, label("查询结果", "What was found")]
    as_of: Annotated[PastMoment, label("数据时间", "State of the register")]
    denied_reason: Annotated[Line | None, label("不予提供原因", "Why it is denied")] = None
    realty: Annotated[list[RealtyRecord], label("不动产", "Real property", max_length=200)] = []
    companies: Annotated[list[MarketRecord], label("企业登记与投资", "Companies", max_length=200)] = []
    insurances: Annotated[list[InsuranceRecord], label("社会保险", "Social insurance", max_length=50)] = []
    funds: Annotated[list[FundRecord], label("住房公积金", "Housing fund", max_length=20)] = []
    taxpayers: Annotated[list[TaxRecord], label("税务登记", "Tax registration", max_length=50)] = []
    marriages: Annotated[list[MarriageRecord], label("婚姻登记", "Marriages", max_length=20)] = []
    machines: Annotated[list[MachineRecord], label("农业机械", "Agricultural machines", max_length=200)] = []
    ships: Annotated[list[ShipRecord], label("船舶", "Ships", max_length=200)] = []

    @model_validator(mode="after")
    def _consistent(self) -> PropertyItem:
        listed = [name for name in REGISTERS if getattr(self, name)]
        if self.status == "found" and not listed:
            raise broken("records-missing", at="/status")
        if self.status != "found" and listed:
            raise broken("records-not-needed", at=f"/{listed[0]}")
        if len(listed) > 1:
            raise broken("one-register", at=f"/{listed[1]}")
        if self.status == "denied" and self.denied_reason is None:
            raise broken("denied-reason-required", at="/denied_reason")
        return self


DEPT_QUERY = ask(
    name="dept.property.query",
    zh="部门财产查询",
    en="Look up property at a department",
    help_zh="向不动产、市场监管、社保、公积金、税务、民政、农机、船舶登记部门查询被执行人财产。选择部门，只勾选办案需要的内容，"
    "附协助查询通知书。查有、查无、不予提供都须答复，并写明数据时间。",
    help_en="What the register of a department says about a party: realty, companies, social security, housing "
    "fund, tax, marriages, machines, ships. Choose the department, tick only what the case needs, attach the "
    "notice of inquiry. Found, none and denied are all answers, with the time of the register.",
    linkages=(
        Linkage(
            group=COURT_AND_OTHERS,
            row=2,
            zh="法院+政府查询：不动产、市场监管、社保、公积金、税务、民政、农机、水运八部门",
            en="Government: eight departments asked",
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.DEPARTMENT}),
    request=PropertyQuery,
    result_item=PropertyItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    documents=lambda _: {"inquiry-notice": 1},
    dept=lambda payload: payload.dept,
    objection_pauses=True,  # NET 6, 10
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={
        "dept": "realty",
        "subject": {
            "ref": "k7m2q9xa",
            "name": "王演示",
            "id_kind": "resident-id",
            "id_no": "610199199003071237",
            "role": "被执行人",
        },
        "fields": ["rights", "seals"],
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-25T09:30:00+08:00",
        "items": [
            {
                "ref": "k7m2q9xa",
                "status": "found",
                "as_of": "2026-03-25T09:00:00+08:00",
                "realty": [
                    {
                        "unit_no": "610199001001GB00001F00010001",
                        "certificate_no": "陕（2021）云川县不动产权第0900001号",
                        "holder": "王演示",
                        "location": "云川县演示区东街1号（演示）",
                        "mortgagee": "演示银行云川支行",
                        "seals": [
                            {
                                "court": "富平县人民法院（演示）",
                                "kind": "seal",
                                "letter_no": "（2026）陕0591执900011号",
                                "start_on": "2026-01-05",
                                "end_on": "2029-01-04",
                            }
                        ],
                    }
                ],
            }
        ],
    },
)
