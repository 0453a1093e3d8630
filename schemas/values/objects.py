"""Value objects that requests and answers are made of (docs/domain.md section 2.1). Everything is plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lianzhi.protocol.base import Model, Vocabulary, accepted_before, coded, label, today_of, unless_accepted
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import prose, upper
from lianzhi.protocol.times import AnyDay, PastDay, money
from lianzhi.protocol.values import Document, Line, Name, Slug
from schemas.values.countries import country_of_issue
from schemas.values.identifiers import CreditCode, DivisionCode, Plate, QuotedCaseNo, Vin, register_number
from schemas.values.identity import DETAILS, NEEDS, WITH_BIRTH, IdKind, identity_number
from schemas.values.plates import PLATE_LABELS, fits_kind, plate_kind

Money = Annotated[str, StringConstraints(max_length=15), AfterValidator(money)]
"""CNY, decimal(14,2), not negative, always two decimals: `1234.50`."""
Need = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=10, max_length=500), AfterValidator(unless_accepted(prose))
]
"""Why a query is needed: a sentence, not a word."""
RegisterNo = Annotated[str, StringConstraints(max_length=120), AfterValidator(unless_accepted(register_number))]
"""A number by which a register knows a thing or a person, where it tells one from all others."""
MeasureNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9（）()\u4e00-\u9fff_./-]{1,60}$")]
"""The number of a control measure: ours, or the registry's where the measure came from elsewhere."""

PersonRole = Literal[
    "被执行人",
    "法定代表人",
    "负责人",
    "实际控制人",
    "协助义务人",
    "担保人",
    "直接责任人员",
    "影响债务履行的直接责任人员",
    "法定代理人",
]
ROLE_PAPERS: Mapping[str, tuple[str, str]] = {
    "直接责任人员": ("任职证明或认定其直接责任的材料", "the paper that finds this person directly responsible"),
    "影响债务履行的直接责任人员": (
        "证明其直接责任影响债务履行的材料",
        "the paper that shows how this person's acts affect performance",
    ),
    "法定代理人": ("监护关系证明", "the proof of guardianship"),
}
"""Roles that no public register tells: each comes with the document that says so (执行程序解释 24, 限高规定 3)."""
Sex = Vocabulary[
    Annotated[Literal["male"], "男"]
    | Annotated[Literal["female"], "女"]
    | Annotated[Literal["unknown"], "未知"]
    | Annotated[Literal["unstated"], "未说明"]
]
PlateKind = Annotated[str, AfterValidator(plate_kind), coded(PLATE_LABELS)]

Country = Annotated[str, StringConstraints(max_length=8), AfterValidator(country_of_issue)]


class Person(Model):
    """A person, or by its USCC an organisation, as party to the case. A name alone is never enough."""

    ref: Annotated[Ref, label("对象编号", "Reference of this person within the request")]
    name: Annotated[Name, label("姓名", "Name")]
    id_kind: Annotated[IdKind, label("证件种类", "Kind of ID")]
    id_no: Annotated[str, label("证件号码", "ID number", max_length=64)]
    id_country: Annotated[Country | None, label("签发国家或地区", "Country of issue, ISO 3166-1; of a passport")] = None
    id_issuer: Annotated[Line | None, label("签发机关", "Who issued it; of an ID of no kind above")] = None
    id_name: Annotated[Line | None, label("证件名称", "What it is called; of an ID of no kind above")] = None
    sex: Annotated[Sex | None, label("性别", "Sex")] = None
    birth_date: Annotated[PastDay | None, label("出生日期", "Date of birth")] = None
    role: Annotated[PersonRole, label("身份", "Role in the case")]
    obligor_evidence: Annotated[Document | None, label("义务人证据", "Document that proves the role")] = None

    @field_validator("id_no")
    @classmethod
    def _number(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("id_kind")
        if kind is None:
            return value
        try:
            return identity_number(kind, value, today=today_of(info))
        except PydanticCustomError:
            if accepted_before(info):
                return upper(value)
            raise

    @field_validator(*DETAILS)
    @classmethod
    def _detail(cls, value: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("id_kind")
        if value is not None and kind is not None and info.field_name not in NEEDS.get(kind, ()):
            raise broken("id-detail-not-needed")
        return value

    @field_validator("sex")
    @classmethod
    def _sex(cls, value: str | None, info: ValidationInfo) -> str | None:
        told = value in ("male", "female") and _has_birth(info.data)
        if told and (int(info.data["id_no"][16]) % 2 == 1) != (value == "male"):
            raise broken("sex-mismatch")
        return value

    @field_validator("birth_date")
    @classmethod
    def _birth(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and _has_birth(info.data) and value.replace("-", "") != info.data["id_no"][6:14]:
            raise broken("birth-date-mismatch")
        return value

    @model_validator(mode="after")
    def _role_is_proved(self) -> Person:
        if self.role in ROLE_PAPERS and self.obligor_evidence is None:
            zh, en = ROLE_PAPERS[self.role]
            raise broken("role-paper-required", at="/obligor_evidence", role=self.role, paper=zh, paper_en=en)
        return self


def _has_birth(data: dict[str, Any]) -> bool:
    """Whether the number tells the date of birth and the sex."""
    return data.get("id_kind") in WITH_BIRTH and "id_no" in data


class Vehicle(Model):
    """A vehicle by plate, kind of plate and VIN."""

    ref: Annotated[Ref, label("对象编号", "Reference of this vehicle within the request")]
    plate: Annotated[Plate, label("号牌号码", "Licence plate")]
    plate_kind: Annotated[PlateKind, label("号牌种类", "Kind of plate, GA/T 16.7")]
    vin: Annotated[Vin, label("车架号", "Vehicle identification number")]
    engine_no: Annotated[Line | None, label("发动机号", "Engine number")] = None
    brand: Annotated[Line | None, label("品牌型号", "Brand and model")] = None
    color: Annotated[Line | None, label("车身颜色", "Colour")] = None
    owner: Annotated[Person, label("登记所有人", "Registered owner")]

    @field_validator("plate_kind")
    @classmethod
    def _kind(cls, value: str, info: ValidationInfo) -> str:
        plate = info.data.get("plate")
        if plate and not fits_kind(plate, value):
            raise broken("plate-kind-mismatch")
        return value


class Org(Model):
    """An organisation that is not itself a party."""

    ref: Annotated[Ref, label("对象编号", "Reference of this organisation within the request")]
    name: Annotated[Name, label("名称", "Name")]
    uscc: Annotated[CreditCode, label("统一社会信用代码", "Unified social credit code")]
    legal_representative: Annotated[Name | None, label("法定代表人", "Legal representative")] = None


class Address(Model):
    division_code: Annotated[DivisionCode, label("行政区划代码", "Division, GB/T 2260")]
    street: Annotated[Line | None, label("街道", "Street")] = None
    detail: Annotated[Line, label("详细地址", "House and room")]
    grid_code: Annotated[Slug | None, label("网格编号", "Grid")] = None


class Measure(Model):
    """A control measure that a request renews, ends, queues behind or rests on."""

    measure_no: Annotated[MeasureNo, label("措施编号", "Number of the measure")]
    original_request_no: Annotated[Line | None, label("原请求编号", "Request that opened it")] = None
    original_case_no: Annotated[QuotedCaseNo | None, label("原案号", "Case in which it was opened")] = None
    start_on: Annotated[AnyDay, label("起始日期", "First day")]
    end_on: Annotated[AnyDay, label("到期日期", "Last day")]
    rank: Annotated[int | None, label("顺位", "1 = 首封, n = 轮候", ge=1, le=999)] = None
    mode: Annotated[
        Vocabulary[Annotated[Literal["strict"], "死封"] | Annotated[Literal["live"], "活封"]] | None,
        label("查封方式", "live: the owner keeps using it"),
    ] = None

    @field_validator("end_on")
    @classmethod
    def _order(cls, value: str, info: ValidationInfo) -> str:
        if value < info.data.get("start_on", value):
            raise broken("end-before-start")
        return value
