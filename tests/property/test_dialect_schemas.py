"""What a contract says of a dialect is what its adapter says and reads: neither stricter nor looser.

For every type, verb and dialect: what is made of a canonical message keeps the schema. What a partner may write is
changed at each of its members: left out, of another type, out of the code table, strange to the dialect. The schema
refuses it where reading and validating refuse it for its form, and never refuses what they take.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adapters.contract import Adapter, AdapterError, Canonical
from adapters.plan import Level
from adapters.registry import adapter_for, dialects, partners, speakers
from adapters.table import TableAdapter
from gateway.core.contracts import contract_for
from gateway.core.routing import Participant
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.contract import Contract
from lianzhi.protocol.verbs import VERBS
from schemas.catalogue import Kind, catalogue
from schemas.validation import InvalidError, parse_data
from tests.bounds.filling import annotation, filled, refusals, value_of
from tests.bounds.leaves import put
from tests.bounds.messages import TODAY, Form, all_forms, chosen, leaves_of, passing

NOW = datetime(2026, 3, 24, 2, 10, tzinfo=UTC)
SAMPLE = 12
"""Values of each message in `make test`; `make test-all` tries them all."""
FORM_RULES = {
    "missing-member",
    "id-required",
    "vin-required",
    "extra-member",
    "unknown-member",
    "unknown-code",
    "wrong-type",
    "bad-date",
}
"""What JSON Schema can tell. A text of the right type and length may still be no date, number or name."""


def heard_or_said() -> Iterator[tuple[Form, TableAdapter, Kind]]:
    """Each message with each dialect that it is written in, and a kind of partner that speaks it."""
    for form in all_forms():
        if form.verb in form.matter.answers_instead:
            continue
        place = form.verb in ("result", "correct") and form.matter.result_class is Classification.LOCATION
        for dialect in dialects() if not place else ():
            adapter = adapter_for(dialect)
            assert isinstance(adapter, TableAdapter)
            if kinds := speakers(dialect) & partners(form.matter):
                yield form, adapter, min(kinds)


def alike(level: Level) -> tuple[Any, ...]:
    """The same for two messages that are said in the same words, lists and all."""
    return tuple((s.path, s.into, s.names, id(s.codec), alike(s.items) if s.items else None) for s in level.steps)


def once(every: list[tuple[Form, TableAdapter, Kind]]) -> Iterator[tuple[Form, TableAdapter, Kind]]:
    """Each but once: a receipt is said alike in many types."""
    seen = set()
    for form, adapter, kind in every:
        level = adapter.compiled(form.matter.name, form.verb).level
        key = adapter.dialect, form.verb, form.model, says(form, kind), alike(level)
        if key not in seen:
            seen.add(key)
            yield form, adapter, kind


@cache
def contract(dialect: str, kind: Kind) -> Contract:
    asked = Participant("partner-610199", kind, "甲", "A", "amqp", dialect, accepts=("*",), opens=("*",))
    return Contract(contract_for(asked, "court-sn0199", catalogue(), NOW))


def says(form: Form, kind: Kind) -> bool:
    """Whether such a partner may write it to us."""
    by = "asker" if form.verb == "open" else VERBS[form.verb].by
    return kind in (form.matter.senders if by == "asker" else form.matter.receivers)


def in_two(form: Form, data: Mapping[str, Any]) -> tuple[dict[str, Any], Canonical]:
    head = VERBS[form.verb].head
    clear = {name: value for name, value in data.items() if name in head and value is not None}
    return clear, Canonical(form.matter.name, form.verb, {n: v for n, v in data.items() if n not in head})


def faults(form: Form, adapter: Adapter, kind: Kind, head: Mapping[str, Any], body: Mapping[str, Any]) -> list[str]:
    found = contract(adapter.dialect, kind).faults(form.matter.name, form.verb, body, head)
    assert all(fault.rule and fault.detail and fault.detail_en for fault in found)
    return [f"{fault.pointer} {fault.rule}" for fault in found]


async def told_by_gateway(form: Form, adapter: Adapter, head: Mapping[str, Any], body: Mapping[str, Any]) -> set[str]:
    """The rules by which the gateway refuses it."""
    try:
        data = await adapter.decode(form.matter.name, form.verb, body)
        parse_data(form.matter, form.verb, {**data, **head}, today=TODAY)
    except AdapterError as error:
        assert error.rule != "adapter-failed", error
        return {error.rule}
    except InvalidError as error:
        return {one.rule for one in error.errors}
    return set()


def changed(body: Any) -> Iterator[tuple[str, Any]]:
    """The body with one thing changed, and what: at every member and every item of a list."""
    for place, path in _places(body):
        for name, change in CHANGES.items():
            copied = copy.deepcopy(body)
            node = copied
            for step in path[:-1]:
                node = node[step]
            if path and change(node, path[-1], place):
                yield f"{name} at /{'/'.join(map(str, path))}", copied
    for place, path in _places(body):
        if isinstance(place, dict):
            copied = copy.deepcopy(body)
            node = copied
            for step in path:
                node = node[step]
            node["XX"] = "x"
            yield f"a strange member in /{'/'.join(map(str, path))}", copied


def _places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    yield body, path
    for step, value in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        yield from _places(value, (*path, step))


def _left_out(node: Any, step: Any, place: Any) -> bool:
    if isinstance(node, dict):
        del node[step]
    return isinstance(node, dict)


def _null(node: Any, step: Any, place: Any) -> bool:
    if isinstance(node, dict):
        node[step] = None
    return isinstance(node, dict)


def _other_text(node: Any, step: Any, place: Any) -> bool:
    node[step] = "~~"
    return isinstance(place, str)


def _number(node: Any, step: Any, place: Any) -> bool:
    node[step] = 7
    return isinstance(place, str | list | dict)


def _object(node: Any, step: Any, place: Any) -> bool:
    node[step] = {"~": 1}
    return not isinstance(place, dict)


def _emptied(node: Any, step: Any, place: Any) -> bool:
    node[step] = {}
    return isinstance(place, dict)


CHANGES = {
    "left out": _left_out,
    "emptied": _emptied,
    "null": _null,
    "another text": _other_text,
    "a number": _number,
    "an object": _object,
}


def samples(form: Form, count: int) -> Iterator[dict[str, Any]]:
    """The example, of `open` with all that may stand around its payload, and messages that pass and hold so many other
    values at their bounds."""
    yield {**AROUND, **form.example, "request": REQUEST} if form.verb == "open" else dict(form.example)
    if form.verb == "open" and (full := _with_original(form)) is not None:
        yield full
    for data, _ in passing(form, chosen(form, count, 4)):
        yield data


REQUEST = {"request_no": "court-sn0199-20260324-000001", "case_no": "（2026）陕0199执900001号", "urgency": "urgent"}
AROUND = {
    "court": {"code": "court-sn0199", "court_code": "陕0199", "name": "云川县人民法院（演示）"},
    "handler": {"name": "李演示", "permit": "陕0199-0007", "phone": "13800138007"},
}
MESSAGES = [*heard_or_said()]
ONCE = [*once(MESSAGES)]


def _with_original(form: Form) -> dict[str, Any] | None:
    """The example with every optional object of its payload that may stand there beside the rest."""
    data = copy.deepcopy(dict(form.example))
    for leaf in leaves_of(form.model):
        if leaf.path[0] == "payload" and leaf.steps[-1].model and not leaf.required and 0 not in leaf.path:
            more = put(data, leaf, everything(leaf.kind))
            data = data if form.refused(more) else more
    return data if data != form.example else None


def everything(model: Any) -> dict[str, Any]:
    """Each of its members that can be filled, the optional ones too."""
    found = filled(model)
    for name, member in model.model_fields.items():
        if name not in found and not refusals(model, {**found, name: value_of(annotation(member))}):
            found[name] = value_of(annotation(member))
    return found


async def disagreements(form: Form, adapter: Adapter, kind: Kind, count: int, changes: int) -> list[str]:
    """changes: in how many of the messages every member is changed."""
    wrong: list[str] = []
    for number, data in enumerate(samples(form, count)):
        head, canonical = in_two(form, data)
        try:
            body = await adapter.encode(canonical)
        except AdapterError:
            continue  # more than the dialect has members for
        if found := faults(form, adapter, kind, head, body):
            wrong.append(f"{adapter.dialect} {form}: what we say is refused: {found}")
        for what, other in changed(body) if says(form, kind) and number < changes else ():
            found, refused = faults(form, adapter, kind, head, other), await told_by_gateway(form, adapter, head, other)
            if found and not refused:
                wrong.append(f"{adapter.dialect} {form}: {what}: the gateway takes it, the schema not: {found}")
            if refused & FORM_RULES and not found:
                wrong.append(f"{adapter.dialect} {form}: {what}: the schema takes it, the gateway not: {refused}")
    return wrong


@pytest.mark.chaos  # a quarter of an hour and more of one processor
@pytest.mark.parametrize(("form", "adapter", "kind"), ONCE, ids=[f"{a.dialect} {f}" for f, a, _ in ONCE])
async def test_a_schema_agrees_with_its_reader_at_every_bound(form: Form, adapter: TableAdapter, kind: Kind) -> None:
    wrong = await disagreements(form, adapter, kind, 10_000, 6)
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:40])


async def test_every_schema_agrees_with_its_reader_about_the_example() -> None:
    wrong = [fault for form, adapter, kind in ONCE for fault in await disagreements(form, adapter, kind, 0, 2)]
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:40])


@pytest.mark.parametrize("empty", [{}, {"name": None}])
async def test_an_object_without_what_it_requires_is_refused_by_schema_and_reader(empty: dict[str, None]) -> None:
    """It is there, if only as braces: it does not count as left out."""
    form, adapter, kind = next(
        m for m in MESSAGES if str(m[0]) == "fund.escrow.event open" and m[1].dialect == "plain/1"
    )
    head, canonical = in_two(form, {**AROUND, **form.example, "request": REQUEST})
    body = {**await adapter.encode(canonical), "court": empty}
    assert faults(form, adapter, kind, head, body) == ["/court/name missing-member"]
    assert await told_by_gateway(form, adapter, head, body) == {"missing-member"}


async def test_what_is_said_at_its_bounds_keeps_the_schema() -> None:
    wrong = [fault for form, adapter, kind in ONCE for fault in await disagreements(form, adapter, kind, SAMPLE, 0)]
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:40])


def test_every_schema_is_one_and_describes_every_member() -> None:
    """Draft 2020-12, no object that takes anything, no reference into nothing, every member with its bounds."""
    for dialect, kind in sorted({(adapter.dialect, kind) for _, adapter, kind in MESSAGES}):
        for name, told in contract(dialect, kind).types.items():
            bodies = {verb: one.body for verb, one in told.verbs.items()}
            assert None not in bodies.values(), f"{dialect} {name}"
            whole = {"type": "object", "properties": bodies, "additionalProperties": False}
            whole["definitions"] = told.definitions
            Draft202012Validator.check_schema(whole)
            assert not [*_loose(whole, whole)], f"{dialect} {name}"


def _loose(schema: Any, whole: Mapping[str, Any], at: str = "") -> Iterator[str]:
    if "$ref" in schema:
        schema = whole["definitions"][schema["$ref"].rpartition("/")[2]]
    for number, one in enumerate(schema.get("anyOf", schema.get("oneOf", ()))):
        yield from _loose(one, whole, f"{at}|{number}")
    if "properties" in schema:
        if schema.get("additionalProperties") is not False:
            yield at
        for name, one in schema["properties"].items():
            yield from _loose(one, whole, f"{at}/{name}")
    elif schema.get("type") == "array":
        yield from _loose(schema["items"], whole, f"{at}[]")
    elif schema.get("type") == "object" or not schema.keys() & {"type", "enum", "const", "anyOf", "oneOf"}:
        yield at
