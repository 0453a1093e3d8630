"""Control measures: which ones a request asks for, and what an answer makes of them.

The states and the moves between them stand in `measure_moves`. Only what a partner *did* makes a measure active; only
what a partner did, or says that it did not do, ends an active one. A requested measure that comes to nothing (refused,
withdrawn, failed) is ended; if its partner says later that it was done after all, it is active again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from gateway.core.control.moves import CAME_TO_NOTHING, NOT_DONE, OPEN_STATES, OVER, is_live, moved
from gateway.core.records import Measure, Request
from gateway.core.time.calendar import SHANGHAI
from schemas.catalogue import MeasureRule, earlier_of


def object_key(secret: bytes, words: str) -> str:
    """Keyed hash of an object's identifying words (plate + VIN, ID number, account): 64 hex characters."""
    return hmac.new(secret, words.encode(), hashlib.sha256).hexdigest()


def keys_of(rule: MeasureRule, asked: str, secret: bytes) -> list[str]:
    """The key of each of the rule's objects, with the receiver `asked` in it where each receiver keeps its own."""
    return [object_key(secret, f"{asked}:{words}" if rule.per_receiver else words) for _, words in rule.objects]


def keys_to_find(rule: MeasureRule, asked: str, secret: bytes) -> list[list[str]]:
    """For each of the rule's objects the keys under which its measures stand: today's first, then those that earlier
    versions gave (`schemas.catalogue.Words`)."""
    within = f"{asked}:" if rule.per_receiver else ""
    return [_of_words(words, within, secret) for _, words in rule.objects]


def _of_words(words: str, within: str, secret: bytes) -> list[str]:
    return list(dict.fromkeys(object_key(secret, within + one) for one in (words, *earlier_of(words))))


def plain_keys(rule: MeasureRule, secret: bytes) -> list[str]:
    """The key of each object itself, whoever keeps the measure."""
    return [object_key(secret, words) for _, words in rule.objects]


def forbidding_keys(rule: MeasureRule, case_no: str | None, secret: bytes) -> list[tuple[str, str, str]]:
    """(object_key, action, case_no) of what would forbid this measure (`blocked_by`)."""
    if rule.blocked_by is None:
        return []
    keys = (key for _, words in rule.objects for key in _of_words(words, "", secret))
    return [(key, rule.blocked_by, case_no or "") for key in keys]


def kept_by(rule: MeasureRule, measures: Sequence[Measure], secret: bytes) -> list[Measure]:
    """Those of the `measures` of a case that are open on the rule's objects, whoever keeps them."""
    alike = [m for m in measures if m.action == rule.action and m.state in OPEN_STATES]
    keys = {asked: set(chain(*keys_to_find(rule, asked, secret))) for asked in {m.asked for m in alike}}
    return [m for m in alike if m.object_key in keys[m.asked]]


def in_force_on(measure: Measure, day: str | None) -> bool:
    """Whether a measure that is open reaches `day` (YYYY-MM-DD; None: any day)."""
    return measure.state in OPEN_STATES and (measure.end_on is None or day is None or day <= measure.end_on)


def requested(rule: MeasureRule, request: Request, secret: bytes) -> list[Measure]:
    """The measures that `request` asks for, one for each object, not yet active."""
    return [
        Measure(
            measure_no=f"{request.request_no}-{index}",
            request_no=request.request_no,
            type=request.type,
            action=rule.action,
            case_no=request.case_no or "",
            object_key=key,
            ref=ref,
            state="requested",
            asked=request.asked,
            start_on=rule.start_on,
            end_on=rule.end_on,
            amount=rule.values[index - 1] if rule.values else None,
        )
        for index, ((ref, _), key) in enumerate(zip(rule.objects, keys_of(rule, request.asked, secret), strict=True), 1)
    ]


def settled(measures: Sequence[Measure], state: str, said: Mapping[str, Any]) -> list[Measure]:
    """What an answer makes of the measures its request asked for: the changed ones.

    state: the request's new state. said: canonical data of the answer: the `outcome` and the `items` of a result,
    each naming its object by `ref`, with a `status` (`done`, `queued`, `failed`) where the type has one; the
    `effect` of a withdrawal.
    """
    items = {item["ref"]: item for item in items_done(said)}
    changed: list[Measure | None] = []
    for measure in measures:
        item = items.get(measure.ref)
        if item is not None and (measure.state in OPEN_STATES or measure.ended_by in CAME_TO_NOTHING):
            changed.append(_after(measure, item))
        elif said.get("outcome") in NOT_DONE:
            changed.append(moved(measure, "nothing", ended_by=said["outcome"]))
        elif state in OVER and (measure.state == "requested" or _undone(measure, said)):
            changed.append(moved(measure, "nothing", ended_by=state))
    return [new for new in changed if new is not None and new not in measures]


def items_done(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items of a result that reports something done; of any other answer none."""
    if said.get("outcome") not in ("done", "partial"):
        return []
    return [item for item in said.get("items", ()) if "ref" in item]


def _undone(measure: Measure, said: Mapping[str, Any]) -> bool:
    """A withdrawal that crossed the result, and was carried out all the same."""
    return is_live(measure) and said.get("effect") == "reversed"


def ended(measures: Sequence[Measure], request_no: str, items: Sequence[Mapping[str, Any]]) -> list[Measure]:
    """Measures that an ending request (`request_no`) named, after its partner said that it is done."""
    if not any(item.get("status", "done") == "done" for item in items):
        return []
    return [new for m in measures if (new := moved(m, "ended", ended_by=request_no)) is not None]


def handed_over(measures: Sequence[Measure], items: Sequence[Mapping[str, Any]]) -> list[Measure]:
    """Measures whose object the court took over, by the result of the handover's record."""
    taken = {item["ref"] for item in items if item.get("status") == "taken"}
    found = [moved(m, "handed-over") for m in measures if m.ref in taken]
    return [new for new in found if new is not None]


def _after(measure: Measure, item: Mapping[str, Any]) -> Measure | None:
    """The numbers, the days and the sums that its partner answered stand on the measure."""
    status = item.get("status", "done")
    if status == "failed":
        return moved(measure, "failed", ended_by="failed")
    done = status == "done"
    published = _moment(item.get("published_at")) or measure.published_at
    return moved(
        measure,
        "done" if done else "queued",
        ended_by=None,
        control_no=item.get("control_no") or item.get("registry_no") or measure.control_no,
        receipt_no=item.get("receipt_no") or measure.receipt_no,
        rank=item.get("rank", measure.rank),
        start_on=_day(published) or item.get("start_on", measure.start_on),
        end_on=item.get("end_on", measure.end_on),
        seized=item.get("amount", measure.seized) if done else None,
        appraised=item.get("appraised", measure.appraised),
        published_at=published,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _day(moment: datetime | None) -> str | None:
    """A share is frozen from its publication (法释〔2021〕20号 6)."""
    return None if moment is None else moment.astimezone(SHANGHAI).date().isoformat()
