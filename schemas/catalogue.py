"""The catalogue: one `MatterType` for each kind of request, notice or alert.

A matter type is a module constant below `schemas/matters/`; `catalogue()` finds it there. Nothing registers
itself at import, and nothing else has to be edited when a file is added (docs/adr/0002).
Source of the entries: docs/domain.md section 2.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from types import ModuleType
from typing import Any, ClassVar

from lianzhi.protocol.base import Model
from lianzhi.protocol.cards import Classification, classification, urgent
from schemas.law.ending_papers import papers_to_end
from schemas.ledgers import LedgerEntry, no_answer_entry, no_entry
from schemas.linkages import Linkage


class Shape(StrEnum):
    """Which of the three lives a request has (docs/domain.md section 3)."""

    ASK = "ask"
    ALERT = "alert"
    NOTICE = "notice"


class Kind(str):
    """What sort of organisation a participant is: an open word. Those that are known are the folders of `adapters/`
    (`adapters.registry.kinds`); the words below have a name so that mypy knows them where types are declared."""

    __slots__ = ()

    COURT: ClassVar[Kind]
    POLICE: ClassVar[Kind]
    GRID: ClassVar[Kind]
    DEPARTMENT: ClassVar[Kind]
    ASSOCIATION: ClassVar[Kind]
    PROCURATORATE: ClassVar[Kind]
    OFFICE: ClassVar[Kind]
    PUBLICATION: ClassVar[Kind]
    WITNESS: ClassVar[Kind]


for _name in Kind.__annotations__:
    setattr(Kind, _name, Kind(_name.lower()))


class DeadlineKind(StrEnum):
    LEGAL_DAYS = "legal_days"
    LEGAL_MONTHS = "legal_months"
    WORKING_DAYS = "working_days"
    CLOCK_HOURS = "clock_hours"


_UNITS: Mapping[DeadlineKind, tuple[str, str]] = {
    DeadlineKind.LEGAL_DAYS: ("日", "legal day"),
    DeadlineKind.LEGAL_MONTHS: ("个月", "month"),
    DeadlineKind.WORKING_DAYS: ("个工作日", "working day"),
    DeadlineKind.CLOCK_HOURS: ("小时", "hour"),
}


@dataclass(frozen=True, slots=True)
class Deadline:
    kind: DeadlineKind
    amount: int

    @property
    def zh(self) -> str:
        """5 个工作日"""
        return f"{self.amount} {_UNITS[self.kind][0]}"

    @property
    def en(self) -> str:
        """5 working days"""
        return f"{self.amount} {_UNITS[self.kind][1]}{'' if self.amount == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class FixedBy:
    """The text that fixes a type's `deadline`. basis: as it is cited (`schemas.legal`). reading: as of a row of the
    law's tables (`schemas.law.force.Entry`)."""

    basis: str
    reading: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """What must be on the paper before anything leaves.

    people: how many different approvers, none of them the drafter. roles: each role that at least one of
    them must hold.
    """

    people: int = 0
    roles: tuple[str, ...] = ()


class Words(str):
    """What tells an object from any other. earlier: what earlier versions wrote for the same object, whose measures may
    still be in force (docs/adr/0035)."""

    __slots__ = ("earlier",)

    def __new__(cls, words: str, earlier: tuple[str, ...] = ()) -> Words:
        made = super().__new__(cls, words)
        made.earlier = earlier
        return made

    earlier: tuple[str, ...]


def earlier_of(words: str) -> tuple[str, ...]:
    return words.earlier if isinstance(words, Words) else ()


@dataclass(frozen=True, slots=True)
class MeasureRule:
    """The control measure that a request opens, renews or ends; a function of its payload gives one of these.

    action: `seal`, `control`, `freeze`, … ; objects: of each its ref and its identifying words (VIN, ID number,
    account): hashed with a key before they are stored. effect: `open`, `renew`, `end`, `queue`, or `require`
    (opens nothing itself, but `needs_live` must hold).
    measure_no: the measure that a renewal or an ending names; named_at: where in the payload (JSON pointer).
    needs_live: the kind of measure that must be live on the same object first (a road control needs a seal).
    blocked_by: the kind of measure on the same object in the same case that forbids this one while it lasts (a grace
    forbids publication).
    per_receiver: each receiver keeps a measure of its own (a list that several publish): opened and ended one by one.
    current_end_on: of a renewal, the last day that it says the measure has now: must be the one that is registered.
    rests_on: of one that needs another, the number by which its paper names that one.
    values, debt: against over-seizure: what each object is worth as far as it is stated, in their order, and the debt.
    debt_reason: why the debt is not the figure that the case has (a code).
    """

    action: str
    effect: str
    objects: tuple[tuple[str, str], ...]  # (ref, identifying words)
    measure_no: str | None = None
    needs_live: str | None = None
    start_on: str | None = None
    end_on: str | None = None
    blocked_by: str | None = None
    per_receiver: bool = False
    current_end_on: str | None = None
    values: tuple[str | None, ...] = ()
    debt: str | None = None
    debt_reason: str | None = None
    rests_on: str | None = None
    named_at: str = "/payload/original/measure_no"


@dataclass(frozen=True, slots=True)
class LiveMeasure:
    """A measure in force, as `MatterType.ending` needs it. number: the partner's (control or registry number) where it
    gave one. published_no: group, or request, of its publication. on: the day of the ending, Asia/Shanghai."""

    measure_no: str
    ref: str
    request_no: str
    case_no: str
    number: str | None
    published_no: str
    start_on: str | None
    end_on: str | None
    on: str


@dataclass(frozen=True, slots=True)
class LastDay:
    """A last day that a payload states, and how late it may be: the latest end of `terms`, each a term of the law's
    table (`schemas.law.terms`) with the day that begins it. pointer: below the payload. rule: what a later day breaks.
    """

    pointer: str
    day: str
    rule: str
    terms: tuple[tuple[str, str], ...]


def _none(_: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Instead:
    """basis: the law that forbids an answer. zh, en: the answers that take its place."""

    basis: str
    zh: str
    en: str


def _untimed(_verb: str, _data: Mapping[str, Any]) -> tuple[str, Deadline] | None:
    return None


def _no_days(_: Any) -> tuple[LastDay, ...]:
    return ()


def _nobody(_: Any) -> tuple[tuple[str, str], ...]:
    return ()


def _nothing(_: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatterType:
    """One entry of the catalogue. linkages: what of the court's plan it carries.

    Functions of the validated request payload (`coercive`, `approvals`, `documents`, `classification`,
    `measure`, `dept`, `subjects`, `ending`, `done_states`) take the payload model and are pure.

    dept: the department that the payload is meant for (`schemas.values.departments`); only one that is registered as it
    may be the receiver. border_notice: (first, last) day of a notice whose longest term depends on the level of the
    police asked. decision: of a lookout, the decision that it carries out; a hit's clocks depend on it. cautions:
    what holds but deserves a second look: rule, pointer below the payload, and what the rule's texts have between
    braces. checks: of an alert, the members that its `identity-check` must state beside the photograph: those of the
    car, or the person's. asks_by: the deadline that a payload states itself, instead of `deadline`. hold_until: of an
    alert, until when what was hit is held (RFC 3339); then it lapses. subjects: (ref, identifying words) of whom or
    what a sensitive query is about; it is counted for its handler (docs/domain.md section 4). break_glass: may be
    sent first and approved afterwards. ending: the payload of the type `ended_by` that ends a measure which this
    payload opened, for one of the reasons `paid`, `settled`, `ended`, `revoked`; raises ValueError (a code) when that
    needs a human hand.

    ends: the action whose ending paper must come with this payload (`schemas.law.ending_papers`), beside `documents`.

    done_states: what a result states of each object that it reports as done (`schemas.answers`).

    answers_instead: verbs with which the law does not let the asked side answer → its basis and what takes their place.
    asked_on: the day that a payload states as its own; no answer is dated before it. objection_pauses: whether the main
    clock stands still while an objection is unanswered. told_by: of a verb with its canonical data, the day on which
    what it tells happened and how long its sender has to tell it.

    fixed_by: the text that fixes `deadline`, so that a court's own rule may only shorten it
    (`schemas.law.answer_terms`); None: it is a convention of ours.

    ledger, ledger_answer: the line that the request enters into a ledger, and the one that a later verb with its
    canonical data enters (`schemas.ledgers`); both pure. caseless: whether this payload is about no known case although
    `case_required`. last_days: days that the payload states and the calendar judges.
    """

    name: str
    version: int = 1
    zh: str
    en: str
    help_zh: str
    help_en: str
    linkages: tuple[Linkage, ...]
    shape: Shape
    senders: frozenset[Kind]
    receivers: frozenset[Kind]
    request: type[Model]
    result_item: type[Model] | None = None
    request_class: Classification
    result_class: Classification = Classification.INTERNAL
    case_required: bool = True
    caseless: Callable[[Any], bool] = lambda _: False
    fan_out: bool = False
    # The department that a payload is meant for (`schemas.values.departments`): no other may be the receiver.
    dept: Callable[[Any], str | None] = _none
    border_notice: Callable[[Any], tuple[str, str] | None] = _none
    decision: Callable[[Any], str | None] = _none
    cautions: Callable[[Any], Sequence[tuple[str, str, Mapping[str, Any]]]] = lambda _: ()
    coercive: Callable[[Any], bool] = lambda _: False
    approvals: Callable[[Any], ApprovalRule] = lambda _: ApprovalRule()
    documents: Callable[[Any], Mapping[str, int]] = lambda _: {}
    ends: Callable[[Any], str | None] = _none
    measure: Callable[[Any], MeasureRule | None] = _none
    alert_control_no: Callable[[Any], str | None] = _none
    asks_by: Callable[[Any], Deadline | None] = _none
    hold_until: Callable[[Any], str | None] = _none
    subjects: Callable[[Any], tuple[tuple[str, str], ...]] = _nobody
    break_glass: bool = False
    done_states: Callable[[Any], tuple[str, ...]] = _nothing
    ending: Callable[[Any, LiveMeasure, str], Mapping[str, Any]] | None = None
    checks: tuple[str, ...] = ()
    answers_instead: Mapping[str, Instead] = field(default_factory=dict)
    objection_pauses: bool = False
    asked_on: Callable[[Any], str | None] = _none
    told_by: Callable[[str, Mapping[str, Any]], tuple[str, Deadline] | None] = _untimed
    ledger: Callable[[Any], LedgerEntry | None] = no_entry
    ledger_answer: Callable[[str, Mapping[str, Any]], LedgerEntry | None] = no_answer_entry
    last_days: Callable[[Any], tuple[LastDay, ...]] = _no_days
    ended_by: str | None = None
    deadline: Deadline
    fixed_by: FixedBy | None = None
    validity_days: int | None = None
    retention_years: int = 10
    example_request: Mapping[str, Any] = field(default_factory=dict)
    example_result: Mapping[str, Any] = field(default_factory=dict)

    def classification(self, verb: str) -> Classification:
        """How the payload of `verb` is protected (`lianzhi.protocol.cards`)."""
        return classification(verb, self.request_class, self.result_class)

    def papers(self, payload: Any, day: date) -> dict[str, int]:
        """How many of each kind of document a request that is handed in on `day` brings."""
        action = self.ends(payload)
        return {**({} if action is None else papers_to_end(action, day)), **self.documents(payload)}

    @property
    def controls(self) -> bool:
        """Whether a request of this type may open, renew or end a measure, or rest on one."""
        return self.measure is not _none

    @property
    def states_term(self) -> bool:
        """Whether each request states its own term (`asks_by`), so that `deadline` is not what counts."""
        return self.asks_by is not _none

    def urgent(self, verb: str, urgency: str) -> bool:
        """Whether a message travels in the urgent lane."""
        return urgent(verb, urgency, alert=self.shape is Shape.ALERT)


def discover(package: ModuleType) -> dict[str, MatterType]:
    """Every `MatterType` that is a module constant below `package`, in order of its name.

    The folders are walked, whatever they are called: in which file a type stands changes no document.
    Raises ValueError when two modules define the same name differently.
    """
    found: dict[str, MatterType] = {}
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if isinstance(value, MatterType) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"matter type {value.name} is defined twice")
    return dict(sorted(found.items()))


UNWRITTEN = "【待写】"
"""What a scaffold writes where only its author knows the words (`lianzhi new matter`); no type keeps it."""


def unwritten(matter: MatterType) -> list[str]:
    """The texts that still hold a scaffold's placeholder, a line each in both languages; a unit test wants none."""
    texts = {name: getattr(matter, name) for name in ("zh", "en", "help_zh", "help_en")}
    texts |= {f"linkages: {linkage.zh}": f"{linkage.zh} {linkage.en}" for linkage in matter.linkages}
    texts |= {name: repr(getattr(matter, name)) for name in ("example_request", "example_result")}
    return [
        f"{matter.name}：{name} 里还有占位文字 {UNWRITTEN}，请写好并删去该标记。"
        f" {name} still holds the scaffold's placeholder: write the text and take the mark out."
        for name, text in texts.items()
        if UNWRITTEN in text
    ]


@cache
def catalogue() -> Mapping[str, MatterType]:
    """The built-in catalogue, discovered once."""
    from schemas import matters

    return discover(matters)
