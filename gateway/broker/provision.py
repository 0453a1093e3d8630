"""Brings a broker to the topology: users, permissions and policies over its HTTP API, the rest over AMQP.

Only adds and corrects; a queue that the topology no longer names is reported and left, with what is in it. So is a user
that has rights in another virtual host: two courts may share a broker, and a user has one password for all of it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.broker.management import Management, ManagementError
from gateway.broker.topology import POLICY_PRIORITY, Policy, Queue, Topology, User, owner_of
from lianzhi.amqp import declare as wire
from lianzhi.amqp.link import Link

STALE, UNTOUCHED, REPLICAS = "stale", "untouched", "replicas"
GROUP_SIZE = "x-quorum-initial-group-size"
CLOSE_TRIES, CLOSE_PAUSE_SECONDS = 120, 0.25  # half a minute: on a busy broker the list follows by seconds


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


async def cluster_size(management: Management) -> int:
    """How many nodes the cluster has, also those that are down. Raises ManagementError."""
    return len(await management.get("nodes") or ())


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
    here keeps what it has, and is created for client certificates only. What is not ours to change stays and is said
    (`untouched …`). Raises ManagementError, ConfigurationError (a queue exists with other arguments).
    """
    changes = await differences(topology, management=management, vhost=vhost, passwords=passwords)
    passwords = passwords or {}
    for user in topology.users:
        await apply_user(management, vhost, user, passwords.get(user.name))
    for policy in topology.policies:
        await management.put("policies", vhost, policy.name, body=_policy(policy))
    held = {q["name"]: q["arguments"] for q in await management.get("queues", vhost) or ()}
    await declare_topology(
        link, replace(topology, queues=tuple(_as_made(q, held.get(q.name)) for q in topology.queues))
    )
    return changes


def _as_made(queue: Queue, held: Mapping[str, Any] | None) -> Queue:
    """How many members a queue was made with stays in its arguments, whatever the cluster has become since: a queue
    that exists is declared with that number, not with ours, which the broker would refuse."""
    if held is None:
        return queue
    arguments = {name: value for name, value in queue.arguments.items() if name != GROUP_SIZE}
    return replace(queue, arguments=arguments | ({GROUP_SIZE: held[GROUP_SIZE]} if GROUP_SIZE in held else {}))


async def differences(
    topology: Topology, *, management: Management, vhost: str, passwords: Mapping[str, str] | None = None
) -> list[str]:
    """What `provision` would change, and `stale queue …`, `untouched …` for what it would leave; changes nothing
    itself."""
    exchanges = {e["name"] for e in await management.get("exchanges", vhost) or ()}
    there = {q["name"]: q for q in await management.get("queues", vhost) or ()}
    queues = {name: queue["arguments"] for name, queue in there.items()}
    bound = {(b["source"], b["destination"], b["routing_key"]) for b in await management.get("bindings", vhost) or ()}
    lines = [f"exchange {name}" for name in topology.exchanges if name not in exchanges]
    lines += [
        f"queue {q.name}"
        for q in topology.queues
        if queues.get(q.name) != dict(_as_made(q, queues.get(q.name)).arguments)
    ]
    lines += [
        f"binding {b.exchange} → {b.queue} {b.key}"
        for b in topology.bindings
        if (b.exchange, b.queue, b.key) not in bound
    ]
    named = {queue.name for queue in topology.queues}
    lines += [f"{STALE} queue {name}" for name in queues if owner_of(name) and name not in named]
    lines += _few_members(topology, there)
    lines += _policy_differences(topology, await management.get("policies", vhost) or ())
    for user in topology.users:
        lines += await _user_differences(management, vhost, user, (passwords or {}).get(user.name))
    return lines


ADVICE = (
    "上述用户属于别的法院或用途，未予改动：请在所列文件中另起用户名；确属同一单位的，由管理员先以 rabbitmqctl"
    " set_permissions 在本虚拟主机授权，再执行一次。 These users are another court's or serve another purpose and were"
    " left as they are: name a user of its own in the file listed; where it is the same party, the administrator first"
    " grants it rights here (rabbitmqctl set_permissions), then run this again."
)
"""To whoever finds `untouched …` users among the differences."""


_NOUNS = {
    "virtual host ": "虚拟主机",
    "rights of ": "权限",
    "exchange ": "交换机",
    "queue ": "队列",
    "binding ": "绑定",
    "policy ": "策略",
    "user ": "用户",
    "password of ": "密码",
    "limits of ": "上限",
    "permissions of ": "权限",
    "topic permissions of ": "主题权限",
    f"{STALE} queue ": "已不登记的队列",
    UNTOUCHED: "未予改动",
    REPLICAS: "副本",
}


def worded(line: str) -> str:
    """A line of `differences` or `provision` for people: what it is about in Chinese, then as it stands."""
    return next(f"{zh} {line}" for start, zh in _NOUNS.items() if line.startswith(start))


def left_alone(line: str) -> bool:
    """Whether a line of `differences` is about something that `provision` does not change."""
    return line.startswith((STALE, UNTOUCHED, REPLICAS))


def _few_members(topology: Topology, there: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Queues that were made when the cluster was smaller. What a queue is made of is the administrator's to change:
    a new member copies all that lies in it."""
    few = [
        queue.name
        for queue in topology.queues
        if (members := there.get(queue.name, {}).get("members")) and len(members) < queue.arguments.get(GROUP_SIZE, 1)
    ]
    if few:
        wanted = max(queue.arguments.get(GROUP_SIZE, 1) for queue in topology.queues)
        yield (
            f"{REPLICAS}：{len(few)} 个队列的副本少于 {wanted}（如 {few[0]}），请对每个新节点执行"
            f" rabbitmq-queues grow <node> all。 {len(few)} queues have fewer than {wanted} members, e.g. {few[0]}:"
            " run `rabbitmq-queues grow <node> all` for each new node."
        )


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "pattern": policy.pattern,
        "apply-to": "queues",
        "priority": policy.priority,
        "definition": dict(policy.definition),
    }


def _policy_differences(topology: Topology, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Ours that are missing or other, and others' that would be in force on our queues in their place."""
    ours = {policy.name: policy for policy in topology.policies}
    known = {policy["name"]: policy for policy in found}
    for name, policy in ours.items():
        held = known.get(name, {})
        if {member: held.get(member) for member in _policy(policy)} != _policy(policy):
            figures = ", ".join(f"{key} {value}" for key, value in policy.definition.items())
            yield f"policy {name}: {figures}"
    for name, other in known.items():
        if name in ours or other["apply-to"] not in ("queues", "all", "quorum_queues"):
            continue
        if other["priority"] >= POLICY_PRIORITY and (hit := _first_match(other["pattern"], topology)):
            yield (
                f"{UNTOUCHED} policy {name}：优先级 {other['priority']} 压过本网关的队列上限（如 {hit}），"
                f"请调低到 {POLICY_PRIORITY} 以下，或把上限写进它。 It overrides our limits of the queues, e.g. {hit}:"
                f" give it a priority below {POLICY_PRIORITY}, or take the limits into it."
            )


def _first_match(pattern: str, topology: Topology) -> str | None:
    try:
        return next((queue.name for queue in topology.queues if re.search(pattern, queue.name)), None)
    except re.error:  # Erlang's expressions know what Python's do not
        return None


@dataclass(frozen=True, slots=True)
class _Account:
    """A broker user as the broker knows it. A user is one for all virtual hosts: its password, limits and tags are not
    ours to change when it has rights elsewhere, or is more than a partner. others: those virtual hosts."""

    known: Mapping[str, Any] | None
    others: tuple[str, ...]
    rights: tuple[str, str, str] | None
    limits: Mapping[str, int]

    @property
    def foreign(self) -> bool:
        return self.known is not None and bool(self.others or self.known.get("tags"))

    def whose(self) -> tuple[str, str]:
        """Why it is foreign, in both languages."""
        if self.others:
            hosts = ", ".join(self.others)
            return f"它在虚拟主机 {hosts} 有权限", f"it has rights in virtual host {hosts}"
        tags = self.known.get("tags") if self.known else ""
        words = ",".join(tags) if isinstance(tags, list) else str(tags)
        return f"它带有标签 {words}", f"it bears the tags {words}"


async def _account(management: Management, vhost: str, user: User) -> _Account:
    known = await management.get("users", user.name)
    if known is None:
        return _Account(None, (), None, {})
    held = {entry["vhost"]: entry for entry in await management.get("users", user.name, "permissions") or ()}
    limits = await management.get("user-limits", user.name) or ()
    return _Account(
        known,
        tuple(sorted(held.keys() - {vhost})),
        _rights(held.get(vhost)),
        next((entry["value"] for entry in limits), {}),
    )


async def _user_differences(management: Management, vhost: str, user: User, password: str | None) -> list[str]:
    account = await _account(management, vhost, user)
    if account.known is None:
        return [f"user {user.name}"] if user.enabled else []
    common = []
    if user.enabled and password is not None and not _has_password(account.known, password):
        common.append("password")
    if user.enabled and any(account.limits.get(name) != value for name, value in (user.limits or {}).items()):
        common.append("limits")
    lines = [f"{what} of {user.name}" for what in common]
    if account.foreign:
        granted = account.rights is not None or not user.enabled
        lines = _untouched(user, account, common if granted else [*common, f"rights in {vhost}"])
        if not granted:
            return lines
    topics = await management.get("topic-permissions", vhost, user.name)
    if account.rights != ((user.configure, user.write, user.read) if user.enabled else None):
        lines.append(f"permissions of {user.name}")
    if _topics(topics) != dict(user.topics or {}):
        lines.append(f"topic permissions of {user.name}")
    return lines


def _untouched(user: User, account: _Account, what: Sequence[str]) -> list[str]:
    if not what:
        return []
    zh, en = account.whose()
    return [f"{UNTOUCHED} {', '.join(what)} of {user.name} ({user.owner})：{zh}。 {en[0].upper()}{en[1:]}."]


async def apply_user(management: Management, vhost: str, user: User, password: str | None) -> None:
    """One user as the topology has it; a disabled one is locked out. Raises ManagementError."""
    account = await _account(management, vhost, user)
    if not user.enabled:
        if account.known is not None:
            await lock_out(management, vhost, user.name)
        return
    if account.foreign:
        if account.rights is None:
            return
    else:
        await _apply_account(management, user, account, password)
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


async def _apply_account(management: Management, user: User, account: _Account, password: str | None) -> None:
    """What holds in every virtual host: password and limits."""
    known = account.known
    if known is None or (password is not None and not _has_password(known, password)):
        secret = {"password": password} if password is not None else {"password_hash": ""}
        await management.put("users", user.name, body={"tags": "", **secret})
    for name, value in (user.limits or {}).items():
        if account.limits.get(name) != value:
            await management.put("user-limits", user.name, name, body={"value": value})


async def lock_out(management: Management, vhost: str, name: str) -> None:
    """Out of this virtual host at once; what the user does in others is theirs. Raises ManagementError."""
    await management.delete("permissions", vhost, name)
    await management.delete("topic-permissions", vhost, name)
    for _ in range(CLOSE_TRIES):
        here = [c for c in await management.get("connections", "username", name) or () if c["vhost"] == vhost]
        if not here:
            return
        for connection in here:
            await management.delete("connections", connection["name"])
        await asyncio.sleep(CLOSE_PAUSE_SECONDS)
    raise ManagementError(f"{name}：仍有连接未能关闭 / its connections could not be closed")


def _rights(answer: Any) -> tuple[str, str, str] | None:
    return (answer["configure"], answer["write"], answer["read"]) if answer else None


def _topics(answer: Any) -> dict[str, tuple[str, str]]:
    return {entry["exchange"]: (entry["write"], entry["read"]) for entry in answer or ()}


def _has_password(known: Mapping[str, Any], password: str) -> bool:
    """RabbitMQ keeps base64(salt of 4 bytes + SHA-256(salt + password))."""
    raw = base64.b64decode(known.get("password_hash") or "")
    return len(raw) == 36 and hashlib.sha256(raw[:4] + password.encode()).digest() == raw[4:]
