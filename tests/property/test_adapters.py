"""For every message that a partner may get or send: what comes back is what was visible, and nothing hidden is said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel

from adapters.contract import AdapterError, Canonical
from adapters.plan import Level
from adapters.registry import adapter_for, dialects, partners, speakers
from adapters.shape import message
from adapters.table import TableAdapter
from gateway.core.requests.lifecycle import TABLE
from lianzhi.protocol import times
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.verbs import VERBS
from schemas.bodies import content_model
from schemas.catalogue import MatterType, catalogue
from schemas.law.legal_bases import LEGAL_BASES
from schemas.legal import LegalRef
from schemas.values.objects import PlateKind
from schemas.values.plates import PLATE_KINDS

# --- every message, of any content that the models' types allow ---------------------------------------------------

# Separators, escapes and codes of the dialects are as likely as anything else.
TEXT = st.text(st.sampled_from("；;,，|\\/~01甲乙丙ABx -号") | st.characters(codec="utf-8"), min_size=1, max_size=12)
BEIJING = timezone(timedelta(hours=8))
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(
    lambda d: d.replace(microsecond=0, tzinfo=BEIJING).isoformat()
)
DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(date.isoformat)
STATUTES = sorted(row.code for row in LEGAL_BASES.default if row.kind == "statute")
NOTICES = [*sorted(row.code for row in LEGAL_BASES.default if row.kind == "notice"), "FA-2031-12"]
BASES = st.one_of(
    st.builds("{}-{}".format, st.sampled_from(STATUTES), st.integers(1, 999)),
    st.sampled_from(NOTICES),
    st.builds("{}-{}".format, st.sampled_from(NOTICES), st.integers(1, 99)),
)


def _validator(annotated: Any) -> Any:
    return next(m.func for m in get_args(annotated) if isinstance(m, AfterValidator))


SPECIAL = {
    **{_validator(kind): MOMENTS for kind in (times.PastMoment, times.ComingMoment, times.AnyMoment)},
    **{_validator(kind): DAYS for kind in (times.PastDay, times.AnswerDay, times.ComingDay, times.AnyDay)},
    _validator(LegalRef): BASES,
    _validator(PlateKind): st.sampled_from([*PLATE_KINDS]),
}


def values(annotation: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    for mark in metadata:
        if isinstance(mark, AfterValidator) and mark.func in SPECIAL:
            return SPECIAL[mark.func]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return values(parts[0], parts[1:])
    if origin in (Union, UnionType):
        return st.one_of([values(part) for part in parts if part is not NoneType])
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is list:
        return st.lists(values(parts[0]), max_size=3)
    if annotation in (str, int, bool):
        return {str: TEXT, int: st.integers(0, 10**9), bool: st.booleans()}[annotation]
    assert issubclass(annotation, BaseModel), annotation
    return objects(annotation)


@cache
def objects(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Required members stand there; the others may be absent or null."""
    need: dict[str, st.SearchStrategy[Any]] = {}
    may: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in model.model_fields.items():
        value = values(field.annotation, tuple(field.metadata))
        if field.is_required():
            need[name] = value
        else:
            may[name] = st.none() | value
    return st.fixed_dictionaries(need, optional=may)


def bodies(matter: MatterType, verb: str) -> st.SearchStrategy[dict[str, Any]]:
    model = VERBS[verb].model or content_model(matter, verb)
    assert model is not None
    head = VERBS[verb].head
    return objects(model).map(lambda data: {k: v for k, v in data.items() if k not in head})


def said_alike(level: Level) -> tuple[Any, ...]:
    """The same for two messages that are said in the same words, lists and all."""
    return tuple(
        (step.path, step.into, step.names, id(step.codec), said_alike(step.items) if step.items else None)
        for step in level.steps
    )


def messages() -> Iterator[tuple[TableAdapter, MatterType, str]]:
    """Each message of each dialect once: a receipt is said alike in many types. Location results stay canonical."""
    seen = set()
    for matter in catalogue().values():
        verbs = {row.verb for row in TABLE if row.shape == matter.shape} & VERBS.keys() | {"open"}
        for dialect in dialects():
            adapter = adapter_for(dialect)
            assert isinstance(adapter, TableAdapter)
            if not speakers(dialect) & partners(matter):
                continue
            for verb in sorted(verbs):
                if message(matter, verb) is None or matter.classification(verb) is Classification.LOCATION:
                    continue
                compiled = adapter.compiled(matter.name, verb)
                key = (dialect, verb, tuple(compiled.hidden), said_alike(compiled.level))
                if key not in seen:
                    seen.add(key)
                    yield adapter, matter, verb


MESSAGES = list(messages())
IDS = [f"{a.dialect} {m.name} {v}" for a, m, v in MESSAGES]
WORDS = ("adapter", "matter", "verb")
every_message = pytest.mark.parametrize(WORDS, MESSAGES, ids=IDS)


def at_length() -> Iterator[Any]:
    """Every message; all but one of each dialect and verb for `make test-all` only."""
    seen: set[tuple[str, str]] = set()
    for one in MESSAGES:
        key = one[0].dialect, one[2]
        yield pytest.param(*one, marks=pytest.mark.slow) if key in seen else one
        seen.add(key)


every_message_at_length = pytest.mark.parametrize(WORDS, [*at_length()], ids=IDS)
EXAMPLES = 6  # of each of some 280 messages, which share their models and codecs

# --- what is expected, without the engine ---------------------------------------------------------------------------


def prune(node: Any, withheld: frozenset[str], path: str = "") -> Any:
    """`node` without the withheld paths, nulls, and the objects and lists that this leaves empty."""
    if isinstance(node, list):
        return [prune(item, withheld, path + "[]") for item in node]
    if not isinstance(node, Mapping):
        return node
    kept = {}
    for name, value in node.items():
        here = f"{path}.{name}" if path else name
        if here not in withheld and value is not None:
            kept[name] = prune(value, withheld, here)
    return {name: value for name, value in kept.items() if value not in ({}, [])}


def mark(node: Any, withheld: frozenset[str], marks: list[str], path: str = "", inside: bool = False) -> Any:
    """`node` with a word of its own in every leaf that is withheld; the words are put into `marks`."""
    inside = inside or path in withheld
    if isinstance(node, Mapping):
        return {
            name: mark(value, withheld, marks, f"{path}.{name}" if path else name, inside)
            for name, value in node.items()
        }
    if isinstance(node, list):
        return [mark(item, withheld, marks, path if inside else path + "[]", inside) for item in node]
    if not inside or node is None:
        return node
    marks.append(f"withheld-word-{len(marks)}-end")
    return marks[-1]


@every_message_at_length
@given(data=st.data())
@settings(max_examples=EXAMPLES)
async def test_what_comes_back_is_what_was_visible_and_no_more_is_said(
    adapter: TableAdapter, matter: MatterType, verb: str, data: st.DataObject
) -> None:
    withheld = frozenset(adapter.compiled(matter.name, verb).hidden)
    body = data.draw(bodies(matter, verb))
    m = Canonical(matter.name, verb, body)
    said = json.loads(json.dumps(await adapter.encode(m), ensure_ascii=False))
    visible = adapter.visible(m)
    assert await adapter.decode(matter.name, verb, said) == visible
    assert prune(visible, frozenset()) == prune(body, withheld)

    marks: list[str] = []
    marked = Canonical(matter.name, verb, mark(body, withheld, marks))
    assert await adapter.encode(marked) == said
    assert not any(word in json.dumps(said, ensure_ascii=False) for word in marks)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT | st.sampled_from(["20260230", "20260324", "2026-02-30 00:00:00"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


@every_message_at_length
@given(data=st.data())
@settings(max_examples=EXAMPLES)
async def test_whatever_a_partner_says_is_understood_or_refused_by_a_rule(
    adapter: TableAdapter, matter: MatterType, verb: str, data: st.DataObject
) -> None:
    """A rule of ours with a place in the body, never a failure of the adapter."""
    names = sorted(
        {said.split(".")[0].removesuffix("[]") for said in adapter.compiled(matter.name, verb).named.values()}
    )
    body = data.draw(st.dictionaries(st.sampled_from(names) | TEXT, ANYTHING, max_size=4))
    try:
        await adapter.decode(matter.name, verb, body)
    except AdapterError as error:
        assert error.rule != "adapter-failed"
        assert error.pointer.startswith("/")
        assert error.zh
        assert error.en


@every_message
async def test_the_catalogues_examples_come_back(adapter: TableAdapter, matter: MatterType, verb: str) -> None:
    example = {"open": {"request": {}, "payload": matter.example_request}, "result": matter.example_result}.get(verb)
    if not example:
        return
    m = Canonical(matter.name, verb, {k: v for k, v in example.items() if k not in VERBS[verb].head})
    back = await adapter.decode(matter.name, verb, await adapter.encode(m))
    assert back == prune(m.data, frozenset(adapter.compiled(matter.name, verb).hidden))
