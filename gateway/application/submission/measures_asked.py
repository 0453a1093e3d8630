"""What one submission asks of measures, as the checks of `measure_rules` and `debts` go through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.core.records import Changes, Measure, Request
from lianzhi.problem import FieldError
from schemas.catalogue import MeasureRule


@dataclass(slots=True)
class Asked:
    """One submission: a request for each receiver, and what they ask of measures. Keys: (object_key, action, case).

    needs_live: for each object the keys under which what it rests on may stand (today's and earlier versions'), and
    the kind of measure. earlier: key of an object → those that earlier versions gave it. locks: object keys that must
    not change until the commit. papers: (kind, day of issue) of its documents. beside, warnings: what the checks found
    to be done, and to be told to whoever asks, anew each time.
    """

    requests: list[Request]
    changes: Changes
    measures: list[Measure] = field(default_factory=list)
    needs_live: list[tuple[list[str], str]] = field(default_factory=list)
    ending: list[tuple[str, str, str]] = field(default_factory=list)
    forbidding: list[tuple[str, str, str]] = field(default_factory=list)
    papers: list[tuple[str, str]] = field(default_factory=list)
    earlier: dict[str, list[str]] = field(default_factory=dict)
    locks: list[str] = field(default_factory=list)
    rule: MeasureRule | None = None
    beside: Changes = field(default_factory=Changes)
    warnings: list[FieldError] = field(default_factory=list)

    def targets(self, request: Request, found: Sequence[Measure]) -> list[str]:
        """Those of the measures `found` that this request renews or ends: its receiver's, where each keeps its own."""
        own = self.rule is not None and self.rule.per_receiver
        return [m.measure_no for m in found if not own or m.asked == request.asked]

    def with_earlier(self, key: str) -> list[str]:
        return [key, *self.earlier.get(key, ())]
