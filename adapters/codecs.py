"""Codecs: how a single value is written in a dialect, and read from it.

A codec works on one present, non-null value. What it cannot write it refuses with `AdapterError("", rule, …)`; the
engine adds the place. The texts never repeat the refused value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from pydantic_core import PydanticCustomError

from adapters.contract import AdapterError
from adapters.wording import (
    Said,
    Together,
    coded,
    coded_text,
    each_said,
    formed,
    in_lines,
    line_rules,
    numbered_texts,
    switched,
    text_of_list,
)
from schemas.legal import legal_code, legal_text

BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Codec:
    """encode: canonical → dialect; decode: back; see: the canonical value that comes back, where not the same
    (None: nothing comes back).

    codes: the canonical values that a code table knows; None where the codec is not a table. said, together: what the
    dialect's members look like (`adapters.wording`); without `said` a message is not described to its partner. clock:
    how a moment is written, in the words of `strftime`.
    """

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    see: Callable[[Any], Any] | None = None
    codes: frozenset[Any] | None = None
    said: Said | None = None
    together: Together | None = None
    clock: str | None = None


def table(codes: Mapping[str, str]) -> Codec:
    """Canonical → code. Raises ValueError when two canonical values share a code."""
    back = {said: canonical for canonical, said in codes.items()}
    if len(back) != len(codes):
        raise ValueError("a code table names one code twice")
    return Codec(lambda v: look_up(codes, v), lambda v: look_up(back, v), codes=frozenset(codes), said=coded(codes))


def in_turn(one: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    """Each value in turn; a fault gets the index of its value."""
    done: list[Any] = []
    for value in values:
        try:
            done.append(one(value))
        except AdapterError as error:
            raise error.below(f"/{len(done)}") from None
    return done


def each(one: Codec) -> Codec:
    """A list of such values."""
    return Codec(
        lambda v: in_turn(one.encode, v),
        lambda v: in_turn(one.decode, typed(v, list)),
        codes=one.codes,
        said=one.said and each_said(one.said),
    )


def switch(true: str, false: str) -> Codec:
    """A boolean as two codes."""
    back = {true: True, false: False}
    return Codec(lambda v: true if v else false, lambda v: look_up(back, v), said=switched(true, false))


def lines(codes: Mapping[str, tuple[str | None, ...]], names: tuple[str, ...]) -> Codec:
    """Canonical → the codes of several members, None for one that is left out.

    Decoding looks at the members that stand there: they must fit exactly one line.
    """

    whole = {line: c for c, line in codes.items()}

    def decode(values: tuple[Any, ...]) -> str:
        if all(v is None or isinstance(v, str) for v in values) and values in whole:
            return whole[values]
        fitting = [c for c, line in codes.items() if _fits(values, line)]
        if len(fitting) == 1:
            return fitting[0]
        head = "/".join(names)
        allowed = ", ".join("/".join(said or "–" for said in line) for line in codes.values())
        raise AdapterError(
            "",
            "unknown-code",
            f"{head} 的代码组合不在代码表中，可用：{allowed}",
            f"{head} is no single line of the code table; allowed: {allowed}",
        )

    return Codec(
        lambda v: look_up(codes, v),
        decode,
        codes=frozenset(codes),
        said=in_lines(codes),
        together=line_rules(codes),
    )


def _fits(values: tuple[Any, ...], line: tuple[str | None, ...]) -> bool:
    """A member that does not stand there fits anything."""
    return all(v is None or v == said for v, said in zip(values, line, strict=True))


def _reference(words: str) -> str:
    try:
        return legal_code(words)
    except PydanticCustomError as broken:
        raise AdapterError(
            "",
            broken.type,
            "法律依据写法不认识，如：民诉法解释第四百八十二条；法发〔2017〕27号",
            "Not a known article or notice; written like 民诉法解释第四百八十二条；法发〔2017〕27号",
        ) from None


LEGAL = Codec(
    lambda v: "；".join(map(legal_text, v)),
    lambda v: [_reference(part) for part in re.split("[；;]", text(v)) if part.strip()],
    said=text_of_list(),
)
"""legal_basis codes as the words that people read: `INT-482` as 民诉法解释第四百八十二条."""


def texts(codes: Mapping[str, str], separator: str) -> Codec:
    """A list of values as the texts of a code table in one line; no text may hold the separator."""
    one = table(codes)
    if any(separator in said for said in codes.values()):
        raise ValueError("a text of the table holds the separator")
    return Codec(
        lambda v: separator.join([one.encode(x) for x in v]),
        lambda v: [one.decode(part) for part in text(v).split(separator) if part],
        codes=one.codes,
        said=coded_text(codes, separator),
    )


def numbered(members: int) -> Codec:
    """A list of texts over several members, one each; an empty list is not said at all. A fault names its member by
    its place among them."""

    def encode(v: list[str]) -> tuple[str | None, ...]:
        if len(v) > members:
            raise AdapterError("", "too-many", f"最多 {members} 项", f"At most {members}")
        return (*v, *[None] * (members - len(v)))

    def decode(v: tuple[Any, ...]) -> list[str]:
        return [x for x in in_turn(_text_or_none, v) if x is not None]

    return Codec(encode, decode, lambda v: v or None, said=numbered_texts(members))


def _text_or_none(v: Any) -> str | None:
    return None if v is None else text(v)


def joined(separator: str) -> Codec:
    """A list of texts as one text; a separator inside a text is escaped with a backslash."""

    def encode(texts: list[str]) -> str:
        return separator.join([t.replace("\\", "\\\\").replace(separator, "\\" + separator) for t in texts])

    return Codec(encode, lambda v: _split(text(v), separator), said=text_of_list(escaped_by=separator))


def _split(v: str, separator: str) -> list[str]:
    if "\\" not in v:
        return v.split(separator) if v else []
    parts, escaped = [""], False
    for c in v:
        if not escaped and c == separator:
            parts.append("")
        elif not escaped and c == "\\":
            escaped = True
        else:
            parts[-1] += c
            escaped = False
    return parts


def clock(form: str, pattern: str, shown: str) -> Codec:
    """Moments (RFC 3339) as local time of China, to the second. shown: the format as a partner reads it."""
    shape = re.compile(pattern, re.ASCII)

    def decode(v: Any) -> str:
        try:
            if shape.fullmatch(text(v)):
                return datetime.strptime(v, form).replace(tzinfo=BEIJING).isoformat()
        except ValueError:
            pass  # a date that does not exist: refused below like a format that is not ours
        raise AdapterError(
            "", "bad-moment", f"时间应为存在的北京时间 {shown}", f"Must be an existing moment, {shown}, +08:00"
        )

    def see(v: str) -> str:
        return datetime.fromisoformat(v).astimezone(BEIJING).replace(microsecond=0).isoformat()

    def encode(v: str) -> str:
        return datetime.fromisoformat(v).astimezone(BEIJING).strftime(form)

    return Codec(encode, decode, see, said=formed(pattern, shown), clock=form)


COMPACT = clock("%Y%m%d%H%M%S", "[0-9]{14}", "YYYYMMDDhhmmss")
DASHED = clock("%Y-%m-%d %H:%M:%S", "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", "YYYY-MM-DD hh:mm:ss")


def _undashed(v: Any) -> str:
    if re.fullmatch(r"\d{8}", text(v), re.ASCII) is None:
        raise AdapterError("", "bad-date", "日期格式应为 YYYYMMDD", "A date is written YYYYMMDD")
    return f"{v[:4]}-{v[4:6]}-{v[6:]}"


DAY = Codec(lambda v: v.replace("-", ""), _undashed, said=formed("[0-9]{8}", "YYYYMMDD"))


def look_up(codes: Mapping[str, Any], v: Any) -> Any:
    """Raises AdapterError unknown-code, which names the codes that would do."""
    try:
        return codes[v]
    except (KeyError, TypeError):
        allowed = ", ".join(map(str, codes))
        raise AdapterError(
            "", "unknown-code", f"代码不在代码表中，可用：{allowed}", f"Not a known code; allowed: {allowed}"
        ) from None


def text(v: Any) -> str:
    return str(typed(v, str))


def typed(v: Any, kind: type) -> Any:
    """Raises AdapterError wrong-type."""
    if not isinstance(v, kind):
        zh, en = ("文本", "text") if kind is str else ("列表", "a list")
        raise AdapterError("", "wrong-type", f"应为{zh}", f"Must be {en}")
    return v
