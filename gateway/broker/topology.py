"""What must exist in the broker, as data worked out from the participants and the catalogue (docs/contracts.md 3.2).

    lianzhi.out ──<p>.normal.#──▶ lianzhi.to.<p>          each partner reads its own two
                └─<p>.urgent.#──▶ lianzhi.to.<p>.urgent
    lianzhi.in  ──<p>.normal.#──▶ lianzhi.from.<p>        the gateway reads all of them
                └─<p>.urgent.#──▶ lianzhi.from.<p>.urgent
    each of these ──▶ lianzhi.dead (exchange, key = name of the queue) ──▶ lianzhi.dead (queue)
    lianzhi.mark ──▶ lianzhi.mark                         how far the gateway's store had come: its own (docs/adr/0030)

How long a queue may become is a policy, because an argument cannot be added to a queue that exists. All reject what
comes beyond: the publisher keeps it and tries again; what dies towards a full dead queue stays in its own (at least
once), and counts there (docs/adr/0020).

An urgent pair exists where at least one conversation with this participant is possible: whatever can be asked
can be withdrawn, and `withdraw` and its answer are urgent for every type. Without one, its urgent keys (a ping
may still carry one) lead to the normal queue, so nothing is ever unroutable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.bounds import Bounds
from gateway.core.routing import Directory, Participant, admit
from lianzhi.errors import ConfigurationError, RejectedError
from schemas.catalogue import MatterType

OUT = "lianzhi.out"
IN = "lianzhi.in"
DEAD = "lianzhi.dead"
MARK = "lianzhi.mark"
EXCHANGES = (OUT, IN, DEAD, MARK)
GATEWAY_USER = "lianzhi-gateway"
TO_QUEUES = "lianzhi.to."
FROM_QUEUES = "lianzhi.from."
POLICY_PRIORITY = 10

TO_DELIVERY_LIMIT = 100
FROM_DELIVERY_LIMIT = 20
# Newer brokers drop a message after 20 deliveries where there is no dead-letter exchange; 3.10 takes no -1.
DEAD_DELIVERY_LIMIT = 1_000_000
MARKS_KEPT = 32
"""Marks that lie in their queue at most: the oldest go first, and the highest counts."""

_NOTHING = "^$"
_QUEUE = re.compile(r"^lianzhi\.(to|from)\.([a-z][a-z0-9-]{1,30})(\.urgent)?$")


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Binding:
    exchange: str
    queue: str
    key: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of the virtual host for the queues whose names match. Only one is in force on a queue: the one of the
    highest priority."""

    name: str
    pattern: str
    definition: Mapping[str, Any]
    priority: int = POLICY_PRIORITY


@dataclass(frozen=True, slots=True)
class User:
    """A broker user and its regular expressions; topics: exchange → (write, read). No permissions: locked out.

    limits: `max-connections`, `max-channels`. owner: the file that names the user, for those who must change it.
    """

    name: str
    configure: str = _NOTHING
    write: str = _NOTHING
    read: str = _NOTHING
    topics: Mapping[str, tuple[str, str]] | None = None
    enabled: bool = True
    limits: Mapping[str, int] | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Topology:
    exchanges: tuple[str, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    users: tuple[User, ...]
    policies: tuple[Policy, ...] = ()

    def inbound(self) -> list[str]:
        """Names of the queues that the gateway consumes: every `from` and the dead one."""
        return [q.name for q in self.queues if q.name == DEAD or q.name.startswith(FROM_QUEUES)]

    def outbound(self) -> list[str]:
        """Names of the queues that the gateway publishes to."""
        return [q.name for q in self.queues if q.name.startswith(TO_QUEUES)]


def to_queue(participant: str, lane: str = "normal") -> str:
    """Where a participant finds what is sent to it."""
    return f"{TO_QUEUES}{participant}" + (".urgent" if lane == "urgent" else "")


def from_queue(participant: str, lane: str = "normal") -> str:
    """Where the gateway finds what a participant sent."""
    return f"{FROM_QUEUES}{participant}" + (".urgent" if lane == "urgent" else "")


def owner_of(queue: str) -> str | None:
    """The participant whose `to` or `from` queue this is."""
    match = _QUEUE.match(queue)
    return match[2] if match else None


def replicas_for(nodes: int) -> int:
    """Members of each queue in a cluster of so many nodes: all of them up to five, an odd number, because an even one
    outlives no more of them than the next smaller. Nodes that are down count: they come back, and a queue that was made
    without them stays without them."""
    return max(1, min(5, nodes - (nodes + 1) % 2))


def plan(
    directory: Directory,
    catalogue: Mapping[str, MatterType],
    *,
    replicas: int = 1,
    gateway_user: str = GATEWAY_USER,
    bounds: Bounds | None = None,
) -> Topology:
    """The whole topology. replicas: members of each quorum queue, 3 in a cluster of three or more.

    Raises ConfigurationError: two participants, or one and the gateway, would log in as the same user.
    """
    bounds = bounds or Bounds()
    queues = [Queue(DEAD, _quorum(replicas) | {"x-delivery-limit": DEAD_DELIVERY_LIMIT})]
    queues.append(Queue(MARK, _quorum(replicas) | {"x-max-length": MARKS_KEPT, "x-overflow": "drop-head"}))
    bindings = [Binding(DEAD, DEAD, "#"), Binding(MARK, MARK, "#")]
    for participant in directory.amqp():
        code = participant.code
        urgent = converses(participant, directory, catalogue.values())
        for exchange, name, limit in (
            (OUT, to_queue, TO_DELIVERY_LIMIT),
            (IN, from_queue, FROM_DELIVERY_LIMIT),
        ):
            for lane in ("normal", "urgent"):
                queue = name(code, lane if urgent else "normal")
                bindings.append(Binding(exchange, queue, f"{code}.{lane}.#"))
                if lane == "normal" or urgent:
                    queues.append(Queue(queue, _quorum(replicas) | _dead_lettering(queue, limit)))
    users = [
        # `serve` declares nothing (docs/adr/0006): it publishes to partners and reads what comes from them.
        User(
            gateway_user, write=r"^lianzhi\.(out|mark)$", read=r"^lianzhi\.(from\..+|dead|mark)$",
            owner="lianzhi.toml [broker] url",
        ),
        *(partner_user(p, bounds) for p in directory if p.channel == "amqp"),
    ]  # fmt: skip
    _apart(users)
    return Topology(EXCHANGES, tuple(queues), tuple(bindings), tuple(users), policies(bounds))


def policies(bounds: Bounds) -> tuple[Policy, ...]:
    """How long each kind of queue may become."""
    longest = {
        "max-length": bounds.queue_messages,
        "max-length-bytes": bounds.queue_bytes,
        "overflow": "reject-publish",
    }
    patterns = {"lianzhi.to": r"^lianzhi\.to\.", "lianzhi.from": r"^lianzhi\.from\.", DEAD: r"^lianzhi\.dead$"}
    return tuple(Policy(name, pattern, longest) for name, pattern in patterns.items())


def partner_user(participant: Participant, bounds: Bounds) -> User:
    """Reads its own `to` queues, writes its own keys, nothing else; a disabled one nothing at all."""
    name, code = participant.broker_user or participant.code, participant.code
    owner = f"participants/{code}.toml [broker] user"
    if not participant.enabled:
        return User(name, enabled=False, owner=owner)
    return User(
        name,
        write=rf"^{re.escape(IN)}$",
        read=rf"^lianzhi\.to\.{code}(\.urgent)?$",
        topics={IN: (rf"^{code}\..*", _NOTHING)},
        limits={"max-connections": bounds.user_connections, "max-channels": bounds.user_channels},
        owner=owner,
    )


def _apart(users: Iterable[User]) -> None:
    owners: dict[str, str] = {}
    for user in users:
        if (other := owners.setdefault(user.name, user.owner)) != user.owner:
            raise ConfigurationError(
                f"{other} 与 {user.owner}：代理用户同为 {user.name}，须各用各的。"
                f" Both name the broker user {user.name}; each needs its own."
            )


def converses(participant: Participant, directory: Directory, matters: Iterable[MatterType]) -> bool:
    """Whether any type may go between this participant and one that the gateway speaks for."""
    local = [other for other in directory if other.local]
    return any(
        _admitted(matter, participant, other) or _admitted(matter, other, participant)
        for matter in matters
        for other in local
    )


def _admitted(matter: MatterType, sender: Participant, receiver: Participant) -> bool:
    try:
        admit(matter, sender, receiver)
    except RejectedError:
        return False
    return True


def _quorum(replicas: int) -> dict[str, Any]:
    arguments: dict[str, Any] = {"x-queue-type": "quorum"}
    if replicas > 1:
        arguments["x-quorum-initial-group-size"] = replicas
    return arguments


def _dead_lettering(queue: str, limit: int) -> dict[str, Any]:
    """At-least-once dead-lettering needs `reject-publish` (RabbitMQ, quorum queues)."""
    return {
        "x-overflow": "reject-publish",
        "x-dead-letter-strategy": "at-least-once",
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": queue,
        "x-delivery-limit": limit,
    }
