"""Rows O3, O6, C10, O15: `doctor` says everything that will stop work, with its reason and its cure; small mendings."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import pytest
import tomlkit

from lianzhi.files import private_folder
from simulation.parties import GRID, HOME, POLICE, WITNESSES
from simulation.private_broker import free_port
from tests.eventually import eventually
from tests.fault.court import SEAL, draft
from tests.walls.product import Finished, Installation
from tests.walls.test_law_tables import posted

SIGNS = ("✓", "!", "✗", "    ")


@pytest.fixture
def copy(running: Installation, tmp_path: Path) -> Iterator[Path]:
    """Of the serving installation's files, to be broken; its database is the serving one's own."""
    folder = tmp_path / "copy"
    private_folder(folder)
    for part in ("participants", "keys"):
        shutil.copytree(running.folder / part, folder / part)
    for file in running.folder.iterdir():
        if file.is_file() and not file.name.startswith("lianzhi.sqlite"):
            shutil.copy2(file, folder / file.name)
    with settings(running, LIANZHI_STORE__URL=f"sqlite:///{running.folder / 'lianzhi.sqlite'}"):
        yield folder


@contextmanager
def settings(site: Installation, **variables: str) -> Iterator[None]:
    before = dict(site.environment)
    site.environment |= variables
    try:
        yield
    finally:
        site.environment = before


async def doctor(site: Installation, folder: Path, *options: str) -> Finished:
    return await site.run("doctor", *options, "--dir", str(folder), folder=False)


def broker_url(site: Installation) -> str:
    document = tomlkit.parse((site.folder / "lianzhi.toml").read_text(encoding="utf-8")).unwrap()
    url: str = document["broker"]["url"]
    return url


def between(found: Finished) -> list[str]:
    """What is printed and is no line of doctor's."""
    return [line for line in (found.out + found.err).splitlines() if not line.startswith(SIGNS)]


def without_reason(found: Finished) -> list[str]:
    return [line for line in (found.out + found.err).splitlines() if re.search(r"[：:]\s*$", line)]


@pytest.mark.slow
async def test_o3_a_broker_that_is_away_has_a_reason_and_hides_nothing(running: Installation, copy: Path) -> None:
    port = urlsplit(broker_url(running)).port
    with settings(running, LIANZHI_BROKER__URL=broker_url(running).replace(f":{port}/", f":{free_port()}/")):
        found = await doctor(running, copy)
    assert found.code == 1
    assert without_reason(found) == [] and between(found) == []
    assert "✗ 代理 broker" in found.err and "Connect call failed" in found.err
    for line in ("✓ 数据库 store", "隔离区 quarantine", "日历 calendar", "人员 staff", "备份 backup"):
        assert line in found.out, "the rest is looked at all the same"


@pytest.mark.slow
async def test_o3_a_wrong_password_is_said(running: Installation, copy: Path) -> None:
    (copy / "broker.password").write_text("wrong\n")
    found = await doctor(running, copy)
    assert found.code == 1 and without_reason(found) == []
    assert "密码" in found.err and "ACCESS_REFUSED" in found.err


@pytest.mark.parametrize("party", [HOME, POLICE])
@pytest.mark.parametrize("days", [5, *(pytest.param(days, marks=pytest.mark.slow) for days in (-1, 20, 50))])
async def test_c10_keys_that_end_or_have_ended(running: Installation, copy: Path, party: str, days: int) -> None:
    """For encryption, ours and a partner's: ✗ within a week and after the end, ! within sixty days."""
    path, last = copy / "participants" / f"{party}.toml", date.today() + timedelta(days=days)
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    for key in document["keys"]:
        if f"{party}.enc." in key["kid"] and "client" not in key:
            key |= {"from": date(2025, 1, 1), "until": last}
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
    found = await doctor(running, copy)
    lines = [line for line in (found.out + found.err).splitlines() if "密钥 keys" in line and party in line]
    assert [line[0] for line in lines] == ["✗" if days < 7 else "!"], (found.out, found.err)
    assert str(last) in lines[0]
    assert found.code == 1 or days > 7


@pytest.mark.slow
async def test_c10_our_own_private_key_that_is_gone(running: Installation, copy: Path) -> None:
    for file in (copy / "keys" / "private").glob(f"{HOME}.enc.*"):
        file.unlink()
    found = await doctor(running, copy)
    assert f"{HOME}.enc." in found.err and "lianzhi keys new" in found.err, found.out
    assert found.code == 1


async def test_o3_a_court_without_staff(running: Installation, copy: Path) -> None:
    path = copy / "participants" / f"{HOME}.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    del document["staff"]
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
    found = await doctor(running, copy)
    assert "✗ 人员 staff" in found.err and "[[staff]]" in found.err, found.out
    assert found.code == 1


@pytest.mark.slow
async def test_o3_what_waits_for_somebody_is_told(running: Installation, copy: Path) -> None:
    """Rows in quarantine, an empty roster, partners that are not there; none of it is a failure."""
    grid = await running.agency(GRID)
    await grid.publish(b"no message at all")
    await eventually(running.quarantine)
    found = await doctor(running, copy)
    for line in ("! 隔离区 quarantine", "! 值班 roster", "! 单位 partners", "! 备份 backup"):
        assert line in found.out, found.out + found.err
    assert WITNESSES in found.out, "who has never connected is named"
    assert "lianzhi quarantine list" in found.out


@pytest.mark.slow
async def test_o3_json_and_the_three_exit_codes(running: Installation, copy: Path, tmp_path: Path) -> None:
    found = await doctor(running, copy, "--json")
    report = found.json()
    assert report["exit_code"] == found.code
    for check in report["checks"]:
        assert check["zh"], check
        assert check["level"] == "ok" or (check["en"] or "。" in check["zh"]), check
    (copy / "participants" / "nobody.toml").write_text("[[")
    broken = await doctor(running, copy)
    assert "✓ 数据库 store" in broken.out and "nobody.toml" in broken.err, broken.err
    assert broken.code == 1
    nowhere = await doctor(running, tmp_path / "nowhere")
    assert nowhere.code == 2 and "lianzhi.toml" in nowhere.err


async def test_o6_a_partners_doctor_takes_nothing(running: Installation, tmp_path: Path) -> None:
    """Not with --ping either, where nobody consumes: what waits for it goes on waiting, and nobody has answered."""
    toml = shutil.copytree(running.parties.partners[WITNESSES], tmp_path / WITNESSES) / "partner.toml"
    without = [line for line in toml.read_text(encoding="utf-8").splitlines() if not line.startswith("contract")]
    toml.write_text("\n".join(without), encoding="utf-8")  # a version before the contract file runs on it too
    queue, answers = f"lianzhi.to.{WITNESSES}", f"lianzhi.from.{WITNESSES}"
    async with await aio_pika.connect(running.vhost.url()) as connection:
        channel = await connection.channel()

        async def lying(name: str) -> int:
            found = (await channel.declare_queue(name, passive=True)).declaration_result
            return found.message_count or 0

        await channel.default_exchange.publish(aio_pika.Message(b"something that waits"), queue)
        try:
            assert await lying(queue) == 1
            found = await running.run("partner", "doctor", "--ping", "--config", str(toml), folder=False)
            assert found.code in (0, 1), found.err
            assert (await lying(queue), await lying(answers)) == (1, 0)
            assert not list(toml.parent.glob("inbox.sqlite*")), "nothing was received, so there is no ledger"
        finally:
            await (await channel.declare_queue(queue, passive=True)).purge()


async def test_o15_head_is_get_without_its_body(running: Installation) -> None:
    for path in ("/v1/types", "/.well-known/jwks.json", "/readyz", "/v1/requests"):
        async with running.court.session.get(path) as read, running.court.session.head(path) as asked:
            assert (asked.status, asked.content_type) == (read.status, read.content_type), path
            assert await asked.read() == b""


async def test_o15_a_blocked_request_is_accepted_with_the_reason(running: Installation) -> None:
    body, receiver = draft(7001, SEAL)
    absent = "ab" * 32
    for paper in body["documents"]:
        paper["sha256"] = absent
    status, accepted = await posted(running, body, receiver)
    assert (status, accepted["state"]) == (202, "blocked"), accepted
    assert accepted.get("reason") == f"document-missing:{absent}"
    async with running.court.session.get(f"/v1/requests/{accepted['request_no']}") as answer:
        shown = await answer.json()
    assert [(paper["sha256"], bool(paper["kind"]), bool(paper["zh"])) for paper in shown.get("missing", ())] == [
        (absent, True, True)
    ]


async def test_o15_a_state_that_does_not_exist_is_refused_with_those_that_do(running: Installation) -> None:
    async with running.court.session.get("/v1/requests", params={"state": "donee"}) as answer:
        problem = await answer.json(content_type=None)
    assert answer.status in (400, 422)
    assert "completed" in problem["errors"][0]["detail"] and "completed" in problem["errors"][0]["detail_en"]


async def test_o15_the_last_day_of_a_key_is_its_last_day(running: Installation) -> None:
    listed = (await running.run("keys", "list", "--json")).json()
    told = {row["kid"]: row["until"] for row in listed}
    files = (running.folder / "participants").glob("*.toml")
    written = {
        key["kid"]: str(key["until"])
        for file in files
        for key in tomlkit.parse(file.read_text(encoding="utf-8")).unwrap().get("keys", ())
        if "until" in key
    }
    assert written and {kid: told[kid] for kid in written} == written
