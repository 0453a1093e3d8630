"""What must exist in the broker, as data worked out from the participants and the catalogue (docs/design.md 3.2).

    lianzhi.out ──<p>.normal.#──▶ lianzhi.to.<p>          each partner reads its own two
                └─<p>.urgent.#──▶ lianzhi.to.<p>.urgent
    lianzhi.in  ──<p>.normal.#──▶ lianzhi.from.<p>        the gateway reads all of them
                └─<p>.urgent.#──▶ lianzhi.from.<p>.urgent
    each of these ──▶ lianzhi.dead (exchange, key = name of the queue) ──▶ lianzhi.dead (queue)

An urgent pair exists where at least one conversation with this participant is possible: whatever can be asked
can be withdrawn, and `withdraw` and its answer are urgent for every type. Without one, its urgent keys (a ping
may still carry one) lead to the normal queue, so nothing is ever unroutable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.routing import Directory, Participant, admit
from gateway.errors import RejectedError
from schemas.catalogue import MatterType

OUT = "lianzhi.out"
IN = "lianzhi.in"
DEAD = "lianzhi.dead"
EXCHANGES = (OUT, IN, DEAD)
GATEWAY_USER = "lianzhi-gateway"

TO_DELIVERY_LIMIT = 100
FROM_DELIVERY_LIMIT = 20
# Newer brokers drop a message after 20 deliveries where there is no dead-letter exchange; 3.10 takes no -1.
DEAD_DELIVERY_LIMIT = 1_000_000

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
class User:
    """A broker user and its regular expressions; topics: exchange → (write, read). No permissions: locked out."""

    name: str
    configure: str = _NOTHING
    write: str = _NOTHING
    read: str = _NOTHING
    topics: Mapping[str, tuple[str, str]] | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Topology:
    exchanges: tuple[str, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    users: tuple[User, ...]

    def inbound(self) -> list[str]:
        """Names of the queues that the gateway consumes: every `from` and the dead one."""
        return [q.name for q in self.queues if q.name == DEAD or q.name.startswith("lianzhi.from.")]


def to_queue(participant: str, lane: str = "normal") -> str:
    """Where a participant finds what is sent to it."""
    return f"lianzhi.to.{participant}" + (".urgent" if lane == "urgent" else "")


def from_queue(participant: str, lane: str = "normal") -> str:
    """Where the gateway finds what a participant sent."""
    return f"lianzhi.from.{participant}" + (".urgent" if lane == "urgent" else "")


def owner_of(queue: str) -> str | None:
    """The participant whose `to` or `from` queue this is."""
    match = _QUEUE.match(queue)
    return match[2] if match else None


def plan(
    directory: Directory,
    catalogue: Mapping[str, MatterType],
    *,
    replicas: int = 1,
    gateway_user: str = GATEWAY_USER,
) -> Topology:
    """The whole topology. replicas: members of each quorum queue, 3 in a cluster of three or more."""
    queues = [Queue(DEAD, _quorum(replicas) | {"x-delivery-limit": DEAD_DELIVERY_LIMIT})]
    bindings = [Binding(DEAD, DEAD, "#")]
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
        User(gateway_user, write=rf"^{re.escape(OUT)}$", read=r"^lianzhi\.(from\..+|dead)$"),
        *(partner_user(p) for p in directory if p.channel == "amqp"),
    ]
    return Topology(EXCHANGES, tuple(queues), tuple(bindings), tuple(users))


def partner_user(participant: Participant) -> User:
    """Reads its own `to` queues, writes its own keys, nothing else; a disabled one nothing at all."""
    name, code = participant.broker_user or participant.code, participant.code
    if not participant.enabled:
        return User(name, enabled=False)
    return User(
        name,
        write=rf"^{re.escape(IN)}$",
        read=rf"^lianzhi\.to\.{code}(\.urgent)?$",
        topics={IN: (rf"^{code}\..*", _NOTHING)},
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
