"""Markers in every text and identifier of a message, and the search for them wherever they must not stand.

`plant` writes whole messages of a matter type that the catalogue accepts, with a value of its own in each member that
can name a person, a thing or a place; `search` looks for these values in any bytes: as text in four encodings, behind
JSON escapes, base64, hexadecimal, zlib, gzip and zip, and behind several of them at once.

    python -m tools.planted plant DIR [TYPE …] [--seed N]     messages, and DIR/markers.json
    python -m tools.planted search DIR --markers FILE         exit code 1 when something is found

Not found: what stands in a picture, a PDF's text in a font of its own, anything enciphered, and what was cut to less
than one of its marker's `parts` (three characters of a text). Not planted: codes, days and sums (`CODES`), and the last
four characters of a number (`TAILS`), which are too short to be told from chance.
"""

from __future__ import annotations

import argparse
import base64
import copy
import json
import random
import re
import string
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from stdnum.cn import ric, uscc

from lianzhi.problem import FieldError
from lianzhi.protocol.envelope import Code, MessageId, Ref, RequestNo
from lianzhi.protocol.times import AnswerDay, AnyDay, AnyMoment, ComingDay, ComingMoment, PastDay, PastMoment, PastMonth
from lianzhi.protocol.values import Line, Name, Prose, Sha256, Slug
from lianzhi.protocol.verbs import StaffNo
from schemas.bodies import MatterName
from schemas.catalogue import MatterType, catalogue
from schemas.legal import LegalRef
from schemas.matters.assoc.member_notice import PublicNumber
from schemas.matters.entrust.objects import AccountNo
from schemas.matters.fund.money import AccountTail, FundNo
from schemas.matters.grid.visits import IdTail
from schemas.values.identifiers import CaseNo, CourtCode, CreditCode, DivisionCode, Phone, Plate, QuotedCaseNo, Vin
from schemas.values.objects import Country, MeasureNo, Money, Need, Person, PlateKind, RegisterNo
from schemas.values.people import public_number
from tests.bounds.filling import value_of
from tests.bounds.leaves import MISSING, Leaf, at, pointer, put
from tests.bounds.messages import Form, forms, leaves_of

RARE = "".join(map(chr, (*range(0x99C8, 0x9A6C), *range(0x9B5B, 0x9C7C))))
"""Traditional characters with the radicals 馬 and 魚, all in GBK: none stands in a tracked file (a test looks)."""
LETTERS = "ABCDEFGHJKLMNPRTUWXY"  # those that plates, VINs and USCCs all take
HAN, NUMBER = 3, 8  # characters by which a part of a text, of a number, is known


@dataclass(frozen=True, slots=True)
class Marker:
    """field: type, verb and member. text: what stands there. parts: what gives it away, also alone."""

    field: str
    text: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """Canonical data of one verb that passes, and the markers in it."""

    verb: str
    data: dict[str, Any]
    markers: tuple[Marker, ...]


@dataclass(frozen=True, slots=True)
class Planted:
    """All messages of a type. Several of one verb where its members exclude each other."""

    type: str
    messages: tuple[Message, ...]

    @property
    def markers(self) -> list[Marker]:
        return [marker for message in self.messages for marker in message.markers]


class Mint:
    """Makes values that were never made before from the same seed, each right by the rule of its kind."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)
        self._made: set[str] = set()

    def han(self, length: int) -> str:
        """Rare characters, of which no three in a row come twice."""
        return self._new(lambda: "".join(self._random.sample(RARE, length)), lambda text: _windows(text, HAN))

    def mixed(self, length: int) -> str:
        """Letters and digits, both among them."""
        while True:
            text = self._new(lambda: "".join(self._random.choices(LETTERS + string.digits, k=length)))
            if not text.isalpha() and not text.isdigit():
                return text

    def digits(self, length: int) -> str:
        return self._new(lambda: str(self._random.randrange(10 ** (length - 1), 10**length)))

    def born(self) -> str:
        """A day before 1930, as an identity number tells it: nobody alive, and no two the same."""
        return self._new(lambda: f"{date(1900, 1, 1) + timedelta(days=self._random.randrange(10_900)):%Y%m%d}")

    def ref(self) -> str:
        return "".join(self._random.choices("abcdefghjkmnpqrstvwxyz0123456789", k=8))

    def one_of(self, choices: str) -> str:
        return self._random.choice(choices)

    def _new(self, make: Callable[[], str], tells: Callable[[str], Sequence[str]] = lambda text: [text]) -> str:
        while True:
            text = make()
            if self._made.isdisjoint(tells(text)):
                self._made.update(tells(text))
                return text


Value = tuple[str, tuple[str, ...]]
"""A text and the parts by which it is known."""


def _windows(text: str, length: int) -> tuple[str, ...]:
    return tuple(text[n : n + length] for n in range(len(text) - length + 1))


def _name(mint: Mint) -> Value:
    text = mint.han(4)
    return text, _windows(text, HAN)


def _line(mint: Mint) -> Value:
    text = mint.han(6)
    return text, _windows(text, HAN)


def _prose(mint: Mint) -> Value:
    """Three clauses, so that its beginning, its middle and its end are known."""
    clauses = [mint.han(5) for _ in range(3)]
    return "，".join(clauses) + "。", tuple(part for clause in clauses for part in _windows(clause, HAN))


def _resident_id(mint: Mint) -> Value:
    """Of somebody born before 1930; known by the day of birth with the number of that day."""
    body = f"610199{mint.born()}{mint.digits(2)}1"
    return body + ric.calc_check_digit(body + "0"), (body[6:],)


def _plate(mint: Mint) -> Value:
    number = f"A{mint.mixed(5)}"
    return f"陕{number}", (number,)


def _public_number(mint: Mint) -> Value:
    text = f"61019919{mint.digits(2)}****{mint.digits(4)}"
    return text, (text,)


def _credit_code(mint: Mint) -> Value:
    body = mint.mixed(9)
    number = f"91610199{body}"
    return number + uscc.calc_check_digit(number), (body,)


def _of_mixed(length: int, before: str = "") -> Callable[[Mint], Value]:
    def make(mint: Mint) -> Value:
        text = mint.mixed(length)
        return before + text, (text, *_windows(text, NUMBER)) if length > NUMBER else (text,)

    return make


def _case_no(mint: Mint) -> Value:
    number = mint.digits(9)
    return f"（2026）陕0199执{number}号", (number,)


def _bankruptcy_case(mint: Mint) -> Value:
    number = mint.digits(9)
    return f"（2026）陕0199破{number}号", (number,)


def _phone(mint: Mint) -> Value:
    number = mint.digits(8)
    return f"199{number}", (number,)


PLANTED: tuple[tuple[Any, tuple[Callable[[Mint], Value], ...]], ...] = (
    (Name, (_name,)),
    (Line, (_line, _of_mixed(12), _case_no, _phone)),
    (Prose, (_prose,)),
    (Need, (_prose,)),
    (RegisterNo, (_of_mixed(12),)),
    (MeasureNo, (_of_mixed(12),)),
    (AccountNo, (_of_mixed(12),)),
    (FundNo, (_of_mixed(12),)),
    (CaseNo, (_case_no, _bankruptcy_case)),
    (QuotedCaseNo, (_case_no,)),
    (CreditCode, (_credit_code,)),
    (Vin, (_of_mixed(13, "LSVA"),)),
    (Plate, (_plate,)),
    (Phone, (_phone,)),
    (PublicNumber, (_public_number,)),
)
"""Kind of a member → the values to try in it, the first that the message takes."""
BY_NAME: Mapping[str, tuple[Callable[[Mint], Value], ...]] = {"id_no": (_resident_id, _credit_code, _of_mixed(9, ""))}
"""Members whose kind another member tells."""
CODES = (
    *(PastDay, AnswerDay, ComingDay, AnyDay, PastMonth, PastMoment, ComingMoment, AnyMoment),
    *(Slug, Code, Ref, RequestNo, MessageId, Sha256, StaffNo, MatterName),
    *(LegalRef, CourtCode, DivisionCode, Country, PlateKind, Money),
)
"""Words of a table, numbers that the exchange itself gives, digests, days, sums: they have no room for a marker."""
TAILS = (AccountTail, IdTail)
IN_STEP = frozenset(
    ("duplicate-ref", "duplicate-value", "public-number-mismatch", "measure-unlisted", "id-detail-not-needed")
) | {"birth-date-mismatch"}
"""Faults that say that a member does not go with another."""
STEPS = 6
DAYS, MOMENTS = (1, 5, 10, 20, 30, 60), ("1980-03-20", "2026-03-20", "2026-04-20", "2026-06-20")


def _is(leaf: Leaf, kind: Any) -> bool:
    marks = get_args(kind)[1:]
    return leaf.marks[: len(marks)] == marks


def makers(leaf: Leaf) -> tuple[Callable[[Mint], Value], ...]:
    """What to plant there; nothing in a code, a number, a list. Raises LookupError for a text of no known kind."""
    if leaf.kind is not str:
        return ()
    if (name := leaf.path[-1]) in BY_NAME:
        return BY_NAME[str(name)]
    for kind, ways in PLANTED:
        if _is(leaf, kind):
            return ways
    if any(_is(leaf, kind) for kind in (*CODES, *TAILS)):
        return ()
    raise LookupError(f"{leaf}: a text of no kind that tools/planted.py knows")


# --- planting ---------------------------------------------------------------------------------------------------


def plant(matter: MatterType, seed: int) -> Planted:
    """Every verb of the type: messages that pass, with a marker in each text and identifier that the type knows.

    Raises LookupError, naming them, when members are left without one.
    """
    mint = Mint(f"{matter.name} {seed}")
    return Planted(matter.name, tuple(message for form in forms(matter) for message in planted(form, mint)))


def planted(form: Form, mint: Mint, within: tuple[str, ...] = ()) -> Iterator[Message]:
    """Messages made of the form's example that together have a marker in each of its members. within: only in the
    members below this one."""
    left = [leaf for leaf in leaves_of(form.model) if makers(leaf) and leaf.path[: len(within)] == within]
    while left:
        data, held = dict(form.example), dict[Leaf, Value]()
        for leaf in left:
            found = _joined(form, data, held, leaf, mint)
            if found is not None:
                data, value = found
                held[leaf] = value
        if not held:
            raise LookupError(f"{form}: no marker fits in {', '.join(map(str, left))}")
        left = [leaf for leaf in left if leaf not in held]
        yield Message(form.verb, data, tuple(Marker(f"{form} {leaf}", *value) for leaf, value in held.items()))


def _joined(
    form: Form, data: dict[str, Any], held: Mapping[Leaf, Value], leaf: Leaf, mint: Mint
) -> tuple[dict[str, Any], Value] | None:
    """The message with a marker at the leaf beside those that it holds; None when there is no way. The first marker of
    a message may change the rest of it."""
    for make in makers(leaf):
        value = make(mint)
        tries = _mended(form, put(data, leaf, value[0]), mint, around=None if held else leaf)
        if tries is None or any(at(tries, other) != text for other, (text, _) in held.items()):
            continue
        there = str(at(tries, leaf))
        if there == value[0]:
            return tries, value
        if any(_follows(there, text) for text, _ in held.values()):
            return tries, (there, (there,))
    return None


def _follows(there: str, text: str) -> bool:
    """Whether it had to be copied from a marker: the very same, or the public form of a number."""
    return there == text or ("****" in there and (there[:10], there[-4:]) == (text[:10], text[-4:]))


def _mended(form: Form, data: dict[str, Any], mint: Mint, *, around: Leaf | None) -> dict[str, Any] | None:
    """The message once it passes; None when it cannot be made to.

    What one member says of another is brought in step. around: a leaf beside which other words, numbers and members may
    be tried as well, first one change, then another on top where that made another fault of it.
    """
    seen, ahead = set[tuple[tuple[str, str | None], ...]](), [data]
    for _ in range(STEPS):
        later: list[dict[str, Any]] = []
        for one in ahead:
            given, errors = _in_step(form, one, mint)
            if not errors:
                return given
            faults = tuple((error.pointer, error.rule) for error in errors)
            if faults in seen or around is None:
                continue
            seen.add(faults)
            kept = at(given, around)
            later.extend(other for other in _changed(form, given, around, errors) if at(other, around) == kept)
        ahead = later
    return None


def _in_step(form: Form, data: dict[str, Any], mint: Mint) -> tuple[dict[str, Any], list[FieldError]]:
    """(the message with what one member says of another brought in step, what is wrong with it even so)."""
    data = copy.deepcopy(data)
    errors = form.refused(data)
    for _ in range(STEPS):
        if not errors or not all(error.rule in IN_STEP for error in errors):
            break
        for error in errors:
            node, last = _parent(data, error.pointer)
            match error.rule:
                case "duplicate-ref":
                    node[last] = mint.ref()
                case "public-number-mismatch":
                    node[last] = public_number(_whose(data["payload"]["debtor"]))
                case "measure-unlisted":
                    data["payload"]["measures"][0]["measure_no"] = node[last]
                case "id-detail-not-needed":
                    node |= {"id_kind": "other", "id_issuer": "云川县", "id_name": "证件"} | {last: node[last]}
                case "duplicate-value":  # of one answer by subject, whose element it is
                    whole, index = _parent(data, error.pointer.rsplit("/", 1)[0])
                    del whole[index]
                case _:
                    node.pop(last)
        errors = form.refused(data)
    return data, errors


def _changed(form: Form, data: dict[str, Any], leaf: Leaf, errors: Sequence[FieldError]) -> Iterator[dict[str, Any]]:
    """The message with one thing changed: a word in an object that the leaf is in, what a fault points at, or without a
    member beside the leaf."""
    wrong = {error.pointer for error in errors}
    for other in leaves_of(form.model):
        if other.path == leaf.path[: len(other.path)]:
            continue
        if pointer(other.path) in wrong:
            yield from (put(data, other, value) for value in _values(other))
        elif _object(other) == leaf.path[: len(_object(other))]:
            yield from (put(data, other, word) for word in _words(other))
            if not other.required and at(data, other) is not None:
                yield put(data, other, MISSING)


def _object(leaf: Leaf) -> tuple[str | int, ...]:
    """The way to the object whose member it is, or whose list it stands in."""
    way = leaf.path[:-1]
    return way[:-1] if isinstance(leaf.path[-1], int) else way


def _words(leaf: Leaf) -> tuple[Any, ...]:
    return get_args(leaf.kind) if get_origin(leaf.kind) is Literal else (False, True) if leaf.kind is bool else ()


def _values(leaf: Leaf) -> Iterator[Any]:
    yield from _words(leaf)
    yield from DAYS if leaf.kind is int else (one for one in (*MOMENTS, value_of(leaf.annotation)))
    yield MISSING


def _whose(debtor: Mapping[str, Any]) -> Person:
    return Person.model_construct(
        ref="", name="", id_kind=debtor["id_kind"], id_no=debtor["id_no"], role=debtor["role"]
    )


def _parent(data: Any, at: str) -> tuple[Any, Any]:
    *way, last = at.split("/")[1:] or [""]
    node = data
    for step in way:
        node = node[int(step) if isinstance(node, list) else step]
    return node, int(last) if isinstance(node, list) else last


# --- searching --------------------------------------------------------------------------------------------------

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
"""Of each the whole text and its parts are looked for; GB18030 writes these characters as GBK does."""
DEPTH = 4  # a compressed JSON in base64 in a JSON is three
LARGEST = 64 * 2**20
_ESCAPE = re.compile(rb"\\+u([0-9A-Fa-f]{4})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}(?:(?:\\r|\\n|\r|\n)+[A-Za-z0-9+/_-]{2,})*")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){6,}|(?:[0-9A-Fa-f]{2}[ :]){5,}[0-9A-Fa-f]{2}")
_STREAM = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|PK\x03\x04")
_BREAK = re.compile(rb"\\r|\\n|\r|\n")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True, slots=True)
class Finding:
    """field: of the marker. encoding: the way to it, `base64 zlib utf-8`. where: the file, and how far into it the
    outermost wrapping begins."""

    field: str
    encoding: str
    where: str


def search(what: bytes | Path, markers: Sequence[Marker]) -> list[Finding]:
    """Each marker that stands in it, once for each way. what: bytes, a file, or a folder with everything in it.

    Raises ValueError when a stream unpacks to more than `LARGEST`, OSError for what cannot be read.
    """
    if isinstance(what, bytes):
        return _in_bytes(what, "", markers)
    files = sorted(path for path in what.rglob("*") if path.is_file()) if what.is_dir() else [what]
    return [found for path in files for found in _in_bytes(path.read_bytes(), str(path), markers)]


def _in_bytes(data: bytes, name: str, markers: Sequence[Marker]) -> list[Finding]:
    needles = [
        (marker.field, encoding, part.encode(encoding))
        for marker in markers
        for part in dict.fromkeys((marker.text, *marker.parts))
        for encoding in ENCODINGS
    ]
    shortest = min((len(needle) for _, _, needle in needles), default=0)
    found: dict[tuple[str, str], Finding] = {}
    for way, offset, view in _views(data):
        if len(view) < shortest:
            continue
        for field, encoding, needle in needles:
            if needle in view:
                key = field, f"{way} {encoding}".strip()
                found.setdefault(key, Finding(*key, f"{name}:{offset if way else view.find(needle)}"))
    return list(found.values())


def _views(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """(the way to it, where it begins, bytes): the data, and all that is wrapped in it."""
    seen = {data}
    ahead = [("", 0, data)]
    for _ in range(DEPTH):
        yield from ahead
        later = []
        for way, offset, view in ahead:
            for kind, start, inner in _unwrapped(view):
                if inner not in seen:
                    seen.add(inner)
                    later.append((f"{way} {kind}".strip(), offset if way else start, inner))
        ahead = later
    yield from ahead


def _unwrapped(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    if _ESCAPE.search(data):
        yield "json", 0, _ESCAPE.sub(lambda found: _character(found[1]), data)
    for run in _BASE64.finditer(data):
        text = _BREAK.sub(b"", run[0]).translate(_URL_SAFE)
        for skipped in range(4):  # where the encoded part of the run begins is not known
            whole = text[skipped:]
            yield "base64", run.start(), base64.b64decode(whole[: len(whole) // 4 * 4] + _tail(whole))
    for run in _HEX.finditer(data):
        digits = run[0].translate(None, b" :")
        yield "hex", run.start(), bytes.fromhex(digits.decode())
        yield "hex", run.start(), bytes.fromhex(digits[1:-1].decode())
    for start in _STREAM.finditer(data):
        kind, inner = _inflated(data, start)
        if inner:
            yield kind, start.start(), inner


def _character(digits: bytes) -> bytes:
    return chr(int(digits, 16)).encode("utf-8", "surrogatepass")


def _tail(text: bytes) -> bytes:
    """The last characters of base64 without its padding, with it; a single one tells nothing."""
    rest = text[len(text) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _inflated(data: bytes, start: re.Match[bytes]) -> tuple[str, bytes]:
    """(zlib, gzip or zip; what the stream that begins there unpacks to, as far as it is whole)."""
    begin = start.start()
    if start[0] == b"PK\x03\x04":
        kind, window = "zip", -zlib.MAX_WBITS
        name, extra = (int.from_bytes(data[begin + n : begin + n + 2], "little") for n in (26, 28))
        begin += 30 + name + extra
    else:
        kind, window = ("gzip", 31) if start[0][0] == 0x1F else ("zlib", zlib.MAX_WBITS)
    stream, whole = zlib.decompressobj(window), bytearray()
    try:
        for place in range(begin, len(data), 512):  # in small pieces: what comes before a fault is kept
            whole += stream.decompress(data[place : place + 512])
            if len(whole) > LARGEST:
                raise ValueError(f"a stream at byte {begin} unpacks to more than {LARGEST} bytes")
            if stream.eof:
                break
    except zlib.error:
        pass  # no stream, or one that was cut or damaged
    return kind, bytes(whole)


# --- the command ------------------------------------------------------------------------------------------------


def written(markers: Sequence[Marker]) -> str:
    """Markers as JSON, for a file."""
    return json.dumps([asdict(marker) for marker in markers], ensure_ascii=False, indent=1)


def read(text: str) -> list[Marker]:
    return [Marker(one["field"], one["text"], tuple(one["parts"])) for one in json.loads(text)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.planted", description=(__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    planting = commands.add_parser("plant", help="write messages and their markers")
    planting.add_argument("folder", type=Path)
    planting.add_argument("types", nargs="*", choices=[*catalogue(), []], metavar="TYPE")
    planting.add_argument("--seed", type=int, default=1)
    searching = commands.add_parser("search", help="look for markers in files")
    searching.add_argument("folder", type=Path)
    searching.add_argument("--markers", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.command == "plant":
        return _plant(given.folder, given.types or list(catalogue()), given.seed)
    markers = read(given.markers.read_text("utf-8"))
    found = search(given.folder, markers)
    for one in found:
        print(f"{one.where}\t{one.encoding}\t{one.field}")
    print(f"{len(markers)} markers, {len(found)} findings", file=sys.stderr)
    return 1 if found else 0


def _plant(folder: Path, types: Sequence[str], seed: int) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    markers: list[Marker] = []
    for name in types:
        made = plant(catalogue()[name], seed)
        markers += made.markers
        for number, message in enumerate(made.messages):
            text = json.dumps(message.data, ensure_ascii=False, indent=1)
            (folder / f"{name}.{number:02d}.{message.verb}.json").write_text(text, "utf-8")
    (folder / "markers.json").write_text(written(markers), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
