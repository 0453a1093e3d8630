"""Refusal to execute: the lead, the consultation, supervision, and how the case goes on."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.answers import unlawful_answer
from schemas.catalogue import Deadline, DeadlineKind, Kind, Shape, catalogue
from schemas.validation import documents_of, parse_data, parse_open
from schemas.values.labels import DOCUMENTS
from tests.faults import DELETE, changed, example, faults, opens

LEAD, CONVENE, MINUTES, SUPERVISION, STATUS = (
    "refusal.lead.transfer",
    "refusal.consultation.convene",
    "refusal.consultation.minutes",
    "refusal.supervision.request",
    "refusal.case.status",
)

SLIPS: list[tuple[str, str, Any, str, str]] = [
    (LEAD, "/grounds", [], "/grounds", "too-few"),
    (LEAD, "/grounds", ["JZ3-11"], "/grounds/0", "unknown-code"),
    (LEAD, "/grounds", ["NPC-6"], "/grounds/0", "unknown-code"),
    (LEAD, "/grounds", ["JZ8"], "/accomplices", "accomplice-with-ground"),
    (LEAD, "/grounds", ["JZ5-1"], "/grounds/0", "unknown-code"),
    (LEAD, "/grounds", ["JZ3-1", "JZ3-1"], "/grounds/1", "duplicate-value"),
    (LEAD, "/prior_penalties", DELETE, "/prior_penalties", "penalty-required"),
    (LEAD, "/prior_penalties/0/decided_on", "2026-03-25", "/prior_penalties/0/decided_on", "penalty-after-lead"),
    (LEAD, "/judgment/effective_on", "2026-03-25", "/judgment/effective_on", "judgment-not-effective"),
    (LEAD, "/judgment/case_no", "民初1号", "/judgment/case_no", "case-number-form"),
    (LEAD, "/suspect/id_no", DELETE, "/suspect/id_no", "id-required"),
    (LEAD, "/debt_amount", "1.00", "/debt_amount", "extra-member"),
    (CONVENE, "/starts_at", "2026-03-25T23:59:00+08:00", "/starts_at", "notice-too-short"),
    (CONVENE, "/starts_at", "2026-03-23T09:00:00+08:00", "/starts_at", "notice-too-short"),
    (CONVENE, "/questions", [], "/questions", "too-few"),
    (CONVENE, "/mode", "telepathy", "/mode", "unknown-code"),
    (MINUTES, "/conclusions/0/due_on", "2026-03-26", "/conclusions/0/due_on", "due-before-meeting"),
    (MINUTES, "/conclusions", [], "/conclusions", "too-few"),
    (MINUTES, "/attended", ["云川县公安局（演示）"], "/attended", "too-few"),
    (SUPERVISION, "/asked_on", "2026-03-31", "/asked_on", "decision-not-due"),
    (SUPERVISION, "/asked_on", "2026-03-23", "/asked_on", "end-before-start"),
    (SUPERVISION, "/cause", "not-filed", "/decision_no", "decision-no-required"),
    (SUPERVISION, "/lead_no", "900001", "/lead_no", "wrong-form"),
    (STATUS, "/stage", "not-prosecuted", "/reason", "status-detail-required"),
    (STATUS, "/stage", "judged", "/sentence", "status-detail-required"),
    (STATUS, "/document_no", DELETE, "/document_no", "status-detail-required"),
    (STATUS, "/stage", "closed", "/stage", "unknown-code"),
    (STATUS, "/performed_amount", "三万", "/performed_amount", "money-form"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


GROUPS = ("identity", "duty", "ability", "refusal", "consequence")


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_of_evidence_has_a_document(group: str) -> None:
    empty = changed(example(LEAD), f"/evidence/{group}", [])
    assert faults(lambda: parse_open(catalogue()[LEAD], empty)) == [(f"/payload/evidence/{group}", "evidence-missing")]
    absent = changed(example(LEAD), f"/evidence/{group}", DELETE)
    assert faults(lambda: parse_open(catalogue()[LEAD], absent)) == [(f"/payload/evidence/{group}", "missing-member")]


@pytest.mark.parametrize("ground", ["JZ3-4", "JZ3-5", "JZ3-6", "JZ3-7"])
def test_grounds_that_exist_only_after_a_penalty(ground: str) -> None:
    data = {**changed(example(LEAD), "/prior_penalties", DELETE), "grounds": [ground]}
    assert faults(lambda: parse_open(catalogue()[LEAD], data)) == [("/payload/prior_penalties", "penalty-required")]


@pytest.mark.parametrize(
    "ground",
    [f"JZ3-{n}" for n in (1, 2, 3, 8, 9, 10)]
    + [f"JZ4-{n}" for n in range(1, 6)]
    + [f"NPC-{n}" for n in range(1, 6)]
    + ["JZ6"],
)
def test_grounds_that_need_none(ground: str) -> None:
    data = {**changed(example(LEAD), "/prior_penalties", DELETE), "grounds": [ground]}
    opens(LEAD, data)


ACCOMPLICE = {
    "ref": "p4c8m2td",
    "name": "李演示",
    "id_kind": "resident-id",
    "id_no": "610199198807152345",
    "conduct": "明知判决已生效，受让并代持车辆",
}


def test_an_outsider_who_helped_is_named_with_the_eighth_article() -> None:
    data = {**example(LEAD), "grounds": ["NPC-1", "JZ8"], "prior_penalties": [], "accomplices": [ACCOMPLICE]}
    payload = parse_open(catalogue()[LEAD], data)
    assert payload.canonical()["accomplices"] == [ACCOMPLICE]
    wrong = {**data, "accomplices": [{**ACCOMPLICE, "id_no": "610199198807152344"}]}
    assert faults(lambda: parse_open(catalogue()[LEAD], wrong)) == [
        ("/payload/accomplices/0/id_no", "resident-id-checksum")
    ]


def test_of_several_decisions_a_filing_is_entered() -> None:
    lines = [
        {"ref": "k7m2q9xa", "decision": "not-filed", "decided_on": "2026-03-29"},
        {"ref": "p4c8m2td", "decision": "filed", "decided_on": "2026-03-30"},
    ]
    entry = catalogue()[LEAD].ledger_answer("result", {"outcome": "done", "items": lines})
    assert entry is not None and (entry.kind, entry.on) == ("filed", "2026-03-30")


@pytest.mark.parametrize("verb", ["refuse", "return"])
def test_a_lead_is_not_turned_away(verb: str) -> None:
    told = unlawful_answer(catalogue()[LEAD], verb, pointer="/type")
    assert told is not None and told.rule == "answer-not-lawful"
    assert all(word in told.detail for word in ("立案", "不予立案", "移送", "要求补正", "8号"))
    assert all(word in told.detail_en for word in ("filed", "not-filed", "transferred", "supplement-request"))


@pytest.mark.parametrize("verb", ["result", "supplement-request", "accept", "receipt", "progress"])
def test_every_other_answer_to_a_lead_is_lawful(verb: str) -> None:
    assert unlawful_answer(catalogue()[LEAD], verb, pointer="/type") is None


def test_a_withdrawn_case_says_why_and_is_told_in_seven_days() -> None:
    matter = catalogue()[STATUS]
    revoked = changed(example(STATUS), "/stage", "case-revoked")
    assert faults(lambda: parse_open(matter, revoked)) == [("/payload/reason", "status-detail-required")]
    payload = parse_open(matter, {**revoked, "reason": "没有犯罪事实"})
    assert matter.told_by("open", {"payload": payload.canonical()}) == (
        "2026-06-20",
        Deadline(DeadlineKind.LEGAL_DAYS, 7),
    )
    assert matter.told_by("open", {"payload": example(STATUS)}) is None
    entry = matter.ledger(payload)
    assert entry is not None and (entry.kind, entry.settles) == ("case-revoked", True)
    assert matter.ledger(parse_open(matter, example(STATUS))) is None


def test_why_none_was_filed_is_told_in_seven_days() -> None:
    lines = [{"decision": "not-filed", "decided_on": "2026-03-29"}, {"decision": "filed", "decided_on": "2026-03-20"}]
    told_by = catalogue()[LEAD].told_by
    assert told_by("result", {"items": lines}) == ("2026-03-29", Deadline(DeadlineKind.LEGAL_DAYS, 7))
    assert told_by("result", {"items": lines[1:]}) is None
    assert told_by("accept", {"handler": "x"}) is None


def item(name: str, **members: Any) -> Any:
    """A result of one line: the example's, with members changed (None: taken out)."""
    result = dict(catalogue()[name].example_result)
    line = {k: v for k, v in {**result["items"][0], **members}.items() if v is not None}
    return parse_data(catalogue()[name], "result", {**result, "items": [line]})


@pytest.mark.parametrize(
    ("name", "members", "pointer", "rule"),
    [
        (LEAD, {"file_no": None}, "/file_no", "file-no-required"),
        (LEAD, {"decision": "not-filed"}, "/reason", "reason-required"),
        (LEAD, {"decision": "not-filed", "reason": "没有犯罪事实"}, "/legal_ref", "legal-ref-required"),
        (LEAD, {"decision": "transferred"}, "/reason", "reason-required"),
        (LEAD, {"decision": "transferred", "reason": "犯罪地在外地"}, "/transferred_to", "transferred-to"),
        (LEAD, {"transferred_to": "云岭县公安局（演示）"}, "/transferred_to", "transferred-to"),
        (CONVENE, {"delegates": None}, "/delegates", "delegates-required"),
        (CONVENE, {"answer": "decline"}, "/reason", "reason-required"),
        (MINUTES, {"answer": "objects"}, "/reason", "reason-required"),
        (SUPERVISION, {"due_on": None}, "/due_on", "due-required"),
        (SUPERVISION, {"due_on": "2026-04-18"}, "/due_on", "term-too-long"),
        (SUPERVISION, {"step": "filing-notified", "due_on": "2026-04-26"}, "/due_on", "term-too-long"),
        (SUPERVISION, {"step": "rejected"}, "/reason", "reason-required"),
    ],
    ids=str,
)
def test_slip_in_an_answer(name: str, members: dict[str, Any], pointer: str, rule: str) -> None:
    assert faults(lambda: item(name, **members)) == [(f"/items/0{pointer}", rule)]


def holds(name: str, **members: Any) -> None:
    line = item(name, **members).canonical()["items"][0]
    assert {member: line.get(member) for member in members} == members


def test_answers_that_hold() -> None:
    holds(LEAD, decision="noted", file_no=None)
    holds(LEAD, decision="not-filed", file_no=None, reason="没有犯罪事实", legal_ref="刑事诉讼法第一百一十二条")
    holds(LEAD, decision="transferred", file_no=None, reason="犯罪地在外地", transferred_to="云岭县公安局（演示）")
    holds(CONVENE, answer="decline", delegates=None, reason="当日另有任务")
    holds(SUPERVISION, step="filing-notified", due_on="2026-04-25")
    holds(SUPERVISION, step="rejected", due_on=None, reason="公安机关不立案理由成立")


def test_a_lead_goes_to_the_police_with_a_copy_to_the_procuratorate() -> None:
    matter = catalogue()[LEAD]
    payload = parse_open(matter, example(LEAD))
    assert matter.receivers == {Kind.POLICE, Kind.PROCURATORATE} and matter.fan_out
    assert matter.coercive(payload) and matter.approvals(payload).people == 2
    assert (matter.deadline.kind, matter.deadline.amount) == (DeadlineKind.LEGAL_DAYS, 7)
    assert len(documents_of(payload.canonical())) == len(GROUPS)


def test_supervision_of_a_refusal_needs_the_refusal() -> None:
    matter = catalogue()[SUPERVISION]
    data = {**example(SUPERVISION), "cause": "not-filed", "decision_no": "云公不立〔2026〕900001号"}
    papers = matter.documents(parse_open(matter, data))
    assert set(papers) == {"supervision-letter", "no-filing-notice"} <= set(DOCUMENTS)
    assert set(matter.documents(parse_open(matter, example(SUPERVISION)))) == {"supervision-letter"}


def test_supervision_for_delay_waits_until_the_police_are_late() -> None:
    opens(SUPERVISION, changed(example(SUPERVISION), "/asked_on", "2026-04-01"))


def test_the_status_comes_from_the_other_side_and_is_read() -> None:
    matter = catalogue()[STATUS]
    assert matter.shape is Shape.NOTICE
    assert (matter.senders, matter.receivers) == (frozenset({Kind.POLICE, Kind.PROCURATORATE}), frozenset({Kind.COURT}))
    investigating = changed(changed(example(STATUS), "/stage", "investigating"), "/document_no", DELETE)
    opens(STATUS, investigating)


def test_two_days_ahead_is_early_enough() -> None:
    opens(CONVENE, changed(example(CONVENE), "/starts_at", "2026-03-26T08:30:00+08:00"))
