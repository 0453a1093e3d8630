"""A JSON Schema as a table for people: for each member its name, whether it must be there, its type, its codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from gateway.http.description.markup import code, el, link, shown, table

Schema = Mapping[str, Any]
DEEPEST = 5
_HEADS = (("成员", "Member"), ("必填", "Required"), ("类型", "Type"), ("含义", "Meaning"))
_BOUNDS = {
    "minLength": "长度≥",
    "maxLength": "长度≤",
    "minimum": "≥",
    "maximum": "≤",
    "minItems": "个数≥",
    "maxItems": "个数≤",
    "pattern": "形如 ",
    "format": "格式 ",
    "const": "固定为 ",
}
_CONDITIONS = ("allOf", "anyOf", "oneOf", "if", "then", "else", "dependentRequired", "not")


def members_table(schema: Schema, document: Schema, clear: tuple[str, ...] = (), named: str = "") -> list[ET.Element]:
    """The table, and what a table cannot say as JSON. clear: members that stand in `data.head`. named: address of the
    page of a schema, to which its name is added; empty: objects are unfolded in place."""
    seen = _resolved(schema, document)
    found = _below("", seen, document, None if named else ())
    rows = [_row(path, member, must, document, clear, named) for path, member, must in found]
    parts = [table(_HEADS, rows) if rows else el("p", "没有具名成员。 ", el("span", "No named members.", lang="en"))]
    if conditions := {word: seen[word] for word in _CONDITIONS if word in seen}:
        parts.append(shown("另有条件", "Further conditions (JSON Schema)", conditions))
    return parts


def _below(
    prefix: str, schema: Schema, document: Schema, entered: tuple[str, ...] | None
) -> Iterator[tuple[str, Schema, bool]]:
    """(path, member, required). entered: references on the way here, so that no schema is unfolded within itself; None:
    only the first level."""
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield path, member, name in required
        if entered is None or len(entered) >= DEEPEST:
            continue
        inner, suffix = _inner(member)
        ref = inner.get("$ref", "")
        if ref not in entered:
            yield from _below(f"{path}{suffix}.", _resolved(inner, document), document, (*entered, ref or path))


def _inner(member: Schema) -> tuple[Schema, str]:
    """What is unfolded below a member: itself or its items, without null."""
    kept = [one for one in member.get("anyOf", ()) if one != {"type": "null"}]
    if len(kept) == 1:
        return _inner(kept[0])
    if "items" in member and isinstance(member["items"], Mapping):
        inner, suffix = _inner(member["items"])
        return inner, f"[]{suffix}"
    return member, ""


def _resolved(schema: Schema, document: Schema) -> Schema:
    """The schema itself, its reference followed; what stands beside the reference goes first."""
    ref = schema.get("$ref")
    if not isinstance(ref, str):
        return schema
    node: Any = document
    for part in ref.removeprefix("#/").split("/"):
        node = node[part]
    return {**_resolved(node, document), **{k: v for k, v in schema.items() if k != "$ref"}}


def _row(
    path: str, member: Schema, must: bool, document: Schema, clear: tuple[str, ...], named: str
) -> list[ET.Element | str | None]:
    seen = _resolved(member, document)
    inner = _resolved(_inner(member)[0], document)
    meaning = el("span", str(seen.get("title") or inner.get("title") or ""))
    if english := seen.get("description") or inner.get("description"):
        meaning = el("span", meaning, " ", el("span", str(english), lang="en", class_="en"))
    marks = el("span", " 明文 clear", class_="mark") if path in clear else None
    return [
        el("span", code(path), marks),
        el("strong", "是 yes") if must else "否 no",
        _type(member, document, named),
        el("span", meaning, _codes(seen, inner)),
    ]


def _type(member: Schema, document: Schema, named: str) -> ET.Element:
    inner, suffix = _inner(member)
    seen = _resolved(inner, document)
    word = str(seen.get("type", "object" if "properties" in seen else "—")) + suffix
    ref = str(inner.get("$ref", "")).rsplit("/", 1)[-1]
    shown_type = link(f"{named}{quote(ref)}", ref + suffix) if ref and named else el("span", word)
    bounds = {**{k: v for k, v in member.items() if k in _BOUNDS}, **{k: v for k, v in seen.items() if k in _BOUNDS}}
    said = "，".join(f"{_BOUNDS[key]}{value}" for key, value in bounds.items())
    return el("span", shown_type, el("small", " " + said) if said else None)


def _codes(seen: Schema, inner: Schema) -> ET.Element | None:
    """The words of a vocabulary with their Chinese."""
    labels = seen.get("x-labels") or inner.get("x-labels") or {}
    words = seen.get("enum") or inner.get("enum") or list(labels)
    if not words:
        return None
    parts: list[ET.Element | str | None] = []
    for word in words:
        parts += [code(str(word)), f" {labels[word]}" if word in labels else None, "；"]
    return el("span", *parts[:-1], class_="codes")
