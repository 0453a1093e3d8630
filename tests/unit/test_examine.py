"""What `lianzhi doctor` looks at, in an installation that is new: nothing is served, and no broker is there."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.commands.doctor import PAPERS, doctor, tell
from gateway.commands.examine import examine
from gateway.core import checkup
from gateway.core.checkup import Check
from gateway.core.operating.records import Hold
from gateway.core.silence import Silence
from gateway.http.operating.place import group_of
from gateway.registry.config import load_config
from gateway.registry.installation import create_home
from gateway.store.upkeep.migrate import migrate
from simulation.private_broker import free_port

NOW = datetime(2026, 3, 24, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "court"
    create_home(folder, "陕0199", code="court-sn0199", client="cms1", today=date(2026, 3, 24))
    path, port = folder / "lianzhi.toml", free_port()
    text = path.read_text(encoding="utf-8").replace("127.0.0.1:5672", f"127.0.0.1:{port}")
    path.write_text(text.replace("127.0.0.1:15672", f"127.0.0.1:{port}"), encoding="utf-8")
    return folder


def looked(folder: Path) -> dict[str, Check]:
    checks, could_look = asyncio.run(examine(folder, NOW))
    assert could_look
    assert all(check.zh and (check.level == "ok" or check.fix or "未核对" in check.zh) for check in checks)
    return {check.name: check for check in checks}


def test_a_broker_that_is_away_hides_nothing_else(folder: Path) -> None:
    asyncio.run(migrate(load_config(folder).store_url))
    found = looked(folder)
    assert found["broker"].level == "wrong"
    assert found["staff"].level == "wrong" and "unknown-staff" in found["staff"].zh
    sound = ("configuration", "law", "store", "quarantine", "holds")
    assert {name: found[name].zh for name in sound if found[name].level != "ok"} == {}


def test_a_database_that_is_not_migrated_says_so(folder: Path) -> None:
    found = looked(folder)
    assert (found["store"].level, found["store"].fix) == ("wrong", "lianzhi db migrate")
    assert found["stored"].level == "warning"


def test_without_a_configuration_nobody_can_look(tmp_path: Path) -> None:
    checks, could_look = asyncio.run(examine(tmp_path, NOW))
    assert not could_look and [check.level for check in checks][:1] == ["wrong"]


def test_operators_and_their_files_are_told(folder: Path) -> None:
    path = folder / "lianzhi.toml"
    with path.open("a", encoding="utf-8") as file:
        file.write('\n[operators.wang]\nname = "王某"\nrole = "viewer"\n')
    path.chmod(0o644)
    asyncio.run(migrate(load_config(folder).store_url))
    found = looked(folder)
    assert (found["operators"].level, found["operators"].zh) == ("ok", "viewer（查看） 1")
    assert found["files"].level == "wrong" and "chmod" in found["files"].fix


def listed(folder: Path, user: str) -> None:
    path = folder / "lianzhi.toml"
    with path.open("a", encoding="utf-8") as file:
        file.write(f'\n[operators.{user}]\nname = "{user}"\nrole = "viewer"\n')


def test_where_nobody_operates_the_roles_are_named(folder: Path) -> None:
    found = looked(folder)["operators"]
    assert found.level == "warning"
    assert all(word in found.fix for word in ("[operators.USER]", "viewer 查看", "operator 操作", "supervisor 主管"))


def test_an_operator_who_is_no_user_of_the_system_is_told(folder: Path) -> None:
    listed(folder, "nobody-of-that-name")
    found = looked(folder)["operators-way"]
    assert found.level == "warning" and "useradd" in found.fix and "nobody-of-that-name" in found.zh


def test_an_operator_who_cannot_get_through_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First by his groups, then by the folder's mode."""
    listed(folder, "daemon")
    found = looked(folder)["operators-way"]
    assert found.level == "warning" and "usermod -aG" in found.fix
    monkeypatch.setattr(os, "getgrouplist", lambda user, gid: [gid, group_of(folder)[0]])
    folder.chmod(0o700)
    found = looked(folder)["operators-way"]
    assert "不让用户组" in found.zh and "chmod g+x" in found.fix


def test_what_people_have_stopped_must_not_be_forgotten() -> None:
    assert checkup.holds([]).level == "ok"
    told = checkup.holds(
        [Hold("partner", "police-1", NOW, "wang", "王某", "检修"), Hold("all", "", NOW, "li", "李某", "停")]
    )
    assert told.level == "warning" and "police-1" in told.zh and "all (li" in told.zh


def test_partners_that_are_silent_or_have_another_time_are_named() -> None:
    assert checkup.silences([]).level == "ok"
    told = checkup.silences([Silence("police-1", "no-consumer", NOW, NOW)])
    assert told.level == "warning" and "police-1 no-consumer" in told.zh
    assert checkup.partner_clocks({"police-1": timedelta(0)}) == []
    (apart,) = checkup.partner_clocks({"police-1": timedelta(minutes=9)})
    assert apart.level == "warning" and "police-1 +540 s" in apart.zh


def test_pages_are_named_where_the_bundle_put_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = checkup.calendar([2026], date(2026, 12, 1))
    tell([lacking])
    assert "docs/calendar.md" in capsys.readouterr().out
    (tmp_path / PAPERS).mkdir(parents=True)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    tell([lacking])
    assert f"{tmp_path}/{PAPERS}/docs/calendar.md" in capsys.readouterr().out
    assert PAPERS in (Path(__file__).parents[2] / "deploy" / "install.sh").read_text("utf-8")


def test_every_line_is_printed_with_what_mends_it(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    tell([Check("a", "甲 a", "ok", "好", "good"), Check("b", "乙 b", "wrong", "坏", "bad", "修 mend")])
    printed = capsys.readouterr()
    assert "✓ 甲 a：好  good" in printed.out and "✗ 乙 b：坏" in printed.err and "→ 修 mend" in printed.err
    assert doctor.__doc__
