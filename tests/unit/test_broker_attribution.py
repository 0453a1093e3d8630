"""Whose a delivery is, by what the broker vouches for; headers and the like decide nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiormq.channel import Channel

from gateway.application.context import Context
from gateway.application.inbound.fairness import Volume
from gateway.bounds import Bounds, Reached
from gateway.broker.consumer import delivery
from gateway.broker.topology import DEAD
from gateway.core.records import Changes
from gateway.core.routing import Directory, Participant
from lianzhi.amqp.deliveries import Incoming
from lianzhi.problem import REASONS
from schemas.catalogue import Kind

COURT = Participant("court-sn0199", Kind.COURT, "法院", "Court", "http", "canonical", home=True)
POLICE = Participant("police-610199", Kind.POLICE, "公安", "Police", "amqp", "police/1", broker_user="police-b")
GRID = Participant("grid-610199", Kind.GRID, "网格", "Grid", "amqp", "grid/1")
DIRECTORY = Directory([COURT, POLICE, GRID])
POLICES, GRIDS = f"lianzhi.from.{POLICE.code}", f"lianzhi.from.{GRID.code}"


DIED: dict[str, Any] = {"x-death": []}


def incoming(queue: str, routing_key: str, user_id: str | None = None, **headers: Any) -> Incoming:
    return Incoming(queue, b"x", routing_key, False, user_id, None, None, headers, 1, cast(Channel, None), 1)


@pytest.mark.parametrize(
    ("came", "owner", "refused", "pointer", "traced"),
    [
        (incoming(POLICES, f"{POLICE.code}.normal.x"), POLICE.code, None, None, True),
        (incoming(POLICES, f"{POLICE.code}.normal.x", None, note="1"), POLICE.code, None, None, True),
        (incoming(POLICES, f"{GRID.code}.normal.x", GRID.code), GRID.code, "misrouted", "/routing_key", True),
        (incoming(POLICES, "nobody.normal.x"), POLICE.code, "misrouted", "/routing_key", False),
        (incoming(POLICES, f"{COURT.code}.normal.x"), POLICE.code, "misrouted", "/routing_key", False),
        (incoming(GRIDS, f"{GRID.code}.n", CC=[]), GRID.code, "forbidden-header", "/headers/CC", True),
        (incoming(GRIDS, f"{GRID.code}.n", **DIED), GRID.code, "forbidden-header", "/headers/x-death", True),
        (incoming(DEAD, POLICES, "police-b"), POLICE.code, None, None, True),
        (incoming(DEAD, POLICES, GRID.code), GRID.code, "misrouted", "/routing_key", True),
        (incoming(DEAD, POLICES, None), POLICE.code, None, None, False),
        (incoming(DEAD, POLICES, "admin"), POLICE.code, None, None, False),
        (incoming(DEAD, f"lianzhi.to.{POLICE.code}.urgent", "lianzhi-gateway"), POLICE.code, None, None, False),
        (incoming(DEAD, "lianzhi.to.gone-610199"), COURT.code, "misrouted", "/routing_key", False),
        (incoming(DEAD, "anything"), COURT.code, "misrouted", "/routing_key", False),
    ],
)  # fmt: skip
def test_whose_it_is(came: Incoming, owner: str, refused: str | None, pointer: str | None, traced: bool) -> None:
    found = delivery(came, DIRECTORY)
    assert (found.owner, found.refused, found.pointer, found.traced) == (owner, refused, pointer, traced)
    assert found.refused is None or found.refused in REASONS


def test_forged_deaths_decide_nothing_in_the_dead_queue() -> None:
    """As a broker leaves them when the publisher wrote them first."""
    tricks = {
        "x-death": [{"queue": f"lianzhi.to.{POLICE.code}", "routing-keys": [f"{POLICE.code}.normal.x"]}],
        "x-first-death-queue": f"lianzhi.to.{POLICE.code}",
    }
    found = delivery(incoming(DEAD, GRIDS, GRID.code, **tricks), DIRECTORY)
    assert (found.owner, found.dead_from, found.refused) == (GRID.code, GRIDS, None)


def test_what_was_not_kept_whole_is_too_large() -> None:
    cut = replace(incoming(GRIDS, f"{GRID.code}.n"), sha256="00", size=9_000_000)
    found = delivery(cut, DIRECTORY)
    assert (found.refused, found.size, found.body_sha256) == ("too-large", 9_000_000, "00")


def test_an_hours_volume_is_counted_and_told_once() -> None:
    bounds = Bounds(partner_messages_per_hour=5, partner_bytes_per_hour=10)
    context = SimpleNamespace(bounds=bounds, reached=Reached(), home=COURT)
    volume = Volume(cast(Context, context))
    now = datetime(2026, 3, 24, 10, 30, tzinfo=UTC)
    few, many = (
        [delivery(incoming(GRIDS, f"{GRID.code}.n"), DIRECTORY)],
        [replace(delivery(incoming(POLICES, f"{POLICE.code}.n"), DIRECTORY), size=2) for _ in range(4)],
    )

    def told(at: datetime) -> list[str | None]:
        changes = Changes()
        volume.tell(changes, at)
        return [event.detail for event in changes.events]

    volume.count([*few, *many], now)
    assert told(now) == [] and not context.reached.counts()
    volume.count(many, now)
    assert told(now) == [
        f"bound:partner_messages_per_hour:{POLICE.code}",
        f"bound:partner_bytes_per_hour:{POLICE.code}",
    ]
    volume.count(many, now)
    assert told(now + timedelta(minutes=1)) == []
    assert dict(context.reached.counts()) == {
        ("partner_messages_per_hour", POLICE.code): 7,
        ("partner_bytes_per_hour", POLICE.code): 14,
    }
    volume.count(many, now + timedelta(hours=1))
    assert told(now + timedelta(hours=1)) == []
