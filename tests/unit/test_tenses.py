"""Every day and moment of every model says what it is about, and is judged by when it was said (docs/adr/0038)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel

from lianzhi.protocol import times
from lianzhi.protocol.base import Model
from lianzhi.protocol.times import APART, Said, Tense, tense_of
from lianzhi.protocol.verbs import VERBS
from schemas.answers import before_request
from schemas.bodies import Submission, content_model
from schemas.catalogue import catalogue
from schemas.closures import ClosureEvent
from schemas.duty import Roster
from schemas.validation import InvalidError, parse_data, parse_open, validate

SAID = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)  # ten in the morning in Shanghai
NAMED_LIKE_A_DATE = ("_on", "_at", "_by", "_until", "_month", "_date", "begins", "ends", "eta", "as_of")
FORMS = {
    next(mark.func for mark in get_args(kind) if isinstance(mark, AfterValidator))
    for kind in vars(times).values()
    if get_origin(kind) is Annotated
}
WHO = {"answered_by", "approved_by", "drafted_by", "handed_by", "held_by", "received_by", "sealed_by", "signed_by"}
WHERE = {"lives_at", "registered_at"}
IN_WORDS = {"perform_by"}  # 按月履行


def models() -> set[type[BaseModel]]:
    """Every model that can be exchanged: the payloads, results and verbs of every type and all that is inside."""
    roots: list[Any] = [Submission, ClosureEvent, Roster, *(verb.model for verb in VERBS.values() if verb.model)]
    for matter in catalogue().values():
        roots += [model for verb in ("open", "result", "correct") if (model := content_model(matter, verb))]
        roots += [matter.request]
    found: set[type[BaseModel]] = set()
    while roots:
        part = roots.pop()
        if isinstance(part, type) and issubclass(part, BaseModel):
            if part not in found:
                found.add(part)
                roots += [field.annotation for field in part.model_fields.values()]
        elif get_origin(part) in (Annotated, Union, UnionType, list, dict, tuple):
            roots += get_args(part)
    return found


def marks(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in (*get_args(annotation), *getattr(annotation, "__metadata__", ())):
        yield from marks(part)


def dated() -> Iterator[tuple[str, str, Any]]:
    """(model, member, field) of every member that holds a day or a moment, by its type or by its name."""
    for model in models():
        for name, field in model.model_fields.items():
            parts = [part for mark in (*field.metadata, field.annotation) for part in marks(mark)]
            by_type = any(isinstance(part, AfterValidator) and part.func in FORMS for part in parts)
            by_name = name.endswith(NAMED_LIKE_A_DATE) and name not in WHO | WHERE | IN_WORDS and str in parts
            if by_type or by_name:
                yield f"{model.__module__}.{model.__name__}", name, field


def test_every_day_and_moment_is_classified() -> None:
    found = list(dated())
    unclassified = sorted({(model, name) for model, name, field in found if not tense_of(field)})
    assert not unclassified
    assert len(found) > 150, "the walk finds the models"


@pytest.mark.parametrize(
    ("name", "tense"),
    [
        ("received_on", Tense.HAPPENED),
        ("released_on", Tense.HAPPENED),
        ("escrowed_on", Tense.HAPPENED),
        ("issued_on", Tense.HAPPENED),
        ("published_on", Tense.HAPPENED),
        ("received_at", Tense.HAPPENED),
        ("as_of", Tense.HAPPENED),
        ("meet_at", Tense.COMING),
        ("starts_at", Tense.COMING),
        ("ends_at", Tense.COMING),
        ("decline_by", Tense.COMING),
        ("promised_at", Tense.COMING),
    ],
)
def test_members_of_one_name_are_about_the_same_time(name: str, tense: Tense) -> None:
    found = [tense_of(field) for _, member, field in dated() if member == name]
    assert found and all(one == {tense} for one in found)


def test_a_decision_has_happened_wherever_it_stands() -> None:
    found = [tense_of(field) for _, member, field in dated() if member == "decided_on"]
    assert found and all(one <= {Tense.HAPPENED, Tense.ANSWERS} and one for one in found)


class Dates(Model):
    past: times.PastDay | None = None
    month: times.PastMonth | None = None
    coming: times.ComingDay | None = None
    any: times.AnyDay | None = None
    past_at: times.PastMoment | None = None
    coming_at: times.ComingMoment | None = None
    any_at: times.AnyMoment | None = None


def rules(**members: str) -> list[str]:
    try:
        validate(Dates, members, said_at=SAID)
    except InvalidError as error:
        return [one.rule for one in error.errors]
    return []


@given(st.integers(-400, 400))
def test_days_are_judged_by_the_day_on_which_they_are_said(days: int) -> None:
    day = (SAID + timedelta(days=days)).date().isoformat()
    assert rules(past=day) == (["day-in-future"] if days > 0 else [])
    assert rules(coming=day) == (["day-over"] if days < 0 else [])
    assert rules(any=day) == []


@given(st.integers(-(10**7), 10**7))
def test_moments_are_judged_by_the_moment_give_or_take_what_clocks_differ(seconds: int) -> None:
    moment = (SAID + timedelta(seconds=seconds)).isoformat()
    assert rules(past_at=moment) == (["moment-in-future"] if timedelta(seconds=seconds) > APART else [])
    assert rules(coming_at=moment) == (["moment-over"] if timedelta(seconds=seconds) < -APART else [])
    assert rules(any_at=moment) == []


def test_a_month_has_begun() -> None:
    assert rules(month="2026-03") == []
    assert rules(month="2026-04") == ["day-in-future"]


def test_around_midnight_both_days_are_today() -> None:
    said = Said(datetime(2026, 3, 24, 15, 58, tzinfo=UTC))
    assert (said.first_day, said.last_day) == ("2026-03-24", "2026-03-25")


def test_without_a_moment_nothing_is_judged() -> None:
    assert validate(Dates, {"past": "2062-01-01", "coming": "1999-01-01"}).past == "2062-01-01"


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_what_happened_is_refused_when_it_is_told_long_before_it_happens(name: str) -> None:
    """Wherever a member of an example is about what happened, the same said decades earlier is refused, and nothing but
    the rules about time says so."""
    matter = catalogue()[name]
    early = datetime(1990, 1, 1, tzinfo=UTC)
    found: list[str] = []
    judging: list[Callable[[], object]] = [
        lambda: parse_open(matter, dict(matter.example_request), said_at=early),
        lambda: parse_data(matter, "result", dict(matter.example_result), said_at=early),
    ]
    for judged in judging:
        try:
            judged()
        except InvalidError as error:
            found += [one.rule for one in error.errors]
    assert set(found) <= {"day-in-future", "moment-in-future", "no-result"}


@pytest.mark.parametrize(
    ("name", "member", "asked"),
    [
        ("refusal.lead.transfer", "decided_on", "transferred_on"),
        ("refusal.supervision.request", "decided_on", "asked_on"),
        ("petition.supervise.assign", "answered_on", "assigned_on"),
        ("bankruptcy.transfer.submit", "decided_on", "transferred_on"),
        ("bankruptcy.candidate.propose", "assessed_on", "proposed_on"),
        ("entrust.disposal-right.request", "transferred_on", "asked_on"),
    ],
)
def test_an_answer_is_not_dated_before_what_it_answers(name: str, member: str, asked: str) -> None:
    matter = catalogue()[name]
    asked_on = matter.asked_on(parse_open(matter, dict(matter.example_request)))
    assert asked_on == matter.example_request[asked]
    line = {**matter.example_result["items"][0], member: "2020-01-01"}
    [told] = before_request(matter, "result", {"items": [line]}, asked_on)
    assert (told.pointer, told.rule) == (f"/items/0/{member}", "before-request")
    assert asked_on is not None and asked_on in told.detail
    assert before_request(matter, "result", {"items": [{**line, member: asked_on}]}, asked_on) == []
    assert before_request(matter, "result", {"items": [line]}, None) == []
