"""The conversation of tests/vectors/thread.json, made elsewhere, is understood byte for byte."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from lianzhi.crypto import base64url, sdjwt, seal, strictjson
from lianzhi.crypto.keyring import Keyring, private_key_from_jwk, public_jwk, public_key_from_jwk
from lianzhi.crypto.sdjwt import MESSAGE_TYP, SUBMISSION_TYP
from lianzhi.errors import RejectedError
from lianzhi.protocol import policy
from lianzhi.protocol.envelope import Envelope, SubmissionEnvelope
from tests.vectors.scene import LIMITS, vector

THREAD = vector("thread.json")
MESSAGES = {message["name"]: message for message in THREAD["messages"]}


def ring(*private: str) -> Keyring:
    """Everyone's public keys, and the private ones of who is reading."""
    public = [public_key_from_jwk(public_jwk(jwk)) for jwk in THREAD["keys"].values()]
    return Keyring(public, [private_key_from_jwk(THREAD["keys"][kid]) for kid in private])


def proved(name: str) -> policy.Authentic:
    message = MESSAGES[name]
    sub = name == "submission"
    return policy.authenticate(
        message["bytes"].encode(),
        sender=message["event"]["source"][2:],
        keyring=ring(),
        now=datetime.fromisoformat(message["event"]["time"]),
        limits=LIMITS,
        purpose="sub" if sub else "sig",
        typ=SUBMISSION_TYP if sub else MESSAGE_TYP,
    )


def envelope(name: str) -> Envelope | SubmissionEnvelope:
    if name == "submission":
        return policy.examine_submission(proved(name), gateway="court-sn0199")
    found = policy.examine(proved(name), receivers={MESSAGES[name]["event"]["receiver"]})
    assert isinstance(found, Envelope)
    return found


@pytest.mark.parametrize("name", MESSAGES)
def test_verifies_byte_for_byte(name: str) -> None:
    message = proved(name)
    assert message.parsed.raw == MESSAGES[name]["bytes"].encode()
    assert message.parsed.event == MESSAGES[name]["event"]
    assert envelope(name).id == MESSAGES[name]["event"]["id"]


@pytest.mark.parametrize("name", ["submission", "delivered"])
def test_bodies_in_clear_are_as_written(name: str) -> None:
    parsed = proved(name).parsed
    assert (parsed.content_kind, parsed.content) == ("body", MESSAGES[name]["body_after_opening"])


def test_the_receipt_is_as_examples_say() -> None:
    content = proved("receipt").parsed.content
    assert (content["QSRXM"], content["QSRJH"]) == ("赵演示", "061234")


@pytest.mark.parametrize(("name", "reader"), [("open", "police-610199.enc.1"), ("result", "court-sn0199.enc.cms1")])
def test_sealed_bodies_open_for_their_reader_only(name: str, reader: str) -> None:
    parsed, found = proved(name).parsed, envelope(name)
    assert isinstance(found, Envelope)
    assert (parsed.content_kind, seal.recipient_of(parsed.content)) == ("sealed", reader)
    ids: Any = {"request_no": found.subject, "message_id": found.id}
    assert seal.unseal(parsed.content, keyring=ring(reader), **ids) == MESSAGES[name]["body_after_opening"]
    with pytest.raises(RejectedError, match="cannot-open"):
        seal.unseal(parsed.content, keyring=ring(*(THREAD["keys"].keys() - {reader})), **ids)
    with pytest.raises(RejectedError, match="seal-mismatch"):
        seal.unseal(parsed.content, keyring=ring(reader), **(ids | {"message_id": MESSAGES["receipt"]["event"]["id"]}))


def test_each_answer_names_the_bytes_it_answers() -> None:
    opened = proved("open").parsed
    assert opened.event["submissionhash"] == proved("submission").parsed.digest
    for name in ("delivered", "receipt", "result"):
        found = envelope(name)
        assert isinstance(found, Envelope)
        assert (found.causationid, found.originhash) == (opened.event["id"], opened.digest)
        assert found.originhash == sdjwt.digest_of(MESSAGES["open"]["bytes"].split("~")[0])


def test_the_result_is_sealed_to_the_key_that_the_open_asked_for() -> None:
    assert seal.recipient_of(proved("result").parsed.content) == MESSAGES["open"]["event"]["replykey"]


def test_seqno_counts_each_sender_by_itself() -> None:
    counted = [(m["event"]["source"], m["event"].get("seqno")) for m in MESSAGES.values() if m["name"] != "submission"]
    assert counted == [("//court-sn0199", 1), *(("//police-610199", n) for n in (1, 2, 3))]


def test_we_make_the_same_bytes_up_to_the_signature() -> None:
    """The salt given, everything that is signed and disclosed is spelt as the vector spells it."""
    for name, kid in (("submission", "court-sn0199.sub.cms1"), ("delivered", "police-610199.sig.1")):
        parsed = proved(name).parsed
        event = {**parsed.event, "data": {k: v for k, v in parsed.event["data"].items() if k != "_sd"}}
        salt = strictjson.loads(base64url.decode(parsed.disclosure), depth=32)[0]
        key = private_key_from_jwk(THREAD["keys"][kid])
        again = sdjwt.issue(event, "body", parsed.content, key, typ=parsed.header["typ"], salt=salt)
        assert again.disclosure == parsed.disclosure
        assert again.jws.rsplit(".", 1)[0] == parsed.jws.rsplit(".", 1)[0]
