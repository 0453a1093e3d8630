"""The table engine on a small dialect of its own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest

from adapters import codecs
from adapters.contract import Adapter, AdapterError, Canonical
from adapters.registry import Known, PartnerKind, discover
from adapters.rows import Dialect, Rows, code, codes, day, flag, joined, legal, moment, spread, under
from adapters.table import TableAdapter
from lianzhi.protocol.base import Model
from lianzhi.protocol.cards import Classification
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask


class Lamp(Model):
    ref: str
    color: Literal["red", "green"]
    lit: bool = False


class Room(Model):
    ref: str
    name: str
    lamps: list[Lamp] = []
    owner: Lamp | None = None


class Errand(Model):
    title: str
    kind: Literal["fetch-one", "fetch-all", "bring"]
    since: str | None = None
    words: list[str] = []
    secret: str | None = None
    room: Room


class Outcome(Model):
    ref: str
    seen_at: str


ERRAND = ask(
    name="test.errand.request",
    zh="差事",
    en="Errand",
    help_zh="",
    help_en="",
    linkages=(),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.WITNESS}),
    request=Errand,
    result_item=Outcome,
    request_class=Classification.INTERNAL,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={},
    example_result={},
)
COLORS = {"red": "1", "green": "2"}
KINDS = {"fetch-one": ("1", "a"), "fetch-all": ("1", "b"), "bring": ("2", None)}
RESULT = {
    "items[].ref": "JG[].ref",
    "items[].seen_at": moment("JG[].SJ"),
    "reasons": joined("YY", "|"),
    "evidence": "ZJ",
}
LAMP: Rows = {"ref": "ref", "color": code("YS", COLORS), "lit": flag("LZ")}
FIELDS = (
    ("* open", {"request.request_no": "QQDH", "request.urgency": "JJCD", "request.legal_basis": legal("YJ")}),
    (
        "test.errand.* open",
        {
            "payload.kind": spread(("LX", "FS"), KINDS),
            "payload.title": "BT",
            "payload.since": day("KS"),
            "payload.words": joined("CY"),
            "payload.room.ref": "ref",
            "payload.room.name": "FJ",
            **under("payload.room.owner.", LAMP, into="ZR."),
            **under("payload.room.lamps[].", LAMP, into="DENG[]."),
        },
    ),
    ("* open", {"documents": "documents"}),
    ("* result", RESULT),
)
HIDDEN = (
    ("* open", ("court", "handler", "request.case_no", "request.purpose", "request.campaign")),
    ("test.errand.* open", ("payload.secret",)),
)


def small(**changed: Any) -> TableAdapter:
    parts: dict[str, Any] = {"fields": FIELDS, "hidden": HIDDEN, "clocks": (("*", codecs.COMPACT),)} | changed
    return TableAdapter(Dialect(name="small/1", zh="小", en="Small", **parts), lambda: {ERRAND.name: ERRAND})


def opening(**payload: Any) -> Canonical:
    request = {"request_no": "court-a-20260324-000001", "case_no": "（2026）陕0199执900001号", "urgency": "normal"}
    room = {"ref": "aaaaaaaa", "name": "一室"}
    data = {"request": request, "payload": {"title": "取", "kind": "bring", "room": room} | payload}
    return Canonical(ERRAND.name, "open", data)


LAMPS = [{"ref": "bbbbbbbb", "color": "red", "lit": True}, {"ref": "cccccccc", "color": "green"}]
OWNER = {"ref": "dddddddd", "color": "red", "lit": False}
FULL = opening(
    kind="fetch-all",
    since="2026-03-24",
    words=["一；二", "反\\斜", "三"],
    secret="不可外传",
    room={"ref": "aaaaaaaa", "name": "一室", "lamps": LAMPS, "owner": OWNER},
)


async def test_names_codes_lists_and_order() -> None:
    body = await small().encode(FULL)
    assert list(body.items()) == [
        ("QQDH", "court-a-20260324-000001"),
        ("JJCD", "normal"),
        ("LX", "1"),
        ("FS", "b"),
        ("BT", "取"),
        ("KS", "20260324"),
        ("CY", "一\\；二；反\\\\斜；三"),
        ("ref", "aaaaaaaa"),
        ("FJ", "一室"),
        ("ZR", {"ref": "dddddddd", "YS": "1", "LZ": "0"}),
        ("DENG", [{"ref": "bbbbbbbb", "YS": "1", "LZ": "1"}, {"ref": "cccccccc", "YS": "2"}]),
    ]


async def test_what_comes_back_is_what_was_visible() -> None:
    adapter = small()
    seen = adapter.visible(FULL)
    assert "case_no" not in seen["request"]
    assert "secret" not in seen["payload"]
    assert seen["payload"]["room"] == FULL.data["payload"]["room"]
    assert await adapter.decode(FULL.type, "open", await adapter.encode(FULL)) == seen


async def test_nulls_are_left_out_and_empty_lists_stay() -> None:
    adapter = small()
    m = opening(since=None, words=[], room={"ref": "aaaaaaaa", "name": "一室", "owner": None, "lamps": []})
    body = await adapter.encode(m)
    assert body["CY"] == ""
    assert body["DENG"] == []
    assert not {"KS", "ZR"} & body.keys()
    assert await adapter.decode(m.type, "open", {**body, "KS": None}) == adapter.visible(m)


async def test_moments_are_local_and_to_the_second() -> None:
    adapter = small()
    items = [{"ref": "aaaaaaaa", "seen_at": "2026-03-24T16:30:01.25Z"}]
    m = Canonical(ERRAND.name, "result", {"items": items, "reasons": ["甲|乙"]})
    body = await adapter.encode(m)
    assert body == {"JG": [{"ref": "aaaaaaaa", "SJ": "20260325003001"}], "YY": "甲\\|乙"}
    back = await adapter.decode(m.type, "result", body)
    assert back == adapter.visible(m)
    assert back == {"items": [{"ref": "aaaaaaaa", "seen_at": "2026-03-25T00:30:01+08:00"}], "reasons": ["甲|乙"]}
    dashed = small(clocks=(("*", codecs.COMPACT), ("test.*", codecs.DASHED)))
    assert (await dashed.encode(m))["JG"][0]["SJ"] == "2026-03-25 00:30:01"
    assert (await small(clocks=()).encode(m))["JG"][0]["SJ"] == "2026-03-24T16:30:01.25Z"


async def test_legal_references_are_text_both_ways() -> None:
    adapter = small()
    m = opening()
    m.data["request"]["legal_basis"] = ["INT-482", "FAFA-2017-27"]
    body = await adapter.encode(m)
    assert body["YJ"] == "民诉法解释第四百八十二条；法发〔2017〕27号"
    assert (await adapter.decode(m.type, "open", body))["request"]["legal_basis"] == ["INT-482", "FAFA-2017-27"]


@pytest.mark.parametrize(
    ("body", "pointer", "rule", "says"),
    [
        ({"XX": 1}, "/XX", "unknown-member", "no such member"),
        ({"a/b~": 1}, "/a~1b~0", "unknown-member", "no such member"),
        ({"ZR": {"XX": 1}}, "/ZR/XX", "unknown-member", "no such member"),
        ({"ZR": "x"}, "/ZR", "wrong-type", "object"),
        ({"DENG": [{}, {"YS": "9"}]}, "/DENG/1/YS", "unknown-code", "1, 2"),
        ({"DENG": [{}, {"YS": ["1"]}]}, "/DENG/1/YS", "unknown-code", "1, 2"),
        ({"DENG": [{"LZ": "2"}]}, "/DENG/0/LZ", "unknown-code", "1, 0"),
        ({"DENG": {}}, "/DENG", "wrong-type", "list"),
        ({"DENG": ["x"]}, "/DENG/0", "wrong-type", "object"),
        ({"KS": "2026-03-24"}, "/KS", "bad-date", "YYYYMMDD"),
        ({"KS": 20260324}, "/KS", "wrong-type", "text"),
        ({"CY": ["x"]}, "/CY", "wrong-type", "text"),
        ({"YJ": "民法典第一条"}, "/YJ", "unknown-legal-basis", "民诉法解释"),
        ({"LX": "1"}, "/LX", "unknown-code", "LX/FS"),
        ({"LX": "2", "FS": "b"}, "/LX", "unknown-code", "1/a, 1/b, 2/–"),
    ],
)
async def test_what_a_partner_says_wrong_is_named_in_its_own_words(
    body: dict[str, Any], pointer: str, rule: str, says: str
) -> None:
    with pytest.raises(AdapterError) as caught:
        await small().decode(ERRAND.name, "open", body)
    assert (caught.value.pointer, caught.value.rule) == (pointer, rule)
    assert says in caught.value.en


@pytest.mark.parametrize("text", ["20260230000000", "2026032400000", "2026-03-24 00:00:00", "20260324000060"])
async def test_a_moment_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(AdapterError) as caught:
        await small().decode(ERRAND.name, "result", {"JG": [{"SJ": text}]})
    assert (caught.value.pointer, caught.value.rule) == ("/JG/0/SJ", "bad-moment")


async def test_a_value_without_a_code_is_refused_at_its_canonical_place() -> None:
    m = opening(room={"ref": "aaaaaaaa", "name": "一室", "lamps": [{"ref": "bbbbbbbb", "color": "blue"}]})
    with pytest.raises(AdapterError) as caught:
        await small().encode(m)
    assert (caught.value.pointer, caught.value.rule) == ("/payload/room/lamps/0/color", "unknown-code")


@pytest.mark.parametrize(
    ("canonical", "dialect"),
    [
        ("/payload/title", "/BT"),
        ("/payload/kind", "/LX"),
        ("/payload/room/lamps/1/color", "/DENG/1/YS"),
        ("/payload/room/lamps/1", "/DENG/1"),
        ("/payload/room/lamps/1/none", "/DENG"),
        ("/payload/room/lamps", "/DENG"),
        ("/payload/room/owner/color", "/ZR/YS"),
        ("/payload/room", "/ref"),
        ("/payload/words/0", "/CY"),
        ("/documents/2/sha256", "/documents/2/sha256"),
        ("/payload/secret", ""),
        ("/request/case_no", ""),
        ("", ""),
    ],
)
def test_pointers_lead_back_to_the_dialect(canonical: str, dialect: str) -> None:
    assert small().pointer(ERRAND.name, "open", canonical) == dialect


async def test_a_member_without_a_word_is_never_dropped_in_silence() -> None:
    rows = [(scope, {k: v for k, v in table.items() if k != "payload.room.name"}) for scope, table in FIELDS]
    adapter = small(fields=rows)
    compiled = adapter.compiled(ERRAND.name, "open")
    assert compiled.missing == ["payload.room.name"]
    assert {"payload.secret", "court"} <= set(compiled.hidden)
    with pytest.raises(AdapterError) as caught:
        await adapter.encode(FULL)
    assert "payload.room.name" in str(caught.value.__cause__)
    with pytest.raises(LookupError, match=r"payload\.room\.name"):
        adapter.visible(FULL)


@pytest.mark.parametrize(
    "rows",
    [
        {"payload.title": "FJ"},
        {"payload.title": "DENG[].BT"},
        {"payload.room.lamps[].color": "ANDERE[].YS"},
        {"payload.title": "ZR"},
    ],
)
def test_a_table_that_contradicts_itself_is_never_used(rows: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match=r"small/1, test\.errand\.request open"):
        small(fields=[*FIELDS, ("* open", rows)]).compiled(ERRAND.name, "open")


async def test_a_code_table_with_one_code_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        codes("X", {"a": "1", "b": "1"})


async def test_a_canonical_dialect_keeps_names_and_shape() -> None:
    plain = small(fields=(), canonical=True)
    body = await plain.encode(FULL)
    assert body == plain.visible(FULL)
    assert body["payload"]["room"]["lamps"] == LAMPS
    assert await plain.decode(FULL.type, "open", body) == body
    assert plain.pointer(FULL.type, "open", "/payload/room/lamps/1/color") == "/payload/room/lamps/1/color"
    assert plain.pointer(FULL.type, "open", "/payload/room") == "/payload/room"


class Brittle(Adapter):
    dialect = "brittle/1"

    async def _encode(self, m: Canonical) -> dict[str, Any]:
        return {"n": 1 // len(m.data)}

    async def _decode(self, type: str, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return {"n": body["n"]}


async def test_a_foreign_exception_becomes_ours() -> None:
    with pytest.raises(AdapterError) as caught:
        await Brittle().encode(Canonical("t", "open", {}))
    assert caught.value.rule == "adapter-failed"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(AdapterError, match="KeyError"):
        await Brittle().decode("t", "open", {})


async def test_an_unknown_type_or_verb_is_refused() -> None:
    with pytest.raises(AdapterError):
        await small().encode(Canonical("test.none", "open", {}))
    with pytest.raises(LookupError):
        small().compiled("test.none", "open")
    with pytest.raises(LookupError, match="no result"):
        TableAdapter(small().table, lambda: {"t": replace(ERRAND, result_item=None)}).compiled("t", "result")


FOUND = iter(f"found_kinds_{n}" for n in count())


def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **folders: str) -> Known:
    """What is discovered in folders with these `__init__.py`."""
    package = tmp_path / next(FOUND)
    for folder, source in folders.items():
        (package / folder).mkdir(parents=True)
        (package / folder / "__init__.py").write_text(source, "utf-8")
    (package / "__init__.py").write_text("", "utf-8")
    (package / "beside.py").write_text("raise AssertionError('no kind')\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return discover(importlib.import_module(package.name))


MILL = "from adapters.rows import Dialect\nDIALECT = Dialect(name='mill/1', zh='磨坊', en='Mill')\n"
PLAIN = "from adapters.plain import plain\nDIALECT = plain('{0}', '{0}')\n"


def test_a_kind_is_found_where_its_folder_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its word is the folder's, its dialect the `Dialect` in it; an `Adapter` of the same name takes its place."""
    adapter = "from adapters.table import TableAdapter\nclass Mill(TableAdapter):\n    pass\nADAPTER = Mill(DIALECT)\n"
    known = found(tmp_path, monkeypatch, mill=MILL + adapter, inn=PLAIN.format("inn"), farm=PLAIN.format("farm"))
    assert [*known.kinds] == ["farm", "inn", "mill"]
    assert known.kinds[Kind("mill")] == PartnerKind("磨坊", "Mill", ("mill/1",), "mill/1")
    assert known.kinds[Kind("inn")] == PartnerKind("inn", "inn", ("plain/1",), None)
    assert {dialect: type(adapter).__name__ for dialect, adapter in known.adapters.items()} == {
        "plain/1": "TableAdapter",
        "mill/1": "Mill",
    }
    assert known.speakers == {"plain/1": {"inn", "farm"}, "mill/1": {"mill"}}


def test_a_newer_version_stands_beside_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = MILL + "NEWER = Dialect(name='mill/2', zh='磨坊', en='Mill', default=False)\n"
    kind = found(tmp_path, monkeypatch, mill=newer).kinds[Kind("mill")]
    assert (kind.default, kind.dialects) == ("mill/1", ("mill/1", "mill/2"))


@pytest.mark.parametrize(
    "folders",
    [
        {"mill": "", "inn": MILL},
        {"mill": MILL + "OTHER = Dialect(name='mill/2', zh='磨坊', en='Mill')\n"},
        {"mill": MILL + "OTHER = Dialect(name='mill/2', zh='磨', en='Mill', default=False)\n"},
        {"inn": MILL, "mill": MILL.replace("en=", "canonical=True, en=")},
    ],
    ids=["no-dialect", "two-defaults", "two-names", "one-dialect-twice"],
)
def test_a_folder_that_is_unclear_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="adapters/mill"):
        found(tmp_path, monkeypatch, **folders)
