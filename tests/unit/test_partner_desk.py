"""The library from bytes to bytes, with a real ledger and real signatures; only the broker is a list."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lianzhi.crypto.sdjwt import parse
from lianzhi.errors import MisuseError, UnconfirmedError
from lianzhi.partner import PartnerConfig, Request
from lianzhi.partner.bounds import DEFAULT_BOUNDS
from lianzhi.partner.desk import Desk
from lianzhi.partner.engine.intake import Ingested
from lianzhi.partner.engine.reception import CLOCKS, Raw
from lianzhi.partner.engine.replies import Saying
from lianzhi.partner.engine.stored import Forget
from lianzhi.partner.findings import findings
from lianzhi.partner.ledger import Ledger
from lianzhi.protocol.cards import cards
from lianzhi.protocol.tracing import parse_traceparent
from tests.integration.partner_court import CASE, COURT, LOCATE, POLICE, Court, Talk, write_partner
from tests.recorder import Recorder

BODY = {"XM": "王演示", "ref": "k7m2q9xa"}
DONE: dict[str, Any] = {"outcome": "done", "as_of": "2026-03-25T14:50:00+08:00", "ttl_hours": 72}
ITEMS = {"items": [{"ref": "k7m2q9xa"}]}
HEAD = {"refs": ["k7m2q9xa"]}


@dataclass
class Broker:
    """What was published, in order; `down` refuses to confirm."""

    sent: list[tuple[str, bytes]] = field(default_factory=list)
    down: bool = False

    async def publish(self, routing_key: str, body: bytes, *, message_id: str, timeout: float) -> None:
        if self.down:
            raise UnconfirmedError("down")
        self.sent.append((routing_key, body))

    @property
    def verbs(self) -> list[str]:
        return [key.rpartition(".")[2] for key, _ in self.sent]

    def event(self, index: int) -> dict[str, Any]:
        return parse(self.sent[index][1]).event

    def content(self, index: int) -> Any:
        return parse(self.sent[index][1]).content


class Site:
    """One life of a partner's process."""

    def __init__(self, desk: Desk, broker: Broker) -> None:
        self.desk = desk
        self.broker = broker

    async def arrive(self, *raws: bytes, lane: str = "normal") -> Ingested:
        return await self.desk.store(self.desk.read([Raw(raw, "lianzhi.to.x", lane) for raw in raws]))

    async def next(self) -> Request:
        async for request in self.desk.inbox:
            return request
        raise AssertionError("the inbox ended")

    async def published(self) -> list[str]:
        await asyncio.wait_for(self.desk.outbox.drained(), 5)
        return self.broker.verbs

    async def set_aside(self) -> list[tuple[str, int]]:
        found = await self.desk.ledger.read(findings)
        return sorted((line.reason, line.count) for line in found.set_aside)


@asynccontextmanager
async def living(config: PartnerConfig, broker: Broker | None = None, **more: Any) -> AsyncIterator[Site]:
    """Ends without a farewell, as a killed process would."""
    broker = broker or Broker()
    async with Ledger(config.ledger) as ledger:
        now = more.get("now", lambda: datetime.now(UTC))
        desk = Desk(config, ledger, more.get("types", cards()), broker, now, more.get("tracer"))
        publishing = asyncio.create_task(desk.outbox.run())
        await desk.resume()
        yield Site(desk, broker)
        desk.inbox.close()
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)


async def eventually(probe: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
    """What `probe` finds, as soon as it finds anything."""
    for _ in range(500):
        if found := await probe():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("nothing within 10 s")


@pytest.fixture
def config(tmp_path: Path) -> PartnerConfig:
    return PartnerConfig.load(write_partner(tmp_path, "amqp://x:y@localhost:5672/lianzhi", system="协查平台"))


@pytest.fixture
def court() -> Court:
    return Court()


def opened(court: Court) -> tuple[Talk, bytes]:
    talk = court.talk()
    return talk, court.make(talk, "open", BODY, head=HEAD)


async def test_an_open_is_answered_by_delivered_before_anyone_sees_it(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    async with living(config) as site:
        await site.arrive(raw)
        assert await site.published() == ["delivered"]
        event = site.broker.event(0)
        assert (event["causationid"], event["originhash"]) == talk.sent["open"]
        assert (event["seqno"], event["caseno"], event["receiver"]) == (1, CASE, COURT)
        assert site.broker.content(0)["CCXT"] == "协查平台"
        request = await site.next()
        assert (request.verb, request.body, request.case_no, request.ours) == ("open", BODY, CASE, False)
        assert request.head == HEAD


async def test_a_duplicate_sends_the_stored_bytes_again(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    async with living(config) as site:
        await site.arrive(raw, raw)
        await site.published()
        done = await site.arrive(raw)
        assert done.offers == []
        assert await site.published() == ["delivered", "delivered"]
        assert site.broker.sent[0] == site.broker.sent[1]
        request = await site.next()
        async with request.transaction() as tx:
            tx.reply("result", ITEMS, **DONE)
        await site.published()
        await site.arrive(raw)
        assert await site.published() == ["delivered", "delivered", "result", "delivered", "result"]
        assert site.broker.sent[3:] == [site.broker.sent[0], site.broker.sent[2]]


async def test_a_transaction_is_all_or_nothing_and_once_only(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    async with living(config) as site:
        await site.desk.ledger.read(lambda c: c.execute("CREATE TABLE work (request_no TEXT UNIQUE)"))
        await site.arrive(raw)
        request = await site.next()
        with pytest.raises(ZeroDivisionError):
            async with request.transaction() as tx:
                tx.execute("INSERT INTO work VALUES (?)", (request.request_no,))
                tx.reply("receipt", {})
                raise ZeroDivisionError
        with pytest.raises(sqlite3.OperationalError):
            async with request.transaction() as tx:
                tx.reply("receipt", {})
                tx.execute("INSERT INTO nowhere VALUES (1)")
        assert await site.published() == ["delivered"]

    async with living(config, site.broker) as site:  # not handled: handed out again
        request = await site.next()
        async with request.transaction() as tx:
            tx.execute("INSERT INTO work VALUES (:no)", {"no": request.request_no})
            tx.reply("receipt", {"QSSJ": "1"})
            tx.reply("result", ITEMS, **DONE)
        assert tx.outcome == "committed"
        assert await site.published() == ["delivered", "receipt", "result"]
        twin = Request(request.envelope, request.body, site.desk)
        async with twin.transaction() as tx:
            tx.execute("INSERT INTO work VALUES (?)", (request.request_no,))
        assert tx.outcome == "already-done"

    async with living(config, site.broker) as site:
        assert len(site.desk.inbox) == 0
        assert await site.desk.ledger.read(lambda c: c.execute("SELECT count(*) FROM work").fetchone()) == (1,)


async def test_statements_that_would_break_the_transaction(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    async with living(config) as site:
        await site.arrive(raw)
        async with (await site.next()).transaction() as tx:
            for sql in ("COMMIT", " begin immediate", "PRAGMA journal_mode = DELETE", "SELECT 1", "ATTACH 'x' AS y"):
                with pytest.raises(MisuseError):
                    tx.execute(sql)


async def test_replies_one_by_one(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    async with living(config) as site:
        await site.arrive(raw)
        request = await site.next()
        assert await request.reply("receipt", {}) is not None
        assert await request.reply("result", ITEMS, **DONE) is not None
        assert await site.published() == ["delivered", "receipt", "result"]
        assert [site.broker.event(i)["seqno"] for i in range(3)] == [1, 2, 3]
    async with living(config) as site:
        assert len(site.desk.inbox) == 0


async def test_early_messages_wait_and_are_handed_out_in_order(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    supplement = court.make(talk, "supplement", {"fields": []})
    urge = court.make(talk, "urge", {}, head={"level": 1})
    async with living(config) as site:
        await site.arrive(urge)
        await site.arrive(supplement)
        assert await site.published() == ["notice"]  # of which we lack the beginning
        await site.arrive(raw)
        assert await site.published() == ["notice", "delivered", "delivered"]
        assert site.broker.event(2)["causationid"] == talk.sent["supplement"][0]
        handled = []
        async for request in site.desk.inbox:
            handled.append(request.verb)
            await request.done()
            if len(handled) == 3:
                break
        assert handled == ["open", "supplement", "urge"]


async def test_held_messages_survive_a_restart(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    async with living(config) as site:
        await site.arrive(court.make(talk, "urge", {}, head={"level": 1}))
    async with living(config) as site:
        assert len(site.desk.inbox) == 0
        await site.arrive(raw)
        assert [(await _finish(await site.next())).verb for _ in range(2)] == ["open", "urge"]


async def _finish(request: Request) -> Request:
    await request.done()
    return request


async def test_a_withdrawal_before_the_open(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    withdraw = court.make(talk, "withdraw", {}, head={"reason_code": "paid"})
    async with living(config) as site:
        await site.arrive(withdraw, lane="urgent")
        assert await site.published() == ["withdraw-ack"]
        assert site.broker.event(0)["data"]["head"] == {"effect": "not-started"}
        assert site.broker.event(0)["causationid"] == talk.sent["withdraw"][0]
        assert site.broker.sent[0][0] == f"{POLICE}.urgent.{LOCATE}.withdraw-ack"
        await site.arrive(raw)
        assert await site.published() == ["withdraw-ack"]
        assert len(site.desk.inbox) == 0
        await site.arrive(withdraw, raw, lane="urgent")
        assert await site.published() == ["withdraw-ack", "withdraw-ack"]
        assert site.broker.sent[0] == site.broker.sent[1]


async def test_a_withdrawal_while_the_handler_works(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    async with living(config) as site:
        await site.arrive(raw)
        request = await site.next()
        async with request.transaction() as tx:
            tx.reply("accept", {})
            await site.arrive(court.make(talk, "withdraw", {}, head={"reason_code": "paid"}), lane="urgent")
        assert tx.outcome == "withdrawn"
        assert await request.reply("result", ITEMS, **DONE) is None
        assert await site.published() == ["delivered", "withdraw-ack"]
    async with living(config) as site:
        assert len(site.desk.inbox) == 0


@pytest.mark.parametrize(("effect", "left"), [("reversed", 0), ("too-late", 1)])
async def test_the_application_answers_when_it_has_started(
    config: PartnerConfig, court: Court, effect: str, left: int
) -> None:
    talk, raw = opened(court)
    async with living(config) as site:
        await site.arrive(raw)
        await (await site.next()).reply("accept", {})
        await site.published()
        await site.arrive(court.make(talk, "urge", {}, head={"level": 1}))
        await site.arrive(court.make(talk, "withdraw", {}, head={"reason_code": "paid"}), lane="urgent")
        request = await site.next()
        assert request.verb == "withdraw"
        await request.reply("withdraw-ack", {}, effect=effect)
        # An urge: whoever asks may not have heard.
        assert await site.published() == ["delivered", "accept", "delivered", "accept", "withdraw-ack"]
        assert len(site.desk.inbox) == left


async def test_bad_bytes_are_set_aside_and_told_once(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    jws, disclosure, _ = raw.split(b"~")
    other = court.make(court.talk(), "open", BODY, head=HEAD)
    async with living(config) as site:
        await site.arrive(jws[:-4] + b"AAAA~" + disclosure + b"~")
        await site.arrive(jws + b"~" + other.split(b"~")[1] + b"~")
        await site.arrive(b"hello", b"\xff\xfe", b"")
        await site.arrive(b"hello")
        assert await site.set_aside() == [
            ("bad-disclosure", 1),
            ("bad-encoding", 1),
            ("bad-signature", 1),
            ("not-an-sd-jwt", 1),
            ("not-an-sd-jwt", 2),
        ]
        assert await site.published() == ["notice"] * 5
        told = site.broker.content(0)
        assert (told["reason"], told["title_zh"]) == ("bad-signature", "签名验证失败")
        await site.arrive(raw)
        assert (await site.next()).verb == "open"


async def test_a_flood_of_bad_bytes_is_not_answered_by_a_flood(config: PartnerConfig) -> None:
    async with living(config) as site:
        await site.arrive(*(b"nonsense %d" % n for n in range(3 * DEFAULT_BOUNDS.notices_told_per_minute)))
        await site.arrive(b"one more")
        assert await site.published() == ["notice"] * DEFAULT_BOUNDS.notices_told_per_minute
        assert len(await site.set_aside()) == 3 * DEFAULT_BOUNDS.notices_told_per_minute + 1


async def test_verified_messages_that_cannot_be_used(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    past = "2020-01-01T00:00:00.000Z"
    lifted = parse(court.make(court.talk(), "supplement", {})).content
    wrong = {
        "not-sealed": court.make(talk, "supplement", {}, seqno=2, sealed=False),
        "must-not-be-sealed": court.make(talk, "urge", {}, seqno=3, sealed=True, head={"level": 1}),
        "unknown-verb": court.make(talk, "teleport", {}, seqno=4),
        "expired": court.make(talk, "urge", {}, seqno=5, head={"level": 1}, expires=past),
        "seal-mismatch": court.carry(talk, "supplement", lifted, seqno=6),
        "cannot-open": court.carry(talk, "supplement", "a.b.c.d.e", seqno=7),
    }
    async with living(config) as site:
        await site.arrive(raw, *wrong.values())
        assert await site.set_aside() == sorted((reason, 1) for reason in wrong)
        await site.arrive(court.make(talk, "urge", {}, seqno=8, head={"level": 2}))
        assert [(await _finish(await site.next())).envelope.seqno for _ in range(2)] == [1, 8]


async def test_the_same_id_with_other_bytes(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    again = court.make(talk, "open", BODY, head=HEAD, seqno=1, id=talk.sent["open"][0])
    async with living(config) as site:
        await site.arrive(raw)
        await site.arrive(again)
        assert await site.set_aside() == [("id-reused", 1)]
        assert len(site.desk.inbox) == 1


async def test_a_wrong_media_type(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    async with living(config) as site:
        await site.desk.store(site.desk.read([Raw(raw, "q", "normal", "text/plain"), Raw(raw, "q", "normal", None)]))
        assert await site.set_aside() == [("bad-content-type", 2)]


async def test_what_can_be_mended_is_tried_again(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    async with living(config, types={}) as site:
        await site.arrive(raw)
        assert await site.set_aside() == [("unknown-type", 1)]
    async with living(config, now=lambda: datetime.now(UTC) - timedelta(hours=1)) as site:
        assert await site.set_aside() == [("clock-ahead", 2)]
    async with living(config) as site:
        assert await site.set_aside() == []
        assert (await site.next()).body == BODY
        assert (await site.published())[-1] == "delivered"


@pytest.mark.parametrize(
    ("wrong", "reason"), [(-timedelta(hours=1), "clock-ahead"), (timedelta(days=31), "stale")], ids=["behind", "ahead"]
)
async def test_an_order_that_a_wrong_clock_set_aside_is_taken_when_it_is_set(
    config: PartnerConfig, court: Court, wrong: timedelta, reason: str
) -> None:
    """While it runs, in its order, and what is still refused is not written down again each time."""
    _, raw = opened(court)
    offset = wrong
    async with living(config, now=lambda: datetime.now(UTC) + offset) as site:
        await site.arrive(raw)
        assert await site.desk.try_again(CLOCKS) == 1
        assert await site.set_aside() == [(reason, 1)]
        offset = timedelta(0)
        assert await site.desk.try_again(CLOCKS) == 0
        assert await site.set_aside() == []
        assert (await site.next()).body == BODY
        assert (await site.published())[-1] == "delivered"


async def test_a_message_that_can_no_longer_be_opened(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    async with living(config) as site:
        await site.arrive(raw)
    async with living(config, types={}) as site:
        assert len(site.desk.inbox) == 1
        taking = asyncio.create_task(site.next())
        assert await eventually(site.set_aside) == [("unknown-type", 1)]
        taking.cancel()


async def test_ping_and_pong(config: PartnerConfig, court: Court) -> None:
    ping = court.outside("ping", {})
    async with living(config) as site:
        await site.arrive(ping)
        await site.published()
        await site.arrive(ping)
        assert await site.published() == ["pong", "pong"]
        assert site.broker.sent[0] == site.broker.sent[1]
        assert site.broker.event(0)["causationid"] == parse(ping).event["id"]
        assert site.broker.sent[0][0] == f"{POLICE}.normal.gateway.pong"
        done = await site.arrive(court.outside("pong", {}, cause=parse(ping).event["id"]))
        assert done.pongs == [parse(ping).event["id"]]


def notice(reason: str, **more: Any) -> dict[str, Any]:
    return {"body_sha256": "0" * 64, "reason": reason, "title_zh": "顺序号", "title_en": "seqno"} | more


async def test_a_lost_counter_goes_on_from_the_notice(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    async with living(config) as site:
        await site.arrive(raw)
        await (await site.next()).reply("receipt", {"QSSJ": "1"})
        await site.published()
        for index in (0, 1):  # the gateway knew seqno 1..4 from before our ledger was lost
            told = notice(
                "sequence-reused",
                message_id=site.broker.event(index)["id"],
                body_sha256=hashlib.sha256(site.broker.sent[index][1]).hexdigest(),
                request_no=talk.request_no,
                next_seqno=5,
            )
            await site.arrive(court.outside("notice", told))
        assert await site.published() == ["delivered", "receipt", "delivered", "receipt"]
        assert [site.broker.event(i)["seqno"] for i in range(4)] == [1, 2, 5, 6]
        assert site.broker.content(3) == {"QSSJ": "1"}
        await site.desk.finish(talk.request_no, None, (), (Saying("progress", {}, {}),))
        await site.published()
        assert site.broker.event(4)["seqno"] == 7
        found = await site.desk.ledger.read(findings)
        assert (found.outbox, len(found.notices)) == ({"refused": 2, "sent": 3}, 2)


async def test_a_gap_is_filled_with_the_stored_bytes(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    async with living(config) as site:
        await site.arrive(raw)
        await (await site.next()).reply("receipt", {})
        await site.published()
        told = court.outside("notice", notice("sequence-gap", request_no=talk.request_no, next_seqno=2))
        await site.arrive(told)
        await site.arrive(told)
        assert await site.published() == ["delivered", "receipt", "receipt"]
        assert site.broker.sent[1] == site.broker.sent[2]


async def test_a_malformed_notice_is_set_aside_and_not_answered(config: PartnerConfig, court: Court) -> None:
    async with living(config) as site:
        await site.arrive(court.outside("notice", {"reason": 5}))
        assert await site.set_aside() == [("bad-envelope", 1)]
        assert await site.published() == []


async def test_unconfirmed_messages_go_out_after_a_restart_in_order(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    broker = Broker(down=True)
    async with living(config, broker) as site:
        await site.arrive(raw)
        await (await site.next()).reply("receipt", {})

        async def errors() -> list[str]:
            return (await site.desk.ledger.read(findings)).errors

        assert await eventually(errors) == ["UnconfirmedError: down"]
        assert (await site.desk.ledger.read(findings)).outbox == {"ready": 2}
    broker.down = False
    async with living(config, broker) as site:
        assert await site.published() == ["delivered", "receipt"]
        assert (await site.desk.ledger.read(findings)).outbox == {"sent": 2}


async def test_our_own_requests_are_numbered_by_day_and_answered(config: PartnerConfig, court: Court) -> None:
    midnight = datetime(2026, 3, 23, 16, 0, 30, tzinfo=UTC)  # 00:00:30 of the 24th in Shanghai
    async with living(config, now=lambda: midnight) as site:
        how: dict[str, Any] = {"urgency": "normal", "case_no": None, "related": None, "dialect": None}
        numbers = [
            await site.desk.open("police.vehicle-hit.alert", COURT, Saying("open", BODY, {}), **how) for _ in range(2)
        ]
        assert numbers == [f"{POLICE}-20260324-000001", f"{POLICE}-20260324-000002"]
        await site.published()
        talk = Talk(numbers[0], "police.vehicle-hit.alert")
        event = site.broker.event(0)
        answers = (event["id"], parse(site.broker.sent[0][1]).digest)
        late: dict[str, Any] = {"time": "2026-03-23T16:00:31.000Z", "caseno": None, "dataschema": None}
        late["dataschema"] = f"urn:lianzhi:police/1:{talk.type}:acknowledge:1"
        await site.arrive(court.make(talk, "acknowledge", {"by": "x"}, answers=answers, **late))
        request = await site.next()
        assert (request.verb, request.request_no, request.ours) == ("acknowledge", numbers[0], True)
        with pytest.raises(MisuseError, match="no such matter type"):
            await site.desk.open("no.such.type", COURT, Saying("open", BODY, {}), **how)


async def test_content_past_its_time_is_forgotten(config: PartnerConfig, court: Court) -> None:
    _, finished = opened(court)
    _, waiting = opened(court)
    async with living(config) as site:
        await site.arrive(finished)
        await (await site.next()).reply("receipt", {"QSRXM": "赵演示"})
        await site.arrive(waiting, b"garbage")
        await site.published()
        await site.desk.ledger.submit(Forget(datetime.now(UTC) - timedelta(minutes=5)))
        assert await site.set_aside() != []
        await site.desk.ledger.submit(Forget(datetime.now(UTC) + timedelta(seconds=1)))

        def texts(connection: sqlite3.Connection) -> list[tuple[str, int]]:
            return connection.execute(
                "SELECT state, text != '' FROM lz_message UNION ALL SELECT state, text != '' FROM lz_outbox"
            ).fetchall()

        kept = await site.desk.ledger.read(texts)
        assert sorted(kept) == [("done", 0), ("pending", 1), ("sent", 0), ("sent", 0), ("sent", 0), ("sent", 0)]
        assert await site.set_aside() == []
        before = len(site.broker.sent)
        await site.arrive(finished)
        assert len(await site.published()) == before
        assert (await site.desk.ledger.read(findings)).duplicates == 1


async def test_messages_of_one_request_are_handled_one_after_another(config: PartnerConfig, court: Court) -> None:
    talks = [opened(court) for _ in range(8)]
    raws = [raw for _, raw in talks]
    for talk, _ in talks:
        raws += [court.make(talk, "urge", {}, head={"level": n}) for n in (1, 2, 3)]
    busy: set[str] = set()
    seen: dict[str, list[int]] = {}
    finished = asyncio.Event()

    async def work(site: Site) -> None:
        async for request in site.desk.inbox:
            assert request.request_no not in busy
            busy.add(request.request_no)
            async with request.transaction():
                await asyncio.sleep(0)
            seen.setdefault(request.request_no, []).append(request.envelope.seqno)
            busy.discard(request.request_no)
            if sum(map(len, seen.values())) == len(raws):
                finished.set()

    async with living(config) as site:
        workers = [asyncio.create_task(work(site)) for _ in range(5)]
        await site.arrive(*raws)
        await asyncio.wait_for(finished.wait(), 10)
        site.desk.inbox.close()
        await asyncio.gather(*workers)
    assert seen == {talk.request_no: [1, 2, 3, 4] for talk, _ in talks}


async def test_a_failed_message_comes_again_by_itself(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    async with living(config) as site:
        site.desk.inbox.again_seconds = 0.01
        await site.arrive(raw, court.make(talk, "urge", {}, head={"level": 1}))
        handled = []
        async for request in site.desk.inbox:
            try:
                async with request.transaction():
                    handled.append(request.verb)
                    assert handled != ["open"]
            except AssertionError:
                continue
            if len(handled) == 3:
                break
        assert sorted(handled) == ["open", "open", "urge"]


async def test_a_cancelled_worker_lets_go(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    async with living(config) as site:
        site.desk.inbox.again_seconds = 0.01
        holding = asyncio.Event()

        async def stuck() -> None:
            async for request in site.desk.inbox:
                async with request.transaction():
                    holding.set()
                    await asyncio.Event().wait()

        task = asyncio.create_task(stuck())
        await site.arrive(raw)
        await holding.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await asyncio.wait_for(site.next(), 5)).verb == "open"


# traces

TOLD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


async def test_what_is_said_days_later_by_another_process_is_in_the_trace(config: PartnerConfig, court: Court) -> None:
    tracer, talk = Recorder(), court.talk()
    async with living(config, tracer=tracer) as site:
        await site.arrive(court.make(talk, "open", BODY, head=HEAD, traceparent=TOLD))
        await (await site.next()).done()
    async with living(config, tracer=tracer) as site:
        await site.desk.finish(talk.request_no, None, (), (Saying("result", ITEMS, DONE),))
        await site.published()
        context = parse_traceparent(site.broker.event(-1)["traceparent"])
    (made,) = tracer.named(f"create {LOCATE}.result")
    assert made.context == context and made.parent == parse_traceparent(TOLD)
    assert made.attributes["lianzhi.request_no"] == talk.request_no
    (handled,) = tracer.named(f"handle {LOCATE}.open")
    (taken,) = tracer.named("process lianzhi.to.x")
    assert handled.parent == taken.parent == parse_traceparent(TOLD) and handled.error is taken.error is None


async def test_of_what_cannot_be_used_a_span_says_only_why(config: PartnerConfig, court: Court) -> None:
    tracer, talk = Recorder(), court.talk("police.no-such.request")
    async with living(config, tracer=tracer) as site:
        unknown = court.make(talk, "open", BODY, head=HEAD, traceparent=TOLD, sealed=False)
        await site.arrive(unknown, unknown.replace(b".", b".A", 1))
    usable, forged = tracer.named("process lianzhi.to.x")
    assert (usable.parent, usable.error) == (parse_traceparent(TOLD), "unknown-type")
    assert forged.parent is None and forged.error is not None
    for span in (usable, forged):
        assert not [name for name in span.attributes if name.startswith("lianzhi.")]


async def test_without_a_tracer_nothing_is_written_into_a_message(config: PartnerConfig, court: Court) -> None:
    talk = court.talk()
    async with living(config) as site:
        await site.arrive(court.make(talk, "open", BODY, head=HEAD, traceparent=TOLD))
        await (await site.next()).reply("result", ITEMS, **DONE)
        assert await site.published() == ["delivered", "result"]
        assert "traceparent" not in site.broker.event(0) | site.broker.event(1)
