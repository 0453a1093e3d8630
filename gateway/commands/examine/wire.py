"""What the broker tells the gateway's own user: queues, who consumes them, the largest message, its clock, the mark.
To an administrator, where one is given by the environment, also policies and rights."""

from __future__ import annotations

import os
from contextlib import suppress
from urllib.parse import urlsplit

from gateway.application.ports.recovery import MarkPlace
from gateway.bounds import Bounds
from gateway.core import checkup
from gateway.core.checkup import Check
from gateway.core.routing import Directory
from gateway.registry.config import Config
from lianzhi.amqp.link import WIRE_ERRORS, Link, own_cancellation_only
from lianzhi.errors import BrokerUnavailableError, ConfigurationError, LianzhiError
from schemas.catalogue import catalogue

CONNECT_SECONDS, CALL_SECONDS = 10.0, 10.0
ADMIN, PASSWORD = "LIANZHI_BROKER_ADMIN", "LIANZHI_BROKER_ADMIN_PASSWORD"
TITLE = "代理 broker"
NAMES = "队列、接收、单位、报文大小、标记 queues, intake, partners, message size, marks"


async def look_at_broker(config: Config, directory: Directory | None, *, sound: bool) -> list[Check]:
    """Passive: nothing is declared, no message of a partner's is taken. sound: whether a gateway could start on these
    files, which the comparison of the marks needs. Never raises for what is wrong with the broker."""
    try:
        urls = config.broker_urls
    except ConfigurationError as error:
        return [checkup.failed("broker", TITLE, error, "lianzhi broker apply")]
    found = []
    async with Link(urls, name="doctor") as link:
        await _tried(link, len(urls))
        if not link.connected:
            where = ", ".join(f"{urlsplit(url).hostname}:{urlsplit(url).port or 5672}" for url in urls)
            reason = link.last_error or f"{CONNECT_SECONDS:.0f} 秒内没有应答 no answer within {CONNECT_SECONDS:.0f} s"
            found.append(checkup.refused_login(reason, user=config.broker_user, vhost=config.vhost, where=where))
            found.append(checkup.unseen("wire", NAMES, "消息代理连不上", "the broker is away or refuses us"))
        else:
            zh, en = f"已以 {config.broker_user} 登录 {config.vhost}", f"logged in as {config.broker_user}"
            found.append(Check("broker", TITLE, "ok", zh, en))
            found += await _message_size(link, config.limits, config.broker_user)
            if directory is not None:
                found += await _queues(link, config, directory)
            if sound:
                found += await _marks(link, config)
    found += await _clock(config)
    if directory is not None:
        found += await _provisioning(config, directory)
    return found


async def _tried(link: Link, addresses: int) -> None:
    """One address has answered or not after the first attempt; of several each has its turn."""
    if addresses == 1:
        await link.wait_tried(CONNECT_SECONDS)
        return
    with suppress(TimeoutError):
        await link.wait_connected(CONNECT_SECONDS)


async def _queues(link: Link, config: Config, directory: Directory) -> list[Check]:
    """Those that should be there, and who reads them."""
    from gateway.broker.topology import plan, to_queue
    from lianzhi.amqp.declare import missing

    try:
        topology = plan(directory, catalogue(), gateway_user=config.broker_user, bounds=config.limits)
        absent = await missing(link, [queue.name for queue in topology.queues], exchanges=topology.exchanges)
        inbound = [name for name in topology.inbound() if name not in absent]
        depths = await _depths(link, [*inbound, *(name for name in topology.outbound() if name not in absent)])
    except (*WIRE_ERRORS, ConfigurationError) as error:
        return [checkup.failed("queues", "队列 queues", error, "lianzhi broker apply")]
    idle = [name for name in inbound if depths.get(name, (0, 1))[1] == 0]
    partners = {}
    for partner in directory.amqp():
        pair = [depths[name] for lane in ("normal", "urgent") if (name := to_queue(partner.code, lane)) in depths]
        if pair:
            partners[partner.code] = (sum(waiting for waiting, _ in pair), min(consumers for _, consumers in pair))
    found = [checkup.topology(absent, len(topology.queues)), checkup.consumers(idle, len(inbound))]
    return [*found, checkup.silent(partners)] if partners else found


async def _depths(link: Link, queues: list[str]) -> dict[str, tuple[int, int]]:
    """Messages and consumers of each; without those that the gateway's user may not ask for."""
    found, channel = {}, None
    for name in queues:
        if channel is None or channel.is_closed:
            channel = await link.channel()
        try:
            with own_cancellation_only():
                answer = await channel.queue_declare(name, passive=True, timeout=CALL_SECONDS)
        except WIRE_ERRORS:
            continue
        found[name] = (answer.message_count or 0, answer.consumer_count or 0)
    if channel is not None and not channel.is_closed:
        await channel.close()
    return found


async def _message_size(link: Link, bounds: Bounds, user: str) -> list[Check]:
    """The broker's own limit is just above ours."""
    from gateway.broker.message_limit import ask_message_limit, judge

    title = "报文大小 message size"
    try:
        zh, en = checkup.halves(judge(await ask_message_limit(link, bounds, user=user), bounds))
    except ConfigurationError as error:
        return [checkup.failed("message-size", title, error, "改 rabbitmq.conf 后重启代理 then restart the broker")]
    except WIRE_ERRORS as error:
        return [checkup.failed("message-size", title, error, "lianzhi broker apply")]
    return [Check("message-size", title, "ok", zh, en)]


async def _clock(config: Config) -> list[Check]:
    from gateway.bootstrap import SystemClock
    from gateway.broker.clock import broker_time

    there = await broker_time(config.broker.management, ca_file=config.broker_ca)
    if there is None:
        zh, en = f"{config.broker.management} 没有回答", f"{config.broker.management} does not answer"
        fix = "rabbitmq-plugins enable rabbitmq_management，或核对 or see to [broker] management"
        return [Check("clocks", "时钟 clocks", "warning", f"代理的时钟未核对：{zh}", f"the broker's: {en}", fix)]
    return [checkup.clock(("代理", "broker"), there - SystemClock().now())]


async def _marks(link: Link, config: Config) -> list[Check]:
    """The database is not behind what was marked outside of it, and both marks can be read (docs/adr/0030)."""
    from gateway.application.marks import MISSING, told
    from gateway.application.recovery.restored import look
    from gateway.bootstrap import SystemClock, build_context
    from gateway.broker.mark_queue import MarkQueue
    from gateway.core.recovery.marks import Verdict
    from gateway.registry.mark_file import MarkFile
    from gateway.store.store import open_store

    title = "标记 marks"
    try:
        store = await open_store(config.store_url)
    except LianzhiError:
        return [checkup.unseen("marks", title, "数据库不可用", "the store is not available")]
    try:
        places: list[MarkPlace] = [MarkFile(config.folder), MarkQueue(link, user=config.broker_user)]
        found = await look(build_context(config, store, SystemClock()), places)
    except LianzhiError as error:
        return [checkup.failed("marks", title, error, "lianzhi db restored")]
    finally:
        await store.close()
    wrong = [
        told(verdict, name, found.marks[name], found.standing)
        for name, verdict in found.verdicts().items()
        if verdict is not Verdict.SOUND
    ]
    wrong += [f"{name}：{fault}" for name, fault in found.faults.items()]
    if not found.marks and not found.standing.new and not wrong:
        wrong.append(MISSING)
    if wrong:
        zh, en = checkup.halves(" ".join(wrong))
        return [Check("marks", title, "wrong", zh, en, "docs/handbook/restore.md")]
    names = ", ".join(sorted(found.marks))
    return [
        Check("marks", title, "ok", f"相符 {names or '尚未运行'}", f"as marked{'' if names else ': never served yet'}")
    ]


async def _provisioning(config: Config, directory: Directory) -> list[Check]:
    """What `broker apply` would change; only an administrator may ask."""
    from gateway.broker.management import Management
    from gateway.broker.provision import differences, left_alone, worded
    from gateway.broker.topology import plan

    admin, password = os.environ.get(ADMIN), os.environ.get(PASSWORD)
    if not admin or not password:
        return [checkup.provisioning(None)]
    try:
        async with Management(config.broker.management, admin, password, ca_file=config.broker_ca) as management:
            topology = plan(directory, catalogue(), gateway_user=config.broker_user, bounds=config.limits)
            lines = await differences(topology, management=management, vhost=config.vhost)
    except (BrokerUnavailableError, ConfigurationError) as error:
        fix = "核对 see to [broker] management, LIANZHI_BROKER_ADMIN"
        return [checkup.failed("policies", "策略与权限 policies and rights", error, fix)]
    others = [line for line in lines if left_alone(line)]
    changes = [worded(line) for line in lines if line not in others]
    return [checkup.provisioning(changes, [worded(line) for line in others])]
