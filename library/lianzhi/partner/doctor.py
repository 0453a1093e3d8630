"""Whether this installation can do its work: keys, clock, broker, queues, ledger. Each finding in two languages.

Passive: nothing is created, taken or answered. Only `ping`, where it is asked for, says something: one ping, which is
in no ledger; its pong comes to the process that consumes, and is looked up in its ledger.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from lianzhi.amqp.link import WIRE_ERRORS, Link, own_cancellation_only
from lianzhi.amqp.publisher import ConfirmedPublisher
from lianzhi.crypto.keyring import lasts_until
from lianzhi.crypto.keys import PublicKey
from lianzhi.crypto.limits import DEFAULT_LIMITS
from lianzhi.errors import LianzhiError, MisuseError
from lianzhi.files import open_to_others, told
from lianzhi.partner.bounds import PartnerBounds
from lianzhi.partner.config import PartnerConfig, places
from lianzhi.partner.delivered import SHANGHAI, delivered_body
from lianzhi.partner.engine.replies import Writer
from lianzhi.partner.findings import NOTHING_YET, Findings, findings_in, has_pong
from lianzhi.partner.ledger.lock import ConsumerLock
from lianzhi.partner.partner import EXCHANGE_IN, GREETING, queues_of
from lianzhi.protocol.contract import Contract
from lianzhi.protocol.envelope import GATEWAY_PING

Level = Literal["ok", "warning", "wrong"]

SOON = (timedelta(days=7), timedelta(days=30), timedelta(days=60))
CLOCK_SECONDS = 2.0
BROKER_SECONDS, LOOK_SECONDS = 10.0, 0.1
PING_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Check:
    subject: str
    level: Level
    zh: str
    en: str
    fix: str = ""


async def examine(config: PartnerConfig, now: datetime, *, ping: bool = False) -> tuple[list[Check], Findings]:
    """Everything that can be seen from here. ping: ask the gateway for a pong as well, which proves both ways."""
    found, checks = NOTHING_YET, list(_keys(config, now))
    checks += contract_checks(config, now)
    try:
        found = findings_in(config.ledger) or NOTHING_YET
    except sqlite3.Error as error:
        zh, en = f"台账 {config.ledger} 读不出：{error}", f"the ledger cannot be read: {error}"
        fix = "旧版本的台账在 lianzhi partner consume 启动时升级 one of an older version is brought up to date then"
        checks.append(Check("ledger", "wrong", zh, en, fix))
    checks += [*_clock(found, now), *_ledger(found, config.bounds)]
    async with Link(config.amqp_urls, name=f"lianzhi partner doctor {config.code}") as link:
        checks += await _broker(link, config)
        if ping:
            checks.append(await _ping(link, config, now))
    return checks, found


def _keys(config: PartnerConfig, now: datetime) -> Iterator[Check]:
    yield from _files(config)
    own = ", ".join(key.kid for key in (config.sign_key, *config.open_keys))
    yield Check("keys", "ok", f"本方密钥：{own}", f"our keys: {own}")
    valid = [k for k in config.keyring.public_keys(config.gateway) if k.valid_at(now) and not k.revoked_by(now)]
    signing = [k for k in valid if k.purpose == "sig"]
    if not signing:
        yield Check(
            "gateway keys",
            "wrong",
            f"{config.gateway} 没有在有效期内的签名公钥，请向法院索取新的公钥文件",
            f"no signature key of {config.gateway} is in force: ask the court for a new file",
        )
    for purpose, zh, en in (("sig", "签名", "signature"), ("enc", "加密", "encryption")):
        yield from _ending(config, [key for key in valid if key.purpose == purpose], now, (zh, en))
    try:
        config.keyring.sealing_key(config.gateway, at=now)
    except MisuseError:
        zh, en = "没有可用的加密公钥，无法发起密件", "no key to seal to: sensitive requests cannot be opened"
        yield Check("gateway keys", "warning", zh, en)


def _ending(config: PartnerConfig, keys: Sequence[PublicKey], now: datetime, use: tuple[str, str]) -> Iterator[Check]:
    """The gateway's keys of one use end, and no other follows: told 60, 30 and 7 days ahead."""
    end = lasts_until(keys, now)
    if not keys or end is None or end - now >= SOON[-1]:
        return
    day, days = (end - timedelta.resolution).astimezone(SHANGHAI).date(), (end - now).days
    told = next(limit.days for limit in SOON if end - now < limit)
    zh = f"{config.gateway} 的{use[0]}公钥最后一天为 {day}（{told} 日内，还有 {days} 天），其后没有接续的"
    en = f"the last day of the {use[1]} key of {config.gateway} is {day} (within {told} days), and no other follows"
    level: Level = "wrong" if told == SOON[0].days else "warning"
    yield Check("gateway keys", level, zh, en, "向法院索取新的公钥文件 ask the court for a new file of keys")


def _files(config: PartnerConfig) -> Iterator[Check]:
    """Messages, private keys and the password are nobody else's to read."""
    modes = open_to_others(places(config))
    if modes.open:
        zh, en = told(modes)
        fix = "chmod -R go= " + str(config.folder or config.ledger.parent)
        yield Check("files", "warning", f"{zh}；接收进程启动时收回，或 {fix}", f"{en}; closed at start, or {fix}")


def contract_checks(config: PartnerConfig, now: datetime) -> Iterator[Check]:
    """What we may say and hear, and whether what the library writes itself is in its words."""
    if config.contract is None:
        zh = "未配置 contract：只认识本版本自带的事项，发送前不校验内容，请向法院索取 contract.json"
        en = "no contract: the types of this release, and nothing is validated before it is sent: ask for contract.json"
        yield Check("contract", "warning", zh, en)
        return
    document = config.contract.document
    count, issued = len(document.types), document.issued_at
    zh = f"{document.gateway} 于 {issued} 签发，{count} 种事项，{document.dialect}，密钥 {config.contract.kid}"
    en = f"issued by {document.gateway} on {issued}: {count} types, {document.dialect}, key {config.contract.kid}"
    yield Check("contract", "ok", zh, en)
    if config.dialect not in (None, document.dialect):
        zh = f"dialect 为 {config.dialect}，契约为 {document.dialect}：发起的内容不会按契约校验"
        en = f"dialect is {config.dialect}, the contract's {document.dialect}: what we open is not validated"
        yield Check("contract", "warning", zh, en)
    if faulty := _delivered_faults(config, config.contract, now):
        zh = f"自动回复的 delivered 不合契约，网关会拒收，请核对 [delivered] 与 system：{faulty}"
        en = f"delivered would be refused by the gateway, see [delivered] and system: {faulty}"
        yield Check("contract", "wrong", zh, en)


def _delivered_faults(config: PartnerConfig, contract: Contract, now: datetime) -> str:
    """The first type whose `delivered` does not keep the contract, with what is wrong; empty: none."""
    for name, matter in contract.types.items():
        said = matter.verbs.get("delivered")
        if said is None or matter.role == "asker":
            continue
        form = config.delivered or said.form
        body = delivered_body(contract.document.dialect, name, config.system, now, form)
        if faults := contract.faults(name, "delivered", body, {}):
            return f"{name} {faults[0].pointer} {faults[0].rule}"
    return ""


def _clock(found: Findings, now: datetime) -> Iterator[Check]:
    shown = now.astimezone(SHANGHAI).isoformat(timespec="seconds")
    if found.last_arrival is not None and found.last_arrival - now > timedelta(seconds=CLOCK_SECONDS):
        yield Check(
            "clock",
            "wrong",
            f"本机时间 {shown} 早于台账中最后一条报文的到达时间，时钟被拨回",
            f"our clock {shown} is behind the last arrival in the ledger: it was set back",
        )
    elif found.lead is not None and found.lead.total_seconds() > CLOCK_SECONDS:
        seconds = found.lead.total_seconds()
        level: Level = "wrong" if found.lead >= DEFAULT_LIMITS.ahead else "warning"
        zh, en = f"本机时钟至少慢 {seconds:.0f} 秒", f"our clock is at least {seconds:.0f} s slow"
        yield Check("clock", level, zh, en)
    else:
        yield Check("clock", "ok", f"本机时间 {shown}", f"our time {shown}")
    if found.clock_offset is not None and abs(found.clock_offset.total_seconds()) > CLOCK_SECONDS:
        seconds = found.clock_offset.total_seconds()
        level = "wrong" if seconds >= DEFAULT_LIMITS.ahead.total_seconds() else "warning"
        zh = f"网关称本机时钟{'快' if seconds > 0 else '慢'} {abs(seconds):.0f} 秒，请核对双方的时间源"
        en = f"the gateway says that our clock is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}: compare"
        yield Check("clock", level, zh, en)


def _ledger(found: Findings, bounds: PartnerBounds) -> Iterator[Check]:
    received = sum(found.messages.values())
    pending, held = found.messages.get("pending", 0), found.messages.get("held", 0)
    ready, sent = found.outbox.get("ready", 0), found.outbox.get("sent", 0)
    yield Check(
        "ledger",
        "ok",
        f"收到 {received}，待处理 {pending}，待前序 {held}，重复 {found.duplicates}；已发 {sent}，待发 {ready}",
        f"received {received}, not handled {pending}, held {held}, duplicates {found.duplicates};"
        f" sent {sent}, to send {ready}",
    )
    if pending >= bounds.waiting_messages:
        zh = "待处理已达上限，来文留在队列中：请查应用程序"
        en = "as many wait as may, the queues are left alone: see to the application"
        yield Check("ledger", "warning", zh, en)
    if found.not_kept:
        zh = f"另有 {found.not_kept} 次来文搁置时已无空间，只计数"
        en = f"{found.not_kept} more arrivals were only counted: there was no room"
        yield Check("set aside", "warning", zh, en)
    for error in found.errors:
        since = found.waiting_since
        yield Check("outbox", "warning", f"自 {since} 起有报文未获确认：{error}", f"unconfirmed since {since}: {error}")
    for request_no, verb, error in found.refused:
        zh, en = f"{request_no} 的 {verb} 被拒收：{error}", f"{verb} in {request_no} was refused: {error}"
        yield Check("refused", "warning", zh, en)
    for request_no in found.unanswered:
        zh, en = f"{request_no} 已撤回，尚未回复 withdraw-ack", f"{request_no} was withdrawn: withdraw-ack is owed"
        yield Check("withdrawn", "warning", zh, en)
    if found.set_aside:
        total = sum(line.count for line in found.set_aside)
        yield Check("set aside", "warning", f"搁置 {total} 次来文，见下", f"{total} arrivals were set aside, see below")


async def _broker(link: Link, config: PartnerConfig) -> list[Check]:
    if not await _connected(link):
        why = link.last_error or f"{BROKER_SECONDS:.0f} 秒内没有应答 no answer within {BROKER_SECONDS:.0f} s"
        fix = "核对 amqp、密码文件与网络，或问法院 see to the address, the password file, the network, or ask the court"
        return [Check("broker", "wrong", f"连不上或登录失败：{why}", f"cannot connect or log in: {why}", fix)]
    checks = [Check("broker", "ok", f"已以 {config.broker_user} 登录", f"logged in as {config.broker_user}")]
    consuming = _is_consuming(config)
    for queue in queues_of(config.code):
        checks.append(await _queue(link, queue, consuming=consuming))
    checks.append(await _exchange(link))
    return checks


async def _connected(link: Link) -> bool:
    """Whether the first attempt succeeds; a refusal is told at once, not after the last retry."""
    for _ in range(int(BROKER_SECONDS / LOOK_SECONDS)):
        if link.connected or link.last_error is not None:
            break
        with suppress(TimeoutError):
            await link.wait_connected(LOOK_SECONDS)
    return link.connected


async def _queue(link: Link, queue: str, *, consuming: bool) -> Check:
    channel = await link.channel()
    try:
        with own_cancellation_only():
            found = await channel.queue_declare(queue, passive=True, timeout=BROKER_SECONDS)
    except WIRE_ERRORS as error:
        return Check(
            "queues", "wrong", f"{queue} 不可用，请联系法院", f"{queue}: {type(error).__name__}, ask the court"
        )
    finally:
        with suppress(*WIRE_ERRORS):
            await channel.close()
    waiting, consumers = found.message_count, found.consumer_count
    level: Level = "warning" if waiting and not consumers else "ok"
    note_zh, note_en = "", ""
    if not consuming:
        note_zh, note_en = "（本机无接收进程在运行）", " (no process consumes here)"
        if consumers:
            note_zh, note_en = "（不用本台账的接收程序）", " (a program that does not use this ledger)"
    zh = f"{queue}：待取 {waiting}，消费者 {consumers}{note_zh}"
    return Check("queues", level, zh, f"{queue}: {waiting} waiting, {consumers} consumers{note_en}")


async def _has_consumer(link: Link, queue: str) -> bool:
    """Whether any program takes from it; False where the queue cannot be seen."""
    channel = await link.channel()
    try:
        with own_cancellation_only():
            return bool((await channel.queue_declare(queue, passive=True, timeout=BROKER_SECONDS)).consumer_count)
    except WIRE_ERRORS:
        return False
    finally:
        with suppress(*WIRE_ERRORS):
            await channel.close()


async def _exchange(link: Link) -> Check:
    channel = await link.channel()
    try:
        with own_cancellation_only():
            await channel.exchange_declare(EXCHANGE_IN, passive=True, timeout=BROKER_SECONDS)
    except WIRE_ERRORS as error:
        return Check("exchange", "wrong", f"{EXCHANGE_IN} 不可用", f"{EXCHANGE_IN}: {type(error).__name__}")
    finally:
        with suppress(*WIRE_ERRORS):
            await channel.close()
    return Check("exchange", "ok", f"{EXCHANGE_IN} 可用", f"{EXCHANGE_IN} exists")


def _is_consuming(config: PartnerConfig) -> bool:
    """Whether a process consumes on this ledger; one that does not exist yet is not made."""
    return config.ledger.exists() and ConsumerLock(config.ledger).held_by_another()


async def _ping(link: Link, config: PartnerConfig, now: datetime) -> Check:
    """There and back: our key is known there, theirs here, and both queues flow. Where a program of the partner's own
    takes from the queue, in whatever language, the pong comes to it and its own log is the proof."""
    if not link.connected:
        return Check("ping", "warning", "未发送：连不上消息代理", "nothing was sent: the broker is away")
    own = _is_consuming(config)
    if not own and not await _has_consumer(link, queues_of(config.code)[0]):
        zh = "没有接收进程在运行，未发送：pong 由它收取"
        en = "nothing was sent: the pong comes to the process that consumes"
        return Check("ping", "warning", zh, en, "运行你的接收程序 run your program：lianzhi partner consume …")
    writer = Writer(config.code, config.sign_key, config.keyring, {}, config.open_keys[0].kid, config.contract)
    row = writer.outside(GATEWAY_PING, config.gateway, GREETING, now)
    publisher = ConfirmedPublisher(link, EXCHANGE_IN, user_id=config.broker_user)
    try:
        await publisher.publish(row.routing_key, row.text.encode("ascii"), timeout=BROKER_SECONDS)
    except LianzhiError as error:
        return Check("ping", "wrong", f"发送失败：{error}", f"it could not be sent: {error}")
    return await _pong(config, row.id) if own else _pong_elsewhere(row.id)


def _pong_elsewhere(ping_id: str) -> Check:
    zh = f"已发送 {ping_id}；应答由你自己的接收程序收取，它的日志里有 pong 一行即通"
    en = f"sent {ping_id}; the pong comes to your own program: the line `pong` in its log is the proof"
    fix = "不要另开 lianzhi partner consume：同一队列只能有一本台账 do not start it beside: one queue, one ledger"
    return Check("ping", "ok", zh, en, fix)


async def _pong(config: PartnerConfig, ping_id: str) -> Check:
    """What the process that consumes on our ledger has heard."""
    clock = asyncio.get_running_loop().time
    until = clock() + PING_SECONDS
    while clock() < until:
        if has_pong(config.ledger, ping_id):
            return Check("ping", "ok", f"{config.gateway} 已应答", f"{config.gateway} answered")
        await asyncio.sleep(LOOK_SECONDS)
    zh, en = f"{config.gateway} 未在 {PING_SECONDS:.0f} 秒内应答", f"no pong within {PING_SECONDS:.0f} s"
    return Check("ping", "wrong", zh, en, "看接收进程与网关是否在运行 see whether both processes run")
