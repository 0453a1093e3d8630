"""What a commissioned matter is about: one model for each kind of object, told apart by `kind`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label, unless_accepted
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import ComingMoment, PastDay
from lianzhi.protocol.values import Line, Name, Prose
from schemas.values.identifiers import is_real
from schemas.values.objects import Address, Money, Org, Person, RegisterNo
from schemas.values.people import Decision, NaturalPerson, belonging, check_detention_days


def _account(text: str) -> str:
    if not is_real(text):
        raise broken("register-number-form")
    return text


AccountNo = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z-]{6,40}$"), AfterValidator(unless_accepted(_account))
]


class CaseObject(Model):
    ref: Annotated[Ref, label("对象编号", "Reference of this object within the request")]
    kind: str
    party: Annotated[Person, label("权利人或当事人", "Whose it is, or whom it concerns")]
    amount: Annotated[Money | None, label("金额", "Amount, CNY")] = None

    @property
    def words(self) -> str:
        """What tells this object from any other, to find its live measures again (hashed before it is stored)."""
        return belonging(self.kind, self.party)


class Deposit(CaseObject):
    kind: Annotated[Vocabulary[Annotated[Literal["deposit"], "存款"]], label("种类", "A bank deposit")]
    bank: Annotated[Name, label("开户行", "Bank")]
    account_no: Annotated[AccountNo, label("账号", "Account number")]

    @property
    def words(self) -> str:
        return f"account:{self.account_no}"


class Wealth(CaseObject):
    kind: Annotated[Vocabulary[Annotated[Literal["wealth"], "理财"]], label("种类", "A wealth product")]
    institution: Annotated[Line, label("机构", "Institution")]
    product: Annotated[Line, label("产品名称或代码", "Product")]
    account_no: Annotated[AccountNo, label("账号", "Account number")]

    @property
    def words(self) -> str:
        return f"wealth:{self.institution}:{self.account_no}:{self.product}"


class Equity(CaseObject):
    kind: Annotated[Vocabulary[Annotated[Literal["equity"], "股权"]], label("种类", "A share in a company")]
    company: Annotated[Org, label("所在公司", "Company")]
    share: Annotated[Line, label("份额", "The share, as the register states it")]

    @property
    def words(self) -> str:
        return belonging(f"equity:{self.company.uscc}", self.party)


class Realty(CaseObject):
    kind: Annotated[Vocabulary[Annotated[Literal["realty"], "不动产"]], label("种类", "Real property")]
    unit_no: Annotated[RegisterNo, label("不动产单元号", "Unit number in the register")]
    certificate_no: Annotated[Line | None, label("不动产权证号", "Certificate number")] = None
    location: Annotated[Line, label("坐落或所在", "Where it is")]

    @property
    def words(self) -> str:
        return f"realty:{self.unit_no}"


class Movable(CaseObject):
    kind: Annotated[Vocabulary[Annotated[Literal["movable"], "动产"]], label("种类", "A movable")]
    description: Annotated[Prose, label("说明", "What it is")]
    quantity: Annotated[int, label("数量", "How many", ge=1, le=1_000_000)] = 1
    location: Annotated[Line, label("坐落或所在", "Where it is")]

    @property
    def words(self) -> str:
        return belonging("movable", self.party, f":{self.description}:{self.location}")


class Subject(CaseObject):
    """Whose property is investigated: an exact list of questions, never "everything"."""

    kind: Annotated[
        Vocabulary[Annotated[Literal["subject"], "调查对象"]], label("种类", "Whose property is investigated")
    ]
    questions: Annotated[list[Prose], label("问题清单", "Exact questions", min_length=1, max_length=30)]


class Addressee(CaseObject):
    kind: Annotated[Vocabulary[Annotated[Literal["addressee"], "受送达人"]], label("种类", "Who is served")]
    address: Annotated[Address, label("地址", "Where")]
    paper: Annotated[Line, label("送达文书", "What is served")]


class Whereabouts(CaseObject):
    """Whom to hold, by which decision, and where exactly: the entrusted court does not search for anybody."""

    kind: Annotated[Vocabulary[Annotated[Literal["whereabouts"], "人员下落"]], label("种类", "Where the person is")]
    party: Annotated[NaturalPerson, label("被控制人", "Whom to hold")]
    decision: Annotated[Decision, label("依据的决定", "The decision that it carries out")]
    address: Annotated[Address, label("地址", "The exact place")]
    seen_on: Annotated[PastDay, label("最近确认日期", "Day on which the person was last known to be there")]
    detention_days: Annotated[
        int | None, label("拘留天数", "Of a detention, for how many days; at most 15 (CPL-118)", ge=1)
    ] = None

    @model_validator(mode="after")
    def _days(self) -> Whereabouts:
        check_detention_days(self.decision, self.detention_days, self.seen_on)
        return self


class Site(CaseObject):
    kind: Annotated[Vocabulary[Annotated[Literal["site"], "执行现场"]], label("种类", "Where help is needed")]
    address: Annotated[Address, label("地址", "The place")]
    description: Annotated[Prose, label("说明", "What is to be done")]
    starts_at: Annotated[ComingMoment | None, label("到场时间", "When to be there; absent: to be agreed")] = None


class Other(CaseObject):
    kind: Annotated[Vocabulary[Annotated[Literal["other"], "其他"]], label("种类", "Anything else")]
    description: Annotated[Prose, label("说明", "What is to be done")]


CommissionObject = Annotated[
    Deposit | Wealth | Equity | Realty | Movable | Subject | Addressee | Whereabouts | Site | Other,
    Field(discriminator="kind"),
]
