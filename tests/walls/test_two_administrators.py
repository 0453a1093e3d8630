"""Two administrators at once: one wins, the other is told in words, and nothing is half-written."""

from __future__ import annotations

import asyncio
import csv
import fcntl
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aio_pika
import pytest
import tomlkit

from tests.conftest import Vhost
from tests.walls.product import Finished, clean_environment, command, finish

pytestmark = pytest.mark.slow  # a process for each command

POLICE = "police-610114"
COURT, HOME = "陕0199", "court-sn0199"
ADD = ("participants", "add", POLICE, "--kind", "police", "--zh", "公安", "--en", "Police")
AT_WORK = "另一名管理员的命令正在修改本安装"
_names = count(1)
Command = Callable[..., Awaitable[Finished]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "court"


@pytest.fixture
def lianzhi(folder: Path) -> Command:
    async def run(*words: str, **environment: str) -> Finished:
        whole = [command(), *words, "--dir", str(folder)]
        done = await finish(whole, clean_environment() | environment, timeout=300)
        assert "Traceback" not in done.err, done.err[-3000:]
        return done

    return run


@pytest.fixture
async def court(lianzhi: Command, folder: Path) -> Path:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    return folder


def content(folder: Path) -> dict[str, str]:
    """File → digest."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def somebody_at_work(folder: Path) -> Iterator[None]:
    """As a command that takes its time."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def people(path: Path, numbers: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["no", "name", "permit", "roles", "from"])
        for number in numbers:
            rows.writerow([number, f"演示{number[-2:]}", f"610199-{number[-4:]}", "handler", "2026-01-01"])
    return path


async def both(one: Awaitable[Finished], other: Awaitable[Finished]) -> tuple[list[Finished], list[Finished]]:
    """(those that did it, those that were refused)."""
    ended = await asyncio.gather(one, other)
    return [done for done in ended if done.code == 0], [done for done in ended if done.code != 0]


@pytest.mark.parametrize(
    "words",
    [
        ADD,
        ("participants", "remove", HOME),
        ("staff", "import", "{list}"),
        ("staff", "leave", "sn0199-0001"),
        ("clients", "add", HOME, "cms9"),
        ("clients", "revoke", HOME, "cms1"),
        ("keys", "new", HOME, "sig", "9"),
        ("broker", "apply"),
    ],
    ids=" ".join,
)
async def test_who_comes_second_is_told_and_changes_nothing(
    lianzhi: Command, court: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    listed = people(tmp_path / "people.csv", ["sn0199-0001"])
    before = content(court)
    with somebody_at_work(court):
        done = await lianzhi(*(w.format(list=listed) for w in words), LIANZHI_BROKER_ADMIN_PASSWORD="no")
    assert done.code == 1 and AT_WORK in done.err and str(os.getpid()) in done.err, done.out + done.err
    assert content(court) == before


async def test_two_add_the_same_participant(lianzhi: Command, court: Path) -> None:
    won, lost = await both(lianzhi(*ADD), lianzhi(*ADD))
    assert (len(won), len(lost)) == (1, 1), [done.out + done.err for done in (*won, *lost)]
    assert any(word in lost[0].err for word in (AT_WORK, "已存在", "有同名单位留下的密钥")), lost[0].err
    document = tomlkit.parse((court / "participants" / f"{POLICE}.toml").read_text("utf-8")).unwrap()
    named = {entry["jwk"] for entry in document["keys"]}
    assert named == {str(p.relative_to(court)) for p in (court / "keys").glob(f"{POLICE}.*.jwk")}
    checked = await lianzhi("participants", "check")
    assert f"✓ participants/{POLICE}.toml" in checked.out, checked.out + checked.err


async def test_two_import_staff(lianzhi: Command, court: Path, tmp_path: Path) -> None:
    """Whoever wins has the whole list in; of whoever is refused nobody is; both, where they did not meet."""
    lists = [[f"sn0199-{first + n:04d}" for n in range(40)] for first in (1000, 2000)]
    files = [people(tmp_path / f"{numbers[0]}.csv", numbers) for numbers in lists]
    ended = await asyncio.gather(*(lianzhi("staff", "import", str(file)) for file in files))
    assert 0 in [done.code for done in ended], [done.err for done in ended]
    listed = {row["no"] for row in (await lianzhi("staff", "list", "--json")).json()}
    for numbers, done in zip(lists, ended, strict=True):
        assert done.code == 0 or AT_WORK in done.err, done.err
        assert (listed & set(numbers)) == (set(numbers) if done.code == 0 else set())


async def test_two_apply_to_the_broker(lianzhi: Command, court: Path, vhost: Vhost) -> None:
    """On a broker that has nothing yet: the passwords in the files are those that the broker knows."""
    name, user = f"two-{next(_names)}", f"gateway-two-{os.getpid()}"
    set_broker(court, url=f"amqp://{user}@127.0.0.1:{vhost.broker.ports.amqp}/{name}", vhost=vhost)
    admin = {"LIANZHI_BROKER_ADMIN": vhost.broker.admin, "LIANZHI_BROKER_ADMIN_PASSWORD": vhost.broker.password}
    assert (await lianzhi(*ADD)).code == 0
    try:
        won, lost = await both(*(lianzhi("broker", "apply", **admin) for _ in range(2)))
        assert won, [done.err for done in lost]
        assert all(AT_WORK in done.err for done in lost), [done.err for done in lost]
        again = await lianzhi("broker", "apply", **admin)
        assert (again.code, "Nothing to change" in again.out) == (0, True), again.out + again.err
        for login, file in ((user, "broker.password"), (POLICE, f"handover/{POLICE}/amqp.password")):
            secret = (court / file).read_text("utf-8").strip()
            connection = await aio_pika.connect(
                host="127.0.0.1", port=vhost.broker.ports.amqp, virtualhost=name, login=login, password=secret
            )
            await connection.close()
    finally:
        await vhost.management.delete("vhosts", name)
        for one in (user, POLICE):
            await vhost.management.delete("users", one)


def set_broker(folder: Path, *, url: str, vhost: Vhost) -> None:
    path = folder / "lianzhi.toml"
    document: Any = tomlkit.parse(path.read_text("utf-8"))
    document["broker"].update(url=url, management=vhost.broker.management_url)
    path.write_text(tomlkit.dumps(document), "utf-8")
