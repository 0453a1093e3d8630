"""HTML made of elements, so that no text can become a tag: everything is escaped when it is written out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

Content = ET.Element | str | None


def el(tag: str, *content: Content, **attributes: str) -> ET.Element:
    """One element. In an attribute's name a trailing `_` is dropped (`class_`), another is `-`; None is nothing."""
    element = ET.Element(tag, {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()})
    last: ET.Element | None = None
    for part in content:
        if isinstance(part, ET.Element):
            element.append(part)
            last = part
        elif part is not None and last is None:
            element.text = (element.text or "") + part
        elif part is not None and last is not None:
            last.tail = (last.tail or "") + part
    return element


def link(to: str, *content: Content) -> ET.Element:
    return el("a", *content, href=to)


def code(text: str) -> ET.Element:
    return el("code", text)


def both(zh: str, en: str) -> list[Content]:
    """Chinese, and English beside it."""
    return [zh, " ", el("span", en, lang="en", class_="en")]


def table(heads: Iterable[tuple[str, str]], rows: Iterable[Iterable[Content]]) -> ET.Element:
    """heads: Chinese and English of each column."""
    named = [*heads]
    head = el("tr", *(el("th", *both(*words), scope="col") for words in named))
    body = (
        el("tr", *(el("td", cell, data_label=zh) for (zh, _), cell in zip(named, row, strict=True))) for row in rows
    )
    return el("div", el("table", el("thead", head), el("tbody", *body)), class_="wide", tabindex="0")


def shown(title_zh: str, title_en: str, value: Any) -> ET.Element:
    """JSON that is unfolded by hand."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return el("details", el("summary", *both(title_zh, title_en)), el("pre", code(text), tabindex="0"))


def page(title: str, trail: Mapping[str, str], *content: Content) -> bytes:
    """A whole page. trail: address → word, of the pages above it."""
    steps: list[Content] = []
    for address, word in trail.items():
        steps += [link(address, word), " / "]
    whole = el(
        "html",
        el(
            "head",
            el("meta", charset="utf-8"),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("title", f"{title} · 联执 Lianzhi"),
            el("link", rel="stylesheet", href="/docs/style.css"),
            el("link", rel="icon", href="data:,"),
        ),
        el("body", el("nav", *steps, title, aria_label="位置 Where"), el("main", *content)),
        lang="zh-CN",
    )
    return b"<!DOCTYPE html>\n" + ET.tostring(whole, encoding="unicode", method="html").encode()
