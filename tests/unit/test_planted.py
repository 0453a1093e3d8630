"""The planted markers: in every text and identifier of every type, and found however they are wrapped."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from schemas.catalogue import catalogue
from tests.bounds.leaves import Leaf
from tests.bounds.messages import forms, leaves_of
from tools.planted import CODES, RARE, TAILS, Marker, main, makers, plant, read, search, written

ROOT = Path(__file__).parents[2]
NAME = Marker("name", "駜驤鱻魴", ("駜驤鱻", "驤鱻魴"))
PLATE = Marker("plate", "陕AK9T7R", ("AK9T7R",))
MARKERS = [NAME, PLATE]


def found(data: bytes) -> dict[str, set[str]]:
    """encoding → fields."""
    fields: dict[str, set[str]] = {}
    for one in search(data, MARKERS):
        fields.setdefault(one.encoding, set()).add(one.field)
    return fields


LARGE = ("entrust.matter.request", "dept.property-control.request")  # ten kinds of object each: seconds


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in sorted(catalogue())]
)
def test_each_text_and_identifier_of_a_type_has_a_marker_of_its_own(name: str) -> None:
    matter, planted = catalogue()[name], plant(catalogue()[name], 7)
    by_verb = {form.verb: form for form in forms(matter)}
    wanted = {f"{form} {leaf}" for form in by_verb.values() for leaf in leaves_of(form.model) if _tells(leaf)}
    assert {marker.field for marker in planted.markers} == wanted
    for message in planted.messages:
        assert not by_verb[message.verb].refused(message.data)
        said = json.dumps(message.data, ensure_ascii=False)
        assert all(f'"{marker.text}"' in said for marker in message.markers)


def _tells(leaf: Leaf) -> bool:
    """Whether it is a text, and none whose kind is said to be a code or a tail."""
    kinds = [get_args(kind)[1:] for kind in (*CODES, *TAILS)]
    return leaf.kind is str and not any(leaf.marks[: len(marks)] == marks for marks in kinds)


def test_a_seed_gives_the_same_markers_and_another_seed_others() -> None:
    one, again, other = (plant(catalogue()["grid.verify.request"], seed) for seed in (7, 7, 8))
    assert one == again
    assert not {marker.text for marker in one.markers} & {marker.text for marker in other.markers}


@pytest.mark.slow
def test_no_two_members_of_the_catalogue_share_a_marker() -> None:
    fields: dict[str, list[str]] = {}
    for matter in catalogue().values():
        for marker in plant(matter, 1).markers:
            for part in {marker.text, *marker.parts}:
                fields.setdefault(part, []).append(marker.field)
    shared = sorted({tuple(of) for of in fields.values() if len(of) > 1})
    place = "bankruptcy.transfer.submit open /payload<BankruptcyTransfer>"
    same = (f"{place}/seized/0<SeizedLine>/measure_no", f"{place}/measures/0<Measure>/measure_no")
    assert shared == [same]  # the one measure, named twice


def test_a_text_of_a_kind_that_nobody_told_is_refused() -> None:
    leaf = next(leaf for leaf in leaves_of(next(forms(catalogue()["grid.verify.request"])).model) if leaf.kind is str)
    with pytest.raises(LookupError, match="of no kind"):
        makers(Leaf(leaf.steps, str, (), required=True, nullable=False))


def test_no_tracked_file_has_a_character_of_the_markers_but_this_one() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    rare = re.compile(f"[{RARE}]")
    files = [ROOT / name for name in listed.split("\0") if name]
    having = [f for f in files if f.is_file() and rare.search(f.read_bytes().decode("utf-8", "replace"))]
    assert having in ([], [Path(__file__).resolve()])


def _zipped(data: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", data)
    return whole.getvalue()


WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "base64": base64.b64encode,
    "hex": lambda data: data.hex().encode(),
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "zip": _zipped,
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_it_is_found_in_each_encoding_and_wrapping(wrapping: str, encoding: str, before: str) -> None:
    text = f"{before}姓名：{NAME.text}；号牌：{PLATE.text}。".encode(encoding)
    where = b"\x00.. " + WRAPPINGS[wrapping](before.encode() + text) + b" .."
    assert found(where)[f"{wrapping} {encoding}".strip()] == {"name", "plate"}
    other = f"{before}姓名：王演示；号牌：陕AK8T7R。".encode(encoding)
    assert not found(b"\x00.. " + WRAPPINGS[wrapping](before.encode() + other) + b" ..")


@pytest.mark.parametrize(
    ("data", "way"),
    [
        (json.dumps(NAME.text).encode(), "json utf-8"),
        (json.dumps(json.dumps(NAME.text)).encode(), "json utf-8"),
        (json.dumps(NAME.text).upper().replace("\\U", "\\u").encode(), "json utf-8"),
        (NAME.text.encode("gbk"), "gb18030"),
        (b"id=" + base64.urlsafe_b64encode(b"~~?" + NAME.text.encode()).rstrip(b"="), "base64 utf-8"),
        (b"eyJ" + base64.b64encode(b"12" + NAME.text.encode()), "base64 utf-8"),  # after other letters
        (base64.encodebytes(b"-" * 50 + NAME.text.encode()), "base64 utf-8"),  # broken into lines
        (NAME.text.encode().hex(" ").encode(), "hex utf-8"),
        (b"f" + NAME.text.encode().hex().encode() + b"f", "hex utf-8"),  # half a byte off
        (base64.b64encode(zlib.compress(json.dumps(NAME.text).encode())), "base64 zlib json utf-8"),
        (zlib.compress(b"." * 2000 + NAME.text.encode() + bytes(range(256)) * 90)[:-60], "zlib utf-8"),  # cut off
    ],
)
def test_it_is_found_in_other_spellings(data: bytes, way: str) -> None:
    assert found(data)[way] == {"name"}


def test_it_is_found_when_cut() -> None:
    assert found(NAME.text[:3].encode()) == found(NAME.text[1:].encode()) == {"utf-8": {"name"}}
    assert not found(NAME.text[:2].encode())


def test_every_kind_of_marker_is_found_when_its_beginning_or_end_is_lost() -> None:
    for matter in ("police.person-locate.request", "police.vehicle-seal.request"):
        for marker in plant(catalogue()[matter], 3).markers:
            ends = {search(text.encode(), [marker])[0].field for text in (marker.text, *marker.parts)}
            assert ends == {marker.field}
            if re.fullmatch(f"[{RARE}，。]+", marker.text):
                assert search(marker.text[:3].encode(), [marker]) and search(marker.text[-4:].encode(), [marker])


def test_a_stream_that_unpacks_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="unpacks to more than"):
        search(zlib.compress(bytes(70 * 2**20)), MARKERS)


def test_the_command_plants_and_finds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, clean = tmp_path / "made", tmp_path / "clean"
    assert main(["plant", str(made), "grid.verify.request", "--seed", "3"]) == 0
    markers = read((made / "markers.json").read_text("utf-8"))
    assert markers == plant(catalogue()["grid.verify.request"], 3).markers == read(written(markers))
    (made / "markers.json").rename(tmp_path / "markers.json")
    clean.mkdir()
    (clean / "a.log").write_text('{"event": "王演示"}', "utf-8")
    assert main(["search", str(clean), "--markers", str(tmp_path / "markers.json")]) == 0
    capsys.readouterr()
    assert main(["search", str(made), "--markers", str(tmp_path / "markers.json")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert {line.split("\t")[2] for line in lines} == {marker.field for marker in markers}
    assert all(line.startswith(str(made)) for line in lines)
