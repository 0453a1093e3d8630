"""The table of forms is what the models say, and every rule says where it comes from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lianzhi.protocol.rules import RULES
from lianzhi.protocol.sources import SOURCES, STRICTNESS
from schemas.catalogue import MatterType, catalogue
from tests.bounds.leaves import Leaf, put
from tests.bounds.messages import Form, chosen, forms
from tools.docs.forms import forms_document, lines, shared_models

SHARED = shared_models(catalogue())


def test_the_documented_forms_are_the_codes() -> None:
    """After a change: `Path("docs/forms.md").write_text(forms_document(catalogue()), encoding="utf-8")`."""
    assert Path("docs/forms.md").read_text(encoding="utf-8") == forms_document(catalogue())


def test_every_rule_says_where_it_comes_from() -> None:
    assert sorted(name for name, rule in RULES.items() if rule.source is None) == []


def test_a_source_and_its_strictness_are_told_in_both_languages() -> None:
    for source in set(SOURCES.values()):
        assert source.zh
        assert source.en.isascii()
    assert {rule.strictness for rule in RULES.values()} <= set(STRICTNESS)


@pytest.mark.parametrize("name", sorted(n for n, r in RULES.items() if r.source is not None and r.source.law))
def test_what_a_law_demands_is_refused_with_its_article(name: str) -> None:
    rule = RULES[name]
    assert rule.source is not None
    assert rule.source.zh in rule.zh or re.search("[条〔]|{source}", rule.zh), rule.zh


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_a_rule_that_a_value_breaks_stands_in_the_table_of_its_type(name: str) -> None:
    """Whatever a type is refused for by a rule of ours is documented for that type, or for an object that it shares."""
    matter = catalogue()[name]
    told = _told(matter)
    for form in forms(matter):
        if form.verb in ("open", "result"):
            for leaf, probe in chosen(form, 250, 5):
                broken = _rules(form, leaf, probe.value)
                assert broken <= told, (str(form), str(leaf), probe.name, broken - told)


AROUND = {"duplicate-ref", "items-missing", "more-to-follow", "unknown-legal-basis", "unknown-court", "phone-form"}
"""Of what stands around every payload and every result."""


def _told(matter: MatterType) -> set[str]:
    roots = [m for m in (matter.request, matter.result_item) if m is not None]
    everywhere = {line.rule for model in (*roots, *SHARED) for line in lines(model, SHARED)}
    return everywhere | AROUND | {"case-number-form", "moment-form", "text-form"}


def _rules(form: Form, leaf: Leaf, value: object) -> set[str]:
    return {e.rule for e in form.refused(put(form.example, leaf, value)) if e.rule in RULES}
