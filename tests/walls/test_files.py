"""What lies on the disk of a gateway, a partner and a court system is readable by its own user alone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulation.parties import GRID
from tests.eventually import eventually
from tests.fault.court import SEAL
from tests.walls.product import Installation, clean_environment, finish, python, run_alone

PAPER = b"%PDF-1.7 " + bytes(4 << 20)


DOOR = {".": 0o067, "run": 0o007, "run/operate.sock": 0o007}
"""What operators come in through is for a group (docs/adr/0047): it passes through the folder and reads nothing there;
everybody else is kept out."""


def open_to_others(root: Path) -> list[str]:
    """Names below `root`, and itself, that the group or everybody may touch."""
    every = [root, *root.rglob("*")]
    found = ((str(path.relative_to(root)), path.lstat().st_mode) for path in every)
    return sorted(name for name, m in found if not stat.S_ISLNK(m) and m & DOOR.get(name, 0o077))


def opened(root: Path) -> None:
    """As an earlier version left it under the usual umask."""
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


async def script(name: str, *arguments: str, umask: int) -> dict[str, int]:
    path = Path(__file__).with_name("scripts") / name
    done = await finish([python(), str(path), *arguments], clean_environment(), umask=umask, timeout=60)
    assert done.code == 0, done.err
    found: dict[str, int] = json.loads(done.out.splitlines()[-1])
    return found


async def installed_under(folder: Path, umask: int) -> list[str]:
    """A new installation, a client and a key more; what of it lies open."""
    where = ("--dir", str(folder))
    for words in (
        ("init", "--court", "陕0114"),
        ("clients", "add", "court-sn0114", "cms2"),
        ("keys", "new", "court-sn0114", "sig", "2"),
        ("keys", "new", "court-sn0114", "sub", "other", "--handover"),
        ("db", "migrate"),
        ("keys", "export", "--for", "court-sn0114", "--out", str(folder / "handover" / "everybody.jwks.json")),
        ("report", "weekly", "--xlsx", str(folder / "week.xlsx")),
        ("clients", "revoke", "court-sn0114", "cms2"),
    ):
        done = await run_alone(*words, *where, umask=umask)
        assert done.code == 0, done.err
    return open_to_others(folder)


@pytest.mark.slow
@pytest.mark.parametrize("umask", [0o000, 0o022], ids=["000", "022"])
async def test_s4_an_installation_is_closed(tmp_path: Path, umask: int) -> None:
    assert await installed_under(tmp_path / "court", umask) == []


async def test_an_installation_under_a_closed_umask_works(tmp_path: Path) -> None:
    assert await installed_under(tmp_path / "court", 0o077) == []


async def slowly(started: asyncio.Event, go_on: asyncio.Event) -> AsyncIterator[bytes]:
    yield PAPER[: len(PAPER) // 2]
    started.set()
    await go_on.wait()
    yield PAPER[len(PAPER) // 2 :]


async def test_s4_serving(site: Installation) -> None:
    """From before: everything open. Then a paper while it still arrives, the database and its journal while it is
    written, and all that is left in the end."""
    opened(site.folder)
    await site.serve(umask=0o000)
    assert open_to_others(site.folder) == []
    await site.court.hand_in_paper()
    await site.court.submit(site.court.orders(1, [SEAL])[0])

    started, go_on = asyncio.Event(), asyncio.Event()
    digest = hashlib.sha256(PAPER).hexdigest()
    put = asyncio.create_task(
        _put(site, f"/v1/documents/{digest}", slowly(started, go_on)),
    )
    await started.wait()
    incoming = site.folder / "documents" / "incoming"
    (arriving,) = await eventually(lambda: list(incoming.glob("*")))
    assert arriving.stat().st_size < len(PAPER)
    assert open_to_others(site.folder) == []
    go_on.set()
    assert await put == 201
    names = {path.name for path in site.folder.rglob("*")}
    assert {"lianzhi.sqlite", "lianzhi.sqlite-wal", "lianzhi.sqlite-shm", digest} <= names
    assert open_to_others(site.folder) == []


async def _put(site: Installation, path: str, body: AsyncIterator[bytes]) -> int:
    headers = {"Content-Type": "application/pdf"}
    async with site.court.session.put(path, data=body, headers=headers) as answer:
        return answer.status


async def test_s4_doctor_says_what_lies_open(site: Installation) -> None:
    """With how many, no names, and the command that mends it, in both languages."""
    (site.folder / "participants" / f"{GRID}.toml").chmod(0o644)
    found = await site.run("doctor")
    assert found.code == 1, found.out
    assert "1 个文件" in found.err and "1 files were open" in found.err and "chmod" in found.err
    (site.folder / "participants" / f"{GRID}.toml").chmod(0o600)
    for path in [site.folder, *site.folder.rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)
    found = await site.run("doctor")
    assert "chmod" not in found.err, found.err


@pytest.mark.parametrize("umask", [0o000, 0o022], ids=["000", "022"])
async def test_s4_a_partner(site: Installation, umask: int) -> None:
    folder = site.parties.partners[GRID]
    opened(folder)
    modes = await script("partner_open.py", str(folder / "partner.toml"), umask=umask)
    assert {"inbox.sqlite", "inbox.sqlite-wal", "inbox.sqlite-shm"} <= modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
    assert open_to_others(folder) == []


@pytest.mark.parametrize("umask", [0o000, 0o022], ids=["000", "022"])
async def test_s4_a_court_system(site: Installation, tmp_path: Path, umask: int) -> None:
    config = site.parties.write_client(tmp_path / "cms", site.url)
    opened(config.parent)
    modes = await script("client_open.py", str(config), umask=umask)
    assert {"spool.sqlite", "spool.sqlite-wal", "spool.sqlite-shm", "token"} <= modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
    assert open_to_others(config.parent) == []
