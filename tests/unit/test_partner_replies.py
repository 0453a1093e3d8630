"""What we say: numbered, bound to what it answers, in the right words, sealed to the right key."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lianzhi.crypto.limits import Limits
from lianzhi.crypto.sdjwt import parse
from lianzhi.crypto.seal import recipient_of, unseal
from lianzhi.errors import MisuseError
from lianzhi.partner import PartnerConfig
from lianzhi.partner.engine.replies import Saying, Writer
from lianzhi.partner.ledger.records import Conversation, OutboxRow
from lianzhi.protocol import policy
from lianzhi.protocol.cards import cards
from lianzhi.protocol.envelope import Envelope
from lianzhi.protocol.verbs import refs_in
from tests.integration.partner_court import CASE, COURT, LOCATE, POLICE, Court, write_partner

NOW = datetime.now(UTC)
SEAL, COMMISSION, ALERT = "police.vehicle-seal.request", "entrust.matter.request", "police.vehicle-hit.alert"
NUMBER = f"{COURT}-20260324-000001"
OPEN = ("019d1d97-ab0a-7a31-8c11-0a4b6d2e9f01", "3iuPVGmxgdPwGmQHYekOcVoAcl96LR2zm5eHdCqET4A")
DONE: dict[str, Any] = {"outcome": "done", "as_of": "2026-03-25T14:50:00+08:00"}
ITEMS = {"items": [{"ref": "k7m2q9xa", "sightings": []}]}


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    config = PartnerConfig.load(write_partner(tmp_path, "amqp://x:y@localhost:5672/lianzhi"))
    return Writer(POLICE, config.sign_key, config.keyring, cards(), config.open_keys[0].kid)


@pytest.fixture(scope="module")
def court() -> Court:
    return Court()


def talk(type: str = LOCATE, **more: Any) -> Conversation:
    members: dict[str, Any] = {
        "case_no": CASE,
        "reply_key": f"{COURT}.enc.cms1",
        "marks": {"open": OPEN},
        "refs": ["k7m2q9xa"],
        "opened": True,
        **more,
    }
    return Conversation(NUMBER, type, 1, members.pop("role", "asked"), COURT, "police/1", **members)


def read(court: Court, row: OutboxRow) -> tuple[Envelope, Any]:
    """As the gateway would."""
    authentic = policy.authenticate(
        row.text.encode(), sender=POLICE, keyring=court.keyring, now=datetime.now(UTC), limits=Limits()
    )
    envelope = policy.examine(authentic, receivers={COURT})
    assert isinstance(envelope, Envelope)
    return envelope, authentic.parsed.content


def test_a_reply_is_numbered_and_bound(writer: Writer, court: Court) -> None:
    conversation = talk()
    rows = [writer.say(conversation, Saying(verb, {"QSSJ": "1"}, {}), NOW) for verb in ("delivered", "receipt")]
    envelope, body = read(court, rows[1])
    assert (envelope.subject, envelope.seqno, envelope.caseno) == (NUMBER, 2, CASE)
    assert (envelope.causationid, envelope.originhash) == OPEN
    assert envelope.dataschema == f"urn:lianzhi:police/1:{LOCATE}:receipt:1"
    assert body == {"QSSJ": "1"}
    assert rows[1].routing_key == f"{POLICE}.normal.{LOCATE}.receipt"
    assert (rows[1].cause, rows[1].seqno, conversation.our_seq) == (OPEN[0], 2, 2)


def test_a_place_is_canonical_and_sealed_to_the_asking_system(writer: Writer, court: Court) -> None:
    row = writer.say(talk(), Saying("result", ITEMS, {**DONE, "ttl_hours": 72}), NOW)
    envelope, content = read(court, row)
    assert envelope.dialect == "canonical"
    assert recipient_of(content) == f"{COURT}.enc.cms1"
    assert unseal(content, request_no=NUMBER, message_id=envelope.id, keyring=court.keyring) == ITEMS
    assert envelope.data.head is not None
    assert (envelope.data.head.ttl_hours, envelope.data.head.refs) == (72, ["k7m2q9xa"])


def test_a_sensitive_result_keeps_its_dialect(writer: Writer, court: Court) -> None:
    row = writer.say(talk(COMMISSION, reply_key=f"{COURT}.enc.1"), Saying("result", ITEMS, DONE), NOW)
    envelope, content = read(court, row)
    assert (envelope.dialect, recipient_of(content)) == ("police/1", f"{COURT}.enc.1")


def test_an_internal_result_is_in_clear(writer: Writer, court: Court) -> None:
    _, content = read(court, writer.say(talk(SEAL), Saying("result", ITEMS, DONE), NOW))
    assert content == ITEMS


def test_lanes(writer: Writer) -> None:
    normal = talk(SEAL, marks={"open": OPEN, "withdraw": OPEN})
    assert writer.say(normal, Saying("result", ITEMS, DONE), NOW).routing_key.split(".")[1] == "normal"
    ack = writer.say(normal, Saying("withdraw-ack", {}, {"effect": "reversed"}), NOW)
    assert ack.routing_key.split(".")[1] == "urgent"
    assert writer.say(talk(SEAL, lane="urgent"), Saying("accept", {}, {}), NOW).routing_key.split(".")[1] == "urgent"


def test_an_alert_of_our_own_is_sealed_to_the_court(writer: Writer, court: Court) -> None:
    number = f"{POLICE}-20260324-000001"
    conversation = Conversation(number, ALERT, 1, "asker", COURT, "police/1", case_no=CASE, opened=True, started=True)
    row = writer.say(conversation, Saying("open", {"ref": "k7m2q9xa", "YJXH": "1"}, {}), NOW, related=NUMBER)
    envelope, content = read(court, row)
    assert (envelope.seqno, envelope.related, envelope.causationid, envelope.replykey) == (1, NUMBER, None, None)
    assert recipient_of(content) == f"{COURT}.enc.1"
    assert row.routing_key == f"{POLICE}.urgent.{ALERT}.open"
    assert envelope.data.head is not None
    assert envelope.data.head.refs == ["k7m2q9xa"]
    later = writer.say(conversation, Saying("urge", {}, {"level": 1}), NOW)
    assert later.cause == envelope.id


@pytest.mark.parametrize(
    ("verb", "head", "told"),
    [
        ("teleport", {}, "no such verb"),
        ("receipt", {"outcome": "done"}, "may not carry"),
        ("receipt", {"refs": ["k7m2q9xa"]}, "may not carry"),
        ("result", {"outcome": "done"}, "as_of"),
        ("withdraw-ack", {}, "effect"),
        ("refuse", {}, "reason_code"),
        ("correct", DONE, "supersedes"),
        ("result", {**DONE, "outcome": "maybe"}, "outcome"),
        ("result", {**DONE, "ttl_hours": 90}, "ttl_hours"),
    ],
)
def test_a_wrong_head_shows_at_once(verb: str, head: dict[str, Any], told: str) -> None:
    with pytest.raises(MisuseError, match=told):
        Saying(verb, {}, head)


@pytest.mark.parametrize(
    ("conversation", "saying", "told"),
    [
        (talk(), Saying("confirm", {}, {}), "not ours"),
        (talk(), Saying("withdraw-ack", {}, {"effect": "reversed"}), "nothing to answer"),
        (talk(SEAL), Saying("result", {"items": [{"ref": "zzzzzzzz"}]}, DONE), "zzzzzzzz"),
        (talk("grid.moon.request"), Saying("receipt", {}, {}), "no such matter type"),
        (talk(reply_key=f"{COURT}.enc.cms9"), Saying("result", ITEMS, DONE), "cms9"),
    ],
)
def test_what_cannot_be_said(writer: Writer, conversation: Conversation, saying: Saying, told: str) -> None:
    with pytest.raises(MisuseError, match=told):
        writer.say(conversation, saying, NOW)


def test_said_again_under_another_number(writer: Writer, court: Court) -> None:
    row = writer.say(talk(), Saying("receipt", {"QSSJ": "1"}, {}), NOW)
    again = writer.renumbered(row, 5, NOW)
    assert again is not None
    envelope, body = read(court, again)
    assert (envelope.seqno, body, envelope.causationid) == (5, {"QSSJ": "1"}, OPEN[0])
    assert envelope.id != row.id
    assert writer.renumbered(writer.say(talk(), Saying("result", ITEMS, DONE), NOW), 5, NOW) is None


def test_the_salt_is_never_the_same(writer: Writer) -> None:
    saying = Saying("receipt", {"QSSJ": "1"}, {})
    first, second = (parse(writer.say(talk(), saying, NOW).text.encode()) for _ in range(2))
    assert first.event["id"] == second.event["id"]
    assert first.disclosure != second.disclosure


def test_refs_are_found_wherever_they_stand() -> None:
    body = {"ref": "aaaaaaaa", "items": [{"ref": "bbbbbbbb", "x": {"ref": "cccccccc"}}], "note": "ref", "n": {"ref": 1}}
    assert list(refs_in(body)) == ["aaaaaaaa", "bbbbbbbb", "cccccccc"]
