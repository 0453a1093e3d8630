"""Who operates: the list as a file, rights by role, reasons without numbers of people, plans of two persons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.core.operating.operators import RIGHTS, ROLES, Operator, unlisted
from gateway.core.operating.plans import digest_of, is_unchanged, item_of, may_replay, outcome_of
from gateway.core.operating.reasons import LONGEST, reason
from gateway.core.operating.records import DeadMessage, Outcome, Plan
from gateway.registry.config import FILE, load_config
from gateway.registry.operators import read_operators
from lianzhi.errors import ConfigurationError, RejectedError

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
WANG, LI = Operator("wang", "王某", "operator"), Operator("li", "李某", "operator")
DEAD = DeadMessage(
    "court-sn0199", "m1", "police-610199", "court-sn0199-20260324-000001", "open", 1, "dead", "dead-lettered", NOW,
    "d1", "undeliverable",
)  # fmt: skip

LATER = replace(DEAD, message_id="m2", verb="urge", seqno=2, digest="d2")


def plan_of(*messages: DeadMessage, by: Operator = WANG) -> Plan:
    items = [item_of(one) for one in messages]
    return Plan(3, NOW, by.user, by.name, items, digest_of(items), "open")


# --- the list


def listed(tmp_path: Path, text: str) -> Path:
    path = tmp_path / FILE
    path.write_text(text, "utf-8")
    return path


def test_users_with_their_names_and_roles(tmp_path: Path) -> None:
    text = '[operators.wang]\nname = "王某"\nrole = "operator"\n\n[operators.li]\nname = "李某"\nrole = "viewer"\n'
    found = read_operators(listed(tmp_path, text))
    assert found == {"wang": WANG, "li": Operator("li", "李某", "viewer")}
    assert read_operators(listed(tmp_path, "[http]\nport = 1\n")) == {}


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ('[http]\nport = 1\n\n[operators.wang]\nname = "王某"\nrole = "chief"\n', 6, "chief"),
        ('[operators.wang]\nname = "王某"\n', 1, "operators.wang"),
        ('[operators.wang]\nrole = "viewer"\n', 1, "operators.wang"),
        ('[operators.wang]\nname = " "\nrole = "viewer"\n', 2, " "),
        ('[operators.wang]\nname = "王\\n某"\nrole = "viewer"\n', 2, "王\\n某"),
        (f'[operators.wang]\nname = "{"王" * 41}"\nrole = "viewer"\n', 2, "王" * 41),
        ('[operators.wang]\nname = "王某"\nrole = "viewer"\nroles = "viewer"\n', 4, "roles"),
        ('[operators."wang li"]\nname = "王某"\nrole = "viewer"\n', 1, "wang li"),
        ('[operators."-wang"]\nname = "王某"\nrole = "viewer"\n', 1, "-wang"),
        ('[operators.nobody]\nname = "王某"\nrole = "viewer"\n', 1, "nobody"),
        (
            '[operators.wang]\nname = "王某"\nrole = "viewer"\n[operators.wang2]\nname = "王某"\nrole = "viewer"\n',
            5,
            "王某",
        ),
        ('[operators]\nwang = { name = "王某", role = "boss" }\n', 2, "boss"),
        ('[operators]\nwang = "viewer"\n', 2, "wang"),
        ('operators = "wang"\n', 1, "operators"),
    ],
)
def test_what_is_wrong_is_refused_by_file_line_and_word(tmp_path: Path, text: str, line: int, word: str) -> None:
    path = listed(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        read_operators(path)
    assert str(caught.value).startswith(f"{path}:{line}：{word}：")
    with pytest.raises(ConfigurationError) as loaded:
        load_config(tmp_path)
    assert str(loaded.value) == str(caught.value)


def test_a_user_who_stands_twice_is_refused_with_the_line(tmp_path: Path) -> None:
    one = '[operators.wang]\nname = "王某"\nrole = "viewer"\n'
    with pytest.raises(ConfigurationError, match=r"lianzhi\.toml:4"):
        read_operators(listed(tmp_path, one + one))


# --- rights


def test_each_role_may_what_the_one_before_may() -> None:
    for before, after in pairwise(ROLES):
        assert RIGHTS[before] < RIGHTS[after]


@pytest.mark.parametrize(("role", "able"), [("viewer", {"look"}), ("operator", {"look", "act"})])
def test_what_a_role_may_not_is_refused_with_the_roles_that_may(role: str, able: set[str]) -> None:
    operator = replace(WANG, role=role)  # type: ignore[arg-type]
    for right in ("look", "act", "stop"):
        if right in able:
            operator.require(right)
            continue
        with pytest.raises(RejectedError) as caught:
            operator.require(right)
        assert caught.value.code == "operator-forbidden" and "supervisor" in caught.value.errors[0].detail_en


def test_who_is_not_listed_hears_the_line_to_add() -> None:
    assert "[operators.zhao]" in unlisted("zhao", 1001).errors[0].detail
    assert "[operators" not in unlisted(None, 1001).errors[0].detail and "1001" in unlisted(None, 1001).errors[0].detail
    assert "\x1b" not in unlisted("zh\x1bao", 1001).errors[0].detail


# --- reasons


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (None, "why-missing"),
        ("  ", "why-missing"),
        (7, "why-missing"),
        ("一" * (LONGEST + 1), "why-form"),
        ("一\n二", "why-form"),
        ("\x1b[2J", "why-form"),
        ("当事人61010219900101123X", "why-personal"),
        ("６１０１０２１９９００１０１１２３４", "why-personal"),
        ("身份证 610102900101123", "why-personal"),
        ("电话 13800138007", "why-personal"),
        ("138-0013-8007", "why-personal"),
        ("车牌陕A12345", "why-personal"),
        ("陕A·D12345 已核", "why-personal"),
    ],
)
def test_a_reason_that_is_none_or_tells_of_a_person_is_refused(text: object, rule: str) -> None:
    with pytest.raises(RejectedError) as caught:
        reason(text)
    assert caught.value.errors[0].rule == rule


@pytest.mark.parametrize(
    "text", ["对方检修", "court-sn0199-20260324-000001 已核对", "（2026）陕0199执900001号", "v1.2.3"]
)
def test_numbers_of_requests_and_cases_are_no_persons(text: str) -> None:
    assert reason(f" {text} ") == text


# --- plans


def test_a_plan_is_carried_out_by_somebody_else() -> None:
    plan = plan_of(DEAD)
    may_replay(plan, LI, plan.digest[:12])
    may_replay(plan, LI, None)
    for same in (WANG, replace(LI, name=WANG.name)):
        with pytest.raises(RejectedError) as caught:
            may_replay(plan, same, None)
        assert caught.value.errors[0].rule == "two-persons"
    for digest in ("0" * 12, plan.digest[:11], ""):
        with pytest.raises(RejectedError) as caught:
            may_replay(plan, LI, digest)
        assert caught.value.errors[0].rule == "plan-digest"
    with pytest.raises(RejectedError) as caught:
        may_replay(replace(plan, state="void"), LI, None)
    assert caught.value.errors[0].rule == "plan-changed"
    with pytest.raises(RejectedError) as caught:
        may_replay(replace(plan, state="cancelled", ended_by="li", ended_person="李某", outcomes=[]), LI, None)
    assert caught.value.errors[0].rule == "plan-cancelled"
    assert "李某" in caught.value.errors[0].detail


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        ([], DEAD, "sent"),
        ([], None, "changed"),
        ([], replace(DEAD, request_state="withdrawn"), "changed"),
        ([], replace(DEAD, request_state="dispatched"), "changed"),
        ([], replace(DEAD, digest="d2"), "changed"),
        (["sent"], replace(LATER, request_state="delivered"), "sent"),
        (["sent"], replace(LATER, request_state="withdrawn"), "changed"),
        (["sent"], replace(LATER, state="parked"), "changed"),
        (["changed"], replace(LATER, request_state="delivered"), "changed"),
        (["changed"], LATER, "sent"),
    ],
)
def test_what_becomes_of_the_next_message_of_a_plan(
    before: list[Outcome], now: DeadMessage | None, outcome: str
) -> None:
    """What went before of the same request may have moved it on; nothing else may have."""
    assert outcome_of(replace(plan_of(DEAD, LATER), state="running", outcomes=before), now) == outcome


def test_messages_of_no_request_do_not_answer_for_each_other() -> None:
    alone = replace(DEAD, request_no=None, request_state=None)
    plan = replace(plan_of(alone, replace(alone, message_id="m2")), outcomes=["sent"])
    assert outcome_of(plan, replace(alone, message_id="m2", request_state="sent")) == "changed"


@pytest.mark.parametrize(
    "now",
    [
        [],
        [replace(DEAD, state="parked")],
        [replace(DEAD, request_state="withdrawn")],
        [replace(DEAD, digest="d2")],
        [replace(DEAD, reason="message-too-large")],
        [replace(DEAD, message_id="m2")],
    ],
)
def test_a_plan_whose_messages_have_changed_does_not_hold(now: list[DeadMessage]) -> None:
    assert is_unchanged(plan_of(DEAD), [DEAD, replace(DEAD, message_id="m9")])
    assert not is_unchanged(plan_of(DEAD), now)


def test_the_digest_is_over_every_item_in_order() -> None:
    one, two = item_of(DEAD), item_of(replace(DEAD, message_id="m2"))
    assert digest_of([one, two]) != digest_of([two, one]) != digest_of([one])
    assert digest_of([one, two]) == digest_of([dict(reversed(one.items())), two])


# --- lines
