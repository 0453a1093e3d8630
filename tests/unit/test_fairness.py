"""Whose deliveries share a batch and a unit of work: no crowd stands before, or in, another's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.application.inbound.fairness import SHARES, units
from gateway.application.ports.broker import Delivery
from lianzhi.amqp.consumer import Turns

SIZE, MOST = 128, 8 << 20


def delivery(owner: str, tag: int, size: int = 10) -> Delivery:
    return Delivery(owner, f"lianzhi.from.{owner}", b"x" * size, owner, None, "", False, None, tag)


def owners(unit: list[Delivery]) -> list[str]:
    return sorted({d.owner for d in unit})


def test_those_of_whom_little_has_arrived_share_one_commit() -> None:
    batch = [delivery(owner, n) for n in range(10) for owner in ("police", "grid", "fuping")]
    assert units(batch, size=SIZE, max_bytes=MOST) == [
        [d for owner in ("police", "grid", "fuping") for d in batch if d.owner == owner]
    ]


def test_a_crowd_has_units_of_its_own_behind_the_shared_one() -> None:
    batch = [delivery("police", n) for n in range(100)] + [delivery("grid", 200), delivery("fuping", 201)]
    assert [owners(unit) for unit in units(batch, size=SIZE, max_bytes=MOST)] == [["fuping", "grid"], ["police"]]


def test_a_crowd_of_bytes_is_cut_and_crowds_go_in_turn() -> None:
    batch = [delivery(owner, n, 1 << 20) for owner in ("police", "grid") for n in range(16)] + [delivery("fuping", 99)]
    found = units(batch, size=SIZE, max_bytes=MOST)
    assert [owners(unit) for unit in found] == [["fuping"], ["police"], ["grid"], ["police"], ["grid"]]
    assert all(sum(len(d.body) for d in unit) <= MOST for unit in found)


def test_one_that_is_larger_than_a_unit_goes_alone() -> None:
    batch = [delivery("police", 1, 5), delivery("police", 2, 50), delivery("police", 3, 5)]
    assert [[d.tag for d in unit] for unit in units(batch, size=1, max_bytes=10)] == [[1], [2], [3]]


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 400)), max_size=80),
    st.integers(1, 80),
    st.integers(1, 900),
)
def test_every_delivery_is_in_one_unit_in_its_owners_order(given_: list[Any], size: int, most: int) -> None:
    batch = [delivery(owner, tag, length) for tag, (owner, length) in enumerate(given_)]
    found = units(batch, size=size, max_bytes=most)
    assert sorted(d.tag for unit in found for d in unit) == list(range(len(batch)))
    for owner in "abcde":
        tags = [d.tag for unit in found for d in unit if d.owner == owner]
        assert tags == sorted(tags)
    for unit in found:
        assert unit and (len(unit) == 1 or sum(len(d.body) for d in unit) <= most)
        if len(owners(unit)) > 1:
            assert all(sum(d.owner == o for d in unit) * SHARES <= size for o in owners(unit))


# --- what waits to be taken


def incoming(queue: str, tag: int, size: int = 1) -> Any:
    return SimpleNamespace(queue=queue, tag=tag, body=b"x" * size)


def test_queues_are_taken_from_in_turn() -> None:
    waiting = Turns()
    waiting.extend([incoming("a", n) for n in range(500)])
    waiting.extend([incoming("b", 1000), incoming("b", 1001), incoming("c", 2000)])
    taken = waiting.take(8)
    assert [m.queue for m in taken] == ["a", "b", "c", "a", "b", "a", "a", "a"]
    assert len(waiting) == 503 - 8
    assert [m.tag for m in waiting.take(3)] == [5, 6, 7]


def test_a_batch_has_no_more_bytes_than_it_may() -> None:
    waiting = Turns()
    waiting.extend([incoming("a", 1, 60), incoming("a", 2, 60), incoming("b", 3, 30), incoming("b", 4, 200)])
    assert [[m.tag for m in waiting.take(10, 100)] for _ in range(4)] == [[1, 3], [2], [4], []]
    assert len(waiting) == 0


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=60), st.integers(1, 9), st.integers(1, 30)
)
def test_everything_comes_out_once_and_in_the_order_of_its_queue(given_: list[Any], size: int, most: int) -> None:
    waiting = Turns()
    waiting.extend(incoming(queue, tag, length) for tag, (queue, length) in enumerate(given_))
    assert len(list(waiting)) == len(waiting) == len(given_)
    taken = []
    while len(waiting):
        batch = waiting.take(size, most)
        assert 0 < len(batch) <= size
        assert len(batch) == 1 or sum(len(m.body) for m in batch) <= most
        taken += batch
    for queue in "abc":
        tags = [m.tag for m in taken if m.queue == queue]
        assert tags == [tag for tag, (q, _) in enumerate(given_) if q == queue]


def test_what_is_forgotten_is_gone() -> None:
    waiting = Turns()
    waiting.extend([incoming("a", 1), incoming("b", 2)])
    waiting.clear()
    assert (len(waiting), waiting.take(5)) == (0, [])
    waiting.append(incoming("a", 3))
    assert [m.tag for m in waiting.take(5)] == [3]
