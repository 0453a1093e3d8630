"""The lines of a release: checks that the exceptions exist, and describes each line to the caller (`release`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from gateway.application.queries.measures import paper_view
from gateway.core.records import Measure, ReleaseItem, Request
from gateway.core.requests.cases import Plan
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError


def check_known(exceptions: set[str], requests: Sequence[Request], measures: Sequence[Measure]) -> None:
    """What is to be spared is there. Raises RejectedError."""
    unknown = exceptions - {r.request_no for r in requests} - {m.measure_no for m in measures}
    if unknown:
        raise RejectedError(
            "invalid-field",
            [
                FieldError(
                    pointer="/exceptions",
                    rule="exception-unknown",
                    detail=f"该案没有 {number}",
                    detail_en=f"The case has no {number}",
                )
                for number in sorted(unknown)
            ],
        )


def told_line(item: ReleaseItem, action: str | None, day: date) -> dict[str, Any]:
    """As the caller is told on `day`. action: of the measure that it is about."""
    told = {n: v for n in ("kind", "request_no", "measure_no", "reason") if (v := getattr(item, n)) is not None}
    paper = None if action is None else paper_view(action, day)
    return told if paper is None else {**told, "ended_with": paper.model_dump(exclude_none=True)}


def named(number: str, chosen: Plan) -> Mapping[str, Any]:
    """A measure's number has its request's and one more part."""
    return {"measure_no": number} if number.count("-") > 3 else {"request_no": number}
