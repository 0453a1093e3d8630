"""Terminated cases 终本 (docs/domain.md 2.10): events that the court records, not messages.

A case is terminated for want of property, looked at again every six months for five years [H], and resumed (执恢) when
something is found.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from schemas.base import Model, label
from schemas.identifiers import CaseNo, case_type
from schemas.replies import StaffNo
from schemas.rules import broken
from schemas.values import Day, Line

EVENT_LABELS = {"closed": "终本", "recheck": "核查", "resumed": "恢复执行"}
_MEMBERS = {"closed": {"team"}, "recheck": {"found"}, "resumed": {"resumed_as"}}


class ClosureEvent(Model):
    """One thing that happened to a terminated case. found: of a recheck; resumed_as: the number of the 执恢 case."""

    event: Annotated[Literal["closed", "recheck", "resumed"], label("事件", "What happened", EVENT_LABELS)]
    case_no: Annotated[CaseNo, label("案号", "Case number")]
    on: Annotated[Day, label("日期", "When")]
    by: Annotated[StaffNo, label("经办人", "Staff number of who records it")]
    team: Annotated[Line | None, label("办案团队", "Team, of `closed`")] = None
    found: Annotated[bool | None, label("是否发现财产", "Whether property was found, of `recheck`")] = None
    resumed_as: Annotated[CaseNo | None, label("执恢案号", "The resumed case, of `resumed`")] = None

    @model_validator(mode="after")
    def _fits(self) -> ClosureEvent:
        if case_type(self.case_no) not in ("执", "执恢"):
            raise broken("closure-case-type", at="/case_no")
        for name in ("team", "found", "resumed_as"):
            if getattr(self, name) is not None and name not in _MEMBERS[self.event]:
                raise broken("closure-member", at=f"/{name}")
        if self.event == "recheck" and self.found is None:
            raise broken("recheck-result-required", at="/found")
        if self.event == "resumed" and (self.resumed_as is None or case_type(self.resumed_as) != "执恢"):
            raise broken("resumed-case-required", at="/resumed_as")
        return self
