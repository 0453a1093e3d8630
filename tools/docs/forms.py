"""`docs/forms.md`: every member of every type with its form, the rules that it can break, and where each comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AfterValidator, BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from lianzhi.protocol.rules import MISSING_MEMBER, RULES
from lianzhi.protocol.sources import FORM, STRICTNESS, Source, Strictness
from schemas.catalogue import MatterType
from schemas.law.answer_terms import ANSWER_TERMS, shipped
from schemas.law.force import law
from tools.docs.rules_of import of_member, of_model, raised_by

_HEAD = """\
# 表单与规则 Forms and rules

由 `schemas/` 的模型和 `lianzhi.protocol.sources` 生成；测试比对。 Written from models and sources; a test
compares them.
每行一项一规则：形式（必填、类型、界限），该项可能违反的规则、规则依据、严格程度。多个事项共用的对象列在最后。
One line for each member and rule: its form, the rule that it can break, where that comes from, how strict it is.
Objects that several types share stand at the end. Where no rule is named, only the form
is looked at.
依据 sources：“形式”是写法；“内容相符”指各项互相对应；“产品规则”是本产品的决定，见 `docs/domain.md`。

"""
_TABLE = "| 项 member | 形式 form | 规则 rule | 依据 source | 严格 strictness |\n|---|---|---|---|---|\n"
_SCALARS = {str: "文字 text", int: "整数 integer", bool: "是否 yes or no", dict: "对象 object"}
_WHOLE = "（整体 as a whole）"


@dataclass(frozen=True, slots=True)
class Line:
    """member: below the form's own object, `objects[].kind`. rule: "" for the form alone."""

    member: str
    form: str
    rule: str = ""


def forms_document(catalogue: Mapping[str, MatterType]) -> str:
    """The whole file."""
    shared = shared_models(catalogue)
    parts = [_HEAD]
    for name in sorted(catalogue):
        matter = catalogue[name]
        parts.append(
            f"## {matter.zh} `{name}`\n\n{_term(matter)}{_matter_rules(matter)}"
            f"请求 request\n\n{_table(matter.request, shared)}\n"
        )
        if matter.result_item is not None:
            parts.append(f"结果的每一行 each line of the result\n\n{_table(matter.result_item, shared)}\n")
    parts.append("## 共用对象 Shared objects\n\n")
    parts += [f"### {model.__name__}\n\n{_table(model, shared)}\n" for model in sorted(shared, key=_name)]
    return "".join(parts)


def shared_models(catalogue: Mapping[str, MatterType]) -> frozenset[type[BaseModel]]:
    """Those that stand in more than one place."""
    roots = [m for matter in catalogue.values() for m in (matter.request, matter.result_item) if m is not None]
    met: Counter[type[BaseModel]] = Counter()
    seen: set[type[BaseModel]] = set()
    waiting: list[type[BaseModel]] = [*dict.fromkeys(roots)]
    while waiting:
        model = waiting.pop()
        if model in seen:
            continue
        seen.add(model)
        for field in model.model_fields.values():
            inner = set(_models(field.annotation))
            met.update(inner)
            waiting += inner
    twice = {model for model, count in Counter(roots).items() if count > 1}
    return frozenset({model for model, count in met.items() if count > 1} | twice)


def lines(model: type[BaseModel], shared: frozenset[type[BaseModel]], above: str = "") -> Iterator[Line]:
    """Of an object; an object that others share is named, not told."""
    whole: dict[str, list[str]] = {}
    for rule, place in sorted(of_model(model)):
        whole.setdefault(place.strip("/").replace("/", ".") if place != "*" else "", []).append(rule)
    for rule in whole.pop("", []):
        yield Line(above.rstrip(".") or _WHOLE, "", rule)
    for name, field in model.model_fields.items():
        here, kind, marks, lists = above + name, field.annotation, list(field.metadata), ""
        rules = [rule for rule, _ in sorted(of_member(model, name))] + whole.pop(name, [])
        models, bounds = [*_models(kind)], [*_bounds(kind, marks)]
        rules += _form_rules(kind, marks)
        rules += [MISSING_MEMBER[name]] if field.is_required() and name in MISSING_MEMBER else []
        lists = "[]" if _is_list(kind) else ""
        need = "必填 required" if field.is_required() else "可选 optional"
        form = "，".join([need, *bounds, *(f"[{m.__name__}](#{m.__name__.lower()})" for m in models if m in shared)])
        yield from [Line(here, form, rule) for rule in dict.fromkeys(rules)] or [Line(here, form)]
        for inner in models:
            if inner not in shared:
                which = f"<{inner.__name__}>" if len(models) > 1 else ""
                yield from lines(inner, shared, f"{here}{lists}{which}.")
    for place, names in whole.items():
        yield from (Line(f"{above}{place}", "", rule) for rule in names)


def _table(model: type[BaseModel], shared: frozenset[type[BaseModel]]) -> str:
    said, rows = "", []
    for line in lines(model, shared):
        source, strict = _source(line.rule)
        again = line.member == said
        rows.append(
            _row("" if again else f"`{line.member}`", "" if again else line.form, _rule(line.rule), source, strict)
        )
        said = line.member
    return _TABLE + "".join(rows)


def _term(matter: MatterType) -> str:
    """Within how long it is answered, as the table in force has it (docs/clocks.md)."""
    row = law().of(ANSWER_TERMS).get(matter.name) or shipped(matter)
    return f"办理期限 answer term：{row.deadline.zh} {row.deadline.en}，{row.source}\n\n"


def _matter_rules(matter: MatterType) -> str:
    """What is asked of the request around its payload."""
    names = ["case-required"] if matter.case_required else []
    cells = [_row("`case_no`", "案号 case number", _rule(name), *_source(name)) for name in names]
    return f"信封 around it\n\n{_TABLE}{''.join(cells)}\n" if cells else ""


def _rule(name: str) -> str:
    return f"`{name}` {RULES[name].zh}" if name else "–"


def _source(name: str) -> tuple[str, str]:
    rule = RULES[name] if name else None
    source: Source = FORM if rule is None or rule.source is None else rule.source
    strict: Strictness = "refuse" if rule is None else rule.strictness
    return f"{source.zh} {source.en}" if source.zh != source.en else source.zh, " ".join(STRICTNESS[strict])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list or any(_is_list(inner) for inner in get_args(kind) if not isinstance(inner, str))


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from _models(inner)


def _form_rules(kind: Any, marks: Iterable[Any]) -> list[str]:
    """Of the forms of single values (a day, a plate), wherever in the annotation they stand."""
    found = [
        rule for mark in _flat(marks) if isinstance(mark, AfterValidator) for rule, _ in sorted(raised_by(mark.func))
    ]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return found + _form_rules(inner[0], inner[1:])
    for one in inner if origin in (list, Union, UnionType) else ():
        found += _form_rules(one, ())
    return found


def _bounds(kind: Any, marks: Iterable[Any]) -> Iterator[str]:
    """The type in words, then its limits."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _bounds(inner[0], [*inner[1:], *marks])
        return
    if origin in (Union, UnionType):
        for one in inner:
            if one is not NoneType:
                yield from _bounds(one, marks)
        return
    if origin is Literal:
        yield " / ".join(f"`{one}`" for one in inner)
    elif origin is list:
        yield "列表 list"
    elif kind in _SCALARS:
        yield _SCALARS[kind]
    yield from _limits(marks)
    if origin is list:
        yield from (f"每项 each {bound}" for bound in _bounds(inner[0], ()))


def _limits(marks: Iterable[Any]) -> Iterator[str]:
    for mark in _flat(marks):
        least: object = mark.min_length if isinstance(mark, StringConstraints | MinLen) else None
        most: object = mark.max_length if isinstance(mark, StringConstraints | MaxLen) else None
        least, most = (mark.ge if isinstance(mark, Ge) else least), (mark.le if isinstance(mark, Le) else most)
        if least is not None:
            yield f"≥ {least}"
        if most is not None:
            yield f"≤ {most}"
        if isinstance(mark, StringConstraints) and mark.pattern is not None:
            yield f"`{mark.pattern}`"


def _flat(marks: Iterable[Any]) -> Iterator[Any]:
    for mark in marks:
        if isinstance(mark, FieldInfo):
            yield from mark.metadata
        else:
            yield mark
