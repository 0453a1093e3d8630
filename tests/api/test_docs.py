"""The pages at /docs: every link answers, nothing foreign is named, nothing is trusted."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from adapters.registry import dialects
from gateway.http.description.markup import el, page
from tests.api.world import Reply, World

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


class Seen(HTMLParser):
    """Addresses, anchors, and what the policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.forbidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "iframe", "form", "base", "object"):
            self.forbidden.append(tag)
        for name, value in attrs:
            if name in ("href", "src") and value and not value.startswith("data:"):
                self.links.add(value)
            if name == "id" and value:
                self.anchors.add(value)
            if name == "style" or name.startswith("on"):
                self.forbidden.append(name)


def seen(reply: Reply) -> Seen:
    found = Seen()
    found.feed(reply.body.decode("utf-8"))
    return found


async def test_every_link_answers_and_nothing_foreign_is_named(world: World) -> None:
    waiting, pages, wanted = {"/docs"}, dict[str, Seen](), set[tuple[str, str]]()
    while waiting:
        address = waiting.pop()
        reply = await world.get(address, None)
        assert reply.status == 200, address
        pages[address] = Seen()
        if not reply.headers["Content-Type"].startswith("text/html"):
            continue
        assert reply.headers["Content-Security-Policy"] == POLICY
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        pages[address] = found = seen(reply)
        assert not found.forbidden, address
        for link in found.links:
            parts = urlsplit(link)
            assert not parts.scheme and not parts.netloc, f"{address} names {link}"
            to = parts._replace(fragment="").geturl() or address
            wanted |= {(to, parts.fragment)} if parts.fragment else set()
            waiting |= {to} - pages.keys()
        waiting -= pages.keys()
    assert {f"/docs/asyncapi?dialect={one}" for one in dialects()} <= pages.keys()
    assert len(pages) > 150
    for to, fragment in wanted:
        assert fragment in pages[to].anchors, f"{to}#{fragment}"


async def test_a_type_is_shown_in_the_words_of_its_dialect(world: World) -> None:
    reply = await world.get("/docs/asyncapi?dialect=police/1&type=police.vehicle-seal.request", None)
    text = reply.body.decode("utf-8")
    for word in ("HPHM", "号牌号码", "密封", "法院 → 单位", "签收", "完整示例", "data.head"):
        assert word in text, word


async def test_the_style_is_served_and_names_nothing_else(world: World) -> None:
    reply = await world.get("/docs/style.css", None)
    assert reply.headers["Content-Type"] == "text/css; charset=utf-8"
    assert not re.search(r"url\(|@import|https?:", reply.body.decode("utf-8"))


@pytest.mark.parametrize(
    ("address", "pointer", "allowed"),
    [
        ("/asyncapi.json?dialect=police/9", "/dialect", "police/1"),
        ("/docs/asyncapi?dialect=police/9", "/dialect", "police/1"),
        ("/docs/asyncapi?type=grid.verify.request", "/dialect", "grid/1"),
        ("/docs/asyncapi?dialect=grid/1&type=police.vehicle-seal.request", "/type", "grid.verify.request"),
        ("/docs/openapi?schema=Nothing", "/schema", "/openapi.json"),
        ("/asyncapi.json?participant=police-610199", "/participant", ""),
        ("/docs?x=1", "/x", ""),
    ],
)
async def test_what_is_not_there_is_refused_with_what_is(
    world: World, address: str, pointer: str, allowed: str
) -> None:
    reply = await world.get(address, None)
    assert (reply.status, reply.code) == (422, "invalid-field")
    (error,) = reply.json["errors"]
    assert error["pointer"] == pointer and allowed in error["detail"] and allowed in error["detail_en"]


@pytest.mark.parametrize("address", ["/docs", "/docs/style.css", "/openapi.json", "/asyncapi.json?dialect=grid/1"])
async def test_who_has_it_already_is_not_sent_it_again(world: World, address: str) -> None:
    first = await world.get(address, None)
    again = await world.call(
        "GET", address, client=None, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'}
    )
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    other = await world.call("GET", address, client=None, headers={"If-None-Match": '"other"'})
    assert (other.status, other.body) == (200, first.body)


def test_no_text_becomes_a_tag() -> None:
    hostile = "<script>alert(1)</script>\"'&"
    written = page(hostile, {"/docs": hostile}, el("p", hostile, el("b", hostile), hostile, title=hostile))
    found = Seen()
    found.feed(written.decode("utf-8"))
    assert not found.forbidden and found.links == {"/docs", "/docs/style.css"}
    assert written.count(b"&lt;script&gt;alert(1)&lt;/script&gt;") == 6
