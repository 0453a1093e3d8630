"""The demo's week: a car at night, a debtor who pays, a commission returned wrongly, and the report on Monday."""

from __future__ import annotations

from pathlib import Path

import pypdf
import pytest

from simulation.clock import StageClock, hang_up
from simulation.private_broker import PrivateBroker
from simulation.week.play import PLAYED, play_week


@pytest.mark.slow
async def test_a_week_goes_as_it_must_and_is_reported(broker: PrivateBroker, tmp_path: Path) -> None:
    week = await play_week(tmp_path, broker, lambda _: None)
    hang_up(StageClock())
    assert week.problem is None
    assert len(week.scenes) == len(PLAYED)
    assert [path.name for path in week.written] == ["2026-W13.xlsx", "2026-W13.pdf"]
    paper = pypdf.PdfReader(tmp_path / "2026-W13.pdf")
    text = "".join(page.extract_text() for page in paper.pages)
    for said in ("云川县人民法院（演示）", "执行外部协作周报", "临潼区人民法院（演示）", "不属管辖", "未导入"):
        assert said in text
    told = [en for scene in week.scenes for _, _, en in scene.steps]
    assert "Nobody after 10 minutes: desk is paged" in told
    assert "Everybody has acknowledged; nothing is in force any more" in told
