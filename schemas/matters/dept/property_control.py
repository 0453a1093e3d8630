"""Departments · seals, freezes and transfers in their registers (docs/domain.md 2.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay
from lianzhi.protocol.values import Line, Name
from schemas.answers import AMOUNT, NUMBER, PUBLISHED
from schemas.catalogue import Deadline, DeadlineKind, Kind, LiveMeasure, MeasureRule
from schemas.declare import ask
from schemas.linkages import COURT_AND_OTHERS, REMINDED, Linkage
from schemas.matters.dept.objects import HeldObject
from schemas.parts.debts import DebtReason, check_debt_reason
from schemas.parts.endings import original
from schemas.parts.items import PropertyItem
from schemas.values.departments import DEPARTMENTS, DEPT_LABELS, HELD_ACTIONS, HELD_LABELS, HELD_YEARS, IN_MONEY, Dept
from schemas.values.objects import Measure, Money
from schemas.values.terms import check_renewal, check_years

DEBTOR = "被执行人"
_EFFECTS = {"seal": "open", "queue": "queue", "renew": "renew", "release": "end"}


class Transferee(Model):
    """Who gets it: the buyer at the auction, or the creditor who takes it for the debt."""

    name: Annotated[Name, label("受让人", "Name")]
    id_no: Annotated[Line, label("受让人证件号码", "ID number or USCC")]


class PropertyControl(Model):
    """One department, one action. seal and queue: a term and the debt. renew: joins on. release, transfer: no term."""

    dept: Annotated[Dept, label("登记部门", "Which department", DEPT_LABELS)]
    action: Annotated[
        Vocabulary[
            Annotated[Literal["seal"], "查封、冻结"]
            | Annotated[Literal["renew"], "续封、续冻"]
            | Annotated[Literal["release"], "解封、解冻"]
            | Annotated[Literal["queue"], "轮候"]
            | Annotated[Literal["transfer"], "过户、提取"]
        ],
        label("办理事项", "Action"),
    ]
    objects: Annotated[list[HeldObject], label("财产", "Property", min_length=1, max_length=50)]
    start_on: Annotated[AnyDay | None, label("起始日期", "First day")] = None
    end_on: Annotated[AnyDay | None, label("到期日期", "Last day; movables two years, else three")] = None
    original: Annotated[Measure | None, label("原措施", "Measure that is renewed, released or queued behind")] = None
    debt_amount: Annotated[Money | None, label("债务数额", "Debt, against over-seizure")] = None
    debt_reason: Annotated[DebtReason | None, label("债务变更原因", "Why the debt is not the case's figure")] = None
    transferee: Annotated[Transferee | None, label("受让人", "Who gets it")] = None

    @model_validator(mode="after")
    def _by_action(self) -> PropertyControl:
        self._check_objects()
        self._check_original()
        self._check_term()
        if self.action in ("seal", "queue") and self.debt_amount is None:
            raise broken("debt-required", at="/debt_amount")
        self._check_transferee()
        check_debt_reason(self.debt_amount, self.debt_reason)
        return self

    def _check_objects(self) -> None:
        """Its register, its amount where it is a sum, and no third party's (SFK 2)."""
        holds = DEPARTMENTS[self.dept].holds
        for index, item in enumerate(self.objects):
            if item.kind not in holds:
                expected = "、".join(HELD_LABELS[k] for k in holds) or "无"
                raise broken("object-of-other-dept", at=f"/objects/{index}/kind", expected=expected)
            if item.kind in IN_MONEY and self.action in ("seal", "queue", "transfer") and item.amount is None:
                raise broken("amount-required", at=f"/objects/{index}/amount")
            owner = item.party
            if self.action in ("seal", "queue") and owner.role != DEBTOR and owner.obligor_evidence is None:
                raise broken("third-party-property", at=f"/objects/{index}/party/obligor_evidence")

    def _check_original(self) -> None:
        if self.action == "seal" and self.original is not None:
            raise broken("original-not-needed", at="/original")
        if self.action in ("renew", "release", "queue"):
            if self.original is None:
                raise broken("original-required", at="/original")
            if len(self.objects) > 1:
                raise broken("one-object", at="/objects/1")

    def _check_term(self) -> None:
        if self.action in ("release", "transfer"):
            if self.start_on or self.end_on:
                raise broken("term-not-needed", at="/start_on" if self.start_on else "/end_on")
            return
        if not (self.start_on and self.end_on):
            raise broken("term-required", at="/end_on" if self.start_on else "/start_on")
        check_years(self.start_on, self.end_on, min(HELD_YEARS[item.kind] for item in self.objects))
        if self.action == "renew" and self.original:
            check_renewal(self.original, self.start_on, self.end_on)

    def _check_transferee(self) -> None:
        """A sum is paid into the court's account; a thing needs somebody who gets it."""
        things = self.action == "transfer" and any(item.kind not in IN_MONEY for item in self.objects)
        if things and self.transferee is None:
            raise broken("transferee-required", at="/transferee")
        if not things and self.transferee is not None:
            raise broken("transferee-not-needed", at="/transferee")


_RULING = {"enforcement-ruling": 1, "assistance-notice": 1}


def _papers(payload: PropertyControl) -> Mapping[str, int]:
    """The ruling that sealed or froze does not release (SFK 28)."""
    return _RULING if payload.action != "release" else {"assistance-notice": 1}


def _ends(payload: PropertyControl) -> str | None:
    return HELD_ACTIONS[payload.objects[0].kind] if payload.action == "release" else None


def _done_states(payload: PropertyControl) -> tuple[str, ...]:
    """Sealed or frozen: the register's number; a sum also how much; a share when it was published."""
    money = all(item.kind in IN_MONEY for item in payload.objects)
    begins = payload.action in ("seal", "queue")
    said = (
        (NUMBER, begins or payload.action == "renew" or (money and payload.action == "transfer")),
        (AMOUNT, money and (begins or payload.action == "transfer")),
        (PUBLISHED, begins and all(item.kind == "equity" for item in payload.objects)),
    )
    return tuple(state for state, wanted in said if wanted)


def _measure(payload: PropertyControl) -> MeasureRule | None:
    effect = _EFFECTS.get(payload.action)
    if effect is None:
        return None
    named = payload.original.measure_no if payload.original and effect in ("renew", "end") else None
    return MeasureRule(
        HELD_ACTIONS[payload.objects[0].kind],
        effect,
        tuple((item.ref, item.words) for item in payload.objects),
        measure_no=named,
        start_on=payload.start_on,
        end_on=payload.end_on,
        current_end_on=payload.original.end_on if named and payload.original else None,
        values=tuple(item.amount for item in payload.objects),
        debt=payload.debt_amount,
        debt_reason=payload.debt_reason,
    )


def _ended(payload: PropertyControl, measure: LiveMeasure, reason: str) -> Mapping[str, Any]:
    """The release of the one object under the measure."""
    return {
        "dept": payload.dept,
        "action": "release",
        "objects": [item.canonical() for item in payload.objects if item.ref == measure.ref],
        "original": original(measure),
    }


DEPT_CONTROL = ask(
    name="dept.property-control.request",
    zh="部门财产控制",
    en="Seal, freeze or transfer at a department",
    help_zh="请登记部门查封、续封、解封、轮候或过户。附执行裁定书和协助执行通知书，解除附解除裁定书；动产不超过二年，其他不超过三年；"
    "续封须在到期前办理并写明原措施，过户须写明受让人，款项须写明金额。逐项答复。",
    help_en="Seals, renews, releases, queues or transfers in a department's register. With the ruling and the notice, "
    "a release with the ruling that releases; movables at most two years, other property three; a renewal names the "
    "original and comes before it ends, a transfer of a thing names who gets it, a sum its amount. Answered object by "
    "object: what is done has its number, a sum its amount, a share when its freeze was published.",
    linkages=(
        Linkage(
            group=COURT_AND_OTHERS,
            row=3,
            zh="法院+政府控制：登记部门查封、续封、解封、轮候、过户",
            en="Government: seized in their registers",
            ledger="measure-ending",
            note=REMINDED,
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.DEPARTMENT}),
    request=PropertyControl,
    result_item=PropertyItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    coercive=lambda _: True,
    documents=_papers,
    ends=_ends,
    measure=_measure,
    done_states=_done_states,
    ended_by="dept.property-control.request",
    ending=_ended,
    dept=lambda payload: payload.dept,
    objection_pauses=True,  # NET 6, 10
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={
        "dept": "realty",
        "action": "seal",
        "objects": [
            {
                "ref": "p2r4t6vw",
                "kind": "realty",
                "party": {
                    "ref": "k7m2q9xa",
                    "name": "王演示",
                    "id_kind": "resident-id",
                    "id_no": "610199199003071237",
                    "role": "被执行人",
                },
                "unit_no": "610199001001GB00001F00010001",
                "certificate_no": "陕（2021）云川县不动产权第0900001号",
                "location": "云川县演示区东街1号（演示）",
            }
        ],
        "start_on": "2026-03-24",
        "end_on": "2029-03-23",
        "debt_amount": "128000.00",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-26T16:00:00+08:00",
        "items": [
            {
                "ref": "p2r4t6vw",
                "status": "done",
                "rank": 1,
                "start_on": "2026-03-24",
                "end_on": "2029-03-23",
                "registry_no": "YC-BDC-900001",
                "receipt_no": "HZ-900001",
            }
        ],
    },
)
