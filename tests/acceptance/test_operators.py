"""What operators do, over the real socket, beside a gateway, a broker and agencies that work.

Who acts is a system user: of this test's own, and of others that are made for it where it runs as root.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
import tomlkit

from gateway.registry.config import FILE
from tests.refusals import bytes_of
from tests.world import World

LIANZHI = Path(sys.executable).with_name("lianzhi")
OWN = pwd.getpwuid(os.geteuid()).pw_name
LI, WANG, ZHAO = "lz-test-li", "lz-test-wang", "lz-test-zhao"
NAMES = {LI: "李演示", WANG: "王演示", ZHAO: "赵演示"}


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class Desk:
    """Commands against the running gateway, as whoever."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.folder = world.parties.folder

    async def run(self, *words: str, user: str | None = None, columns: int = 80) -> Ended:
        """`lianzhi …` to its end."""
        command = [str(LIANZHI), *words, "--dir", str(self.folder)]
        if user is not None:
            found = pwd.getpwnam(user)
            identity = (f"--reuid={found.pw_uid}", f"--regid={found.pw_gid}", "--init-groups")
            command = ["setpriv", *identity, "--", *command]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "COLUMNS": str(columns), "HOME": "/"}, cwd="/",
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def done(self, *words: str, user: str | None = None) -> Any:
        """What a command that succeeds says with `--json`."""
        ended = await self.run(*words, "--json", user=user)
        assert ended.code == 0, ended.err
        return ended.json()

    def list_operators(self, **roles: tuple[str, str]) -> None:
        """user → (name, role), and nobody else."""
        path = self.folder / FILE
        document = tomlkit.parse(path.read_text("utf-8"))
        document["operators"] = {user: {"name": name, "role": role} for user, (name, role) in roles.items()}
        path.write_text(tomlkit.dumps(document), "utf-8")

    async def acts(self, act: str) -> list[dict[str, Any]]:
        """The events of that act, in the court's feed."""
        return [e.head for e in await self.world.events(kind="operated") if e.head and e.head["act"] == act]


@pytest_asyncio.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    desk = Desk(world)
    kept = (desk.folder / FILE).read_bytes()
    yield desk
    (desk.folder / FILE).write_bytes(kept)


async def quarantined(world: World) -> int:
    """Bytes of the police's that are no message; the number of their row."""
    world.clock.pass_by(seconds=61)
    police = await world.agency()
    bad = bytes_of(f"rubbish {os.urandom(8).hex()}".encode())
    await police.publish(bad)
    number = (await world.quarantined(bad)).id
    assert number is not None
    return number


async def test_a_row_is_closed_once_with_a_reason_and_one_event(world: World, desk: Desk) -> None:
    number = await quarantined(world)
    assert number in [row["id"] for row in await desk.done("quarantine", "list")]
    closed = await desk.done("quarantine", "close", str(number), "--why", "测试数据，已与单位核对")
    assert (closed["changed"], closed["user"]) == (True, OWN)
    assert number not in [row["id"] for row in await desk.done("quarantine", "list")]
    assert (await desk.done("quarantine", "show", str(number)))["ended"]["why"] == "测试数据，已与单位核对"

    again = await desk.done("quarantine", "close", str(number), "--why", "另一个理由")
    assert (again["changed"], again["why"]) == (False, "测试数据，已与单位核对")
    (event,) = [e for e in await desk.acts("quarantine-close") if e["about"] == f"quarantine:{number}"]
    assert (event["user"], event["name"], event["why"]) == (OWN, "演示操作员", "测试数据，已与单位核对")
    (act,) = await desk.done("acts", "--about", f"quarantine:{number}")
    assert (act["act"], act["user"], act["result"]) == ("quarantine-close", OWN, "closed")
