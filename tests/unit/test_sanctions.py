"""Sanctions: warned, given time, listed, limited, kept in the country, and taken off again."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from adapters.contract import Canonical
from adapters.registry import adapter_for
from lianzhi.protocol.cards import Classification
from schemas.catalogue import DeadlineKind, catalogue
from schemas.validation import parse_data, parse_open
from schemas.values.objects import Person
from schemas.values.people import public_number
from tests.faults import DELETE, changed, example, faults, opens

WARN, GRACE, LIST, UNLIST, CORRECT, LIMIT, LIFT, EXEMPT, EXIT, EXIT_RENEW, EXIT_LIFT, REPAIR = (
    "sanction.pre-notice.issue",
    "sanction.grace.set",
    "sanction.dishonest.publish",
    "sanction.dishonest.withdraw",
    "sanction.dishonest.correct",
    "sanction.consumption-limit.publish",
    "sanction.consumption-limit.lift",
    "sanction.consumption-limit.exempt",
    "sanction.exit-restrict.request",
    "sanction.exit-restrict.renew",
    "sanction.exit-restrict.lift",
    "sanction.credit-repair.certify",
)
COMPANY = {"ref": "q4w8n3zt", "name": "演示公司", "id_kind": "uscc", "id_no": "93610528MA6Y00001Y", "role": "被执行人"}
CHILD = {
    "ref": "q4w8n3zt",
    "name": "周幼例",
    "id_kind": "resident-id",
    "id_no": "610199200906010115",
    "role": "被执行人",
}
FOREIGNER = {
    "ref": "q4w8n3zt",
    "name": "DEMO",
    "id_kind": "passport",
    "id_no": "E00000001",
    "id_country": "USA",
    "role": "被执行人",
}

SLIPS: list[tuple[str, str, Any, str, str]] = [
    (WARN, "/reply_by", "2026-03-04", "/reply_by", "reply-too-soon"),
    (WARN, "/reply_by", "2026-03-01", "/reply_by", "reply-too-soon"),
    (WARN, "/intended", [], "/intended", "too-few"),
    (WARN, "/intended", ["dishonest", "shame"], "/intended/1", "unknown-code"),
    (WARN, "/grounds", ["evades", "evades"], "/grounds/1", "duplicate-value"),
    (GRACE, "/end_on", "2026-04-09", "/end_on", "grace-too-short"),
    (GRACE, "/end_on", "2026-06-11", "/end_on", "term-too-long"),
    (GRACE, "/end_on", "2026-03-09", "/end_on", "end-before-start"),
    (GRACE, "/start_on", DELETE, "/start_on", "term-required"),
    (GRACE, "/action", "end", "/start_on", "term-not-needed"),
    (LIST, "/entry/card_no", "610199198503121232", "/entry/card_no", "public-number-mismatch"),
    (LIST, "/entry/card_no", "6101991985****1233", "/entry/card_no", "public-number-mismatch"),
    (LIST, "/entry/performance", "full", "/entry/performance", "already-performed"),
    (LIST, "/entry/disruption", ["evades", "evades"], "/entry/disruption/1", "duplicate-value"),
    (LIST, "/entry/disruption", ["rude"], "/entry/disruption/0", "unknown-code"),
    (LIST, "/entry/filed_on", "2026-05-13", "/publish_on", "end-before-start"),
    (LIST, "/end_on", "2028-05-13", "/end_on", "term-too-long"),
    (LIST, "/end_on", DELETE, "/end_on", "list-term-required"),
    (LIST, "/entry/disruption", ["able-but-refuses"], "/end_on", "term-not-needed"),
    (LIST, "/debtor/id_no", DELETE, "/debtor/id_no", "id-required"),
    (UNLIST, "/card_no", "610199198503121232", "/card_no", "public-number-mismatch"),
    (UNLIST, "/reason", "tired", "/reason", "unknown-code"),
    (UNLIST, "/published_no", DELETE, "/published_no", "missing-member"),
    (CORRECT, "/entry/card_no", "6101991985****1233", "/entry/card_no", "public-number-mismatch"),
    (CORRECT, "/entry/performance", "full", "/entry/performance", "already-performed"),
    (CORRECT, "/changed", [], "/changed", "too-few"),
    (CORRECT, "/changed", ["name"], "/changed/0", "unknown-code"),
    (LIMIT, "/card_no", "610199198503121232", "/card_no", "public-number-mismatch"),
    (LIFT, "/card_no", "610199198503121232", "/card_no", "public-number-mismatch"),
    (EXEMPT, "/card_no", "610199198503121232", "/card_no", "public-number-mismatch"),
    (EXEMPT, "/debtor", COMPANY, "/debtor/id_kind", "natural-person"),
    (EXEMPT, "/end_on", "2026-06-21", "/end_on", "term-too-long"),
    (EXEMPT, "/reason", "holiday", "/reason", "unknown-code"),
    (EXEMPT, "/transport", [], "/transport", "too-few"),
    (EXIT, "/person", COMPANY, "/person/id_kind", "natural-person"),
    (EXIT, "/end_on", "2026-06-25", "/end_on", "term-too-long"),
    (EXIT, "/end_on", "2026-03-23", "/end_on", "end-before-start"),
    (EXIT, "/mode", "arrest", "/mode", "unknown-code"),
    (EXIT_RENEW, "/end_on", "2026-06-23", "/end_on", "renewal-not-longer"),
    (EXIT_RENEW, "/end_on", "2026-09-24", "/end_on", "term-too-long"),
    (EXIT_LIFT, "/control_no", DELETE, "/control_no", "missing-member"),
    (REPAIR, "/issued_on", "2026-05-31", "/issued_on", "issued-before-performed"),
    (REPAIR, "/card_no", "610199198503121232", "/card_no", "public-number-mismatch"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


def listing(debtor: dict[str, Any], card_no: str, **members: Any) -> dict[str, Any]:
    data = example(LIST)
    return {**data, "debtor": debtor, "entry": {**data["entry"], "card_no": card_no}, **members}


# --- who may be listed --------------------------------------------------------------------------------------------


def test_nobody_under_eighteen_is_listed() -> None:
    minor = listing(CHILD, "6101992009****0115")
    assert faults(lambda: parse_open(catalogue()[LIST], minor)) == [("/payload/debtor", "minor")]
    eve = {**minor, "publish_on": "2027-05-31", "end_on": "2029-05-30"}
    assert faults(lambda: parse_open(catalogue()[LIST], eve)) == [("/payload/debtor", "minor")]
    parse_open(catalogue()[LIST], {**minor, "publish_on": "2027-06-01", "end_on": "2029-05-31"})


def test_born_on_a_leap_day_is_of_age_on_the_first_of_march() -> None:
    leap = {**FOREIGNER, "birth_date": "2008-02-29"}
    data = listing(leap, "E0****01", publish_on="2026-02-28", end_on="2028-02-27")
    assert faults(lambda: parse_open(catalogue()[LIST], data)) == [("/payload/debtor", "minor")]
    parse_open(catalogue()[LIST], {**data, "publish_on": "2026-03-01"})


def test_where_the_number_does_not_tell_the_age_the_birth_date_must() -> None:
    unknown = listing(FOREIGNER, "E0****01")
    assert faults(lambda: parse_open(catalogue()[LIST], unknown)) == [
        ("/payload/debtor/birth_date", "birth-date-required")
    ]
    parse_open(catalogue()[LIST], listing({**FOREIGNER, "birth_date": "1985-03-12"}, "E0****01"))


def test_an_organisation_has_no_age_but_a_representative() -> None:
    data = listing(COMPANY, COMPANY["id_no"])
    assert faults(lambda: parse_open(catalogue()[LIST], data)) == [
        ("/payload/entry/business_entity", "representative-required")
    ]
    data["entry"]["business_entity"] = "王演示"
    parse_open(catalogue()[LIST], data)
    limit = {**example(LIMIT), "debtor": COMPANY, "card_no": COMPANY["id_no"]}
    assert faults(lambda: parse_open(catalogue()[LIMIT], limit)) == [
        ("/payload/business_entity", "representative-required")
    ]


@pytest.mark.parametrize(
    ("acts", "end_on", "lawful"),
    [
        (["evades"], "2028-05-12", True),
        (["evades"], "2029-05-12", False),
        (["obstructs"], "2031-05-12", True),
        (["obstructs"], "2031-05-13", False),
        (["evades", "breaks-settlement"], "2031-05-12", True),
        (["able-but-refuses", "evades"], None, True),
        (["able-but-refuses"], None, True),
    ],
)
def test_how_long_an_entry_stays(acts: list[str], end_on: str | None, lawful: bool) -> None:
    data = changed(changed(example(LIST), "/entry/disruption", acts), "/end_on", end_on or DELETE)
    if lawful:
        parse_open(catalogue()[LIST], data)
    else:
        assert faults(lambda: parse_open(catalogue()[LIST], data)) == [("/payload/end_on", "term-too-long")]


# --- what the public sees -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "number", "shown"),
    [
        ("resident-id", "610199198503121232", "6101991985****1232"),
        ("uscc", "93610528MA6Y00001Y", "93610528MA6Y00001Y"),
        ("passport", "E00000001", "E0****01"),
        ("officer-id", "0001", "0****1"),
    ],
)
def test_the_number_as_the_public_sees_it(kind: Any, number: str, shown: str) -> None:
    person = Person(ref="q4w8n3zt", name="周样例", id_kind=kind, id_no=number, role="被执行人")
    assert public_number(person) == shown


@pytest.mark.parametrize("name", [LIST, UNLIST, CORRECT, LIMIT, LIFT, EXEMPT, REPAIR])
async def test_no_recipient_is_told_the_number_in_full(name: str) -> None:
    payload = example(name)
    payload["debtor"] |= {"sex": "male", "birth_date": "1985-03-12"}
    said = await adapter_for("plain/1").encode(Canonical(name, "open", {"request": {}, "payload": payload}))
    assert said["payload"]["debtor"] == {
        "ref": "q4w8n3zt",
        "name": "周样例",
        "id_kind": "resident-id",
        "role": "被执行人",
    }
    assert "6101991985****1232" in str(said)
    assert "610199198503121232" not in str(said)


def test_only_what_is_public_goes_unsealed() -> None:
    classes = {name: t.request_class for name, t in catalogue().items() if name.startswith("sanction.")}
    assert {name for name, c in classes.items() if c is Classification.PUBLIC} == {LIST, CORRECT, LIMIT}
    assert {WARN, GRACE, EXEMPT, EXIT, EXIT_RENEW, EXIT_LIFT} == {n for n, c in classes.items() if c.sealed}


# --- what each does to its measure --------------------------------------------------------------------------------


def test_measures() -> None:
    names = [n for n in catalogue() if n.startswith("sanction.")]
    rules = {n: catalogue()[n].measure(parse_open(catalogue()[n], example(n))) for n in names}
    assert {n: (r.action, r.effect, r.needs_live, r.blocked_by, r.per_receiver) for n, r in rules.items() if r} == {
        GRACE: ("grace", "open", None, None, False),
        LIST: ("dishonest", "open", None, "grace", True),
        UNLIST: ("dishonest", "end", None, None, True),
        CORRECT: ("dishonest", "require", "dishonest", None, True),
        LIMIT: ("consumption-limit", "open", None, "grace", True),
        LIFT: ("consumption-limit", "end", None, None, True),
        EXEMPT: ("consumption-limit", "require", "consumption-limit", None, True),
        EXIT: ("exit-restrict", "open", None, None, False),
        EXIT_RENEW: ("exit-restrict", "renew", None, None, False),
        EXIT_LIFT: ("exit-restrict", "end", None, None, False),
    }
    ends = {n: catalogue()[n].ended_by for n in (GRACE, LIST, LIMIT, EXIT, EXIT_RENEW)}
    assert ends == {GRACE: GRACE, LIST: UNLIST, LIMIT: LIFT, EXIT: EXIT_LIFT, EXIT_RENEW: EXIT_LIFT}
    assert len({rules[n].objects for n in (GRACE, LIST, UNLIST, CORRECT, LIMIT, LIFT, EXEMPT)}) == 1  # type: ignore[union-attr]


def test_who_is_let_go_needs_nobodys_approval() -> None:
    """But it is done by the paper that ends it (schemas.law.ending_papers); a listing ends by deletion alone."""
    papers = {UNLIST: {}, LIFT: {"consumption-lift-order": 1}, EXIT_LIFT: {"exit-lift-decision": 1}}
    for name, wanted in papers.items():
        matter = catalogue()[name]
        payload = parse_open(matter, example(name))
        assert (matter.approvals(payload).people, matter.papers(payload, date(2026, 3, 24))) == (0, wanted)
    for name in (UNLIST, CORRECT, LIFT):
        deadline = catalogue()[name].deadline
        assert (deadline.kind, deadline.amount) == (DeadlineKind.WORKING_DAYS, 3)


def test_approvals() -> None:
    wanted = {
        LIST: (2, ("president",)),
        CORRECT: (2, ()),
        LIMIT: (1, ("president",)),
        EXEMPT: (1, ("president",)),
        EXIT: (2, ()),
    }
    for name, (people, roles) in wanted.items():
        rule = catalogue()[name].approvals(parse_open(catalogue()[name], example(name)))
        assert (rule.people, rule.roles) == (people, roles)


# --- a grace, an exit restriction ---------------------------------------------------------------------------------

BREACH = {
    "debtor": COMPANY,
    "action": "end",
    "grace_no": "KX-900001",
    "end_reason": "breached",
    "breached_on": "2026-05-05",
    "breach": "未按期履行",
}


@pytest.mark.parametrize(
    ("member", "pointer", "rule"),
    [
        ("grace_no", "/grace_no", "original-required"),
        ("end_reason", "/end_reason", "reason-required"),
        ("breached_on", "/breached_on", "breach-required"),
        ("breach", "/breach", "breach-required"),
    ],
)
def test_a_grace_ends_for_a_reason(member: str, pointer: str, rule: str) -> None:
    matter = catalogue()[GRACE]
    payload = parse_open(matter, BREACH)
    measure = matter.measure(payload)
    assert measure is not None and (measure.effect, measure.measure_no) == ("end", "KX-900001")
    assert not matter.documents(payload)
    data = changed(BREACH, f"/{member}", DELETE)
    assert faults(lambda: parse_open(matter, data)) == [(f"/payload{pointer}", rule)]


@pytest.mark.parametrize(
    ("start_on", "end_on"),
    [("2026-03-10", "2026-04-10"), ("2026-03-10", "2026-06-10"), ("2026-01-31", "2026-02-28")],
)
def test_a_grace_of_one_to_three_months(start_on: str, end_on: str) -> None:
    opens(GRACE, {**example(GRACE), "start_on": start_on, "end_on": end_on})


@pytest.mark.parametrize(
    ("mode", "last"),
    [("stop-at-border", "2026-06-24"), ("watch-border", "2027-03-24"), ("refuse-papers", "2031-03-24")],
)
def test_how_long_somebody_may_be_kept_in_the_country(mode: str, last: str) -> None:
    data = {**example(EXIT), "mode": mode, "end_on": last}
    parse_open(catalogue()[EXIT], data)
    longer = {**data, "end_on": f"{last[:-2]}25"}
    assert faults(lambda: parse_open(catalogue()[EXIT], longer)) == [("/payload/end_on", "term-too-long")]


def test_what_has_ended_is_not_prolonged() -> None:
    parse_open(catalogue()[EXIT_RENEW], example(EXIT_RENEW), today=date(2026, 6, 23))
    assert faults(lambda: parse_open(catalogue()[EXIT_RENEW], example(EXIT_RENEW), today=date(2026, 6, 24))) == [
        ("/payload/current_end_on", "renewal-late")
    ]


@pytest.mark.parametrize(
    ("name", "at", "value", "pointer", "rule"),
    [
        (LIST, "/done_at", DELETE, "/done_at", "done-at-required"),
        (LIST, "/status", "failed", "/fail_reason", "fail-reason-required"),
        (LIST, "/status", "queued", "/status", "unknown-code"),
        (UNLIST, "/done_at", DELETE, "/done_at", "done-at-required"),
        (WARN, "/proof", DELETE, "/proof", "service-proof-required"),
        (WARN, "/served_at", DELETE, "/served_at", "service-proof-required"),
    ],
)
def test_slip_in_an_answer(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(dict(catalogue()[name].example_result), f"/items/0{at}", value)
    assert faults(lambda: parse_data(catalogue()[name], "result", data)) == [(f"/items/0{pointer}", rule)]
