"""Sealed parts open for their receiver, in their message, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe

from lianzhi.crypto import base64url, seal
from lianzhi.errors import MisuseError, RejectedError
from tests.vectors.scene import BODY, COURT, MESSAGE_ID, NOW, REQUEST_NO, RING

IDS: Any = {"request_no": REQUEST_NO, "message_id": MESSAGE_ID}
KIDS = ["court-sn0199.enc.1", "court-sn0199.enc.x"]
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"]), max_size=300)
THEIRS = jwe.JWERegistry(algorithms=["ECDH-ES+A256KW", "A256GCM"])


def sealed(kid: str = KIDS[0], body: Any = BODY) -> str:
    return seal.seal(body, key=RING.sealing_key(COURT, at=NOW, kid=kid), **IDS)


def made(content: Any, **header: Any) -> str:
    """A JWE by any other hand: what is in it and in its header is free."""
    key = RING.sealing_key(COURT, at=NOW, kid=KIDS[0]).key
    members = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": KIDS[0]} | header
    plain = content if isinstance(content, bytes) else json.dumps(content).encode()
    algorithms = [members["alg"], members["enc"], "DEF"]
    registry = jwe.JWERegistry(algorithms=algorithms, strict_check_header=False)
    return jwe.encrypt_compact(members, plain, key, registry=registry)


def refusal(text: str) -> RejectedError:
    with pytest.raises(RejectedError) as refused:
        seal.unseal(text, keyring=RING, **IDS)
    return refused.value


@pytest.mark.parametrize("kid", KIDS)
def test_opens_for_its_receiver(kid: str) -> None:
    text = sealed(kid)
    assert seal.unseal(text, keyring=RING, **IDS) == BODY
    assert seal.recipient_of(text) == kid
    header = json.loads(base64url.decode(text.split(".", maxsplit=1)[0]))
    assert {name: header[name] for name in ("alg", "enc", "kid", "cty")} == {
        "alg": "ECDH-ES+A256KW",
        "enc": "A256GCM",
        "kid": kid,
        "cty": "json",
    }


@pytest.mark.parametrize("kid", KIDS)
def test_a_body_of_900_kilobytes_is_sealed_and_opened(kid: str) -> None:
    body = {"XSXX": "案" * 300_000}
    assert seal.unseal(sealed(kid, body), keyring=RING, **IDS) == body


def test_a_header_by_another_library_is_read() -> None:
    assert seal.unseal(made({**IDS, "body": BODY}), keyring=RING, **IDS) == BODY
    assert seal.unseal(made({**IDS, "body": BODY}, apu="QQ", apv="QQ", typ="JOSE"), keyring=RING, **IDS) == BODY


@pytest.mark.parametrize(
    ("header", "pointer"),
    [
        ({"zip": "DEF"}, None),
        ({"jku": "https://example.invalid"}, None),
        ({"enc": "A128GCM"}, "/alg"),
        ({"alg": "ECDH-ES"}, "/alg"),
        ({"alg": "ECDH-ES+A128KW"}, "/alg"),
        ({"kid": "court-sn0199.enc.9"}, "/kid"),
        ({"kid": "police-610199.enc.1"}, "/kid"),
    ],
)
def test_refuses_other_algorithms_keys_and_members(header: dict[str, Any], pointer: str | None) -> None:
    refused = refusal(made({**IDS, "body": BODY}, **header))
    assert (refused.code, refused.pointer) == ("cannot-open", pointer)


def respelt(to: str = KIDS[0], **changes: Any) -> str:
    """A sealed part whose header was written anew."""
    head, *rest = sealed(to).split(".")
    header = json.loads(base64url.decode(head)) | changes
    return ".".join([base64url.encode(json.dumps(header).encode()), *rest])


def ephemeral(kid: str = KIDS[0]) -> dict[str, Any]:
    epk: dict[str, Any] = json.loads(base64url.decode(sealed(kid).split(".", maxsplit=1)[0]))["epk"]
    return epk


def test_a_kid_is_text() -> None:
    assert refusal(respelt(kid=["court-sn0199.enc.1"])).pointer == "/kid"


@pytest.mark.parametrize("segment", range(5))
def test_refuses_what_was_altered(segment: int) -> None:
    parts = sealed().split(".")
    middle = len(parts[segment]) // 2
    other = "A" if parts[segment][middle] != "A" else "B"
    parts[segment] = parts[segment][:middle] + other + parts[segment][middle + 1 :]
    assert refusal(".".join(parts)).code == "cannot-open"


@pytest.mark.parametrize(
    "epk",
    [
        None,
        {},
        "x",
        ephemeral(KIDS[1]),
        ephemeral() | {"crv": "P-384"},
        ephemeral() | {"kty": "OKP"},
        ephemeral() | {"x": 5},
        ephemeral() | {"d": "AAAA"},
        ephemeral() | {"y": "A" * 43},
    ],
    ids=["none", "empty", "text", "other-kind", "other-curve", "other-type", "number", "private", "off-curve"],
)
def test_refuses_a_strange_ephemeral_key(epk: Any) -> None:
    assert refusal(respelt(epk=epk)).code == "cannot-open"


def test_refuses_a_low_order_point() -> None:
    epk = {"kty": "OKP", "crv": "X25519", "x": base64url.encode(bytes(32))}
    assert refusal(respelt(KIDS[1], epk=epk)).code == "cannot-open"


def test_the_recipient_is_told_only_of_what_has_our_form() -> None:
    text = sealed()
    for wrong in (text.rsplit(".", 1)[0], text + ".QQ", text.replace(".", "A" * 1024 + ".", 1)):
        with pytest.raises(RejectedError, match="cannot-open"):
            seal.recipient_of(wrong)


@pytest.mark.parametrize("text", ["", "a", "a.b.c.d", "a.b.c.d.e", "a.b.c.d.e.f", "é....", "e30....", "." * 20])
def test_refuses_what_is_no_jwe(text: str) -> None:
    assert refusal(text).code == "cannot-open"


@pytest.mark.parametrize(
    ("content", "code", "pointer"),
    [
        ({**IDS, "body": BODY, "extra": 1}, "seal-mismatch", ""),
        ({"body": BODY}, "seal-mismatch", ""),
        ([], "seal-mismatch", ""),
        ({**IDS, "request_no": None, "body": BODY}, "seal-mismatch", "/request_no"),
        ({**IDS, "message_id": "x", "body": BODY}, "seal-mismatch", "/message_id"),
        ({**IDS, "body": "text"}, "seal-mismatch", "/body"),
        ({**IDS, "body": {"amount": 1.5}}, "bad-number", "/body/amount"),
        (b"", "malformed-json", ""),
        (b"\xff", "bad-encoding", None),
        (b'{"body":{"a":1,"a":2}}', "duplicate-member", "/body/a"),
        (b"[" * 40, "too-deep", None),
    ],
)
def test_what_is_inside_is_read_as_strictly(content: Any, code: str, pointer: str | None) -> None:
    refused = refusal(made(content))
    assert (refused.code, refused.pointer) == (code, pointer)


def test_sealing_to_a_signing_key_is_misuse() -> None:
    key = RING.verification_key(COURT, "court-sn0199.sig.1", "sig")
    with pytest.raises(MisuseError, match="not for sealing"):
        seal.seal(BODY, key=key, **IDS)


@given(body=st.dictionaries(WORDS, WORDS, max_size=5), kid=st.sampled_from(KIDS))
def test_another_library_reads_what_is_sealed_and_the_other_way_round(body: dict[str, str], kid: str) -> None:
    key = RING.opening_key(kid).key
    text = sealed(kid, body)
    plain = jwe.decrypt_compact(text, key, registry=THEIRS).plaintext or b""
    assert json.loads(plain) == {**IDS, "body": body}
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": kid}
    assert seal.unseal(jwe.encrypt_compact(header, plain, key, registry=THEIRS), keyring=RING, **IDS) == body


def test_no_two_are_alike() -> None:
    """A fresh key, a fresh ephemeral key and a fresh nonce for each."""
    first, second = (sealed().split(".") for _ in range(2))
    assert all(one != other for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("segment", [1, 2, 4], ids=["key", "iv", "tag"])
@pytest.mark.parametrize("by", [-1, 1])
def test_each_part_has_its_length(segment: int, by: int) -> None:
    """A shorter tag or a longer nonce is not taken, whatever the library below would do with it."""
    parts = sealed().split(".")
    data = base64url.decode(parts[segment])
    parts[segment] = base64url.encode(data[:by] if by < 0 else data + bytes(by))
    assert refusal(".".join(parts)).code == "cannot-open"


@pytest.mark.parametrize("member", ["x", "y"])
def test_a_coordinate_has_its_full_length(member: str) -> None:
    epk = ephemeral()
    data = base64url.decode(epk[member])
    for wrong in (data[1:], bytes(1) + data):
        assert refusal(respelt(epk=epk | {member: base64url.encode(wrong)})).code == "cannot-open"


@pytest.mark.parametrize("party", [5, "é", "Q", None, "QR"])
def test_a_party_is_base64url(party: Any) -> None:
    text = respelt(apu=party)
    assert refusal(text).code == "cannot-open"
