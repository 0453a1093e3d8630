"""A partner without any code of ours (examples/node, npm `jose` and `amqplib`) against a real broker."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.amqp.link import Link
from gateway.crypto.sdjwt import digest_of, parse
from schemas.envelope import Envelope
from tests import node_partner
from tests.conftest import Vhost
from tests.integration.node_court import CASE, COURT, GRID, POLICE, NodeCourt
from tests.node_partner import NodePartner

LOCATE, VERIFY = "police.person-locate.request", "grid.verify.request"


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    node_partner.install()


@pytest.fixture
async def court(vhost: Vhost, link: Link, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[NodeCourt]:
    court = NodeCourt(tmp_path, getattr(request, "param", ("EC", "EC")))
    court.hand_over()
    await court.connect(vhost, link)
    yield court
    await court.close()


@pytest.fixture
def police(court: NodeCourt, vhost: Vhost) -> NodePartner:
    return NodePartner(**court.settings(vhost, POLICE))


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


async def test_a_grid_centre_answers_what_was_asked_and_knows_no_case(court: NodeCourt, vhost: Vhost) -> None:
    talk = court.talk(VERIFY)
    async with NodePartner(**court.settings(vhost, GRID)):
        await court.send(GRID, await court.open(talk))
        answers = await court.heard(GRID, 3)
    assert [a.envelope.verb for a in answers] == ["delivered", "receipt", "result"]
    assert all(a.envelope.caseno is None for a in answers if isinstance(a.envelope, Envelope))
    (item,) = answers[2].data["items"]
    assert answers[2].sealed_to is None
    assert set(item) == {"ref", "lives_here", "contactable", "worker_no", "worker_name", "visited_at"}
    assert item["ref"] == "m3x8d2va"


async def test_the_same_bytes_again_are_answered_by_the_same_bytes(court: NodeCourt, police: NodePartner) -> None:
    opened = await court.open(court.talk(LOCATE))
    async with police:
        await court.send(POLICE, opened)
        await court.heard(POLICE, 3)
        await court.send(POLICE, opened)
        again = (await court.heard(POLICE, 4))[3]
        await police.logged("again")
    assert again.raw == court.answers[POLICE][0].raw
    assert len(court.answers[POLICE]) == 4


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
    ping_id, ping = court.outside(POLICE, "ping", {})
    _, notice = court.outside(POLICE, "notice", {"body_sha256": "0" * 64, "reason": "bad-signature"})
    async with police:
        await court.send(POLICE, ping)
        (pong,) = await court.heard(POLICE, 1)
        await court.send(POLICE, notice)
        (line,) = await police.logged("notice")
    assert (pong.envelope.type, pong.envelope.causationid) == ("lianzhi.gateway.pong", ping_id)
    assert pong.routing_key == f"{POLICE}.normal.gateway.pong"
    assert line["notice"]["reason"] == "bad-signature"
    assert len(court.answers[POLICE]) == 1


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


READ_THREAD = """
import { Keys } from './keys.mjs';
import { open, verify } from './message.mjs';
const { code, files, bytes, now } = JSON.parse(process.argv[1]);
const keys = new Keys(code, files);
const message = await verify(Buffer.from(bytes), { code, keys, now });
console.log(JSON.stringify({ digest: message.digest, envelope: message.envelope, body: await open(message, keys) }));
"""


def test_it_reads_the_published_conversation(tmp_path: Path) -> None:
    thread = json.loads((Path(__file__).parents[1] / "vectors" / "thread.json").read_text(encoding="utf-8"))
    opened = next(m for m in thread["messages"] if m["name"] == "open")
    for kid, jwk in thread["keys"].items():
        (tmp_path / kid).write_text(json.dumps(jwk))
    court = [{k: v for k, v in jwk.items() if k != "d"} for kid, jwk in thread["keys"].items() if kid.startswith(COURT)]
    (tmp_path / "court").write_text(json.dumps({"keys": court}))
    given = {
        "code": POLICE,
        "files": {
            "sign": str(tmp_path / f"{POLICE}.sig.1"),
            "open": [str(tmp_path / f"{POLICE}.enc.1")],
            "court": str(tmp_path / "court"),
        },
        "bytes": opened["bytes"],
        "now": 1774317972234,  # 2026-03-24T02:06:12.234Z
    }
    command = ["node", "--input-type=module", "-e", READ_THREAD, json.dumps(given)]
    done = subprocess.run(command, cwd=node_partner.EXAMPLE, capture_output=True, text=True, check=True, timeout=30)
    read = json.loads(done.stdout)
    assert read["body"] == opened["body_after_opening"]
    assert read["envelope"] == opened["event"]
    assert read["digest"] == digest_of(opened["bytes"].split("~")[0])


def ledger(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def id_of(raw: bytes) -> str:
    return str(parse(raw).event["id"])
