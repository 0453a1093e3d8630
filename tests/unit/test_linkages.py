"""The table of linkages: nothing of the plan is forgotten, and the documented file is what the table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.core.figures.ledgers import LEDGERS
from schemas.bodies import Submission
from schemas.catalogue import catalogue
from schemas.linkages import GROUPS, LAST, Linkage
from schemas.validation import parse_open
from tools.pages.linkages import linkages_document, linkages_of

ALL = linkages_of(catalogue())
PLAN = Path("docs/domain.md").read_text(encoding="utf-8")
PREFIXES = "police|refusal|entrust|cross|grid|dept|assoc|sanction|bankruptcy|petition|fund|witness|procuratorate|trial|"
PREFIXES += "court|mediation|review"
EXCLUDED = ("case filing", "auctions", "payments", "publicity", "training", "party work", "internal drills")


def test_the_documented_table_is_the_catalogues() -> None:
    """After a change: `Path("docs/linkages.md").write_text(linkages_document(catalogue()), encoding="utf-8")`."""
    written = Path("docs/linkages.md").read_text(encoding="utf-8")
    assert written == linkages_document(catalogue())


def test_every_type_of_the_catalogue_stands_in_a_linkage() -> None:
    assert [name for name, matter in catalogue().items() if not matter.linkages] == []


def test_each_linkage_has_its_row() -> None:
    """But for the last ones of a group, which say none."""
    for group in GROUPS:
        rows = [linkage.row for linkage in ALL if linkage.group == group and linkage.row != LAST]
        assert rows == list(range(1, len(rows) + 1)), group.en


def test_every_type_that_the_plan_names_exists() -> None:
    section = PLAN.split("### 2.3", 1)[1].split("### 2.11", 1)[0]
    planned = set(re.findall(rf"`((?:{PREFIXES})\.[a-z-]+\.[a-z-]+)`", section))
    assert len(planned) > 40
    assert planned - set(catalogue()) == set()


def test_what_the_plan_leaves_to_others_is_stated_with_a_reason() -> None:
    section = PLAN.split("### 2.11", 1)[1].split("## 3.", 1)[0].lower()
    stated = "; ".join(linkage.en.lower() for linkage in ALL if linkage.excluded)
    for what in EXCLUDED:
        assert what in section
        assert what in stated


@pytest.mark.parametrize("linkage", ALL, ids=lambda linkage: linkage.en)
def test_a_linkage_is_carried_or_left_to_others(linkage: Linkage) -> None:
    carried = bool(ALL[linkage] or linkage.ledger or linkage.members)
    assert carried != bool(linkage.excluded)
    assert linkage.ledger is None or linkage.ledger in LEDGERS
    assert set(linkage.members) <= Submission.model_fields.keys()
    assert linkage.en.isascii()
    assert not linkage.zh.isascii()
    for zh, en in filter(None, (linkage.note, linkage.excluded)):
        assert en.isascii()
        assert not zh.isascii()


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_what_a_type_enters_is_the_ledger_of_its_linkage(name: str) -> None:
    matter = catalogue()[name]
    entry = matter.ledger(parse_open(matter, matter.example_request))
    if entry is not None:
        assert {linkage.ledger for linkage in matter.linkages} == {entry.ledger}


def test_no_linkage_stands_twice() -> None:
    names = [linkage.zh for linkage in ALL]
    assert len(names) == len(set(names))
    assert {linkage.ledger for linkage in ALL} - {None} == set(LEDGERS)
