"""A backup taken while the gateway works holds everything that was accepted before it, restores, and is clean; what is
damaged or in the way is refused, and nothing is lost over it. The handbook's page is run word by word."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from simulation.parties import POLICE
from tests import postgres
from tests.eventually import eventually
from tests.fault.court import ENTRUST, LOCATE, NOTICE, VERIFY
from tests.walls.product import (
    HERE,
    Finished,
    Installation,
    clean_environment,
    command,
    finish,
    is_this_checkout,
    run_alone,
)

NEW = "the commands db backup, db restore and db check did not exist"
PAGE = HERE / "docs" / "handbook" / "restore.md"
BLOCK = re.compile(r"^```sh[^\n]*\n(.*?)^```$", re.M | re.S)
SYSTEMCTL = """#!/bin/sh
case "$1" in
stop) kill "$(cat {pid})"; while kill -0 "$(cat {pid})" 2>/dev/null; do sleep 0.1; done ;;
start) setsid {lianzhi} serve >>{log} 2>&1 & echo $! >{pid} ;;
status) kill -0 "$(cat {pid})" && echo 'active (running)' ;;
esac
"""
Record = Callable[[str, object], None]


async def made(folder: Path) -> Path:
    """An installation without a broker."""
    done = await run_alone("init", "--court", "陕0114", "--dir", str(folder))
    assert done.code == 0, done.err
    return folder


async def backed_up(folder: Path, out: Path, *more: str) -> Path:
    done = await run_alone("db", "backup", "--out", str(out), "--json", "--dir", str(folder), *more)
    assert done.code == 0, done.err
    return Path(done.json()["backup"])


async def restored(backup: Path, folder: Path, *more: str) -> Finished:
    return await run_alone("db", "restore", str(backup), "--dir", str(folder), *more)


def names(backup: Path) -> list[str]:
    with tarfile.open(backup) as tar:
        return tar.getnames()


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


async def test_t1_a_backup_is_closed_and_whole(tmp_path: Path, record_property: Record) -> None:
    record_property("new", NEW)
    folder, out = await made(tmp_path / "court"), tmp_path / "backups"
    backup = await backed_up(folder, out)
    assert (out.stat().st_mode & 0o777, backup.stat().st_mode & 0o777) == (0o700, 0o600)
    held = names(backup)
    assert (held[0], held[-1]) == ("database.sqlite", "manifest.json")
    assert {"installation/lianzhi.toml", "installation/participants/court-sn0114.toml"} <= set(held)
    assert not [name for name in held if "private" in name or "hash.key" in name or "handover" in name]
    kept = names(await backed_up(folder, tmp_path / "keys.tar", "--with-keys"))
    assert {"installation/hash.key", "installation/keys/private/court-sn0114.sig.1.jwk"} <= set(kept)
    assert not [name for name in kept if "handover" in name]
    again = await run_alone("db", "backup", "--out", str(tmp_path / "keys.tar"), "--dir", str(folder))
    assert again.code == 2
    assert names(tmp_path / "keys.tar") == kept


@pytest.mark.slow
async def test_t1_only_older_backups_are_removed(tmp_path: Path, record_property: Record) -> None:
    record_property("new", NEW)
    folder, out = await made(tmp_path / "court"), tmp_path / "backups"
    first = await backed_up(folder, out)
    other = out / "somebody-else.tar"
    other.write_bytes(b"")
    (out / ".lianzhi-backup-0123456789abcdef").mkdir()  # of a run that was killed
    second, third = await backed_up(folder, out), await backed_up(folder, out, "--keep", "2")
    assert sorted(out.iterdir()) == sorted([other, second, third])
    assert not first.exists()


@pytest.mark.slow
async def test_t1_a_damaged_backup_touches_nothing(tmp_path: Path, record_property: Record) -> None:
    record_property("new", NEW)
    folder = await made(tmp_path / "court")
    backup = await backed_up(folder, tmp_path / "backups")
    before, content = everything(folder), backup.read_bytes()
    for damaged in (
        content[:5000] + b"!" + content[5001:],  # a byte of the database
        content[: len(content) // 2],
        content[:-20_000],  # without the manifest's end
        b"no backup at all",
    ):
        backup.write_bytes(damaged)
        done = await restored(backup, folder, "--over")
        assert done.code == 2, done.out + done.err
        assert everything(folder) == before
        assert (await restored(backup, tmp_path / "new")).code == 2
        assert not (tmp_path / "new").exists()


@pytest.mark.slow
async def test_t1_a_database_is_moved_aside_never_lost(tmp_path: Path, record_property: Record) -> None:
    record_property("new", NEW)
    folder = await made(tmp_path / "court")
    backup = await backed_up(folder, tmp_path / "backups")
    with closing(sqlite3.connect(folder / "lianzhi.sqlite")) as db, db:
        db.execute("INSERT INTO number_blocks VALUES ('court-sn0114', '20260324', 101)")
    refused = await restored(backup, folder)
    assert refused.code == 2
    assert "--over" in refused.err
    done = await restored(backup, folder, "--over")
    assert done.code == 0, done.err
    assert "lianzhi db restored" in done.out
    [aside] = folder.glob("lianzhi.sqlite.before-*Z")
    assert (blocks(folder / "lianzhi.sqlite"), blocks(aside)) == (0, 1)


def blocks(database: Path) -> int:
    with closing(sqlite3.connect(database)) as db:
        found: int = db.execute("SELECT count(*) FROM number_blocks").fetchone()[0]
    return found


@pytest.mark.slow
async def test_t1_on_a_new_machine(tmp_path: Path, record_property: Record) -> None:
    """Without keys it says what is missing, with keys it is the same installation."""
    record_property("new", NEW)
    folder = await made(tmp_path / "court")
    bare = await restored(await backed_up(folder, tmp_path / "bare.tar"), tmp_path / "bare")
    assert bare.code == 0, bare.err
    assert "hash.key" in bare.out
    assert "keys/private/*.jwk" in bare.out
    with_keys = await backed_up(folder, tmp_path / "keys.tar", "--with-keys")
    whole = await restored(with_keys, tmp_path / "whole")
    assert "hash.key" not in whole.out
    same = {n: c for n, c in everything(folder).items() if not n.startswith(("handover/", "lianzhi.sqlite", "last-"))}
    assert same.items() <= everything(tmp_path / "whole").items()


@pytest.mark.slow
async def test_t1_check_tells_by_its_exit_code(tmp_path: Path, record_property: Record) -> None:
    record_property("new", NEW)
    folder = await made(tmp_path / "court")
    where = ("--dir", str(folder), "--json")
    assert (await run_alone("db", "check", *where)).json()["clean"] is True
    with closing(sqlite3.connect(folder / "lianzhi.sqlite")) as db, db:
        db.execute("INSERT INTO timers (request_no, kind, due_at, count) VALUES ('court-sn0114-20260324-000001', 'due', 0, 0)")  # fmt: skip  # noqa: E501
    found = await run_alone("db", "check", *where)
    [finding] = found.json()["findings"]
    assert (found.code, finding["rule"], finding["table"]) == (1, "timer-request", "timers")
    assert finding["zh"]
    assert finding["en"]
    (folder / "lianzhi.sqlite").rename(folder / "elsewhere")
    assert (await run_alone("db", "check", *where)).code == 2


@pytest.mark.slow
async def test_t1_beside_a_gateway_that_serves(running: Installation, tmp_path: Path, record_property: Record) -> None:
    record_property("new", NEW)
    await running.court.hand_in_paper()
    await running.court.submit_all(running.court.orders(4, (LOCATE, VERIFY), first=7_000))
    backup = tmp_path / "backup.tar"
    done = await running.run("db", "backup", "--out", str(backup))
    assert done.code == 0, done.err
    refused = await running.run("db", "restore", str(backup), "--over")
    assert refused.code == 2, refused.out
    assert "in use by another process" in refused.err
    looked = await running.run("db", "check", "--documents", "--json")
    assert looked.code == 0, looked.out
    await running.court.submit_all(running.court.orders(1, (VERIFY,), first=7_100))  # it has lost nothing over it


# --- under load


@asynccontextmanager
async def loaded(site: Installation) -> AsyncIterator[None]:
    """The court submits without a pause, the police answers some of it."""
    await site.court.hand_in_paper()
    police, stop, answered = await site.agency(POLICE), asyncio.Event(), set[str]()

    async def submits(first: int) -> None:
        while not stop.is_set():
            await site.court.submit_all(site.court.orders(8, (LOCATE, VERIFY, ENTRUST, NOTICE), first=first), 4)
            first += 8

    async def answers() -> None:
        while not stop.is_set():
            open_ones = [order for order in site.court.accepted.values() if order not in answered]
            for number in open_ones[:3]:
                answered.add(number)
                with suppress(AssertionError, KeyError, TimeoutError):  # one that went to somebody else
                    async with asyncio.timeout(0.5):
                        await police.answer(number, "delivered")
            await asyncio.sleep(0.1)

    tasks = [asyncio.create_task(submits(10_000 * n)) for n in (1, 2)] + [asyncio.create_task(answers())]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def back_up_under_load(site: Installation, root: Path, times: int, pause: float, fresh: Any) -> None:
    """fresh: environment of a place to restore to, for each time."""
    await site.serve()
    async with loaded(site):
        await eventually(lambda: len(site.court.accepted) > 20, 60)
        for number in range(times):
            accepted = list(site.court.accepted.values())
            done = await site.run("db", "backup", "--out", str(root / "backups"), "--with-keys", "--json")
            assert done.code == 0, done.err
            await whole(done.json(), accepted, root / f"restored-{number}", await fresh())
            await asyncio.sleep(pause)
    looked = await site.run("db", "check", "--documents", "--json")
    assert looked.json()["clean"] is True, looked.out


async def whole(backup: Any, accepted: list[str], folder: Path, environment: dict[str, str]) -> None:
    assert backup["manifest"]["rows"]["requests"] >= len(accepted)
    environment = clean_environment() | environment
    back = await finish([command(), "db", "restore", backup["backup"], "--dir", str(folder)], environment, timeout=120)
    assert back.code == 0, back.out + back.err
    looked = await finish([command(), "db", "check", "--documents", "--json", "--dir", str(folder)], environment, timeout=60)  # fmt: skip  # noqa: E501
    assert json.loads(looked.out)["clean"] is True, looked.out
    shown = await finish([command(), "request", "show", accepted[-1], "--json", "--dir", str(folder)], environment, timeout=60)  # fmt: skip  # noqa: E501
    assert shown.code == 0, f"{accepted[-1]} was accepted before the backup: {shown.err}"


async def anywhere() -> dict[str, str]:
    return {}


async def another_database() -> dict[str, str]:
    return {"LIANZHI_STORE__URL": await postgres.shared().new_database("template0")}


async def test_t1_backups_under_load(site: Installation, tmp_path: Path, record_property: Record) -> None:
    record_property("new", NEW)
    await back_up_under_load(site, tmp_path, 5, 2, anywhere)


async def test_t1_backups_under_load_on_postgresql(
    postgres_site: Installation, tmp_path: Path, record_property: Record
) -> None:
    record_property("new", NEW)
    await back_up_under_load(postgres_site, tmp_path, 5, 2, another_database)
    refused = await postgres_site.run("db", "restore", str(max((tmp_path / "backups").iterdir())), "--over")
    assert refused.code == 2, "a gateway serves"
    await postgres_site.stop(postgres_site.processes[-1])
    over = await postgres_site.run("db", "restore", str(max((tmp_path / "backups").iterdir())), "--over")
    assert over.code == 0, over.out + over.err
    assert "before_" in over.out


@pytest.mark.chaos
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_backups_every_ten_seconds_for_two_minutes(kind: str, tmp_path: Path, vhost: Any) -> None:
    from tests.walls.product import installed

    url = await postgres.shared().new_database("template0") if kind == "postgresql" else None
    async with installed(tmp_path, vhost, store_url=url) as site:
        await back_up_under_load(site, tmp_path, 12, 10, another_database if url else anywhere)


# --- the page


async def test_t1_the_handbooks_page_word_by_word(site: Installation, tmp_path: Path, record_property: Record) -> None:
    record_property("new", NEW)
    if not is_this_checkout():
        pytest.fail("it has no such page")
    programs, pid, log = tmp_path / "bin", tmp_path / "pid", tmp_path / "served.log"
    programs.mkdir()
    (programs / "lianzhi").symlink_to(command())
    (programs / "systemctl").write_text(SYSTEMCTL.format(pid=pid, log=log, lianzhi=command()))
    (programs / "journalctl").write_text(f"#!/bin/sh\ncat {log}\n")
    for name in ("systemctl", "journalctl"):
        (programs / name).chmod(0o755)
    served = tmp_path / "srv" / "lianzhi" / "gateway"
    served.parent.mkdir(parents=True)
    served.symlink_to(site.folder)
    (tmp_path / "srv" / "safe").mkdir()  # as root makes them in the page's section 0
    (tmp_path / "srv" / "backup" / "lianzhi").mkdir(parents=True)
    process = await site.serve()
    pid.write_text(str(process.pid))
    await site.court.hand_in_paper()
    await site.court.submit_all(site.court.orders(4, (LOCATE, VERIFY)))
    script = "\n".join(BLOCK.findall(PAGE.read_text("utf-8"))).replace("/srv", str(tmp_path / "srv"))
    environment = clean_environment() | site.environment | {"LIANZHI_HTTP__PORT": str(site.port)}
    environment["PATH"] = f"{programs}:{os.environ['PATH']}"
    try:
        done = await finish(["bash", "-exc", script], environment, timeout=180)
        assert done.code == 0, done.out + done.err + (log.read_text() if log.exists() else "")
        assert done.out.count("everything agrees") == 5
        assert "active (running)" in done.out
        shown = await run_alone("request", "show", next(iter(site.court.accepted.values())), "--dir", str(tmp_path / "srv" / "new" / "gateway"))  # fmt: skip  # noqa: E501
        assert shown.code == 0, shown.err
    finally:
        with suppress(ProcessLookupError, ValueError):
            os.kill(int(pid.read_text()), 15)
