"""How a matter type is declared: `ask` (an answer is owed), `notice` (a receipt is owed), `alert` (a partner opens it).

What ends or renews a measure is an `ask` too, derived from the type that made the measure: `ending_of`, `renewal_of`.
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
from schemas.linkages import Linkage

P = TypeVar("P", bound=Model)


class TypeParameters(TypedDict, Generic[P]):
    """Of every type. request: the model of its payload (`P`)."""

    name: str
    version: NotRequired[int]
    zh: str
    en: str
    help_zh: str
    help_en: str
    linkages: tuple[Linkage, ...]
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
    ends: NotRequired[Callable[[P], str | None]]


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


class EndingParameters(TypedDict, Generic[P]):
    """Of what ends a measure."""

    zh: str
    en: str
    help_zh: str
    help_en: str
    request: type[P]
    result_item: type[Model]
    measure: Callable[[P], MeasureRule]
    deadline: Deadline
    fixed_by: NotRequired[FixedBy]
    example_request: Mapping[str, Any]
    example_result: Mapping[str, Any]


class RenewalParameters(TypedDict, Generic[P]):
    """Of what prolongs a measure. ending: as of the type that made it, which may have been registered too late for it
    to be prolonged, so that this opened it anew."""

    name: str
    zh: str
    en: str
    help_zh: str
    help_en: str
    request: type[P]
    result_item: type[Model]
    documents: NotRequired[Callable[[P], Mapping[str, int]]]
    ends: NotRequired[Callable[[P], str | None]]
    border_notice: NotRequired[Callable[[P], tuple[str, str] | None]]
    measure: Callable[[P], MeasureRule]
    ending: Callable[[P, LiveMeasure, str], Mapping[str, Any]]
    example_request: Mapping[str, Any]
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


def ending_of(
    made: MatterType, *, request_class: Classification | None = None, **words: Unpack[EndingParameters[P]]
) -> MatterType:
    """The type that ends what `made` opened (`made.ended_by`): by the same, to the same, signed as coercion is, with
    the paper that ends such a measure (`schemas.law.ending_papers`), without approval: who has paid must be let go.

    request_class: where it is protected otherwise than `made`.
    """
    if made.ended_by is None:
        raise ValueError(f"{made.name} names no type that ends its measure")
    measure = words["measure"]
    return MatterType(
        shape=Shape.ASK,
        name=made.ended_by,
        linkages=made.linkages,
        senders=made.senders,
        receivers=made.receivers,
        fan_out=made.fan_out,
        coercive=lambda _: True,
        ends=lambda payload: measure(payload).action,
        request_class=made.request_class if request_class is None else request_class,
        **words,
    )


def renewal_of(made: MatterType, **words: Unpack[RenewalParameters[P]]) -> MatterType:
    """The type that prolongs what `made` opened: by the same, to the same, with the same approvals, as fast, and ended
    by the same type."""
    return MatterType(
        shape=Shape.ASK,
        linkages=made.linkages,
        senders=made.senders,
        receivers=made.receivers,
        fan_out=made.fan_out,
        request_class=made.request_class,
        coercive=made.coercive,
        approvals=made.approvals,
        ended_by=made.ended_by,
        deadline=made.deadline,
        **words,
    )
