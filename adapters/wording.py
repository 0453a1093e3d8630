"""Translates the JSON Schema of a canonical value into that of the dialect's value. Pure.

Labels (`title`, `description`) stay; a code keeps the Chinese word of the canonical value that it stands for
(`x-labels`); bounds stay as far as they still mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

Json = dict[str, Any]
Said = Callable[[Json], Sequence[Json]]
"""Canonical schema → the schema of each dialect member that says the value."""
Together = Callable[[tuple[str, ...]], Sequence[Json]]
"""The names of the members → what holds for them together, as rules of the object that they stand in."""

_SYNTAX = re.compile(r"[\^$\\.*+?()\[\]{}|/]")


def kept(schema: Json) -> Json:
    """What people read of it."""
    return {key: schema[key] for key in ("title", "description") if key in schema}


def plain(schema: Json) -> Json:
    """Without null and default: what is not said is left out."""
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    if "anyOf" not in schema:
        return rest
    parts = [plain(part) for part in schema["anyOf"] if part.get("type") != "null"]
    return {**parts[0], **rest} if len(parts) == 1 else {**rest, "anyOf": parts}


def coded(codes: Mapping[Any, str]) -> Said:
    """A code out of a table, of those whose canonical value the model takes."""

    def said(canonical: Json) -> list[Json]:
        return [{**kept(canonical), **_enum(codes, canonical, canonical.get("x-labels", {}))}]

    return said


def _enum(codes: Mapping[Any, str], canonical: Json, labels: Mapping[str, str]) -> Json:
    values = _values(canonical)
    chosen = {code: value for value, code in codes.items() if values is None or value in values}
    words = {code: word for code, value in chosen.items() if (word := _word(value, labels)) is not None}
    found: Json = {"type": "string", "enum": [*chosen]}
    return {**found, "x-labels": words} if words else found


def _values(canonical: Json) -> list[Any] | None:
    """What the canonical value may be, where the model enumerates it."""
    if "anyOf" in canonical:
        parts = [_values(part) for part in canonical["anyOf"]]
        return None if None in parts else [value for part in parts for value in part or ()]
    if "const" in canonical:
        return [canonical["const"]]
    values: list[Any] | None = canonical.get("enum")
    return values


def _word(value: Any, labels: Mapping[str, str]) -> str | None:
    """The Chinese word; a value that is one itself says so."""
    if value in labels:
        return labels[value]
    return value if isinstance(value, str) and not value.isascii() else None


def each_said(one: Said) -> Said:
    """A list of such values."""

    def said(canonical: Json) -> list[Json]:
        items = canonical.get("items", {})
        labels = items.get("x-labels") or canonical.get("x-labels")
        (inner,) = one({**items, "x-labels": labels} if labels else items)
        return [{**kept(canonical), "type": "array", "items": inner, **_amount(canonical)}]

    return said


def _amount(canonical: Json) -> Json:
    return {key: canonical[key] for key in ("minItems", "maxItems", "uniqueItems") if key in canonical}


def switched(true: str, false: str) -> Said:
    def said(canonical: Json) -> list[Json]:
        values = _values(canonical)
        words = {
            code: zh for code, zh, value in ((true, "是", True), (false, "否", False)) if values in (None, [value])
        }
        return [{**kept(canonical), "type": "string", "enum": [*words], "x-labels": words}]

    return said


def formed(pattern: str, shown: str) -> Said:
    """A text of a fixed form. shown: the form as people write it."""

    def said(canonical: Json) -> list[Json]:
        return [{**kept(canonical), "type": "string", "pattern": f"^{pattern}$", "x-form": shown}]

    return said


def text_of_list(*, escaped_by: str | None = None) -> Said:
    """A list of texts as one. escaped_by: the separator, where each text keeps its length but for a backslash before
    a separator; then the whole is at most as long as the list may become."""

    def said(canonical: Json) -> list[Json]:
        found: Json = {**kept(canonical), "type": "string"}
        if canonical.get("minItems"):
            found["minLength"] = 1
        most, longest = canonical.get("maxItems"), canonical.get("items", {}).get("maxLength")
        if escaped_by and most and longest:
            found["maxLength"] = most * longest * 2 + (most - 1) * len(escaped_by)
        return [found]

    return said


def coded_text(codes: Mapping[Any, str], separator: str) -> Said:
    """A list of words out of a table in one text."""

    def said(canonical: Json) -> list[Json]:
        items = canonical.get("items", {})
        labels = items.get("x-labels") or canonical.get("x-labels", {})
        words = _enum(codes, items, labels)["enum"]
        one, between = "|".join(_literal(word) for word in words), _literal(separator)
        found: Json = {**kept(canonical), "type": "string", "pattern": f"^(?:(?:{one})(?:{between}|$)|{between})*$"}
        if canonical.get("minItems"):
            found["minLength"] = 1
        return [{**found, "x-words": words}]

    return said


def _literal(words: str) -> str:
    """As a regular expression of ECMA 262 has it (RFC 8259 readers in any language)."""
    return _SYNTAX.sub(lambda found: "\\" + found.group(), words)


def numbered_texts(members: int) -> Said:
    """A list over several members, one item each."""

    def said(canonical: Json) -> list[Json]:
        return [{**canonical.get("items", {}), **kept(canonical)} for _ in range(members)]

    return said


def in_lines(lines: Mapping[str, tuple[str | None, ...]]) -> Said:
    """Codes over several members, a line each."""

    def said(canonical: Json) -> list[Json]:
        values, labels = _values(canonical), canonical.get("x-labels", {})
        chosen = {value: line for value, line in lines.items() if values is None or value in values}
        found = []
        for place in range(len(next(iter(lines.values())))):
            words: dict[str, list[str]] = {}
            for value, line in chosen.items():
                if (code := line[place]) is not None:
                    word = _word(value, labels)
                    words.setdefault(code, []).extend([word] if word else [])
            told = {code: "、".join(those) for code, those in words.items() if those}
            one: Json = {**kept(canonical), "type": "string", "enum": [*words]}
            found.append({**one, "x-labels": told} if told else one)
        return found

    return said


def line_rules(lines: Mapping[str, tuple[str | None, ...]]) -> Together:
    """What stands there must fit exactly one line, or none of it stands there (who must say it, says so elsewhere)."""
    whole = set(lines.values())

    def unique(line: tuple[str | None, ...], given: frozenset[int]) -> bool:
        shown = tuple(code if place in given else None for place, code in enumerate(line))
        if shown in whole:
            return shown == line
        fitting = [one for one in whole if all(s is None or s == o for s, o in zip(shown, one, strict=True))]
        return fitting == [line]

    def together(names: tuple[str, ...]) -> list[Json]:
        branches: list[Json] = [{"properties": dict.fromkeys(names, False)}]
        for line in lines.values():
            places = [place for place, code in enumerate(line) if code is not None]
            enough: list[frozenset[int]] = []
            for size in range(1, len(places) + 1):
                for given in map(frozenset, combinations(places, size)):
                    if unique(line, given) and not any(less <= given for less in enough):
                        enough.append(given)
            fixed = {name: False if code is None else {"const": code} for name, code in zip(names, line, strict=True)}
            branches += [{"required": [names[p] for p in sorted(given)], "properties": fixed} for given in enough]
        told = ["/".join(code or "–" for code in line) for line in lines.values()]
        return [{"x-members": [*names], "x-lines": told, "anyOf": branches}]

    return together
