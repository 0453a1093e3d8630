"""Bringing a broker to the topology: users and permissions over its HTTP API, the rest over AMQP.

Only adds and corrects; a queue that the topology no longer names is reported and left, with what is in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from gateway.amqp import declare as wire
from gateway.amqp.link import Link
from gateway.broker.management import Management
from gateway.broker.topology import Topology, User, owner_of


async def declare_topology(link: Link, topology: Topology) -> None:
    """Exchanges, queues and bindings only; waits for the link.

    Raises ConfigurationError where a queue exists with other arguments.
    """
    await wire.declare(
        link,
        exchanges=topology.exchanges,
        queues=[(queue.name, queue.arguments) for queue in topology.queues],
        bindings=[(binding.exchange, binding.queue, binding.key) for binding in topology.bindings],
    )


async def provision(
    topology: Topology,
    *,
    management: Management,
    link: Link,
    vhost: str,
    passwords: Mapping[str, str] | None = None,
) -> list[str]:
    """Apply the topology; what was changed, one line each, empty when everything stood already.

    link: as a user that may configure everything in `vhost`. passwords: user → password; a user without one
    here keeps what it has, and is created for client certificates only. Raises ManagementError,
    ConfigurationError (a queue exists with other arguments).
    """
    changes = await differences(topology, management=management, vhost=vhost, passwords=passwords)
    passwords = passwords or {}
    for user in topology.users:
        await _apply_user(management, vhost, user, passwords.get(user.name))
    await declare_topology(link, topology)
    return changes


async def differences(
    topology: Topology, *, management: Management, vhost: str, passwords: Mapping[str, str] | None = None
) -> list[str]:
    """What `provision` would change, and `stale queue …` for what it would leave; changes nothing itself."""
    exchanges = {e["name"] for e in await management.get("exchanges", vhost) or ()}
    queues = {q["name"]: q["arguments"] for q in await management.get("queues", vhost) or ()}
    bound = {(b["source"], b["destination"], b["routing_key"]) for b in await management.get("bindings", vhost) or ()}
    lines = [f"exchange {name}" for name in topology.exchanges if name not in exchanges]
    lines += [f"queue {q.name}" for q in topology.queues if queues.get(q.name) != dict(q.arguments)]
    lines += [
        f"binding {b.exchange} → {b.queue} {b.key}"
        for b in topology.bindings
        if (b.exchange, b.queue, b.key) not in bound
    ]
    named = {queue.name for queue in topology.queues}
    lines += [f"stale queue {name}" for name in queues if owner_of(name) and name not in named]
    for user in topology.users:
        lines += await _user_differences(management, vhost, user, (passwords or {}).get(user.name))
    return lines


async def _user_differences(management: Management, vhost: str, user: User, password: str | None) -> list[str]:
    known = await management.get("users", user.name)
    if known is None:
        return [f"user {user.name}"] if user.enabled else []
    lines = []
    if user.enabled and password is not None and not _has_password(known, password):
        lines.append(f"password of {user.name}")
    rights = await management.get("permissions", vhost, user.name)
    topics = await management.get("topic-permissions", vhost, user.name)
    if _rights(rights) != ((user.configure, user.write, user.read) if user.enabled else None):
        lines.append(f"permissions of {user.name}")
    if _topics(topics) != dict(user.topics or {}):
        lines.append(f"topic permissions of {user.name}")
    return lines


async def _apply_user(management: Management, vhost: str, user: User, password: str | None) -> None:
    known = await management.get("users", user.name)
    if not user.enabled:
        if known is not None:
            await management.delete("permissions", vhost, user.name)
            await management.delete("topic-permissions", vhost, user.name)
            await management.delete("connections", "username", user.name)
        return
    if known is None or (password is not None and not _has_password(known, password)):
        secret = {"password": password} if password is not None else {"password_hash": ""}
        await management.put("users", user.name, body={"tags": "", **secret})
    await management.put(
        "permissions", vhost, user.name,
        body={"configure": user.configure, "write": user.write, "read": user.read},
    )  # fmt: skip
    topics = user.topics or {}
    held = _topics(await management.get("topic-permissions", vhost, user.name))
    if set(held) - set(topics):
        await management.delete("topic-permissions", vhost, user.name)
    for exchange, (write, read) in topics.items():
        await management.put(
            "topic-permissions", vhost, user.name, body={"exchange": exchange, "write": write, "read": read}
        )


def _rights(answer: Any) -> tuple[str, str, str] | None:
    return (answer["configure"], answer["write"], answer["read"]) if answer else None


def _topics(answer: Any) -> dict[str, tuple[str, str]]:
    return {entry["exchange"]: (entry["write"], entry["read"]) for entry in answer or ()}


def _has_password(known: Mapping[str, Any], password: str) -> bool:
    """RabbitMQ keeps base64(salt of 4 bytes + SHA-256(salt + password))."""
    raw = base64.b64decode(known.get("password_hash") or "")
    return len(raw) == 36 and hashlib.sha256(raw[:4] + password.encode()).digest() == raw[4:]
