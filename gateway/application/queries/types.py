"""The catalogue as a court system reads it: labels, help, deadlines, schemas, examples, and who says which verb."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from gateway.application.answers import (
    ApprovalsView,
    DeadlineView,
    ExampleRules,
    TypeDetail,
    TypeList,
    TypeSummary,
    VerbView,
)
from gateway.core.requests.lifecycle import TABLE
from lianzhi.errors import RejectedError
from lianzhi.protocol.verbs import VERBS
from schemas.catalogue import MatterType
from schemas.law.answer_terms import answer_term
from schemas.validation import json_schema, parse_open


def summary(matter: MatterType, day: date) -> TypeSummary:
    """day: the deadline is that of a request which begins on it."""
    return TypeSummary(**_summary(matter, day))


def listing(catalogue: Mapping[str, MatterType], day: date) -> TypeList:
    """Every type, by name."""
    return TypeList(types=[summary(catalogue[name], day) for name in sorted(catalogue)])


def detail(catalogue: Mapping[str, MatterType], name: str, day: date) -> TypeDetail:
    """Raises RejectedError unknown-type."""
    matter = catalogue.get(name)
    if matter is None:
        raise RejectedError("unknown-type", pointer="/type")
    payload = parse_open(matter, dict(matter.example_request))
    rule = matter.approvals(payload)
    return TypeDetail(
        **_summary(matter, day),
        case_required=matter.case_required,
        fan_out=matter.fan_out,
        request_class=matter.request_class.value,
        result_class=matter.result_class.value,
        ended_by=matter.ended_by,
        validity_days=matter.validity_days,
        retention_years=matter.retention_years,
        verbs=[verb for verb in verbs_of(matter.shape.value) if verb.verb not in matter.answers_instead],
        schemas=json_schema(matter),
        example_request=dict(matter.example_request),
        example_result=dict(matter.example_result),
        break_glass=matter.break_glass,
        counted=bool(matter.subjects(payload)),
        of_example=ExampleRules(
            coercive=matter.coercive(payload),
            approvals=ApprovalsView(people=rule.people, roles=list(rule.roles)),
            documents=matter.papers(payload, day),
        ),
    )


@cache
def verbs_of(shape: str) -> tuple[VerbView, ...]:
    """The verbs of a shape, in the order of a conversation; read off the state machine, so never another list."""
    said = {(row.verb, row.by) for row in TABLE if row.shape == shape and row.by != "gateway"}
    names = [v for v in VERBS.values() if v.name == "open" or (v.name, "asker") in said or (v.name, "asked") in said]
    return tuple(VerbView(verb=v.name, zh=v.zh, by="asked" if (v.name, "asked") in said else "asker") for v in names)


def _summary(matter: MatterType, day: date) -> dict[str, Any]:
    deadline = answer_term(matter, day)
    return {
        "name": matter.name,
        "version": matter.version,
        "zh": matter.zh,
        "en": matter.en,
        "help_zh": matter.help_zh,
        "help_en": matter.help_en,
        "shape": matter.shape.value,
        "senders": sorted(map(str, matter.senders)),
        "receivers": sorted(map(str, matter.receivers)),
        "deadline": DeadlineView(kind=deadline.kind.value, amount=deadline.amount),
    }
