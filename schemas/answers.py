"""Rules of an answer beside its form: which verbs the law allows for it, that it is not dated before its request, and
what the result of an object must state when it is `done`: the number that the register or the assisting unit gave it,
and the sum in fact.

Without number and sum nobody can find a seal again, and a freeze of nothing looks like one of the whole debt
(查封扣押冻结规定 1, 7: the property is registered, the result is told; 法释〔2021〕20号 6: a share is frozen from its
publication).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from lianzhi.problem import FieldError
from lianzhi.protocol.base import Model
from lianzhi.protocol.cards import TypeCard, Unlawful
from lianzhi.protocol.rules import RULES
from lianzhi.protocol.times import Tense, tense_of
from schemas.catalogue import MatterType, Shape

NUMBER, AMOUNT, PUBLISHED = "number", "amount", "published"
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    NUMBER: ("registry_no", "receipt_no"),
    AMOUNT: ("amount",),
    PUBLISHED: ("published_at",),
}
"""What must be stated → the members of which one states it; a fault points at the first."""
_RULES: Mapping[str, str] = {
    NUMBER: "done-number-required",
    AMOUNT: "done-amount-required",
    PUBLISHED: "publication-required",
}


def unlawful_answer(matter: MatterType, verb: str, *, pointer: str) -> FieldError | None:
    """What is told to whoever answers this matter by a verb that the law does not let it be answered by, with the
    answers that take its place; None where it is a lawful one."""
    instead = matter.answers_instead.get(verb)
    if instead is None:
        return None
    return _broken("answer-not-lawful", pointer, basis=instead.basis, instead=instead.zh, instead_en=instead.en)


def card_of(matter: MatterType) -> TypeCard:
    """What the library needs of it."""
    unlawful = {}
    for verb in matter.answers_instead:
        told = unlawful_answer(matter, verb, pointer="/type")
        assert told is not None
        unlawful[verb] = Unlawful(zh=told.detail, en=told.detail_en)
    return TypeCard(
        name=matter.name,
        version=matter.version,
        alert=matter.shape is Shape.ALERT,
        fan_out=matter.fan_out,
        request_class=matter.request_class,
        result_class=matter.result_class,
        unlawful=unlawful,
    )


def before_request(matter: MatterType, verb: str, data: Mapping[str, Any], asked_on: str | None) -> list[FieldError]:
    """The days in a validated result that lie before the request that it answers. asked_on: the day of the request as
    far as it states one."""
    if asked_on is None or verb not in ("result", "correct") or matter.result_item is None:
        return []
    return [
        _broken("before-request", f"/items/{index}/{name}", asked_on=asked_on)
        for index, item in enumerate(data.get("items", ()))
        for name in _answer_days(matter.result_item)
        if item.get(name) is not None and item[name] < asked_on
    ]


@cache
def _answer_days(item: type[Model]) -> tuple[str, ...]:
    """Members of a line of a result that state the day of an answer (`lianzhi.protocol.times.AnswerDay`)."""
    return tuple(name for name, field in item.model_fields.items() if Tense.ANSWERS in tense_of(field))


def undone(states: Sequence[str], result: Mapping[str, Any]) -> list[FieldError]:
    """What a result lacks. states: of NUMBER, AMOUNT, PUBLISHED, those that its request wants of each object that is
    done. result: canonical data of a `result` or `correct`; of any other verb nothing is lacking."""
    if not states or result.get("outcome") not in ("done", "partial"):
        return []
    return [fault for index, item in enumerate(result.get("items", ())) for fault in _of_item(states, index, item)]


def _of_item(states: Sequence[str], index: int, item: Mapping[str, Any]) -> Iterator[FieldError]:
    if item.get("status") != "done":
        return
    for state in states:
        if all(item.get(member) is None for member in _MEMBERS[state]):
            rule = RULES[_RULES[state]]
            pointer = f"/items/{index}/{_MEMBERS[state][0]}"
            yield FieldError(pointer=pointer, rule=rule.name, detail=rule.zh, detail_en=rule.en)


def _broken(name: str, pointer: str, **told: str) -> FieldError:
    rule = RULES[name]
    return FieldError(pointer=pointer, rule=name, detail=rule.zh.format_map(told), detail_en=rule.en.format_map(told))
