"""How a matter type is declared: `ask` (an answer is owed), `notice` (a receipt is owed), `alert` (a partner opens it).

Each takes only what a type of its shape can have, and functions only of its own payload: mypy refuses the rest. What a
parameter means: `schemas.catalogue.MatterType`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NotRequired, TypedDict, TypeVar, Unpack

from lianzhi.protocol.base import Model
from lianzhi.protocol.cards import Classification
from schemas.catalogue import (
    ApprovalRule,
    Deadline,
    FixedBy,
    Instead,
    Kind,
    LastDay,
    LiveMeasure,
    MatterType,
    MeasureRule,
    Shape,
)
from schemas.ledgers import LedgerEntry

P = TypeVar("P", bound=Model)


class TypeParameters(TypedDict, Generic[P]):
    """Of every type. request: the model of its payload (`P`)."""

    name: str
    version: NotRequired[int]
    zh: str
    en: str
    help_zh: str
    help_en: str
    senders: frozenset[Kind]
    receivers: frozenset[Kind]
    request: type[P]
    request_class: Classification
    case_required: NotRequired[bool]
    caseless: NotRequired[Callable[[P], bool]]
    told_by: NotRequired[Callable[[str, Mapping[str, Any]], tuple[str, Deadline] | None]]
    ledger: NotRequired[Callable[[P], LedgerEntry | None]]
    deadline: Deadline
    retention_years: NotRequired[int]
    example_request: Mapping[str, Any]


class NoticeParameters(TypeParameters[P]):
    """Of what is told to one or to several."""

    fan_out: NotRequired[bool]
    documents: NotRequired[Callable[[P], Mapping[str, int]]]


class AlertParameters(TypeParameters[P]):
    """Of what a partner raises: the control that was hit, how long what was hit is held, what is compared then."""

    alert_control_no: Callable[[P], str | None]
    hold_until: NotRequired[Callable[[P], str | None]]
    checks: tuple[str, ...]


class AskParameters(NoticeParameters[P]):
    """Of what is asked: its answer, what the law asks of it, what it does to a measure."""

    result_item: type[Model]
    result_class: NotRequired[Classification]
    dept: NotRequired[Callable[[P], str | None]]
    border_notice: NotRequired[Callable[[P], tuple[str, str] | None]]
    decision: NotRequired[Callable[[P], str | None]]
    cautions: NotRequired[Callable[[P], Sequence[tuple[str, str, Mapping[str, Any]]]]]
    coercive: NotRequired[Callable[[P], bool]]
    approvals: NotRequired[Callable[[P], ApprovalRule]]
    measure: NotRequired[Callable[[P], MeasureRule | None]]
    alert_control_no: NotRequired[Callable[[P], str | None]]
    asks_by: NotRequired[Callable[[P], Deadline | None]]
    subjects: NotRequired[Callable[[P], tuple[tuple[str, str], ...]]]
    break_glass: NotRequired[bool]
    done_states: NotRequired[Callable[[P], tuple[str, ...]]]
    ending: NotRequired[Callable[[P, LiveMeasure, str], Mapping[str, Any]]]
    ended_by: NotRequired[str]
    answers_instead: NotRequired[Mapping[str, Instead]]
    objection_pauses: NotRequired[bool]
    asked_on: NotRequired[Callable[[P], str | None]]
    ledger_answer: NotRequired[Callable[[str, Mapping[str, Any]], LedgerEntry | None]]
    last_days: NotRequired[Callable[[P], tuple[LastDay, ...]]]
    fixed_by: NotRequired[FixedBy]
    validity_days: NotRequired[int]
    example_result: Mapping[str, Any]


def ask(**words: Unpack[AskParameters[P]]) -> MatterType:
    """A request that is answered, about each of its objects, within its deadline."""
    return MatterType(shape=Shape.ASK, **words)


def notice(**words: Unpack[NoticeParameters[P]]) -> MatterType:
    """What is told and wants no answer: within its deadline somebody says to have read it."""
    return MatterType(shape=Shape.NOTICE, **words)


def alert(**words: Unpack[AlertParameters[P]]) -> MatterType:
    """What a partner raises when a control is hit: people are paged, and come within its deadline."""
    return MatterType(shape=Shape.ALERT, **words)
