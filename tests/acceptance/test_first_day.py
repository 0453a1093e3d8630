"""The first day: an empty RabbitMQ, an empty folder, and the commands that the handbook names, in their order.

At its end an agency has unpacked its starter package, `lianzhi partner doctor` finds nothing wrong in it, and the
program of twenty lines that came with it has receipted what the court asked. Nothing here calls the product's modules.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import zipfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from simulation.parties import POLICE
from simulation.private_broker import PrivateBroker, free_port
from tests.eventually import eventually
from tests.fault.court import LOCATE, Court
from tests.walls.product import Finished, clean_environment, command, finish, python

pytestmark = pytest.mark.slow  # a broker, a gateway, an agency, and a process for each command

VHOST = "court/陕0199"
IN_URL = "court%2F%E9%99%950199"
STAFF = """编号,姓名,执行证号,职务,自,至,电话,邮箱
sn0199-0001,院演示,陕0199-0001,president,2026-01-01,,,
sn0199-0003,局演示,陕0199-0003,bureau-chief,2026-01-01,,,
sn0199-0007,李演示,陕0199-0007,handler、judge,2026-01-01,,13800138007,
sn0199-0011,备演示,陕0199-0011,handler,2026-01-01,,13800138011,
sn0199-0031,书演示,陕0199-0031,clerk,2026-01-01,,,
"""
STARTED = ("setpriv", "--pdeathsig", "KILL")


async def lianzhi(folder: Path, *words: str, code: int = 0, **environment: str) -> Finished:
    """The command on the installation in `folder`, to its end."""
    whole = [command(), *words, "--dir", str(folder)]
    done = await finish(whole, clean_environment() | environment, timeout=120)
    assert done.code == code, f"{' '.join(words)} → {done.code}\n{done.out}{done.err}"
    assert "Traceback" not in done.err
    return done


@asynccontextmanager
async def program(*words: str, log: Path, cwd: Path) -> AsyncIterator[Process]:
    """Runs until the block is left."""
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *STARTED, *words, cwd=cwd, env=clean_environment(), stdin=DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        await process.wait()


def said(log: Path) -> str:
    """The end of a program's log."""
    return log.read_text(errors="replace")[-3000:]


async def is_ready(url: str, process: Process, log: Path) -> bool:
    assert process.returncode is None, said(log)
    with suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
            return answer.status == 200 and (await answer.json()).get("broker") == "connected"
    return False


def unpacked(package: Path, to: Path) -> Path:
    """As `unzip` does, with the modes that the archive says."""
    with zipfile.ZipFile(package) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, to))
            path.chmod(stat.S_IMODE(entry.external_attr >> 16))
    return to / POLICE


async def has_state(court: Court, number: str, states: set[str]) -> bool:
    async with court.session.get(f"/v1/requests/{number}") as answer:
        return (await answer.json())["state"] in states


async def is_refused(court: Court, first: int, reason: str) -> bool:
    """Whether a new submission to the police is refused for this reason. Until the gateway has read the file it is
    taken, and then refused for its handler's daily limit, which is judged last."""
    status, document, _ = await court.post(court.orders(1, (LOCATE,), first=first)[0])
    return status != 202 and str(document["type"]).endswith(f":{reason}")


async def test_from_an_empty_broker_to_the_first_receipt(tmp_path: Path) -> None:
    folder, port = tmp_path / "court", free_port()
    staff = tmp_path / "staff.csv"
    staff.write_text("\ufeff" + STAFF, encoding="utf-8")  # as a spreadsheet on Windows writes it
    async with PrivateBroker() as broker:
        word = tmp_path / "admin.password"
        word.write_text(broker.password + "\r\n", encoding="utf-8")
        at = f"amqp://lianzhi-gateway@127.0.0.1:{broker.ports.amqp}/{IN_URL}"
        made = await lianzhi(folder, "init", "--court", "陕0199", "--broker", at, "--management", broker.management_url)
        token = next(text for text in made.out.split() if text.startswith("lz_cms1_"))
        assert "lianzhi staff import" in made.out.splitlines()[-1]
        await lianzhi(folder, "staff", "import", str(staff))
        await lianzhi(
            folder, "participants", "add", POLICE, "--kind", "police", "--zh", "云川县公安局", "--en", "Police",
            "--division", "610199",
        )  # fmt: skip
        await lianzhi(folder, "participants", "check")
        admin = ("--admin", broker.admin, "--password-file", str(word))
        applied = await lianzhi(folder, "broker", "apply", *admin)
        assert f"virtual host {VHOST}" in applied.out
        assert "Nothing to change" in (await lianzhi(folder, "broker", "apply", *admin)).out
        await lianzhi(folder, "doctor")
        package = tmp_path / "police.zip"
        await lianzhi(folder, "participants", "package", POLICE, "--out", str(package))
        assert stat.S_IMODE(package.stat().st_mode) == 0o600

        log, url = tmp_path / "gateway.log", f"http://127.0.0.1:{port}"
        settings = folder / "lianzhi.toml"
        settings.write_text(settings.read_text("utf-8").replace("port = 8080", f"port = {port}"), encoding="utf-8")
        async with (
            program(command(), "serve", "--dir", str(folder), log=log, cwd=tmp_path) as gateway,
            Court(token, folder / "handover" / "cms1", url) as court,
        ):
            await eventually(lambda: is_ready(url, gateway, log), 60)
            await court.hand_in_paper()
            order = court.orders(1, (LOCATE,))[0]
            await court.submit(order)
            number = court.accepted[order.key]

            theirs = unpacked(package, tmp_path / "unpacked")
            doctor = [command(), "partner", "doctor", "--config", str(theirs / "partner.toml")]
            healthy = await finish(doctor, clean_environment(), timeout=60)
            assert healthy.code == 0 and "✗" not in healthy.out, healthy.out + healthy.err
            seen = tmp_path / "partner.log"
            async with program(python(), "partner.py", log=seen, cwd=theirs):
                await eventually(lambda: has_state(court, number, {"received"}), 60)
            assert number in said(seen)

            suspended = await lianzhi(folder, "participants", "suspend", POLICE, *admin)
            assert number in suspended.out
            fresh = count(7)
            await eventually(lambda: is_refused(court, next(fresh), "receiver-does-not-take"), 30)
            locked_out = await finish(doctor, clean_environment(), timeout=60)
            assert locked_out.code == 1 and "NOT_ALLOWED" in locked_out.out
            left = await lianzhi(folder, "staff", "leave", "sn0199-0007", code=1)
            assert number in left.out
            kept = await lianzhi(folder, "participants", "remove", POLICE, code=1)
            assert number in kept.out
