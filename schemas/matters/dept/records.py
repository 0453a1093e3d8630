"""What a register says: one model for each department, and the seals that stand in it (docs/domain.md 2.8)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.times import AnyDay, PastDay
from lianzhi.protocol.values import Line, Prose
from schemas.matters.dept.objects import Insurance
from schemas.values.identifiers import CreditCode
from schemas.values.identity import IdKind
from schemas.values.objects import Money
from schemas.values.terms import check_order

SEAL_KINDS = {"seal": "查封", "queued": "轮候查封", "advance": "预查封", "queued-advance": "轮候预查封"}


class StandingSeal(Model):
    """A seal or freeze in the register, whoever's it is."""

    court: Annotated[Line, label("查封法院", "Court")]
    kind: Annotated[
        Vocabulary[
            Annotated[Literal["seal"], "查封"]
            | Annotated[Literal["queued"], "轮候查封"]
            | Annotated[Literal["advance"], "预查封"]
            | Annotated[Literal["queued-advance"], "轮候预查封"]
        ],
        label("查封类型", "Kind of seal"),
    ]
    letter_no: Annotated[Line, label("查封文号", "Number of the notice")]
    start_on: Annotated[AnyDay, label("起始日期", "First day")]
    end_on: Annotated[AnyDay, label("到期日期", "Last day")]
    release_no: Annotated[Line | None, label("解封文号", "Number of the release, where it was released")] = None

    @model_validator(mode="after")
    def _order(self) -> StandingSeal:
        check_order(self.start_on, self.end_on)
        return self


class RealtyRecord(Model):
    unit_no: Annotated[Line, label("不动产单元号", "Unit number in the register")]
    certificate_no: Annotated[Line | None, label("不动产权证号", "Certificate number")] = None
    holder: Annotated[Line, label("权利人", "Holder")]
    share: Annotated[Line | None, label("共有情况", "Share, where several hold it")] = None
    location: Annotated[Line, label("坐落", "Where it is")]
    mortgagee: Annotated[Line | None, label("抵押权人", "To whom it is mortgaged")] = None
    seals: Annotated[list[StandingSeal], label("查封情况", "Seals", max_length=50)] = []


class MarketRecord(Model):
    """A company: the subject itself, or one in which the subject has a share."""

    uscc: Annotated[CreditCode, label("统一社会信用代码", "Unified social credit code")]
    reg_no: Annotated[Line | None, label("注册号", "Registration number")] = None
    name: Annotated[Line, label("企业名称", "Name")]
    capital: Annotated[Line | None, label("注册资本", "Registered capital, with its currency")] = None
    state: Annotated[Line, label("登记状态", "State, as the register puts it")]
    scope: Annotated[Prose | None, label("经营范围", "Scope of business")] = None
    domicile: Annotated[Line | None, label("住所", "Domicile")] = None
    legal_representative: Annotated[Line | None, label("法定代表人", "Legal representative")] = None
    established_on: Annotated[PastDay | None, label("成立日期", "Established on")] = None
    share: Annotated[Line | None, label("被查询人出资比例", "The subject's share")] = None
    seals: Annotated[list[StandingSeal], label("股权冻结情况", "Freezes on the share", max_length=50)] = []


class InsuranceRecord(Model):
    person_no: Annotated[Line | None, label("个人编号", "Number of the person")] = None
    id_no: Annotated[Line, label("证件号码", "ID number")]
    name: Annotated[Line, label("姓名", "Name")]
    employer_no: Annotated[Line | None, label("单位编号", "Number of the employer")] = None
    employer: Annotated[Line | None, label("单位名称", "Employer")] = None
    insurance: Annotated[Insurance, label("险种", "Insurance")]
    state: Annotated[
        Vocabulary[
            Annotated[Literal["paying"], "参保缴费"]
            | Annotated[Literal["paused"], "暂停缴费"]
            | Annotated[Literal["ended"], "终止缴费"]
        ],
        label("参保状态", "State"),
    ]
    benefit: Annotated[Money | None, label("月发放待遇", "Benefit paid each month, CNY")] = None


FUND_STATES = {
    "normal": "正常",
    "sealed": "封存",
    "merged": "合并销户",
    "moved": "外部转出销户",
    "withdrawn": "提取销户",
    "frozen": "冻结",
    "other": "其他",
}


class FundRecord(Model):
    fund_no: Annotated[Line, label("公积金个人账号", "Number of the account in the fund")]
    balance: Annotated[Money, label("账户余额", "Balance, CNY")]
    state: Annotated[
        Vocabulary[
            Annotated[Literal["normal"], "正常"]
            | Annotated[Literal["sealed"], "封存"]
            | Annotated[Literal["merged"], "合并销户"]
            | Annotated[Literal["moved"], "外部转出销户"]
            | Annotated[Literal["withdrawn"], "提取销户"]
            | Annotated[Literal["frozen"], "冻结"]
            | Annotated[Literal["other"], "其他"]
        ],
        label("账户状态", "State"),
    ]
    base: Annotated[Money | None, label("缴存基数", "Monthly base, CNY")] = None
    employer: Annotated[Line | None, label("单位名称", "Employer")] = None
    name: Annotated[Line, label("姓名", "Name")]
    id_kind: Annotated[IdKind, label("证件种类", "Kind of ID")]
    id_no: Annotated[Line, label("证件号码", "ID number")]
    loan_balance: Annotated[Money | None, label("贷款余额", "Loan still to be paid, CNY")] = None


class TaxRecord(Model):
    taxpayer_no: Annotated[Line, label("纳税人识别号", "Taxpayer number")]
    name: Annotated[Line, label("纳税人名称", "Name")]
    state: Annotated[Line | None, label("登记状态", "State, as the register puts it")] = None
    refund: Annotated[Money | None, label("应退税款", "Tax to be refunded, CNY")] = None


class MarriageRecord(Model):
    marital_state: Annotated[
        Vocabulary[
            Annotated[Literal["single"], "未婚"]
            | Annotated[Literal["married"], "已婚"]
            | Annotated[Literal["widowed"], "丧偶"]
            | Annotated[Literal["divorced"], "离婚"]
            | Annotated[Literal["unstated"], "未说明"]
        ],
        label("婚姻状况", "Marital state"),
    ]
    registered_on: Annotated[PastDay | None, label("登记日期", "Registered on")] = None
    spouse: Annotated[Line | None, label("配偶姓名", "Spouse")] = None
    spouse_id_no: Annotated[Line | None, label("配偶证件号码", "The spouse's ID number")] = None


class MachineRecord(Model):
    machine_plate: Annotated[Line, label("农机号牌", "Plate of the machine")]
    frame_no: Annotated[Line, label("机架号", "Number on the frame")]
    brand: Annotated[Line | None, label("品牌型号", "Brand and model")] = None
    owner: Annotated[Line, label("登记所有人", "Registered owner")]
    mortgagee: Annotated[Line | None, label("抵押权人", "To whom it is mortgaged")] = None
    seals: Annotated[list[StandingSeal], label("查封情况", "Seals", max_length=50)] = []


class ShipRecord(Model):
    ship_name: Annotated[Line, label("船名", "Name of the ship")]
    ship_no: Annotated[Line, label("船舶登记号", "Registration number")]
    ship_id: Annotated[Line | None, label("船舶识别号", "Identification number")] = None
    owner: Annotated[Line, label("登记所有人", "Registered owner")]
    share: Annotated[Line | None, label("共有情况", "Share, where several own it")] = None
    mortgagee: Annotated[Line | None, label("抵押权人", "To whom it is mortgaged")] = None
    seals: Annotated[list[StandingSeal], label("查封情况", "Seals", max_length=50)] = []
