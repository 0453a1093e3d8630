"""Every dialect against the whole catalogue: nothing is left unsaid by accident, and nothing is said too much.

A new matter type whose members a dialect has no words for fails here, member by member, until its `fields.py` has
a row for each or `hidden` names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby

import pytest

from adapters.compiler import Compiled
from adapters.plan import Level
from adapters.registry import adapter_for, dialects, kinds, partners, speakers, strangers
from adapters.shape import message
from adapters.table import TableAdapter
from gateway.core.requests.lifecycle import TABLE
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.verbs import VERBS
from schemas.catalogue import Kind, MatterType, catalogue


@dataclass(frozen=True)
class Case:
    """One message as one kind of partner gets or sends it."""

    adapter: TableAdapter
    matter: MatterType
    verb: str

    @property
    def compiled(self) -> Compiled:
        return self.adapter.compiled(self.matter.name, self.verb)

    def __str__(self) -> str:
        return f"{self.adapter.dialect} {self.matter.name} {self.verb}"


def adapters() -> list[TableAdapter]:
    found = [adapter_for(dialect) for dialect in dialects()]
    return [adapter for adapter in found if isinstance(adapter, TableAdapter)]


def verbs(matter: MatterType) -> list[str]:
    """What a request of this shape can carry; a location result travels canonically (docs/contracts.md 3.1)."""
    said = {row.verb for row in TABLE if row.shape == matter.shape} & VERBS.keys() | {"open"}
    return sorted(
        verb
        for verb in said
        if message(matter, verb) is not None
        and (verb == "open" or matter.classification(verb) is not Classification.LOCATION)
    )


def cases() -> Iterator[Case]:
    for matter in catalogue().values():
        for adapter in adapters():
            if speakers(adapter.dialect) & partners(matter):
                yield from (Case(adapter, matter, verb) for verb in verbs(matter))


CASES = list(cases())
# All messages of one type in one dialect are one test: a test for each message is five thousand, which cost more to
# count than to run.
TYPES = [list(same) for _, same in groupby(CASES, lambda case: (case.matter.name, case.adapter.dialect))]
each_type = pytest.mark.parametrize(
    "cases", TYPES, ids=[f"{same[0].adapter.dialect} {same[0].matter.name}" for same in TYPES]
)


def test_every_kind_of_partner_speaks_its_own_dialect_or_names_one() -> None:
    assert not [*strangers(catalogue())]
    assert {name.lower() for name in Kind.__annotations__} <= kinds().keys()
    assert [*kinds()] == sorted(kinds())
    for word, kind in kinds().items():
        assert kind.default in (None, f"{word}/1"), "plain/1 withholds next to nothing, so it is nobody's default"
        assert kind.default in kind.dialects or kind.dialects == ("plain/1",)


def test_every_matter_type_is_met_in_some_dialect() -> None:
    assert {case.matter.name for case in CASES} == set(catalogue())


def test_an_unknown_dialect_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(LookupError, match=r"police/1"):
        adapter_for("police/0")


def test_courts_meet_only_where_courts_write_to_courts() -> None:
    assert partners(catalogue()["entrust.matter.request"]) == {Kind.COURT}
    assert partners(catalogue()["police.vehicle-hit.alert"]) == {Kind.POLICE}


@each_type
def test_every_member_has_a_name_or_is_hidden(cases: list[Case]) -> None:
    missing = {str(case): case.compiled.missing for case in cases}
    assert not any(missing.values()), missing


@each_type
def test_code_tables_know_every_value(cases: list[Case]) -> None:
    for case in cases:
        root, known = message(case.matter, case.verb), _codes(case.compiled.level)
        assert root is not None
        for path, node in root.leaves():
            if path in known and node.values:
                assert node.values <= known[path], (str(case), path)


def _codes(level: Level, prefix: str = "") -> dict[str, frozenset[object]]:
    """Canonical path → the values its code table knows."""
    found: dict[str, frozenset[object]] = {}
    for step in level.steps:
        if step.items:
            found |= _codes(step.items, f"{prefix}{step.path}[].")
        elif step.codec and step.codec.codes is not None:
            found[prefix + step.path] = step.codec.codes
    return found


@pytest.mark.parametrize("adapter", adapters(), ids=lambda a: a.dialect)
def test_no_row_is_dead(adapter: TableAdapter) -> None:
    """A row that no message uses is a misspelt path, or a name that nobody will ever read. What several kinds say alike
    (`adapters.standard`) is used by one of them."""
    own = [case for case in CASES if case.adapter is adapter]
    for scope, rows in adapter.table.fields:
        shared = [other for other in adapters() if any(said is rows for _, said in other.table.fields)]
        used = [case for case in CASES if case.adapter in shared] if len(shared) > 1 else own
        met = {path for case in used if fnmatchcase(_scope(case), scope) for path in case.compiled.used}
        assert not rows.keys() - met, scope
    if own:
        for scope, paths in adapter.table.hidden:
            met = {path for case in own if fnmatchcase(_scope(case), scope) for path in case.compiled.hidden}
            assert not set(paths) - met, scope


def _scope(case: Case) -> str:
    return f"{case.matter.name} {case.verb}"


@each_type
def test_a_ref_keeps_its_name(cases: list[Case]) -> None:
    for case in cases:
        for path, said in case.compiled.named.items():
            if path.rsplit(".", 1)[-1] == "ref":
                assert said.rsplit(".", 1)[-1] == "ref", str(case)


# What docs/architecture.md 4 rule 5 and docs/domain.md 2.7, 2.9 forbid, by the last word of a canonical path.
WITHHELD = {
    Kind.GRID: {
        "case_no",
        "original_case_no",
        "id_no",
        "amount",
        "claim",
        "debt_amount",
        "basis_no",
        "legal_basis",
        "number",
    },
    Kind.ASSOCIATION: {
        "case_no",
        "original_case_no",
        "id_no",
        "amount",
        "claim",
        "debt_amount",
        "legal_basis",
        "number",
    },
    Kind.POLICE: {"amount", "debt_amount", "account_no"},
    Kind.DEPARTMENT: {"debt_amount", "account_no", "claim"},
    Kind.PUBLICATION: {"id_no", "birth_date", "amount", "debt_amount", "account_no"},
}


@each_type
def test_nobody_is_told_what_is_not_theirs(cases: list[Case]) -> None:
    """Papers that a partner itself sends (an objection's, evidence) may have numbers; ours to it may not."""
    for case in cases:
        ours = case.verb == "open" or VERBS[case.verb].by == "asker"
        for kind in speakers(case.adapter.dialect) & WITHHELD.keys():
            if ours and kind in case.matter.receivers:
                told = {path.rsplit(".", 1)[-1] for path in case.compiled.named}
                assert not told & WITHHELD[kind], (str(case), kind)
