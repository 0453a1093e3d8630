"""One more organisation is one more file, written by `lianzhi new participant`; nothing else is touched.

By the how-to (docs/howto/new-organisation.md): the commands as a court's administrator gives them; then, over a real
broker, the organisation takes and answers what the court asks, and is told that it is confirmed.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tomlkit

from gateway.broker.topology import GATEWAY_USER
from gateway.registry.config import FILE
from simulation.parties import CONTRACT
from simulation.private_broker import PrivateBroker
from tests.clerk import answered
from tests.walls.product import clean_environment
from tests.world import World, open_world

pytestmark = pytest.mark.slow  # a broker, and a process for each command

CODE = "grid-610198"
VERIFY = "grid.verify.request"


async def lianzhi(*words: str | Path, **environment: str) -> None:
    """The command, as its user gives it."""
    command = [str(Path(sys.executable).with_name("lianzhi")), *map(str, words)]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, env={**clean_environment(), **environment}, timeout=120
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def hand_over(world: World, folder: Path) -> None:
    """The organisation's own folder: its private keys and its settings come to what the court has handed over."""
    installation = world.parties.folder
    court = tomlkit.parse((installation / FILE).read_text(encoding="utf-8")).unwrap()
    for key in (installation / "handover" / CODE).glob("*.private.jwk"):
        key.rename(folder / key.name)
    settings = {
        "code": CODE,
        "amqp": court["broker"]["url"].replace(GATEWAY_USER, CODE),
        "password_file": "amqp.password",
        "sign_key": f"{CODE}.sig.1.private.jwk",
        "open_key": f"{CODE}.enc.1.private.jwk",
        "gateway_keys": "court.keys.json",
        "ledger": "inbox.sqlite",
        "system": "网格平台（演示）",
        "dialect": "grid/1",
        "contract": CONTRACT,
    }
    (folder / "partner.toml").write_text(tomlkit.dumps(settings), encoding="utf-8")
    world.parties.partners[CODE] = folder


async def test_one_file_takes_an_organisation_in(broker: PrivateBroker, tmp_path: Path) -> None:
    async with open_world(broker, tmp_path, partners=()) as world:
        installation = world.parties.folder
        at = ("--dir", installation)
        before = files(installation)
        await lianzhi("new", "participant", CODE, "--kind", "grid", "--zh", "网格（演示）", "--en", "Grid (demo)", *at)
        after = files(installation)
        assert after.keys() - before.keys() == {f"participants/{CODE}.toml"}
        assert {name: after[name] for name in before} == before

        for purpose in ("sig", "enc"):
            await lianzhi("keys", "new", CODE, purpose, "1", "--handover", *at)
        await lianzhi("participants", "check", *at)
        folder = tmp_path / "partners" / CODE
        folder.mkdir(parents=True)
        (folder / "amqp.password").write_text("grid-1\n", encoding="utf-8")
        passwords = tmp_path / "passwords.json"
        passwords.write_text(json.dumps({CODE: "grid-1"}), encoding="utf-8")
        admin = {"LIANZHI_BROKER_ADMIN": broker.admin, "LIANZHI_BROKER_ADMIN_PASSWORD": broker.password}
        await lianzhi("broker", "apply", "--passwords", passwords, *at, **admin)
        await lianzhi("keys", "export", "--for", CODE, "--out", folder / "court.keys.json", *at)
        await lianzhi("participants", "contract", CODE, "--out", folder / CONTRACT, *at)
        hand_over(world, folder)
        world.clock.pass_by(seconds=(datetime.now(UTC) - world.clock.now()).total_seconds())  # the new keys are today's
        await world.start()

        number = await world.court.ask(VERIFY, receiver=CODE)
        office = await world.office(CODE)
        asked = (await office.understood(await office.next(number, "open")))["payload"]
        await office.answer(number, "receipt")
        said = answered(VERIFY, asked, world.clock.now())
        await office.answer(number, "result", said)
        await world.reaches(number, "completed")
        assert await world.court.read(number, "result") == said
        assert (await world.court.say(number, "confirm")).status == 202
        await world.reaches(number, "closed")
        await office.next(number, "confirm")
