"""What a department can seal, freeze or transfer: one model for each kind of property, told apart by `kind`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lianzhi.protocol.base import Vocabulary, label
from lianzhi.protocol.values import Name
from schemas.matters.entrust.objects import AccountNo, CaseObject, Equity, Realty
from schemas.values.objects import RegisterNo
from schemas.values.people import NaturalPerson, belonging

Insurance = Vocabulary[
    Annotated[Literal["employee-pension"], "企业职工基本养老保险"]
    | Annotated[Literal["public-pension"], "机关事业单位养老保险"]
    | Annotated[Literal["resident-pension"], "城乡居民养老保险"]
    | Annotated[Literal["unemployment"], "失业保险"]
    | Annotated[Literal["medical"], "基本医疗保险"]
    | Annotated[Literal["work-injury"], "工伤保险"]
    | Annotated[Literal["maternity"], "生育保险"]
]


class Benefit(CaseObject):
    """Pension and the like, of which the person keeps what is needed to live (CPL-254)."""

    kind: Annotated[Vocabulary[Annotated[Literal["benefit"], "社保待遇"]], label("种类", "A social security benefit")]
    party: Annotated[NaturalPerson, label("被执行人", "Whose it is")]
    insurance: Annotated[Insurance, label("险种", "Insurance")]

    @property
    def words(self) -> str:
        return belonging(f"benefit:{self.insurance}", self.party)


class Fund(CaseObject):
    """An account in the housing fund: no bank account, and known to the fund alone."""

    kind: Annotated[Vocabulary[Annotated[Literal["fund"], "住房公积金"]], label("种类", "A housing fund account")]
    party: Annotated[NaturalPerson, label("被执行人", "Whose it is")]
    fund_no: Annotated[AccountNo, label("公积金个人账号", "Number of the account in the fund")]

    @property
    def words(self) -> str:
        return f"fund:{self.fund_no}"


class Refund(CaseObject):
    kind: Annotated[Vocabulary[Annotated[Literal["refund"], "应退税款"]], label("种类", "Tax to be refunded")]
    taxpayer_no: Annotated[RegisterNo, label("纳税人识别号", "Taxpayer number")]

    @property
    def words(self) -> str:
        return f"refund:{self.taxpayer_no}"


class Machine(CaseObject):
    """A tractor or harvester: it has a plate of its own kind, and no VIN."""

    kind: Annotated[Vocabulary[Annotated[Literal["machine"], "农业机械"]], label("种类", "An agricultural machine")]
    machine_plate: Annotated[RegisterNo, label("农机号牌", "Plate of the machine")]
    frame_no: Annotated[RegisterNo, label("机架号", "Number on the frame")]

    @property
    def words(self) -> str:
        return f"machine:{self.frame_no}"


class Ship(CaseObject):
    kind: Annotated[Vocabulary[Annotated[Literal["ship"], "船舶"]], label("种类", "A ship")]
    ship_name: Annotated[Name, label("船名", "Name of the ship")]
    ship_no: Annotated[RegisterNo, label("船舶登记号", "Registration number")]
    ship_id: Annotated[RegisterNo | None, label("船舶识别号", "Identification number")] = None

    @property
    def words(self) -> str:
        return f"ship:{self.ship_no}"


HeldObject = Annotated[
    Realty | Equity | Benefit | Fund | Refund | Machine | Ship,
    Field(discriminator="kind"),
]
