"""Checks a submission against the measures in force: what it needs is live, it doubles nothing, it does not go too far.

The rules, in the order in which `check_measures` follows them (docs/domain.md sections 2.4, 3 and 7):
1. What forbids it (a grace forbids publication) is not in force.
2. There is no open measure of the kind on the same object in the same case.
3. The measure that it rests on is live, lasts as long, and is the one that its paper names.
4. What is secured in fact does not cover the debt yet (`debts`).
5. A renewal comes before the end of a live measure, and names the end that is registered.
6. A renewal or an ending names the right measure, and what ends it is not older than it (`schemas.law.ending_papers`).
The same object under the same kind of measure in another case is no reason to refuse; it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from gateway.application.context import Context
from gateway.application.ports.measures import MeasureUnit
from gateway.application.submission.debts import check_debt
from gateway.application.submission.measures_asked import Asked
from gateway.application.unit_of_work import request_events
from gateway.core.control import measures, seizures
from gateway.core.control.moves import LIVE, OPEN_STATES
from gateway.core.records import Changes, Measure, Request
from lianzhi.errors import RejectedError
from lianzhi.problem import REASONS, FieldError
from lianzhi.protocol.rules import RULES
from schemas.catalogue import MeasureRule
from schemas.law.ending_papers import ending_paper, is_too_early


def note_done_states(request: Request, states: Sequence[str]) -> None:
    """What the answer will have to state of each object that it reports as done."""
    if states:
        request.facts["done_states"] = list(states)


def note_measures(context: Context, asked: Asked, request: Request, rule: MeasureRule | None) -> None:
    """What `rule`, that of the payload, means for `request`; nothing is looked up yet."""
    if rule is None:
        return
    asked.rule = rule
    found = measures.keys_to_find(rule, request.asked, context.hash_key)
    asked.earlier |= {keys[0]: keys[1:] for keys in found if len(keys) > 1}
    asked.forbidding = measures.forbidding_keys(rule, request.case_no, context.hash_key)
    if rule.effect in ("open", "queue") or rule.per_receiver:
        asked.locks += measures.plain_keys(rule, context.hash_key)
    if rule.needs_live is not None:
        asked.needs_live += [(keys, rule.needs_live) for keys in found]
    if rule.effect == "require":
        return
    request.facts["measure"] = rule.effect
    if rule.effect in ("open", "queue"):
        asked.measures += measures.requested(rule, request, context.hash_key)
    else:
        asked.ending += [(keys[0], rule.action, request.case_no or "") for keys in found]


async def check_measures(context: Context, tx: MeasureUnit, asked: Asked, pending: Changes) -> None:
    """pending: what earlier submissions of this very unit write.

    Raises RejectedError: measure-forbids, measure-open, measure-not-live, invalid-field (beyond-seal,
    measure-no-mismatch, ending-paper-early), debt-differs, over-seizure, renewal-late, term-mismatch.
    """
    rule = asked.rule
    if rule is None:
        return
    forbidding = await _own(tx, asked, asked.forbidding)
    if in_force := [m for m in forbidding if measures.in_force_on(m, rule.start_on)]:
        raise blocked_by("measure-forbids", in_force[0])
    same = [(key, m.action, m.case_no) for m in asked.measures for key in asked.with_earlier(m.object_key)]
    if there := await _own(tx, asked, same):
        raise blocked_by("measure-open", there[0])
    for keys, action in asked.needs_live:
        _rests_on(rule, asked.requests[0].asker, await tx.live_measures(keys, action))
    if asked.measures:
        await check_debt(context, tx, asked, pending)
        await _tell_elsewhere(context, tx, asked)
    if asked.ending:
        await _find_targets(context, tx, rule, asked)


def blocked_by(code: str, measure: Measure, pointer: str = "/payload") -> RejectedError:
    """A refusal that names the request whose measure stands in the way: it is the asker's own."""
    reason, number = REASONS[code], measure.request_no
    detail = f"{reason.zh}：请求 {number}，可先解除或续期"
    english = f"{reason.en}: request {number}; end or renew that one"
    return RejectedError(code, [FieldError(pointer=pointer, rule=code, detail=detail, detail_en=english)])


async def _own(tx: MeasureUnit, asked: Asked, keys: Sequence[tuple[str, str, str]]) -> list[Measure]:
    """The open measures with these keys that the asker itself asked for: another party may name the same case."""
    found = await tx.open_measures(keys) if keys else []
    return [m for m in found if m.opener == asked.requests[0].asker]


def _rests_on(rule: MeasureRule, asker: str, live: Sequence[Measure]) -> None:
    if not live:
        raise RejectedError("measure-not-live", pointer="/payload")
    if rule.rests_on is not None and not any(_is_named(rule.rests_on, m) for m in live):
        raise _misnamed("/payload/seal/measure_no", [m for m in live if m.opener == asker])
    if rule.end_on is not None and all(m.end_on is not None and m.end_on < rule.end_on for m in live):
        text = RULES["beyond-seal"]
        error = FieldError(pointer="/payload/end_on", rule=text.name, detail=text.zh, detail_en=text.en)
        raise RejectedError("invalid-field", [error])


def _is_named(number: str, measure: Measure) -> bool:
    """By our number, or by the one that the register or the police gave."""
    return number in (measure.measure_no, measure.control_no, measure.receipt_no)


def _misnamed(pointer: str, right: Sequence[Measure]) -> RejectedError:
    """right: the asker's own measures, whose numbers it may be told."""
    text = RULES["measure-no-mismatch"]
    numbers = "、".join(m.measure_no for m in right)
    told = (f"{text.zh}：{numbers}", f"{text.en}: {numbers}") if right else (text.zh, text.en)
    error = FieldError(pointer=pointer, rule=text.name, detail=told[0], detail_en=told[1])
    return RejectedError("invalid-field", [error])


async def _tell_elsewhere(context: Context, tx: MeasureUnit, asked: Asked) -> None:
    """One event for each measure that is asked for, however many others there are: head names the oldest of them and
    says how many."""
    on_objects = await tx.measures_on([key for m in asked.measures for key in asked.with_earlier(m.object_key)])
    by_number = {request.request_no: request for request in asked.requests}
    for measure in asked.measures:
        same = [m for m in on_objects if m.object_key in asked.with_earlier(measure.object_key)]
        request = by_number[measure.request_no]
        if not (others := sorted(seizures.elsewhere(measure, same))):
            continue
        first, count = others[0], len(others)
        asked.beside.events += request_events(
            context, request, "measure-elsewhere", request.created_at,
            head={"measure_no": first, "count": count}, detail=first if count == 1 else f"{first}+{count - 1}",
        )  # fmt: skip


async def _find_targets(context: Context, tx: MeasureUnit, rule: MeasureRule, asked: Asked) -> None:
    there = await tx.measures_on([key for first, _, _ in asked.ending for key in asked.with_earlier(first)])
    own = [m for m in there if m.opener == asked.requests[0].asker]
    mine: list[Measure] = []
    for first, action, case_no in asked.ending:
        alike = [m for m in own if (m.action, m.case_no) == (action, case_no)]
        # What an earlier version took for the same object is meant only where nothing has today's key.
        mine += [m for m in alike if m.object_key == first] or [
            m for m in alike if m.object_key in asked.earlier.get(first, ())
        ]
    if rule.effect == "renew":
        _may_be_renewed(context, rule, mine)
        states: tuple[str, ...] = LIVE
    else:
        states = (*OPEN_STATES, "lapsed")
    found = [m for m in mine if m.state in states]
    _names_it(rule, found)
    if rule.effect == "end":
        _paper_ends_it(asked, found, context.today())
    for request in asked.requests:
        request.facts["targets"] = asked.targets(request, found)


def _names_it(rule: MeasureRule, found: Sequence[Measure]) -> None:
    """A list that several keep is named by its publication, which is the group's business (`unit_checks.Circles`)."""
    if rule.measure_no is None or rule.per_receiver or not found:
        return
    if not any(_is_named(rule.measure_no, m) for m in found):
        raise _misnamed(rule.named_at, found)


def _paper_ends_it(asked: Asked, found: Sequence[Measure], today: date) -> None:
    """The ruling that sealed is older than the seal; that the right kind is there, the documents' check has seen."""
    for measure in found:
        row = ending_paper(measure.action, today)
        if row is None or row.paper is None:
            continue
        issued = [on for kind, on in asked.papers if kind == row.paper]
        if issued and is_too_early(max(issued), _began_on(measure, today.isoformat())):
            text = RULES["ending-paper-early"]
            error = FieldError(pointer="/documents", rule=text.name, detail=text.zh, detail_en=text.en)
            raise RejectedError("invalid-field", [error])


def _began_on(measure: Measure, today: str) -> str:
    """Its first day; of one that has not begun, or was never answered, the day on which it was asked for."""
    if measure.start_on is not None and measure.start_on <= today and measure.state != "requested":
        return measure.start_on
    day = measure.request_no.rsplit("-", 2)[1]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


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
