"""The clock at work on both databases: an overdue commission, after months away, in one go."""

from __future__ import annotations

from pathlib import Path

from gateway.store import SqlStore
from tests.api.test_clocks import SUPERIOR, parties, said, tick, timeline
from tests.api.test_read import commissioned
from tests.api.world import Keys, serving


async def test_an_overdue_commission_is_urged_brought_before_the_superior_and_escalated(
    store: SqlStore, tmp_path: Path
) -> None:
    async with serving(store, tmp_path / "papers", Keys.fresh(SUPERIOR), parties=parties(superior=True)) as world:
        number = await commissioned(world)
        await tick(world, "2026-08-03T09:00")
        assert await said(world, number) == [
            ("overdue", "receipt", "03-25 10:10"),
            ("urge", "", 1),
            ("reminder", "due", "04-08 00:00"),
            ("overdue", "urge", "04-09 00:00"),
            ("urge", "", 1),
            ("overdue", "urge-again", "04-10 00:00"),
            ("urge", "", 2),
            ("overdue", "supervise", "04-14 00:00"),
            ("escalate", "due", "04-16 00:00"),
        ]
        [event] = [e for e in await timeline(world, number) if e.kind == "supervised"]
        supervision = await store.request(event.detail or "")
        assert supervision is not None
        assert (supervision.asked, supervision.related, supervision.state) == (SUPERIOR, number, "approved")
        assert await world.clockwork.once() == 0
