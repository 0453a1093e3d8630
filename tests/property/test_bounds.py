"""Every bound of every member of every message: at it, below and above.

The models say what there is to try (`tests.bounds`), so a new type, member or verb is tried as soon as it exists. The
same values come in by HTTP and by the queues in `tests/acceptance/test_bounds.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import AdapterError, Canonical
from adapters.registry import adapter_for, dialects, partners, speakers
from adapters.table import TableAdapter
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.verbs import VERBS
from schemas.bodies import Submission
from schemas.catalogue import catalogue
from schemas.validation import InvalidError, parse_data, validate
from tests.bounds.filling import filled, takes, value_of
from tests.bounds.leaves import EXTRA, MISSING, Copies, Leaf, leaves, pointer, put
from tests.bounds.messages import TODAY, Form, all_forms, chosen, faults, forms, leaves_of, stands
from tests.bounds.probes import Probe, probes

FORMS = list(all_forms())
SAMPLE = 12  # values of each of some 900 messages in `make test`; all of them in `make test-all`
OPENED = {"type": "grid.verify.request", "schema_version": 1, "legal_basis": ["CPL-117"], "purpose": "verify-residence"}
SUBMISSION = {**OPENED, "handler": "sn0199-0007", "drafted_by": "sn0199-0031", "payload": {}}


def test_the_examples_that_the_values_are_put_into_pass() -> None:
    assert not {str(form): form.refused(form.example) for form in FORMS if form.refused(form.example)}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_bound_of_a_type_holds_and_is_refused_at_its_own_place(name: str) -> None:
    """No (verb, member, bound) is left out: what was never reached is told."""
    wrong, reached = [], set()
    wanted = {
        (form.verb, str(leaf), probe.name)
        for form in forms(catalogue()[name])
        for leaf in leaves_of(form.model)
        for probe in probes(leaf)
    }
    for form in forms(catalogue()[name]):
        for leaf in leaves_of(form.model):
            for probe in probes(leaf):
                fault = faults(form, leaf, probe)
                if fault is not None:
                    wrong.append(fault)
                else:
                    reached.add((form.verb, str(leaf), probe.name))
    never = sorted(wanted - reached)
    print(f"{name}: {len(reached)} (verb, member, bound) reached, never reached: {never or 'none'}")
    assert not wrong, "\n".join(wrong[:50])
    assert not never


def test_bounds_at_random_of_every_message() -> None:
    wrong = [
        fault
        for form in FORMS
        for leaf, probe in chosen(form, SAMPLE, 1)
        if (fault := faults(form, leaf, probe)) is not None
    ]
    assert not wrong, "\n".join(wrong[:50])


def test_every_bound_of_what_stands_around_a_payload() -> None:
    """`Submission`: the members that all types have in common."""
    wrong = []
    for leaf in leaves(Submission):
        for probe in probes(leaf):
            data = put(SUBMISSION, leaf, probe.value)
            try:
                validate(Submission, data, today=TODAY)
                at = set()
            except InvalidError as error:
                at = {e.pointer for e in error.errors}
            if probe.refused and at != {pointer(leaf.path) + probe.below}:
                wrong.append((str(leaf), probe.name, at))
            if not probe.refused and not all(stands(data, one) for one in at):
                wrong.append((str(leaf), probe.name, at))
    assert not wrong


@settings(max_examples=150)
@given(data=st.data())
def test_two_values_at_once_are_judged_each_at_its_own_place(data: st.DataObject) -> None:
    """Of two that may not be taken both are named, unless one takes the other away; nothing else is."""
    form = data.draw(st.sampled_from(FORMS))
    leaf, probe = data.draw(st.sampled_from(chosen(form, 60, 2)))
    other, second = data.draw(st.sampled_from(chosen(form, 60, 3)))
    both = put(put(form.example, leaf, probe.value), other, second.value)
    errors = form.refused(both)
    assert all(stands(both, e.pointer) for e in errors), errors
    for one, tried in ((leaf, probe), (other, second)):
        alone = one.path[:1] != (leaf if one is other else other).path[:1]
        if alone and tried.refused:
            assert pointer(one.path) + tried.below in {e.pointer for e in errors}


# --- the same values in the words of a partner ----------------------------------------------------------------------


def spoken(form: Form) -> Iterator[TableAdapter]:
    """The dialects of those who say it to us."""
    asker = form.verb == "open" or VERBS[form.verb].by == "asker"
    sayers = form.matter.senders if asker else form.matter.receivers
    place = form.verb in ("result", "correct") and form.matter.result_class is Classification.LOCATION
    for dialect in dialects() if not place else ():
        adapter = adapter_for(dialect)
        assert isinstance(adapter, TableAdapter)
        if speakers(dialect) & sayers & partners(form.matter):
            yield adapter


SPOKEN = [(form, adapter) for form in FORMS for adapter in spoken(form)]


def body_of(form: Form, data: Mapping[str, Any]) -> Canonical:
    head = VERBS[form.verb].head
    return Canonical(form.matter.name, form.verb, {n: v for n, v in data.items() if n not in head})


async def told(form: Form, adapter: TableAdapter, body: Mapping[str, Any]) -> list[str]:
    """Where the reader of a partner's message points to."""
    head = {n: v for n, v in form.example.items() if n in VERBS[form.verb].head}
    try:
        data = await adapter.decode(form.matter.name, form.verb, body)
        parse_data(form.matter, form.verb, {**data, **head}, today=TODAY)
    except AdapterError as error:
        assert error.rule != "adapter-failed", error
        return [error.pointer]
    except InvalidError as error:
        return [adapter.pointer(form.matter.name, form.verb, e.pointer) for e in error.errors]
    return []


def differing(one: Any, other: Any, at: str = "") -> Iterator[str]:
    """Pointers to what is not the same in two bodies."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in one.keys() | other.keys():
            if name in one and name in other:
                yield from differing(one[name], other[name], f"{at}/{name}")
            else:
                yield f"{at}/{name}"
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differing(left, right, f"{at}/{index}")
    elif type(one) is not type(other) or one != other:
        yield at


def near(place: str, others: list[str]) -> bool:
    """Whether it is one of them, within one, or around one (but not the whole body)."""
    return any(
        place == other or place.startswith(f"{other}/") or (place != "" and other.startswith(f"{place}/"))
        for other in others
    )


async def strange(form: Form, adapter: TableAdapter, leaf: Leaf, tried: list[Probe]) -> list[str]:
    """Of each value that may not be taken: whether the partner is pointed to a member other than the one that is wrong
    in what it wrote. What its dialect cannot write, or writes as the nothing that may stand there, is not tried.
    """
    if leaf.path[0] in VERBS[form.verb].head:
        return []
    value = filled(leaf.kind) if leaf.steps[-1].model else value_of(leaf.annotation)
    good = await adapter.encode(body_of(form, put(form.example, leaf, value)))
    before = await told(form, adapter, good)
    nothing = [MISSING] * (not leaf.required) + [[]] * takes(leaf.annotation, [])
    empty = [await adapter.encode(body_of(form, put(form.example, leaf, none))) for none in nothing]
    wrong = []
    for probe in tried:
        if not probe.refused or probe.value is EXTRA or leaf.steps[-1].model or isinstance(probe.value, Copies):
            continue
        try:
            body = await adapter.encode(body_of(form, put(form.example, leaf, probe.value)))
        except AdapterError:
            continue
        if body in empty:
            continue
        at, changed = [p for p in await told(form, adapter, body) if p not in before], [*differing(good, body)]
        if any(not near(place, changed) for place in at):
            wrong.append(f"{adapter.dialect} {form} {leaf} {probe.name}: {at}, but {changed} is wrong")
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(catalogue()))
async def test_a_partner_is_pointed_to_the_member_that_it_wrote(name: str) -> None:
    wrong: list[str] = []
    for form, adapter in SPOKEN:
        if form.matter.name == name:
            for leaf in leaves_of(form.model):
                wrong += await strange(form, adapter, leaf, list(probes(leaf)))
    assert not wrong, "\n".join(wrong[:50])


async def test_a_partner_is_pointed_to_the_member_that_it_wrote_at_random() -> None:
    wrong: list[str] = []
    for form, adapter in SPOKEN:
        for leaf, probe in chosen(form, 4, 4):
            wrong += await strange(form, adapter, leaf, [probe])
    assert not wrong, "\n".join(wrong[:50])
