"""Value objects that requests and answers are made of (docs/domain.md section 2.1). Everything is plain JSON."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, StringConstraints, ValidationInfo, field_validator

from schemas.base import Model, label
from schemas.envelope import Code, Ref
from schemas.identifiers import (
    RESIDENCE_PERMITS,
    CaseNo,
    CreditCode,
    DivisionCode,
    Plate,
    Vin,
    credit_code,
    permanent_residence,
    resident_id,
    today_of,
)
from schemas.normal import upper
from schemas.plates import PLATE_KINDS, fits_kind
from schemas.rules import broken

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_MONEY = re.compile(r"(?:0|[1-9][0-9]{0,11})\.[0-9]{2}")


def _moment(text: str) -> str:
    try:
        if _MOMENT.fullmatch(text) and datetime.fromisoformat(text).tzinfo:
            return text
    except ValueError:
        pass  # shaped like one, but no real time: refused below
    raise broken("moment-form")


def _day(text: str) -> str:
    try:
        if _DAY.fullmatch(text) and date.fromisoformat(text):
            return text
    except ValueError:
        pass  # shaped like one, but no real day: refused below
    raise broken("day-form")


def _month(text: str) -> str:
    if not _MONTH.fullmatch(text):
        raise broken("month-form")
    return text


def _money(text: str) -> str:
    if not _MONEY.fullmatch(text):
        raise broken("money-form")
    return text


def _line(text: str) -> str:
    value = text.strip()
    if not value or not value.isprintable():
        raise broken("text-form")
    return value


def _prose(text: str) -> str:
    value = text.strip()
    if not value or not all(c.isprintable() or c in "\n\t" for c in value):
        raise broken("text-form")
    return value


Moment = Annotated[str, StringConstraints(max_length=40), AfterValidator(_moment)]
"""RFC 3339 with seconds and an offset: `2026-03-24T09:41:00+08:00`."""
Day = Annotated[str, StringConstraints(max_length=10), AfterValidator(_day)]
"""A real calendar day, Asia/Shanghai: `2026-03-24`."""
Month = Annotated[str, StringConstraints(max_length=7), AfterValidator(_month)]
Money = Annotated[str, StringConstraints(max_length=15), AfterValidator(_money)]
"""CNY, decimal(14,2), not negative, always two decimals: `1234.50`."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
"""A code word of ours."""
Line = Annotated[str, StringConstraints(max_length=120), AfterValidator(_line)]
"""One line of text: a name, a place."""
Prose = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_prose)]
Need = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=500), AfterValidator(_prose)]
"""Why a query is needed: a sentence, not a word."""
MeasureNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9（）()\u4e00-\u9fff_./-]{1,60}$")]
"""The number of a control measure: ours, or the registry's where the measure came from elsewhere."""

MediaType = Literal["application/pdf", "application/ofd", "image/jpeg", "image/png"]
IdKind = Literal[
    "resident-id",
    "residence-permit",
    "hm-travel-permit",
    "taiwan-travel-permit",
    "permanent-residence",
    "passport",
    "officer-id",
    "uscc",
    "other",
]
PersonRole = Literal["被执行人", "法定代表人", "负责人", "实际控制人", "协助义务人", "担保人"]
Sex = Literal["male", "female", "unknown", "unstated"]
SEX_LABELS = {"male": "男", "female": "女", "unknown": "未知", "unstated": "未说明"}
ID_LABELS = {
    "resident-id": "居民身份证",
    "residence-permit": "港澳台居民居住证",
    "hm-travel-permit": "港澳居民来往内地通行证",
    "taiwan-travel-permit": "台湾居民来往大陆通行证",
    "permanent-residence": "外国人永久居留身份证",
    "passport": "护照",
    "officer-id": "军官证",
    "uscc": "统一社会信用代码",
    "other": "其他证件",
}
PLATE_LABELS = {code: zh for code, (zh, _) in PLATE_KINDS.items()}
MEDIA_LABELS = {"application/pdf": "PDF", "application/ofd": "OFD", "image/jpeg": "JPEG", "image/png": "PNG"}
PlateKind = Literal["01", "02", "03", "04", "15", "16", "23", "26", "27", "51", "52"]

_ID_FORMS = {
    "hm-travel-permit": re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?"),
    "taiwan-travel-permit": re.compile(r"[0-9]{8}(?:[0-9]{2})?"),
    "passport": re.compile(r"[A-Z0-9]{5,17}"),
    "officer-id": re.compile(r"[0-9A-Z\u4e00-\u9fff]{4,30}"),
    "other": re.compile(r"[0-9A-Z\u4e00-\u9fff（）()/-]{1,40}"),
}
_WITH_BIRTH = ("resident-id", "residence-permit")


def identity_number(kind: str, text: str, *, today: date | None = None) -> str:
    """The number of an ID of this kind, normalised. Raises the rule that it breaks (`schemas.identifiers`)."""
    if kind == "uscc":
        return credit_code(text)
    if kind == "permanent-residence":
        return permanent_residence(text, today=today)
    if kind in _WITH_BIRTH:
        value = resident_id(text, today=today)
        if (value[:6] in RESIDENCE_PERMITS) != (kind == "residence-permit"):
            raise broken("id-kind-mismatch")
        return value
    value = upper(text)
    if not _ID_FORMS[kind].fullmatch(value):
        raise broken("id-form")
    return value


class Document(Model):
    """A paper by its digest. It carries its own 电子签章, which is kept and not judged."""

    kind: Annotated[Slug, label("文书种类", "Kind of document")]
    number: Annotated[Line | None, label("文号", "Number of the document")] = None
    issued_on: Annotated[Day, label("出具日期", "Issued on")]
    sha256: Annotated[Sha256, label("摘要", "SHA-256 of its bytes, hexadecimal")]
    pages: Annotated[int, label("页数", "Pages", ge=1, le=10_000)]
    media_type: Annotated[MediaType, label("格式", "Media type", MEDIA_LABELS)]
    sealed_by: Annotated[Code | None, label("签章单位", "Participant whose seal it carries")] = None


class Person(Model):
    """A person, or by its USCC an organisation, as party to the case. A name alone is never enough."""

    ref: Annotated[Ref, label("对象编号", "Reference of this person within the request")]
    name: Annotated[Line, label("姓名", "Name")]
    id_kind: Annotated[IdKind, label("证件种类", "Kind of ID", ID_LABELS)]
    id_no: Annotated[str, label("证件号码", "ID number", max_length=64)]
    sex: Annotated[Sex | None, label("性别", "Sex", SEX_LABELS)] = None
    birth_date: Annotated[Day | None, label("出生日期", "Date of birth")] = None
    role: Annotated[PersonRole, label("身份", "Role in the case")]
    obligor_evidence: Annotated[Document | None, label("义务人证据", "Document that proves the role")] = None

    @field_validator("id_no")
    @classmethod
    def _number(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("id_kind")
        return identity_number(kind, value, today=today_of(info)) if kind else value

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


def _has_birth(data: dict[str, Any]) -> bool:
    """Whether the number tells the date of birth and the sex (GB 11643, places 7–14 and 17)."""
    return data.get("id_kind") in _WITH_BIRTH and "id_no" in data


class Vehicle(Model):
    """A vehicle by plate, kind of plate and VIN."""

    ref: Annotated[Ref, label("对象编号", "Reference of this vehicle within the request")]
    plate: Annotated[Plate, label("号牌号码", "Licence plate")]
    plate_kind: Annotated[PlateKind, label("号牌种类", "Kind of plate, GA/T 16.7", PLATE_LABELS)]
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
    name: Annotated[Line, label("名称", "Name")]
    uscc: Annotated[CreditCode, label("统一社会信用代码", "Unified social credit code")]
    legal_representative: Annotated[Line | None, label("法定代表人", "Legal representative")] = None


class Address(Model):
    division_code: Annotated[DivisionCode, label("行政区划代码", "Division, GB/T 2260")]
    street: Annotated[Line | None, label("街道", "Street")] = None
    detail: Annotated[Line, label("详细地址", "House and room")]
    grid_code: Annotated[Slug | None, label("网格编号", "Grid")] = None


class Measure(Model):
    """A control measure that a request renews, ends, queues behind or rests on."""

    measure_no: Annotated[MeasureNo, label("措施编号", "Number of the measure")]
    original_request_no: Annotated[Line | None, label("原请求编号", "Request that opened it")] = None
    original_case_no: Annotated[CaseNo | None, label("原案号", "Case in which it was opened")] = None
    start_on: Annotated[Day, label("起始日期", "First day")]
    end_on: Annotated[Day, label("到期日期", "Last day")]
    rank: Annotated[int | None, label("顺位", "1 = 首封, n = 轮候", ge=1, le=999)] = None
    mode: Annotated[
        Literal["strict", "live"] | None,
        label("查封方式", "live: the owner keeps using it", {"strict": "死封", "live": "活封"}),
    ] = None

    @field_validator("end_on")
    @classmethod
    def _order(cls, value: str, info: ValidationInfo) -> str:
        if value < info.data.get("start_on", value):
            raise broken("end-before-start")
        return value
