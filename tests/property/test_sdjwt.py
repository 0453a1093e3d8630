"""What holds for any message: it comes back as it went, and no altered byte gets through."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianzhi.crypto import base64url, sdjwt, seal, strictjson
from lianzhi.crypto.keyring import Keyring, private_key_from_jwk, public_jwk, public_key_from_jwk
from lianzhi.crypto.sdjwt import MESSAGE_TYP, SUBMISSION_TYP
from lianzhi.errors import RejectedError
from lianzhi.protocol import policy
from tests.vectors import scene
from tests.vectors.scene import COURT, LIMITS, MESSAGE_ID, NOW, REQUEST_NO, RING, vector

THREAD = vector("thread.json")
THREAD_RING = Keyring(
    [public_key_from_jwk(public_jwk(jwk)) for jwk in THREAD["keys"].values()],
    [private_key_from_jwk(jwk) for jwk in THREAD["keys"].values()],
)
MESSAGES = {message["name"]: message["bytes"].encode() for message in THREAD["messages"]}
SIGNED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HOSTILE = [*SIGNED.encode(), *b".~=+/ \n\x00\xff"]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
integers = st.integers(-(2**53) + 1, 2**53 - 1)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
bodies = st.dictionaries(texts, values, max_size=5)


def authenticate(name: str, raw: bytes) -> policy.Authentic:
    """As the receiver of that message of the conversation, at the moment it was made."""
    event = json.loads(base64url.decode(MESSAGES[name].decode().split(".")[1]))
    sub = name == "submission"
    return policy.authenticate(
        raw,
        sender=event["source"][2:],
        keyring=THREAD_RING,
        now=datetime.fromisoformat(event["time"]),
        limits=LIMITS,
        purpose="sub" if sub else "sig",
        typ=SUBMISSION_TYP if sub else MESSAGE_TYP,
    )


@pytest.mark.parametrize("name", MESSAGES)
def test_no_position_of_a_message_can_be_altered(name: str) -> None:
    raw = MESSAGES[name]
    for position in range(len(raw)):
        neighbour = HOSTILE[(HOSTILE.index(raw[position]) + 1) % len(SIGNED)]
        with pytest.raises(RejectedError):
            authenticate(name, raw[:position] + bytes([neighbour]) + raw[position + 1 :])


@settings(max_examples=300)
@given(data=st.data(), name=st.sampled_from(sorted(MESSAGES)))
def test_no_byte_can_be_replaced_put_in_or_taken_out(data: st.DataObject, name: str) -> None:
    raw = MESSAGES[name]
    position = data.draw(st.integers(0, len(raw) - 1))
    byte = bytes([data.draw(st.sampled_from(HOSTILE))])
    for altered in (
        raw[:position] + byte + raw[position + 1 :],
        raw[:position] + byte + raw[position:],
        raw[:position] + raw[position + 1 :],
    ):
        if altered != raw:
            with pytest.raises(RejectedError):
                authenticate(name, altered)


@given(body=bodies)
def test_any_body_comes_back_as_it_went(body: dict[str, Any]) -> None:
    message = sdjwt.issue(scene.event(), "body", body, scene.SIG)
    assert scene.authenticate(message.raw).parsed.content == body


@given(body=bodies, kid=st.sampled_from(["court-sn0199.enc.1", "court-sn0199.enc.x"]))
def test_any_body_is_opened_as_it_was_sealed(body: dict[str, Any], kid: str) -> None:
    ids: Any = {"request_no": REQUEST_NO, "message_id": MESSAGE_ID}
    text = seal.seal(body, key=RING.sealing_key(COURT, at=NOW, kid=kid), **ids)
    assert seal.unseal(text, keyring=RING, **ids) == body


@given(raw=st.binary(max_size=200) | st.text("aZ0-_.~={}", max_size=200).map(str.encode))
def test_bytes_of_any_kind_are_refused_and_break_nothing(raw: bytes) -> None:
    with pytest.raises(RejectedError):
        sdjwt.parse(raw)


@settings(max_examples=200)
@given(data=st.data())
def test_no_byte_of_a_sealed_part_can_be_altered(data: st.DataObject) -> None:
    ids: Any = {"request_no": REQUEST_NO, "message_id": MESSAGE_ID}
    text = seal.seal({"a": 1}, key=RING.sealing_key(COURT, at=NOW), **ids)
    position = data.draw(st.integers(0, len(text) - 1))
    altered = text[:position] + chr(data.draw(st.sampled_from(HOSTILE))) + text[position + 1 :]
    if altered != text:
        with pytest.raises(RejectedError):
            seal.unseal(altered, keyring=RING, **ids)


@given(header=st.dictionaries(st.sampled_from(["alg", "enc", "kid", "cty", "epk", "apu", "zip", "crit"]), values))
def test_a_sealed_part_with_any_header_is_refused_and_breaks_nothing(header: dict[str, Any]) -> None:
    good = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": "court-sn0199.enc.1"}
    text = base64url.encode(strictjson.dumps(good | header).encode()) + ".QQ.QQ.QQ.QQ"
    with pytest.raises(RejectedError):
        seal.unseal(text, request_no=REQUEST_NO, message_id=MESSAGE_ID, keyring=RING)


@given(value=values)
def test_json_is_read_as_it_was_written(value: Any) -> None:
    assert strictjson.loads(strictjson.dumps(value).encode(), depth=32) == value


@given(text=st.text('[]{}",:\\u0d8a1e.- ntx', max_size=40))
def test_strict_json_never_reads_more_than_json(text: str) -> None:
    """What is taken, any other reader takes too, and reads the same."""
    try:
        value = strictjson.loads(text, depth=8)
    except RejectedError:
        return
    assert json.loads(text) == value


@given(text=st.text(SIGNED + "=+/ \né", max_size=12))
def test_base64url_is_taken_only_as_we_would_write_it(text: str) -> None:
    try:
        taken = base64url.decode(text)
    except ValueError:
        taken = None
    assert taken == canonical(text)


def canonical(text: str) -> bytes | None:
    """By another way: decode leniently, and see whether encoding gives the same text back."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if base64url.encode(data) == text else None


@given(data=st.binary(max_size=100))
def test_base64url_comes_back_as_it_went(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data
