"""Lists that are wrong in one way each: the comparing names it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.drills.comparing import Finding, compare, kinds, told_apart
from tests.drills.lists import Answer, Court, Effect, Gateway, Row, Told

DONE, READ, PARKED = "c-20260324-000001", "c-20260324-000002", "c-20260324-000003"
EVENTS = (
    Told(1, "message", DONE, "open", "approved", "m1"),
    Told(2, "message", DONE, "result", "completed", "m2"),
    Told(3, "state", PARKED, None, "undeliverable"),
)
COURT = Court(
    handed=frozenset({"a", "b", "c"}),
    answers=(Answer("a", DONE), Answer("b", READ), Answer("c", PARKED), Answer("a", DONE, again=True)),
    told=EVENTS,
)
EFFECTS = (Effect("e1", "police", DONE, "a"), Effect("e2", "grid", READ, "b"))
GATEWAY = Gateway(
    requests={
        DONE: Row("police", "completed"),
        READ: Row("grid", "read"),
        PARKED: Row("police", "undeliverable", "unroutable"),
    },
    events=EVENTS,
)


def _with(number: str, row: Row | None) -> Gateway:
    left = {no: found for no, found in GATEWAY.requests.items() if no != number}
    return replace(GATEWAY, requests=left if row is None else {**left, number: row})


def test_what_is_done_read_or_parked_with_a_reason_is_well() -> None:
    assert compare(COURT, EFFECTS, GATEWAY) == ()


def test_a_copy_of_an_agencys_table_counts_once() -> None:
    assert compare(COURT, EFFECTS * 2, GATEWAY) == ()


WRONG: dict[str, tuple[Court, tuple[Effect, ...], Gateway, str]] = {
    "one number answered for two matters": (
        replace(COURT, answers=(*COURT.answers[:1], Answer("b", DONE), COURT.answers[2])),
        (EFFECTS[0],),
        _with(READ, None),
        "number-given-twice",
    ),
    "one number done as two matters": (
        COURT,
        (*EFFECTS, Effect("e3", "police", DONE, "c")),
        GATEWAY,
        "number-given-twice",
    ),
    "the same submission accepted twice": (
        replace(COURT, answers=(*COURT.answers, Answer("a", "c-20260324-000009", again=True))),
        EFFECTS,
        _with("c-20260324-000009", Row("police", "completed")),
        "two-numbers",
    ),
    "done twice under one number": (COURT, (*EFFECTS, Effect("e3", "police", DONE, "a")), GATEWAY, "effect-twice"),
    "done twice under two numbers": (
        COURT,
        (*EFFECTS, Effect("e3", "police", "c-20260324-000009", "a")),
        GATEWAY,
        "effect-twice",
    ),
    "done though nobody was answered": (
        COURT,
        (*EFFECTS, Effect("e3", "police", "c-20260324-000009", "z")),
        GATEWAY,
        "effect-of-nothing",
    ),
    "done by another than was asked": (COURT, EFFECTS, _with(READ, Row("police", "read")), "effect-of-nothing"),
    "a 202 that the database does not know": (COURT, EFFECTS, _with(PARKED, None), "lost"),
    "a 202 that stands still": (COURT, EFFECTS, _with(PARKED, Row("police", "delivered")), "lost"),
    "done, and the answer lost": (COURT, EFFECTS, _with(DONE, Row("police", "delivered")), "lost"),
    "parked without a reason": (COURT, EFFECTS, _with(PARKED, Row("police", "undeliverable")), "lost"),
    "ended, and nobody did it": (COURT, EFFECTS[1:], GATEWAY, "never-done"),
    "handed in and never answered": (replace(COURT, handed=COURT.handed | {"d"}), EFFECTS, GATEWAY, "not-answered"),
    "refused and not listed": (
        replace(COURT, handed=COURT.handed | {"d"}, refused={"d": "in-doubt"}),
        EFFECTS,
        GATEWAY,
        "refused",
    ),
    "a request that nobody was answered": (COURT, EFFECTS, _with("c-20260324-000009", Row("grid", "read")), "nobodys"),
    "an event that the follower missed": (replace(COURT, told=EVENTS[1:]), EFFECTS, GATEWAY, "event-missed"),
    "an event told twice": (replace(COURT, told=(*EVENTS, EVENTS[0])), EFFECTS, GATEWAY, "event-twice"),
    "a cursor told twice": (replace(COURT, cursors=("f1", "f2", "f1")), EFFECTS, GATEWAY, "event-twice"),
    "an event that never was": (
        replace(COURT, told=(*EVENTS, Told(9, "message", DONE, "confirm", "closed", "m9"))),
        EFFECTS,
        GATEWAY,
        "event-of-nothing",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_in_one_way_is_named(wrong: str) -> None:
    court, effects, gateway, kind = WRONG[wrong]
    assert kind in kinds(compare(court, effects, gateway))


@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "an event that never was"])
def test_a_database_put_back_excuses_none_of_it(wrong: str) -> None:
    court, effects, gateway, kind = WRONG[wrong]
    assert kind in kinds(compare(court, effects, gateway, forgetful=True))


def test_a_database_put_back_may_have_forgotten_what_the_follower_heard() -> None:
    court = WRONG["an event that never was"][0]
    assert compare(court, EFFECTS, GATEWAY, forgetful=True) == ()
    alike = replace(court, told=(*court.told, court.told[-1]))
    assert compare(alike, EFFECTS, GATEWAY, forgetful=True) == ()


@pytest.mark.parametrize("of", [PARKED, "c"])
def test_listed_for_a_person_by_number_or_by_matter_is_well(of: str) -> None:
    gateway = replace(_with(PARKED, None), listed={of: "forgotten-request"})
    assert compare(COURT, EFFECTS, gateway) == ()
    assert kinds(compare(COURT, EFFECTS, replace(gateway, listed={of: ""}))) == {"lost"}


def test_what_a_database_put_back_does_not_have_is_listed_when_it_says_so_to_the_court() -> None:
    court = replace(COURT, unknown={PARKED: "unknown-request"})
    assert compare(court, EFFECTS, _with(PARKED, None), forgetful=True) == ()
    assert kinds(compare(court, EFFECTS, _with(PARKED, None))) == {"lost"}


def test_what_a_person_has_before_him_may_be_done_and_unanswered() -> None:
    court = replace(COURT, handed=COURT.handed | {"d"})
    effects = (*EFFECTS, Effect("e3", "grid", "c-20260324-000009", "d"))
    assert compare(court, effects, replace(GATEWAY, listed={"d": "waits"})) == ()
    assert kinds(compare(court, effects, GATEWAY)) == {"effect-of-nothing", "not-answered"}


def test_what_is_told_names_how_many_and_the_first() -> None:
    told = told_apart((Finding("lost", DONE, "stands at sent"), Finding("lost", READ)), most=1)
    assert told == f"{{'lost': 2}}\nlost {DONE} stands at sent"


SECOND = "c-20260324-001231"
"""The number that the matter `c` was given after a restore, when a person had said that it is to be done."""
GIVEN_AGAIN = replace(
    COURT, answers=(*COURT.answers, Answer("c", SECOND, again=True)), unknown={PARKED: "unknown-request"}
)
DONE_AGAIN = replace(
    _with(PARKED, None),
    requests={**_with(PARKED, None).requests, SECOND: Row("police", "completed")},
    accepted=frozenset({"c"}),
)
EFFECT_OF_SECOND = (*EFFECTS, Effect("e3", "police", SECOND, "c"))


def test_a_forgotten_number_under_which_nothing_was_done_may_be_followed_by_another_where_a_person_decided() -> None:
    assert compare(GIVEN_AGAIN, EFFECT_OF_SECOND, DONE_AGAIN, forgetful=True) == ()


@pytest.mark.parametrize(
    ("court", "effects", "gateway", "forgetful", "kind"),
    [
        (GIVEN_AGAIN, EFFECT_OF_SECOND, DONE_AGAIN, False, "two-numbers"),
        (GIVEN_AGAIN, EFFECT_OF_SECOND, replace(DONE_AGAIN, accepted=frozenset({"b"})), True, "two-numbers"),
        (replace(GIVEN_AGAIN, unknown={}), EFFECT_OF_SECOND, DONE_AGAIN, True, "two-numbers"),
        (
            GIVEN_AGAIN,
            (*EFFECT_OF_SECOND, Effect("e4", "police", PARKED, "c")),
            DONE_AGAIN,
            True,
            "two-numbers",
        ),
        (
            GIVEN_AGAIN,
            EFFECT_OF_SECOND,
            replace(DONE_AGAIN, requests={**DONE_AGAIN.requests, PARKED: Row("police", "undeliverable", "unroutable")}),
            True,
            "two-numbers",
        ),
    ],
    ids=["not put back", "nobody decided", "known when asked", "done under the first too", "the database knows it"],
)
def test_a_second_number_is_wrong_where_one_of_these_is_not_so(
    court: Court, effects: tuple[Effect, ...], gateway: Gateway, forgetful: bool, kind: str
) -> None:
    assert kind in kinds(compare(court, effects, gateway, forgetful=forgetful))
