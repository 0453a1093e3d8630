"""What `broker apply` needs before it can begin: the management plugin, an administrator, a version that has quorum
queues, and the virtual host. Each thing that is missing is one line in both languages, with what to do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gateway.broker.management import Management, ManagementError
from lianzhi.errors import BrokerUnavailableError, ConfigurationError

OLDEST = (3, 10)
"""Quorum queues with a delivery limit, dead-lettering at least once and `reject-publish` (RabbitMQ 3.10's notes)."""
NEWEST = (3, 13)
"""Of those that this version knows (deploy/compose.yaml)."""
_PORT_SECONDS = 5.0
_PORTS = {"amqp": 5672, "amqps": 5671}


@dataclass(frozen=True, slots=True)
class Entered:
    """An administrator's way into a broker. version: as the broker says it. doubts: what is odd but does not stop us,
    each a line in both languages."""

    version: str
    doubts: tuple[str, ...] = ()


async def enter(management: Management, *, admin: str, broker_url: str) -> Entered:
    """Asks the broker who we are and what it is.

    broker_url: its AMQP address, by which a broker that is down is told from one without the plugin. Raises
    ConfigurationError, and BrokerUnavailableError where nothing answers.
    """
    try:
        overview, me = await management.get("overview"), await management.get("whoami")
    except ManagementError as error:
        raise await _why_not(error, management.url, admin, broker_url) from error
    if not isinstance(overview, dict) or not isinstance(me, dict):
        raise ConfigurationError(_no_broker(management.url))
    if "administrator" not in _tags(me):
        raise ConfigurationError(
            f"用户 {admin} 不是代理的管理员，请在代理上执行 rabbitmqctl set_user_tags {admin} administrator，或用"
            f" --admin 另指一人。 {admin} is no administrator of the broker: run `rabbitmqctl set_user_tags {admin}"
            " administrator` there, or name another with --admin."
        )
    version = str(overview.get("rabbitmq_version", ""))
    return Entered(version, judge_version(version))


def judge_version(text: str) -> tuple[str, ...]:
    """Doubts about a version; none for one that is known. Raises ConfigurationError for one that is too old."""
    found = re.match(r"(\d+)\.(\d+)", text)
    oldest, newest = ".".join(map(str, OLDEST)), ".".join(map(str, NEWEST))
    if found is None:
        return (
            f"代理没有说明版本，需要 RabbitMQ ≥ {oldest}。"
            f" The broker does not say its version; RabbitMQ ≥ {oldest} is needed.",
        )
    version = int(found[1]), int(found[2])
    if version < OLDEST:
        raise ConfigurationError(
            f"RabbitMQ {text} 太旧，需要 ≥ {oldest}，请先升级代理。 RabbitMQ {text} is too old: ≥ {oldest} is needed."
        )
    if version > NEWEST:
        return (
            f"RabbitMQ {text} 比本版本所知的 {newest} 新，请留意。"
            f" RabbitMQ {text} is newer than {newest}, the newest that this version knows.",
        )
    return ()


async def make_virtual_host(management: Management, vhost: str) -> bool:
    """Whether it had to be made. Raises ManagementError."""
    if await management.get("vhosts", vhost) is not None:
        return False
    await management.put("vhosts", vhost)
    return True


async def let_in(management: Management, vhost: str, admin: str) -> bool:
    """Gives the administrator the rights in the virtual host by which queues are declared; whether it lacked them.
    Raises ManagementError."""
    if await management.get("permissions", vhost, admin) is not None:
        return False
    await management.put("permissions", vhost, admin, body={"configure": ".*", "write": ".*", "read": ".*"})
    return True


async def _why_not(
    error: ManagementError, url: str, admin: str, broker_url: str
) -> ConfigurationError | BrokerUnavailableError:
    tagless = "management user" in str(error).lower()  # RabbitMQ says 401 to a right password, too
    if error.status == 401 and not tagless:
        local = (
            "（guest 只能从代理本机登录）", " (guest may log in from the broker's own machine only)"
        ) if admin == "guest" else ("", "")  # fmt: skip
        return ConfigurationError(
            f"代理不认用户 {admin} 的密码{local[0]}：核对 --admin 与密码。"
            f" The broker refuses user {admin} with this password{local[1]}: see to --admin and the password."
        )
    if error.status in (401, 403):
        return ConfigurationError(
            f"用户 {admin} 无权使用代理的管理接口，请在代理上执行 rabbitmqctl set_user_tags {admin} administrator。"
            f" {admin} may not use the broker's management API: run `rabbitmqctl set_user_tags {admin} administrator`"
            " there."
        )
    if error.status is not None:
        return ConfigurationError(_no_broker(url))
    if await _is_listening(broker_url):
        return BrokerUnavailableError(
            f"代理在运行，但管理接口 {url} 不通：在代理上执行 rabbitmq-plugins enable rabbitmq_management，或核对"
            " [broker] management。"
            f" The broker runs, but its management API {url} does not answer: run `rabbitmq-plugins enable"
            " rabbitmq_management` there, or see to [broker] management."
        )
    return BrokerUnavailableError(
        f"连不上代理：{url} 与 {_place(broker_url)} 都不通，请查代理是否在运行、地址和防火墙。"
        f" The broker cannot be reached, neither at {url} nor at {_place(broker_url)}: see whether it runs, to the"
        " addresses and to the firewall."
    )


def _no_broker(url: str) -> str:
    return (
        f"{url} 不是 RabbitMQ 的管理接口，请核对 [broker] management（默认端口 15672）。"
        f" What answers at {url} is not RabbitMQ's management API: see to [broker] management (port 15672 by default)."
    )


def _tags(me: Mapping[str, Any]) -> list[str]:
    """A list, or before RabbitMQ 3.9 a text with commas."""
    tags = me.get("tags", [])
    return [str(tag) for tag in tags] if isinstance(tags, list) else str(tags).split(",")


async def _is_listening(broker_url: str) -> bool:
    parts = urlsplit(broker_url)
    try:
        async with asyncio.timeout(_PORT_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or _PORTS.get(parts.scheme))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _place(broker_url: str) -> str:
    """Host and port, without the user."""
    parts = urlsplit(broker_url)
    return f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme)}"
