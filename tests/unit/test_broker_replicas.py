"""How many members the queues are made with, and what becomes of those that were made with fewer."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.broker.provision import REPLICAS, cluster_size, differences, left_alone
from gateway.broker.topology import DEAD, Queue, Topology, replicas_for


@pytest.mark.parametrize(
    ("nodes", "replicas"), [(0, 1), (1, 1), (2, 1), (3, 3), (4, 3), (5, 5), (6, 5), (7, 5), (100, 5)]
)
def test_an_odd_number_up_to_five(nodes: int, replicas: int) -> None:
    assert replicas_for(nodes) == replicas


class Broker:
    """What the management API says of a cluster: nodes, and queues with their arguments and members."""

    def __init__(self, nodes: list[dict[str, Any]], queues: list[dict[str, Any]]) -> None:
        self._answers = {"nodes": nodes, "queues": queues}

    async def get(self, what: str, *_: str) -> Any:
        return self._answers.get(what, [])


def topology(replicas: int) -> Topology:
    arguments = {"x-queue-type": "quorum", "x-quorum-initial-group-size": replicas, "x-delivery-limit": 5}
    return Topology((), (Queue(DEAD, arguments), Queue("lianzhi.to.police-1", arguments)), (), ())


async def changes(queues: list[dict[str, Any]]) -> list[str]:
    return await differences(topology(3), management=Broker([], queues), vhost="v")  # type: ignore[arg-type]


async def test_nodes_that_are_down_count() -> None:
    broker: Any = Broker([{"name": "a", "running": True}, {"name": "b", "running": False}, {"name": "c"}], [])
    assert await cluster_size(broker) == 3


async def test_a_queue_of_a_smaller_cluster_is_told_of_and_left() -> None:
    """It keeps the number that it was made with: the broker refuses a declaration with another."""
    made = {"x-queue-type": "quorum", "x-delivery-limit": 5}
    few = {"name": DEAD, "arguments": made, "members": ["a"]}
    grown = {"name": "lianzhi.to.police-1", "arguments": made, "members": ["a", "b", "c"]}
    (line,) = await changes([few, grown])
    assert line.startswith(REPLICAS) and left_alone(line) and DEAD in line and "rabbitmq-queues grow" in line
    assert await changes([few | {"members": ["a", "b", "c"]}, grown]) == []


async def test_other_arguments_are_still_a_difference() -> None:
    other = {"name": DEAD, "arguments": {"x-queue-type": "quorum", "x-delivery-limit": 9}, "members": ["a", "b", "c"]}
    assert f"queue {DEAD}" in await changes([other])
