"""The partner library against a real broker, with a partner's own user and rights, and a court at the other end."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from itertools import count as counting
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage

from lianzhi.amqp.link import Link
from lianzhi.errors import ConfigurationError
from lianzhi.partner import Partner, PartnerConfig
from lianzhi.partner.findings import findings
from lianzhi.protocol.envelope import Envelope
from tests.child import Child
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.proxy import Proxy
from tests.integration import partner_victim
from tests.integration.partner_court import CASE, COURT, LOCATE, PASSWORD, POLICE, Court, Talk, write_partner

BODY = {"XM": "王演示", "ref": "k7m2q9xa"}
HEAD = {"refs": ["k7m2q9xa"]}
DONE: dict[str, Any] = {"outcome": "done", "as_of": "2026-03-25T14:50:00+08:00", "ttl_hours": 72}
ITEMS = {"items": [{"ref": "k7m2q9xa", "sightings": []}]}
_numbers_of_children = counting(1)


@pytest.fixture
async def court(vhost: Vhost, link: Link) -> AsyncIterator[Court]:
    court = Court()
    await court.connect(vhost, link)
    yield court
    await court.close()


@pytest.fixture
def toml(vhost: Vhost, court: Court, tmp_path: Path) -> Path:
    return write_partner(tmp_path, vhost.url(POLICE, PASSWORD), system="协查平台", prefetch=32)


@pytest.fixture
async def partner(toml: Path) -> AsyncIterator[Partner]:
    async with Partner(PartnerConfig.load(toml)) as partner:
        yield partner


def opened(court: Court) -> tuple[Talk, bytes]:
    talk = court.talk()
    return talk, court.make(talk, "open", BODY, head=HEAD)


async def test_a_whole_conversation(court: Court, partner: Partner) -> None:
    talk, raw = opened(court)
    await court.send(raw)
    async for request in partner.inbox:
        if request.verb == "confirm":
            await request.done()
            break
        assert (request.type, request.body, request.case_no) == (LOCATE, BODY, CASE)
        async with request.transaction() as tx:
            tx.reply("receipt", {"QSSJ": "20260324103152", "QSRXM": "赵演示"})
            tx.reply("result", ITEMS, **DONE)
        answers = await court.heard(3)
        result = (answers[2].envelope.id, answers[2].digest)
        await court.send(court.make(talk, "confirm", {"by": "sn0199-0007"}, answers=result))
    assert [a.verb for a in court.answers] == ["delivered", "receipt", "result"]
    assert [a.routing_key for a in court.answers] == [f"{POLICE}.normal.{LOCATE}.{a.verb}" for a in court.answers]
    for number, answer in enumerate(court.answers, start=1):
        envelope = answer.envelope
        assert isinstance(envelope, Envelope)
        assert (envelope.seqno, envelope.caseno, answer.user_id) == (number, CASE, POLICE)
        assert (envelope.causationid, envelope.originhash) == talk.sent["open"]
    assert court.answers[2].body == ITEMS
    await eventually(lambda: _none_waiting(court))


async def _none_waiting(court: Court) -> bool:
    return await court.waiting() == 0


async def test_duplicates_and_disorder(court: Court, partner: Partner) -> None:
    talk, raw = opened(court)
    urge = court.make(talk, "urge", {}, head={"level": 1})
    for message in (urge, raw, raw, urge, raw):
        await court.send(message)
    handled = []
    async for request in partner.inbox:
        handled.append(request.verb)
        await request.done()
        if len(handled) == 2:
            break
    assert handled == ["open", "urge"]
    await eventually(lambda: _none_waiting(court))
    await partner.drained()
    await court.heard(2)  # one says that the beginning was missing
    assert len({a.raw for a in court.answers if a.verb == "delivered"}) == 1
    assert {a.verb for a in court.answers} <= {"delivered", "notice"}


async def test_a_withdrawal_in_the_urgent_lane_before_the_open(court: Court, partner: Partner) -> None:
    talk, raw = opened(court)
    await court.send(court.make(talk, "withdraw", {}, head={"reason_code": "paid"}), lane="urgent")
    (answer,) = await court.heard(1)
    assert (answer.verb, answer.head) == ("withdraw-ack", {"effect": "not-started"})
    assert answer.routing_key == f"{POLICE}.urgent.{LOCATE}.withdraw-ack"
    await court.send(raw)
    await eventually(lambda: _none_waiting(court))
    found = await partner.ledger.read(findings)
    assert found.messages == {"done": 1, "overtaken": 1}
    assert len(partner.inbox) == 0


async def test_tampered_bytes_do_not_stop_the_queue(court: Court, partner: Partner) -> None:
    _, raw = opened(court)
    jws, disclosure, _ = raw.split(b"~")
    await court.send(jws[:-6] + b"AAAAAA~" + disclosure + b"~")
    await court.send(b"\x00\xff garbage")
    await court.send(raw, content_type="application/json")
    await court.send(raw)
    async for request in partner.inbox:
        assert request.body == BODY
        break
    await eventually(lambda: _none_waiting(court))
    found = await partner.ledger.read(findings)
    assert {line.reason for line in found.set_aside} == {"bad-signature", "bad-encoding", "bad-content-type"}
    answers = await court.heard(4)
    assert Counter(a.verb for a in answers) == {"notice": 3, "delivered": 1}


async def test_ping_both_ways(court: Court, partner: Partner) -> None:
    await court.pinged(1)
    pinging = asyncio.create_task(partner.ping())
    ping = (await court.pinged(2))[1]
    await court.send(court.outside("pong", {}, cause=ping.envelope.id))
    await pinging
    await court.send(court.outside("ping", {}))
    assert (await court.heard(1))[0].verb == "pong"


async def test_after_each_connect_it_says_which_notices_it_reads(court: Court, partner: Partner) -> None:
    (ping,) = await court.pinged(1)
    assert (ping.body, ping.routing_key) == ({"notice_version": 2}, f"{POLICE}.normal.gateway.ping")
    await court.send(court.outside("pong", {"notice_version": 2, "clock_offset_ms": -7000}, cause=ping.envelope.id))

    async def noted() -> bool:
        return (await partner.ledger.read(findings)).clock_offset == timedelta(seconds=-7)

    await eventually(noted)
    assert (await partner.ledger.read(findings)).outbox == {}


async def test_a_notice_is_told_to_the_application(court: Court, partner: Partner) -> None:
    body = {"body_sha256": "0" * 64, "reason": "misdirected", "title_zh": "错投", "title_en": "Misdirected"}
    await court.send(court.outside("notice", body))
    async for notice in partner.notices():
        assert (notice.reason, notice.title_zh, notice.sender) == ("misdirected", "错投", COURT)
        break


async def test_an_alert_of_our_own(court: Court, partner: Partner) -> None:
    number = await partner.open("police.vehicle-hit.alert", COURT, {"YJXH": "1", "ref": "k7m2q9xa"}, case_no=CASE)
    (alert,) = await court.heard(1)
    assert isinstance(alert.envelope, Envelope)
    assert (alert.envelope.subject, alert.envelope.seqno, alert.body["YJXH"]) == (number, 1, "1")
    assert alert.routing_key == f"{POLICE}.urgent.police.vehicle-hit.alert.open"
    talk = Talk(number, "police.vehicle-hit.alert")
    origin = (alert.envelope.id, alert.digest)
    await court.send(court.make(talk, "delivered", {"CCSJ": "2026-03-24 10:00:00"}, answers=origin), lane="urgent")
    await court.send(court.make(talk, "acknowledge", {"by": "sn0199-0007"}, answers=origin), lane="urgent")
    verbs = []
    async for request in partner.inbox:
        verbs.append(request.verb)
        await request.done()
        if len(verbs) == 2:
            break
    assert verbs == ["delivered", "acknowledge"]


async def test_a_lost_connection_loses_nothing(court: Court, vhost: Vhost, tmp_path: Path) -> None:
    count = 60
    async with Proxy(vhost.broker.ports.amqp) as proxy:
        path = write_partner(tmp_path, vhost.url_at(proxy.port, POLICE, PASSWORD))
        async with Partner(PartnerConfig.load(path)) as partner:

            async def work() -> None:
                async for request in partner.inbox:
                    await request.reply("result", ITEMS, **DONE)

            workers = [asyncio.create_task(work()) for _ in range(4)]
            for n in range(count):
                await court.send(opened(court)[1])
                if n % 15 == 7:
                    proxy.cut()
            await eventually(lambda: len(_numbers(court, "result")) == count, 60)
            partner.stop()
            await asyncio.gather(*workers)
    assert _bytes_per_message(court) == {1}


async def test_leaving_in_the_middle_of_traffic_ends(court: Court, toml: Path) -> None:
    """An acknowledgement that is under way when the program leaves must not hold it (asyncio.wait_for before 3.12)."""
    config = PartnerConfig.load(toml)
    count = 0
    for _ in range(20):
        async with asyncio.timeout(30), Partner(config) as partner:
            for _ in range(10):
                await court.send(opened(court)[1])
                count += 1
            async for request in partner.inbox:
                await request.done()
                break
    async with Partner(config) as partner:
        await eventually(lambda: len(_numbers(court, "delivered")) == count)
    assert _bytes_per_message(court) == {1}


def _numbers(court: Court, verb: str) -> set[str]:
    return {a.envelope.subject for a in court.answers if isinstance(a.envelope, Envelope) and a.verb == verb}


def _bytes_per_message(court: Court) -> set[int]:
    """How many different texts went out under one id."""
    texts: dict[str, set[bytes]] = {}
    for answer in court.answers:
        texts.setdefault(answer.envelope.id, set()).add(answer.raw)
    return {len(same) for same in texts.values()}


# a process that is killed


async def victim(toml: Path, point: str = "", count: int = 1) -> Child:
    log = toml.with_name(f"victim-{next(_numbers_of_children)}.log")
    return await Child.start(partner_victim.main, partner_victim.Order(toml, log, point, count))


def effects(toml: Path) -> Counter[str]:
    connection = sqlite3.connect(toml.with_name("inbox.sqlite"))
    try:
        return Counter(row[0] for row in connection.execute("SELECT request_no FROM effects"))
    finally:
        connection.close()


async def test_killed_between_commit_and_acknowledgement(court: Court, toml: Path) -> None:
    talk, raw = opened(court)
    await court.send(raw)
    assert await (await victim(toml, "before-ack")).ended(60) == -9
    connection = sqlite3.connect(toml.with_name("inbox.sqlite"))
    assert connection.execute("SELECT count(*) FROM lz_message").fetchone() == (1,)
    connection.close()
    process = await victim(toml)
    await eventually(lambda: _numbers(court, "result"))
    await eventually(lambda: _none_waiting(court))
    await process.stop()
    assert effects(toml) == {talk.request_no: 1}
    assert _bytes_per_message(court) == {1}
    assert {a.envelope.seqno: a.verb for a in court.answers if isinstance(a.envelope, Envelope)} == {
        1: "delivered",
        2: "receipt",
        3: "result",
    }


@pytest.mark.slow
async def test_killed_at_one_point_after_another_with_full_prefetch(court: Court, toml: Path) -> None:
    """Each life is given more to do than it may hold, and ends somewhere else in the program.

    That a program may fall fifteen times is shown by tests/fault/test_agency_killed.py.
    """
    points, each = ("before-ack", "before-commit", "after-handling", "before-marking"), 24
    numbers = []
    for point in points:
        for _ in range(each):
            talk, raw = opened(court)
            numbers.append(talk.request_no)
            await court.send(raw)
        process = await victim(toml, point, 5 if point == "after-handling" else 1)
        assert await process.ended(60) == -9, point
    process = await victim(toml)
    await eventually(lambda: len(_numbers(court, "result")) == len(points) * each)
    await eventually(lambda: _none_waiting(court))
    await process.stop()
    assert effects(toml) == dict.fromkeys(numbers, 1)
    assert _bytes_per_message(court) == {1}
    per_request = Counter((a.envelope.subject, a.verb) for a in _distinct(court))
    assert per_request == {(no, verb): 1 for no in numbers for verb in ("delivered", "receipt", "result")}


def _distinct(court: Court) -> list[Any]:
    return list({a.envelope.id: a for a in court.answers}.values())


async def test_two_processes_do_not_share_a_ledger(partner: Partner, toml: Path) -> None:
    with pytest.raises(ConfigurationError, match="Another process"):
        await Partner(PartnerConfig.load(toml)).__aenter__()


# from a shell


async def shell(toml: Path, *arguments: str) -> tuple[int, str, str]:
    number = next(_numbers_of_children)
    out, log = toml.with_name(f"shell-{number}.out"), toml.with_name(f"shell-{number}.log")
    child = Child(partner_victim.shell, partner_victim.Line(toml, arguments, out, log))
    try:
        code = await child.ended(60)
    finally:
        await child.kill()
    return code, out.read_text("utf-8"), log.read_text("utf-8")


async def test_consume_reply_and_doctor(court: Court, toml: Path, tmp_path: Path) -> None:
    talk, raw = opened(court)
    await court.send(raw)
    code, out, err = await shell(toml, "consume", "--once", "1", "--json")
    assert code == 0, err
    line = json.loads(out)
    assert (line["request_no"], line["verb"], line["head"]) == (talk.request_no, "open", HEAD)
    assert "body" not in line
    assert "王演示" not in out + err

    (tmp_path / "body.json").write_text(json.dumps(ITEMS))
    code, out, err = await shell(
        toml, "reply", talk.request_no, "result", "--body", str(tmp_path / "body.json"),
        "--head", "outcome=done", "--head", "as_of=2026-03-25T14:50:00+08:00", "--head", "ttl_hours=72",
    )  # fmt: skip
    assert (code, err) == (0, "")
    answers = await court.heard(2)
    assert (answers[1].verb, answers[1].head["ttl_hours"], answers[1].body) == ("result", 72, ITEMS)

    await court.send(b"garbage")
    await court.send(court.make(talk, "urge", {"CBSM": "x"}, head={"level": 1}))
    code, out, err = await shell(toml, "consume", "--once", "1", "--show-body")
    assert (code, '{"CBSM": "x"}' in out) == (0, True), err

    code, out, err = await shell(toml, "doctor", "--json")
    assert code == 0, out + err
    report = json.loads(out)
    levels = {(check["subject"], check["level"]) for check in report["checks"]}
    assert {("broker", "ok"), ("queues", "ok"), ("exchange", "ok"), ("clock", "ok"), ("keys", "ok")} <= levels
    assert ("set aside", "warning") in levels
    assert [line["reason"] for line in report["set_aside"]] == ["not-an-sd-jwt"]
    code, out, _ = await shell(toml, "doctor")
    assert code == 0
    assert "已以 police-610199 登录" in out


async def test_doctor_pings(court: Court, toml: Path) -> None:
    """The pong comes to the process that consumes; without one nothing is sent."""
    code, out, err = await shell(toml, "doctor", "--ping", "--json")
    assert code == 0, out + err
    assert {"subject": "ping", "level": "warning"}.items() <= json.loads(out)["checks"][-1].items()
    answering = asyncio.create_task(_pong(court))
    consuming = asyncio.create_task(shell(toml, "consume"))
    await court.pinged(1, timeout=60)  # its greeting: it consumes
    code, out, err = await shell(toml, "doctor", "--ping", "--json")
    for task in (answering, consuming):
        task.cancel()
    with suppress(asyncio.CancelledError):
        await consuming
    assert code == 0, out + err
    assert {"subject": "ping", "level": "ok"}.items() <= json.loads(out)["checks"][-1].items()


async def test_doctor_asks_for_the_pong_line_of_a_program_that_is_not_python(
    court: Court, toml: Path, vhost: Vhost
) -> None:
    """Another program takes from the queue, with a ledger of its own: the ping is sent, and a second consumer is not
    what the hint advises."""
    connection = await aio_pika.connect(vhost.url(POLICE, PASSWORD))
    try:
        queue = await (await connection.channel()).get_queue(f"lianzhi.to.{POLICE}", ensure=False)
        await queue.consume(_ignored)
        code, out, err = await shell(toml, "doctor", "--ping", "--json")
        pings = await court.pinged(1, timeout=60)
    finally:
        await connection.close()
    assert code == 0, out + err
    ping = json.loads(out)["checks"][-1]
    assert (ping["subject"], ping["level"]) == ("ping", "ok")
    assert pings[0].envelope.id in ping["zh"] and "不要另开 lianzhi partner consume" in ping["fix"]


async def test_doctor_takes_nothing_and_leaves_nothing(court: Court, toml: Path) -> None:
    """Not even a ledger where there is none yet."""
    _, raw = opened(court)
    await court.send(raw)
    code, out, err = await shell(toml, "doctor", "--ping", "--json")
    assert code == 0, out + err
    [queues] = [c for c in json.loads(out)["checks"] if c["subject"] == "queues" and "urgent" not in c["zh"]]
    assert "待取 1" in queues["zh"]
    assert not toml.with_name("inbox.sqlite").exists()
    assert court.answers == []


async def _ignored(_message: AbstractIncomingMessage) -> None:
    """What another program does with a message is not looked at."""


async def _pong(court: Court) -> None:
    """To the greeting and to what the doctor asks itself."""
    for answered in range(10):
        pings = await court.pinged(answered + 1, timeout=60)
        await court.send(court.outside("pong", {}, cause=pings[answered].envelope.id))


async def test_doctor_finds_what_is_wrong(court: Court, toml: Path) -> None:
    toml.with_name("amqp.password").write_text("wrong")
    code, out, _ = await shell(toml, "doctor", "--json")
    assert code == 1
    assert [c["subject"] for c in json.loads(out)["checks"] if c["level"] == "wrong"] == ["broker"]


async def test_misuse_is_said_in_one_line(toml: Path, court: Court) -> None:
    for arguments in (
        ("reply", "court-sn0199-20260324-000001", "receipt"),
        ("reply", "court-sn0199-20260324-000001", "teleport"),
        ("reply", "court-sn0199-20260324-000001", "receipt", "--body", "nowhere.json"),
        ("reply", "court-sn0199-20260324-000001", "receipt", "--head", "outcome"),
        ("doctor", "--config", "nowhere.toml"),
    ):
        code, out, err = await shell(toml, *arguments)
        assert code == 2, (arguments, out, err)
        assert "Traceback" not in err
    assert court.answers == []
