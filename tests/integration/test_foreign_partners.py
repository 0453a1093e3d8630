"""Partners without any code of ours (examples/node, examples/java) against a real broker: what both of them keep."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.core.contracts import contract_for
from lianzhi.amqp.link import Link
from lianzhi.crypto.keyring import generate_jwk, private_key_from_jwk
from lianzhi.crypto.sdjwt import parse
from lianzhi.protocol.contract import sign_contract
from lianzhi.protocol.envelope import Envelope
from schemas.catalogue import catalogue
from tests import java_partner, node_partner
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.integration.node_court import CASE, COURT, DIRECTORY, GRID, POLICE, NodeCourt
from tests.java_partner import JavaPartner
from tests.node_partner import NodePartner

pytestmark = pytest.mark.slow  # a partner in another language
LOCATE, VERIFY = "police.person-locate.request", "grid.verify.request"


@dataclass(frozen=True)
class Language:
    """repeats: how many of its three answers go out again with the `open`. fault: its name for a list that is none."""

    name: str
    partner: Callable[..., NodePartner]
    repeats: int
    fault: str


@pytest.fixture(scope="module", params=["node", "java"])
def language(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Language:
    if request.param == "java":
        classes = java_partner.compiled(tmp_path_factory.mktemp("classes"))
        return Language("java", partial(JavaPartner, classes=classes), 3, "ClassCastException")
    node_partner.install()
    return Language("node", NodePartner, 1, "TypeError")


@pytest.fixture
async def court(vhost: Vhost, link: Link, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[NodeCourt]:
    court = NodeCourt(tmp_path, getattr(request, "param", ("EC", "EC")))
    court.hand_over()
    await court.connect(vhost, link)
    yield court
    await court.close()


@pytest.fixture
def police(court: NodeCourt, vhost: Vhost, language: Language) -> NodePartner:
    return language.partner(**court.settings(vhost, POLICE))


@pytest.mark.parametrize("court", [("EC", "EC"), ("OKP", "OKP")], indirect=True, ids=["P-256", "Ed25519-X25519"])
async def test_a_place_is_answered_in_three_signed_messages(court: NodeCourt, police: NodePartner) -> None:
    talk = court.talk(LOCATE)
    async with police:
        await court.send(POLICE, await court.open(talk))
        answers = await court.heard(POLICE, 3)
    for number, (answer, verb) in enumerate(zip(answers, ("delivered", "receipt", "result"), strict=True), start=1):
        envelope = answer.envelope
        assert isinstance(envelope, Envelope)
        assert (envelope.verb, envelope.seqno, envelope.subject) == (verb, number, talk.request_no)
        assert (envelope.causationid, envelope.originhash) == talk.opened
        assert (envelope.receiver, envelope.caseno) == (COURT, CASE)
        assert answer.routing_key == f"{POLICE}.normal.{LOCATE}.{verb}"
    result = answers[2]
    assert answers[0].data["system"] == police.system
    assert answers[1].data["badge"] == "061234"
    assert result.sealed_to == f"{COURT}.enc.cms1"
    assert result.envelope.dataschema == f"urn:lianzhi:canonical:{LOCATE}:result:1"  # type: ignore[union-attr]
    assert result.envelope.data.head is not None and result.envelope.data.head.refs == ["k7m2q9xa"]
    assert (result.data["outcome"], result.data["ttl_hours"]) == ("done", 72)
    assert [item["ref"] for item in result.data["items"]] == ["k7m2q9xa"]


async def test_without_demo_nothing_is_made_up(court: NodeCourt, police: NodePartner) -> None:
    """Only that it has been stored, and that what never began was not started; a withdrawal later is for a person."""
    talk, early = court.talk(LOCATE), court.talk(LOCATE)
    police.demo = False
    async with police:
        await court.send(POLICE, await court.open(talk))
        await court.send(POLICE, await court.make(talk, "withdraw", {"reason_code": "paid"}))
        applied = await police.logged("applied", 2)
        await court.open(early)
        await court.send(POLICE, await court.make(early, "withdraw", {"reason_code": "paid"}), lane="urgent")
        answers = await court.heard(POLICE, 2)
    assert [line["answers"] for line in applied] == [["delivered"], []]
    assert [a.envelope.verb for a in answers] == ["delivered", "withdraw-ack"]
    assert answers[1].data == {"effect": "not-started"}


async def test_a_grid_centre_answers_what_was_asked_and_knows_no_case(
    court: NodeCourt, vhost: Vhost, language: Language
) -> None:
    talk = court.talk(VERIFY)
    async with language.partner(**court.settings(vhost, GRID)):
        await court.send(GRID, await court.open(talk))
        answers = await court.heard(GRID, 3)
    assert [a.envelope.verb for a in answers] == ["delivered", "receipt", "result"]
    assert all(a.envelope.caseno is None for a in answers if isinstance(a.envelope, Envelope))
    (item,) = answers[2].data["items"]
    assert answers[2].sealed_to is None
    assert set(item) == {"ref", "lives_here", "contactable", "worker_no", "worker_name", "visited_at"}
    assert item["ref"] == "m3x8d2va"


async def test_the_same_bytes_again_are_answered_by_the_same_bytes(
    court: NodeCourt, police: NodePartner, language: Language
) -> None:
    opened = await court.open(court.talk(LOCATE))
    async with police:
        await court.send(POLICE, opened)
        await court.heard(POLICE, 3)
        await court.send(POLICE, opened)
        answers = await court.heard(POLICE, 3 + language.repeats)
        await police.logged("again")
    assert [a.raw for a in answers[3:]] == [a.raw for a in answers[: language.repeats]]


async def test_what_is_not_ours_is_set_aside_and_the_queue_moves_on(court: NodeCourt, police: NodePartner) -> None:
    talk = court.talk(LOCATE)
    good = await court.open(talk)
    jws, disclosure, _ = good.split(b"~")
    head, payload, signature = jws.split(b".")
    outsider = NodeCourt(court.folder)
    wrong: dict[bytes, str] = {
        good.replace(signature, signature[:-4] + b"AAAA"): "bad-signature",
        jws + b"~" + disclosure[:-4] + b"AAAA~": "bad-disclosure",
        jws + b"~" + disclosure + b"~" + disclosure + b"~": "bad-disclosure",
        b".".join((head, payload)) + b"~" + disclosure + b"~": "not-an-sd-jwt",
        await outsider.open(court.talk(LOCATE)): "bad-signature",
        await court.open(court.talk(LOCATE), receiver=GRID): "wrong-receiver",
        await court.open(court.talk(LOCATE), extra="x"): "bad-envelope",
        await court.open(court.talk(LOCATE), source=f"//{GRID}"): "foreign-key",
        await court.open(court.talk(LOCATE), subject=f"{COURT}-20260324-999999"): "seal-mismatch",
        await court.open(court.talk(LOCATE), subject=f"{POLICE}-20260324-000001"): "unknown-request",
        await court.open(court.talk(LOCATE), time="2020-01-01T00:00:00.000Z"): "stale",
        await court.open(court.talk(LOCATE), time="2199-01-01T00:00:00.000Z"): "clock-ahead",
        await court.open(court.talk(LOCATE), expires="2026-01-01T00:00:00.000Z"): "expired",
    }
    async with police:
        for raw in wrong:
            await court.send(POLICE, raw)
        await court.send(POLICE, good, content_type="application/json")
        refused = await police.logged("refused", len(wrong) + 1)
        await court.send(POLICE, good)
        await court.heard(POLICE, 3)
    assert [line["reason"] for line in refused] == [*wrong.values(), "bad-content-type"]
    assert all(a.envelope.subject == talk.request_no for a in court.answers[POLICE] if isinstance(a.envelope, Envelope))


async def test_another_message_under_a_known_id_is_an_alarm(court: NodeCourt, police: NodePartner) -> None:
    talk = court.talk(LOCATE)
    opened = await court.open(talk)
    message_id = talk.opened[0] if talk.opened else ""
    talk.seqno = 0
    async with police:
        await court.send(POLICE, opened)
        await court.heard(POLICE, 3)
        await court.send(POLICE, await court.open(talk, id=message_id))
        (line,) = await police.logged("refused")
    assert line["reason"] == "id-reused"
    assert len(court.answers[POLICE]) == 3


async def test_an_early_message_waits_for_its_turn(court: NodeCourt, police: NodePartner) -> None:
    talk = court.talk(LOCATE)
    opened = await court.open(talk)
    supplement = await court.make(talk, "supplement", {"fields": [{"field": "hints", "value": "东街"}]})
    async with police:
        await court.send(POLICE, supplement)
        await police.logged("hold")
        assert court.answers[POLICE] == []
        await court.send(POLICE, opened)
        answers = await court.heard(POLICE, 4)
    assert [a.envelope.verb for a in answers] == ["delivered", "receipt", "result", "delivered"]
    assert answers[3].envelope.causationid == id_of(supplement)


async def test_a_withdrawal_overtakes_and_what_it_withdraws_is_never_acted_on(
    court: NodeCourt, police: NodePartner
) -> None:
    talk = court.talk(LOCATE)
    opened = await court.open(talk)
    withdraw = await court.make(talk, "withdraw", {"reason_code": "paid"})
    async with police:
        await court.send(POLICE, withdraw, lane="urgent")
        (answer,) = await court.heard(POLICE, 1)
        await court.send(POLICE, opened)
        await police.logged("overtaken")
    assert answer.routing_key == f"{POLICE}.urgent.{LOCATE}.withdraw-ack"
    assert answer.data == {"effect": "not-started"}
    assert answer.envelope.causationid == id_of(withdraw)
    assert len(court.answers[POLICE]) == 1


async def test_a_reused_number_and_a_wrong_conversation_are_refused(court: NodeCourt, police: NodePartner) -> None:
    talk = court.talk(LOCATE)
    async with police:
        await court.send(POLICE, await court.open(talk))
        await court.heard(POLICE, 3)
        talk.seqno = 0
        await court.send(POLICE, await court.open(talk))
        talk.type = "police.vehicle-locate.request"
        await court.send(POLICE, await court.make(talk, "urge", {"level": 1}))
        refused = await police.logged("refused", 2)
    assert [line["reason"] for line in refused] == ["sequence-reused", "misdirected"]


async def test_a_withdrawal_after_the_result_is_too_late(court: NodeCourt, police: NodePartner) -> None:
    talk = court.talk(LOCATE)
    async with police:
        await court.send(POLICE, await court.open(talk))
        await court.heard(POLICE, 3)
        await court.send(POLICE, await court.make(talk, "withdraw", {"reason_code": "paid"}), lane="urgent")
        answers = await court.heard(POLICE, 4)
    assert answers[3].data == {"effect": "too-late"}
    assert answers[3].envelope.seqno == 4  # type: ignore[union-attr]


async def test_killed_before_the_broker_took_its_answers_it_sends_them_after_the_restart(
    court: NodeCourt, police: NodePartner
) -> None:
    talk = court.talk(LOCATE)
    await police.start()
    await police.logged("connected")
    await court.cut(POLICE)
    await court.send(POLICE, await court.open(talk))
    await police.logged("applied")
    await police.logged("link-lost")  # the first answer came back: no queue takes it
    await police.kill()
    await court.cut(POLICE, restore=True)
    decided = [e for e in ledger(police.ledger) if e.get("verdict") == "applied"]
    async with police:
        answers = await court.heard(POLICE, 3)
        await police.logged("connected", 2)
    assert [a.raw.decode() for a in answers] == [out["text"] for out in decided[0]["out"]]
    assert len(decided) == 1
    assert await court.left(POLICE) == 0


async def test_a_line_that_a_crash_cut_off_is_dropped(court: NodeCourt, police: NodePartner) -> None:
    opened = await court.open(court.talk(LOCATE))
    async with police:
        await court.send(POLICE, opened)
        await court.heard(POLICE, 3)
    whole = police.ledger.read_bytes()
    police.ledger.write_bytes(whole + b'{"at":"2026-03-24T02:06:37.120Z","message":{"sou')
    async with police:
        await court.send(POLICE, opened)
        answers = await court.heard(POLICE, 4)
    assert answers[3].raw == answers[0].raw
    assert police.ledger.read_bytes().startswith(whole)


async def test_a_ping_is_answered_and_a_notice_is_shown(court: NodeCourt, police: NodePartner) -> None:
    """Of version 2, with more in it than is known."""
    ping_id, ping = court.outside(POLICE, "ping", {"newer": True})
    words = {
        "version": 2, "body_sha256": "0" * 64, "reason": "bad-signature", "rule": "bad-signature", "next_seqno": 3,
        "clock_offset_ms": -1500, "detail_zh": "不符", "detail_en": "x", "incarnation": "a", "newer": {"than": "we"},
    }  # fmt: skip
    _, notice = court.outside(POLICE, "notice", words)
    async with police:
        await court.send(POLICE, ping)
        (pong,) = await court.heard(POLICE, 1)
        await court.send(POLICE, notice)
        (line,) = await police.logged("notice")
    assert (pong.envelope.type, pong.envelope.causationid) == ("lianzhi.gateway.pong", ping_id)
    assert pong.routing_key == f"{POLICE}.normal.gateway.pong"
    assert line["notice"] == {
        "reason": "bad-signature", "rule": "bad-signature", "body_sha256": "0" * 64, "next_seqno": 3,
        "clock_offset_ms": -1500,
    }  # fmt: skip
    assert (line["detail_zh"], line["detail_en"]) == ("不符", "x")
    assert len(court.answers[POLICE]) == 1
    assert [p.data for p in court.pings[POLICE]] == [{"notice_version": 2}]


async def test_what_the_other_side_chose_writes_nothing_into_the_log(court: NodeCourt, police: NodePartner) -> None:
    forged = "x\n{}\x1b[2J\u202e\u009b"
    _, notice = court.outside(POLICE, "notice", {"reason": forged, "pointer": forged, "title_zh": forged})
    async with police:
        await court.send(POLICE, notice)
        (line,) = await police.logged("notice")
        await court.send(POLICE, await court.open(court.talk(LOCATE), extra=forged))
        (refused,) = await police.logged("refused")
    assert line["notice"] == {"reason": "unknown"}
    assert refused["pointer"] == ""
    assert "\u202e" not in police.ledger.read_text()


async def test_a_message_that_trips_our_own_code_over_is_kept_and_the_rest_goes_on(
    court: NodeCourt, vhost: Vhost, language: Language
) -> None:
    """Also after a restart: an exception of one message must not stop the program again and again."""
    odd = court.talk(VERIFY)
    async with language.partner(**court.settings(vhost, GRID)) as grid:
        await court.send(GRID, await court.open(odd, words={"questions": 5}))
        (line,) = await grid.logged("refused")
        await court.send(GRID, await court.open(court.talk(VERIFY)))
        await court.heard(GRID, 3)
    assert (line["reason"], line["fault"]) == ("poison", language.fault)
    assert {a.envelope.verb for a in court.answers[GRID]} == {"delivered", "receipt", "result"}
    assert await court.left(GRID) == 0


@pytest.mark.parametrize(
    "members",
    [
        {"subject": {"a": 1}},
        {"type": ["lianzhi"]},
        {"dataschema": 5},
        {"caseno": "x" * 61},
        {"data": {"head": {"refs": "k7m2q9xa"}}},
        {"data": {"head": {"constructor": 1}}},
        {"data": {"more": 1}},
    ],
    ids=lambda members: next(iter(members)),
)
async def test_an_envelope_is_closed_and_each_member_has_its_form(
    court: NodeCourt, police: NodePartner, members: dict[str, Any]
) -> None:
    async with police:
        await court.send(POLICE, await court.open(court.talk(LOCATE), **members))
        (line,) = await police.logged("refused")
        await court.send(POLICE, await court.open(court.talk(LOCATE)))
        await court.heard(POLICE, 3)
    assert line["reason"] == "bad-envelope"


async def test_too_many_early_messages_are_not_held(court: NodeCourt, police: NodePartner) -> None:
    talk = court.talk(LOCATE)
    await court.open(talk)
    async with police:
        for number in range(2, 2 + 66):
            await court.send(POLICE, await court.make(talk, "urge", {"level": 1}, seqno=number))
        await court.send(POLICE, await court.make(talk, "urge", {"level": 1}, seqno=5_000))
        refused = await police.logged("refused", 3)
        assert len(await police.logged("hold", 64)) == 64
    assert {line["reason"] for line in refused} == {"sequence-gap"}


RECEIPT = {"QSSJ": "20260325145000", "QSRXM": "赵演示", "QSRJH": "061234", "QSDW": "云川县公安局（演示）",
           "QSDWJGDM": "610199000000"}  # fmt: skip
WAITS = "police.person-info.query"  # its result waits for somebody's work


def drop(folder: Path, name: str, content: object) -> None:
    """As the page says: written elsewhere, then moved in."""
    folder.mkdir(exist_ok=True)
    beside = folder.with_name("being-written")
    beside.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    beside.rename(folder / name)


async def test_what_is_put_into_answers_later_is_signed_and_sent_once(court: NodeCourt, police: NodePartner) -> None:
    folder, talk = police.ledger.with_name("answers"), court.talk(WAITS)
    name = f"{talk.request_no}.receipt.json"
    police.arguments = ("--answers", str(folder))
    async with police:
        await court.send(POLICE, await court.open(talk))
        (delivered,) = await court.heard(POLICE, 1)
        drop(folder, name, {"body": RECEIPT})
        receipt = (await court.heard(POLICE, 2))[1]
        await eventually((folder / "done" / name).exists)
        drop(folder, name, {"body": RECEIPT})  # the same again, as after a crash between the ledger and the move
        await eventually(lambda: not (folder / name).exists())
        drop(folder, name, {"body": RECEIPT | {"QSRXM": "钱演示"}})
        other = (await court.heard(POLICE, 3))[2]
    assert (delivered.envelope.verb, receipt.envelope.verb) == ("delivered", "receipt")
    assert [a.envelope.seqno for a in (delivered, receipt, other)] == [1, 2, 3]  # type: ignore[union-attr]
    assert receipt.envelope.causationid == delivered.envelope.causationid
    assert [a.data["person"] for a in (receipt, other)] == ["赵演示", "钱演示"]


async def test_an_answer_that_does_not_fit_is_put_aside_and_the_next_is_said(
    court: NodeCourt, police: NodePartner
) -> None:
    folder, talk = police.ledger.with_name("answers"), court.talk(WAITS)
    no = talk.request_no
    unknown, early = "court-sn0199-20200101-000001.receipt.json", f"{no}.withdraw-ack.json"
    drop(folder, unknown, {"body": RECEIPT})
    drop(folder, early, {"head": {"effect": "reversed"}})
    police.arguments = ("--answers", str(folder))
    async with police:
        await police.logged("answer-refused", 2)
        await court.send(POLICE, await court.open(talk))
        await court.heard(POLICE, 1)
        drop(folder, f"{no}.result.json", {"body": RECEIPT, "more": 1})
        await police.logged("answer-refused", 3)
        drop(folder, f"{no}.receipt.json", {"body": RECEIPT})
        answers = await court.heard(POLICE, 2)
    assert {p.name for p in (folder / "refused").iterdir()} == {unknown, early, f"{no}.result.json"}
    assert answers[1].envelope.seqno == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("has_contract", [True, False], ids=["contract", "none"])
async def test_a_word_that_nobody_knows_is_not_signed(
    court: NodeCourt, police: NodePartner, has_contract: bool
) -> None:
    """By the contract of the type, or by the list of all; `read` is a word, but no word of this type."""
    folder, talk = police.ledger.with_name("answers"), court.talk(WAITS)
    no, strange, told = talk.request_no, "结果 王演示.json", "result.json"
    words = ["reslut", *(["read"] if has_contract else [])]
    police.arguments = ("--answers", str(folder))
    if has_contract:
        asked = DIRECTORY.get(POLICE)
        assert asked is not None
        key = private_key_from_jwk(generate_jwk(f"{COURT}.sig.9"))
        contract = police.ledger.with_name("contract.json")
        contract.write_bytes(sign_contract(contract_for(asked, COURT, catalogue(), datetime.now(UTC)), key))
        police.arguments += ("--contract", str(contract))
    drop(folder, strange, {"body": RECEIPT})
    drop(folder, told, {"body": RECEIPT})
    async with police:
        await court.send(POLICE, await court.open(talk))
        await court.heard(POLICE, 1)
        for word in words:
            drop(folder, f"{no}.{word}.json", {"body": RECEIPT})
        refused = await police.logged("answer-refused", len(words))
        drop(folder, f"{no}.receipt.json", {"body": RECEIPT})
        answers = await court.heard(POLICE, 2)
        misnamed = [line["file"] for line in police.log if line["event"] == "answer-misnamed"]
    assert {(line["verb"], line["reason"]) for line in refused} == {(word, "unknown-verb") for word in words}
    assert {p.name for p in (folder / "refused").iterdir()} == {f"{no}.{word}.json" for word in words}
    assert answers[1].envelope.seqno == 2  # type: ignore[union-attr]
    assert sorted(misnamed) == ["?", told]
    assert (folder / strange).exists() and (folder / told).exists()


async def test_a_partner_whose_ledger_was_lost_counts_on_from_what_the_notice_says(
    court: NodeCourt, police: NodePartner
) -> None:
    """Before it knows the request, and once more when a message of its own is refused for its number."""
    folder, talk = police.ledger.with_name("answers"), court.talk(WAITS)
    words = {"version": 2, "body_sha256": "0" * 64, "request_no": talk.request_no}
    police.arguments = ("--answers", str(folder))
    async with police:
        gap = words | {"reason": "sequence-gap", "next_seqno": 5}
        await court.send(POLICE, court.outside(POLICE, "notice", gap)[1])
        await police.logged("notice")
        await court.send(POLICE, await court.open(talk))
        (delivered,) = await court.heard(POLICE, 1)
        reused = words | {"reason": "sequence-reused", "next_seqno": 9}
        foreign = {"message_id": "01900000-0000-7000-8000-000000000000", "next_seqno": 99}
        await court.send(POLICE, court.outside(POLICE, "notice", reused | foreign)[1])
        await court.send(POLICE, court.outside(POLICE, "notice", reused | {"message_id": delivered.envelope.id})[1])
        await police.logged("notice", 3)
        drop(folder, f"{talk.request_no}.receipt.json", {"body": RECEIPT})
        answers = await court.heard(POLICE, 2)
    assert [a.envelope.seqno for a in answers] == [5, 9]  # type: ignore[union-attr]


async def test_an_answer_refused_for_its_number_is_said_anew_and_any_other_is_known(
    court: NodeCourt, police: NodePartner
) -> None:
    """The same bytes under the same name; a notice that comes again does not open the way once more."""
    folder, talk = police.ledger.with_name("answers"), court.talk(WAITS)
    name = f"{talk.request_no}.receipt.json"
    police.arguments = ("--answers", str(folder))
    async with police:
        await court.send(POLICE, await court.open(talk))
        await court.heard(POLICE, 1)
        drop(folder, name, {"body": RECEIPT})
        refused = (await court.heard(POLICE, 2))[1]
        words = {"version": 2, "body_sha256": "0" * 64, "request_no": talk.request_no, "reason": "sequence-reused"}
        words |= {"message_id": refused.envelope.id, "next_seqno": 9}
        await court.send(POLICE, court.outside(POLICE, "notice", words)[1])
        (line,) = await police.logged("notice")
    async with police:  # the ledger remembers it
        drop(folder, name, {"body": RECEIPT})
        anew = (await court.heard(POLICE, 3))[2]
        await court.send(POLICE, court.outside(POLICE, "notice", words)[1])
        await police.logged("notice", 2)
        await eventually(lambda: not (folder / name).exists())
        drop(folder, name, {"body": RECEIPT})
        (known,) = await police.logged("answer-known")
    assert line["put_again"] == name
    assert (anew.envelope.seqno, anew.data) == (9, refused.data)  # type: ignore[union-attr]
    assert (known["request_no"], known["verb"]) == (talk.request_no, "receipt")
    assert len(court.answers[POLICE]) == 3


async def test_what_is_about_a_vehicle_has_its_own_form_of_moments(court: NodeCourt, police: NodePartner) -> None:
    """`heard` reads it by the table of the dialect."""
    async with police:
        await court.send(POLICE, await court.open(court.talk("police.vehicle-locate.request")))
        (delivered,) = await court.heard(POLICE, 1)
    assert delivered.envelope.verb == "delivered"


async def test_show_opens_what_was_stored(court: NodeCourt, police: NodePartner) -> None:
    talk = court.talk(LOCATE)
    async with police:
        await court.send(POLICE, await court.open(talk))
        await court.heard(POLICE, 3)
    police.log.clear()
    police.arguments = ("show", talk.request_no)
    await police.start()
    assert await police.ended() == 0, police.log
    (shown,) = police.log
    assert (shown["verb"], shown["seqno"]) == ("open", 1)
    person = catalogue()[LOCATE].example_request["person"]
    assert person["name"] in json.dumps(shown["body"], ensure_ascii=False)
    police.arguments = ("show", "court-sn0199-20200101-000001")
    await police.start()
    assert await police.ended() == 1


async def test_once_ends_by_itself_and_leaves_the_rest_in_the_queue(court: NodeCourt, police: NodePartner) -> None:
    for _ in range(3):
        await court.send(POLICE, await court.open(court.talk(LOCATE)))
    police.arguments = ("--once", "2")
    await police.start()
    assert await police.ended() == 0
    assert len(await court.heard(POLICE, 6)) == 6
    assert await court.left(POLICE) == 1


async def test_without_its_keys_it_says_what_is_missing(court: NodeCourt, police: NodePartner) -> None:
    police.sign_key = police.open_key
    await police.start()
    assert await police.ended() == 2
    (line,) = await police.logged("stderr")
    assert f"{POLICE}.sig.*" in line["text"]


def ledger(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def id_of(raw: bytes) -> str:
    return str(parse(raw).event["id"])
