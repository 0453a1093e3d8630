"""May this be asked, as far as measures go? What must be live is; what may be once is not there; nothing is overdone.

The rules, in the order in which `check_measures` follows them (docs/domain.md sections 2.4, 3 and 7):
1. What forbids it (a grace forbids publication) is not in force.
2. There is no open measure of the kind on the same object in the same case.
3. The measure that it rests on is live, and lasts as long.
4. A seizure does not exceed the debt.
5. A renewal comes before the end of a live measure, and names the end that is registered.
The same object under the same kind of measure in another case is no reason to refuse; it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gateway.core import measures, seizures
from gateway.core.measure_moves import LIVE, OPEN_STATES
from gateway.core.records import Changes, Measure, Request
from gateway.errors import RejectedError
from gateway.services.context import Context
from gateway.services.feed import request_events
from gateway.services.ports import Transaction
from schemas.catalogue import MeasureRule
from schemas.problem import FieldError
from schemas.rules import RULES


@dataclass(slots=True)
class Asked:
    """One submission: a request for each receiver, and what they ask of measures. Keys: (object_key, action, case)."""

    requests: list[Request]
    changes: Changes
    measures: list[Measure] = field(default_factory=list)
    needs_live: list[tuple[str, str]] = field(default_factory=list)  # (object_key, action)
    ending: list[tuple[str, str, str]] = field(default_factory=list)
    forbidding: list[tuple[str, str, str]] = field(default_factory=list)
    rule: MeasureRule | None = None

    def targets(self, request: Request, found: Sequence[Measure]) -> list[str]:
        """Those of the measures `found` that this request renews or ends: its receiver's, where each keeps its own."""
        own = self.rule is not None and self.rule.per_receiver
        return [m.measure_no for m in found if not own or m.asked == request.asked]


def note_measures(context: Context, asked: Asked, request: Request, rule: MeasureRule | None) -> None:
    """What `rule`, that of the payload, means for `request`; nothing is looked up yet."""
    if rule is None:
        return
    asked.rule = rule
    keys = measures.keys_of(rule, request.asked, context.hash_key)
    if rule.blocked_by is not None:
        plain = measures.keys_of(replace(rule, per_receiver=False), request.asked, context.hash_key)
        asked.forbidding = [(key, rule.blocked_by, request.case_no or "") for key in plain]
    if rule.needs_live is not None:
        asked.needs_live += [(key, rule.needs_live) for key in keys]
    if rule.effect == "require":
        return
    request.facts["measure"] = rule.effect
    if rule.effect in ("open", "queue"):
        asked.measures += measures.requested(rule, request, context.hash_key)
    else:
        asked.ending += [(key, rule.action, request.case_no or "") for key in keys]


async def check_measures(context: Context, tx: Transaction, asked: Asked, pending: Sequence[Measure]) -> None:
    """pending: measures of earlier submissions of this very unit.

    Raises RejectedError: measure-forbids, measure-open, measure-not-live, invalid-field (beyond-seal), over-seizure,
    renewal-late, term-mismatch.
    """
    rule = asked.rule
    if rule is None:
        return
    if asked.forbidding and any(
        measures.in_force_on(m, rule.start_on) for m in await tx.open_measures(asked.forbidding)
    ):
        raise RejectedError("measure-forbids", pointer="/payload")
    if asked.measures and await tx.open_measures([(m.object_key, m.action, m.case_no) for m in asked.measures]):
        raise RejectedError("measure-open", pointer="/payload")
    for key, action in asked.needs_live:
        _rests_on(rule, await tx.live_measures([key], action))
    if asked.measures:
        await _not_too_much(tx, rule, asked, pending)
        await _tell_elsewhere(context, tx, asked)
    if asked.ending:
        await _find_targets(context, tx, rule, asked)


def _rests_on(rule: MeasureRule, live: Sequence[Measure]) -> None:
    if not live:
        raise RejectedError("measure-not-live", pointer="/payload")
    if rule.end_on is not None and all(m.end_on is not None and m.end_on < rule.end_on for m in live):
        text = RULES["beyond-seal"]
        error = FieldError(pointer="/payload/end_on", rule=text.name, detail=text.zh, detail_en=text.en)
        raise RejectedError("invalid-field", [error])


async def _not_too_much(tx: Transaction, rule: MeasureRule, asked: Asked, pending: Sequence[Measure]) -> None:
    if rule.debt is None:
        return
    case_no = asked.measures[0].case_no
    in_case = [*await tx.measures_in_case(case_no), *(m for m in pending if m.case_no == case_no)]
    if seizures.over_seized(rule.debt, [m.amount for m in asked.measures], in_case):
        raise RejectedError("over-seizure", pointer="/payload/debt_amount")


async def _tell_elsewhere(context: Context, tx: Transaction, asked: Asked) -> None:
    on_objects = await tx.measures_on([m.object_key for m in asked.measures])
    by_number = {request.request_no: request for request in asked.requests}
    for measure in asked.measures:
        same = [m for m in on_objects if m.object_key == measure.object_key]
        request = by_number[measure.request_no]
        for other in seizures.elsewhere(measure, same):
            asked.changes.events += request_events(
                context, request, "measure-elsewhere", request.created_at, head={"measure_no": other}, detail=other
            )


async def _find_targets(context: Context, tx: Transaction, rule: MeasureRule, asked: Asked) -> None:
    wanted = set(asked.ending)
    there = await tx.measures_on([key for key, _, _ in asked.ending])
    mine = [m for m in there if (m.object_key, m.action, m.case_no) in wanted]
    if rule.effect == "renew":
        _may_be_renewed(context, rule, mine)
        states: tuple[str, ...] = LIVE
    else:
        states = (*OPEN_STATES, "lapsed")
    found = [m for m in mine if m.state in states]
    for request in asked.requests:
        request.facts["targets"] = asked.targets(request, found)


def _may_be_renewed(context: Context, rule: MeasureRule, mine: Sequence[Measure]) -> None:
    """docs/domain.md section 3: renewal completes before the end, so it is asked for before the end."""
    today = context.today().isoformat()
    live = [m for m in mine if m.state in LIVE]
    if not live:
        raise RejectedError(
            "renewal-late" if any(m.state == "lapsed" for m in mine) else "measure-not-live", pointer="/payload"
        )
    for measure in live:
        if measure.end_on is not None and measure.end_on < today:
            raise RejectedError("renewal-late", pointer="/payload")
        if None not in (rule.current_end_on, measure.end_on) and rule.current_end_on != measure.end_on:
            raise RejectedError("term-mismatch", pointer="/payload")
