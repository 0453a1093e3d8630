"""What may stand in a broker's address. The client takes its settings from the query of the URL, `no_verify_ssl` among
them: a parameter that is not known here, whatever it would have switched, is refused by name.

Each check says what is wrong in Chinese and English, None where nothing is; the address itself, with its password, is
not repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from lianzhi.errors import ConfigurationError

PARAMETERS = ("cafile", "capath", "certfile", "keyfile", "auth", "heartbeat", "timeout", "name")
ADDRESSES = 16
"""Of one cluster, at most."""

Wrong = tuple[str, str]


def check_broker_url(url: str) -> None:
    """Raises ConfigurationError that names the rule."""
    if wrong := wrong_address(url):
        raise ConfigurationError("代理地址 broker URL：{}。 {}.".format(*wrong))


def wrong_address(url: str) -> Wrong | None:
    """One host with its port, by AMQP, with known parameters."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
        parts = urlsplit("")
    if "," in url.partition("?")[0].rpartition("@")[2]:
        return (
            '每个地址只写一台主机，多台写成列表 ["amqp://…", "amqp://…"]',
            'an address names one host; several stand in a list: ["amqp://…", "amqp://…"]',
        )
    if parts.scheme not in ("amqp", "amqps") or not host:
        return (
            "须为 amqp:// 或 amqps:// 地址，含主机名，端口为 1 至 65535 的数字",
            "must be an amqp:// or amqps:// URL with a host; a port is a number up to 65535",
        )
    return unknown_parameter(parts.query)


def wrong_addresses(urls: Sequence[str]) -> Wrong | None:
    """Several are the nodes of one cluster: one user, one virtual host."""
    if not 1 <= len(urls) <= ADDRESSES:
        return f"须为 1 至 {ADDRESSES} 个地址", f"must be 1 to {ADDRESSES} addresses"
    for url in urls:
        if wrong := wrong_address(url):
            return wrong
    if len({(urlsplit(url).username, urlsplit(url).path) for url in urls}) > 1:
        return (
            "各地址须为同一用户、同一虚拟主机（同一集群的各节点）",
            "all addresses have the same user and virtual host: they are nodes of one cluster",
        )
    return None


def unknown_parameter(query: str) -> Wrong | None:
    """What is wrong with the first parameter that is, in Chinese and English."""
    seen: set[str] = set()
    for name, _ in parse_qsl(query, keep_blank_values=True):
        shown, known = ascii(name)[1:41], "、".join(PARAMETERS)
        if name not in PARAMETERS:
            return f"不接受参数 {shown}，只可用 {known}", f"the parameter {shown} is not taken; known: {known}"
        if name in seen:
            return f"参数 {shown} 出现了两次", f"the parameter {shown} stands twice"
        seen.add(name)
    return None
