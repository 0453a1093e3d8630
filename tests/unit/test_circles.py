"""Whom a sanction reaches, in which role and how old, who signs it; and what a deployment may say otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest

from schemas.catalogue import LiveMeasure, catalogue
from schemas.law.circles import circle
from schemas.law.force import SHIPPED, put_in_force
from schemas.law.reading import LawFileError, read_law
from schemas.validation import cautions_of, parse_open
from schemas.values.objects import ROLE_PAPERS, PersonRole
from tests.faults import DELETE, changed, example, faults

LIST, LIMIT, EXIT = "sanction.dishonest.publish", "sanction.consumption-limit.publish", "sanction.exit-restrict.request"
CHILD = {
    "ref": "q4w8n3zt",
    "name": "周幼例",
    "id_kind": "resident-id",
    "id_no": "610199200906010115",
    "role": "被执行人",
}


@pytest.fixture
def configured() -> Iterator[Callable[[str, str], None]]:
    """Puts one file of a deployment in force."""

    def put(name: str, text: str) -> None:
        put_in_force(read_law({name: text}))

    yield put
    put_in_force(SHIPPED)


ROLES = get_args(PersonRole)
EVIDENCE = {
    "kind": "obligor-evidence",
    "issued_on": "2026-01-05",
    "sha256": "a" * 64,
    "pages": 1,
    "media_type": "application/pdf",
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("name", "whom", "reached"),
    [
        (LIST, "debtor", {"被执行人"}),
        (LIMIT, "debtor", {"被执行人", "法定代表人", "负责人", "影响债务履行的直接责任人员", "实际控制人"}),
        (EXIT, "person", {*ROLES} - {"协助义务人", "担保人"}),
    ],
)
def test_whom_a_sanction_reaches(name: str, whom: str, reached: set[str], role: str) -> None:
    """FAFA-2019-35-16, FASHI-2015-17-3, FASHI-2008-13-24."""
    data = changed(changed(example(name), f"/{whom}/role", role), f"/{whom}/obligor_evidence", EVIDENCE)
    if role in reached:
        parse_open(catalogue()[name], data)
    else:
        assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload/{whom}/role", "role-outside")]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_no_register_tells_comes_with_its_document(role: str) -> None:
    data = changed(example(EXIT), "/person/role", role)
    lacking = [("/payload/person/obligor_evidence", "role-paper-required")]
    if role in ROLE_PAPERS:
        assert faults(lambda: parse_open(catalogue()[EXIT], data)) == lacking
    elif role in circle("exit-restrict", "2026-03-24").roles:
        parse_open(catalogue()[EXIT], data)


def limiting(debtor: dict[str, Any], card_no: str) -> dict[str, Any]:
    return {**example(LIMIT), "debtor": debtor, "card_no": card_no}


def test_nobody_under_eighteen_is_limited_while_the_switch_is_on(configured: Callable[[str, str], None]) -> None:
    child = limiting(CHILD, "6101992009****0115")
    assert faults(lambda: parse_open(catalogue()[LIMIT], child)) == [("/payload/debtor", "minor-limited")]
    parse_open(catalogue()[LIMIT], {**child, "publish_on": "2027-06-01"})
    configured("circles.toml", OFF)
    parse_open(catalogue()[LIMIT], child)


OFF = """\
[[entry]]
sanction = "consumption-limit"
roles = ["被执行人"]
minors = true
source = "本院执行局会议纪要"
since = 2026-01-01
"""


def test_a_deployment_may_name_another_circle_and_other_signatures(configured: Callable[[str, str], None]) -> None:
    configured("circles.toml", OFF)
    data = changed(example(LIMIT), "/debtor/role", "法定代表人")
    assert faults(lambda: parse_open(catalogue()[LIMIT], data)) == [("/payload/debtor/role", "role-outside")]
    configured("signatures.toml", SIGNED)
    rule = catalogue()[LIMIT].approvals(parse_open(catalogue()[LIMIT], example(LIMIT)))
    assert (rule.people, rule.roles) == (2, ("president", "bureau-chief"))


SIGNED = """\
[[entry]]
type = "sanction.consumption-limit.publish"
people = 2
roles = ["president", "bureau-chief"]
source = "本院执行局会议纪要"
since = 2026-01-01
"""


@pytest.mark.parametrize(
    ("file", "text", "word"),
    [
        ("circles.toml", OFF.replace('["被执行人"]', "[]"), "roles"),
        ("circles.toml", OFF.replace("被执行人", "邻居"), "roles"),
        ("signatures.toml", SIGNED.replace("people = 2", "people = 0"), "people"),
        ("signatures.toml", SIGNED.replace("consumption-limit.publish", "grace.set"), "sanction.grace.set"),
    ],
)
def test_a_file_that_would_let_anybody_through_is_refused(file: str, text: str, word: str) -> None:
    with pytest.raises(LawFileError) as caught:
        read_law({file: text})
    assert word in str(caught.value)


@pytest.mark.parametrize("name", [LIST, LIMIT, EXIT])
def test_what_was_accepted_before_is_read_again_and_can_be_ended(name: str) -> None:
    """An entry of somebody whom the list does not reach any more is the first that must come off it."""
    whom = "person" if name == EXIT else "debtor"
    data = changed(example(name), f"/{whom}/role", "协助义务人")
    matter = catalogue()[name]
    assert faults(lambda: parse_open(matter, data)) == [(f"/payload/{whom}/role", "role-outside")]
    payload = parse_open(matter, data, stored=True)
    live = LiveMeasure("m", "q4w8n3zt", "r", "c", "n", "p", None, None, "2026-06-01")
    assert matter.ending is not None and matter.ended_by is not None
    parse_open(catalogue()[matter.ended_by], dict(matter.ending(payload, live, "paid")))


@pytest.mark.parametrize(
    ("acts", "end_on", "advised"),
    [
        (["able-but-refuses"], None, False),
        (["able-but-refuses", "evades"], None, True),
        (["able-but-refuses", "evades"], "2028-05-12", False),
        (["evades"], "2028-05-12", False),
    ],
)
def test_an_end_is_advised_beside_ability_without_will(acts: list[str], end_on: str | None, advised: bool) -> None:
    data = changed(changed(example(LIST), "/entry/disruption", acts), "/end_on", end_on or DELETE)
    told = cautions_of(catalogue()[LIST], parse_open(catalogue()[LIST], data))
    assert [(t.pointer, t.rule) for t in told] == [("/payload/end_on", "list-term-advised")] * advised
