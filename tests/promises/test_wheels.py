"""What an agency or a court system installs: one wheel, one top-level name, nothing of the server; and it works alone.

Both wheels are built from the tree; the library's is installed in an environment that has nothing else. Needs PyPI.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import zipfile
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.bootstrap import Gateway, running
from gateway.registry.config import load_config
from schemas.catalogue import catalogue
from simulation.parties import GRID, HANDLER, POLICE, Parties
from simulation.private_broker import PrivateBroker
from tests.acceptance.foreign import LOCATE, PDF, VERIFY, locate, stage, submission
from tests.agency import Agency
from tests.eventually import eventually
from tests.walls.product import WallClock, clean_environment

pytestmark = pytest.mark.slow  # builds, installs, and a broker

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).with_name("scripts")
UV = str(ROOT / ".tools" / "bin" / "uv")
SERVER = ("schemas", "adapters", "gateway", "simulation", "sqlalchemy", "alembic", "asyncpg", "prometheus_client")
VISITED = [
    "result",
    {
        "items": [
            {
                "ref": catalogue()[VERIFY].example_request["person"]["ref"],
                "workerNo": "g-01",
                "workerName": "网演示",
                "visitedAt": "2026-03-26T10:00:00+08:00",
                "livesHere": "1",
            }
        ]
    },
    {"outcome": "done", "as_of": "2026-03-26T10:30:00+08:00"},
]
"""The grid's words: verb, body in its dialect, codes in clear."""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By distribution."""
    out = tmp_path_factory.mktemp("wheels")
    run(UV, "build", "--all-packages", "--wheel", "--quiet", "--out-dir", str(out), cwd=ROOT)
    return {path.name.split("-")[0]: path for path in out.glob("*.whl")}


@pytest.fixture(scope="module")
def alone(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the library alone."""
    folder = tmp_path_factory.mktemp("alone") / "venv"
    run(UV, "venv", "--quiet", "--python", sys.executable, str(folder))
    run(UV, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), str(wheels["lianzhi"]))
    return folder / "bin"


def run(*words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, timeout=300, env=environment())
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


def environment() -> dict[str, str]:
    return {name: value for name, value in clean_environment().items() if name != "VIRTUAL_ENV"}


@asynccontextmanager
async def served(broker: PrivateBroker, root: Path, vhost: str) -> AsyncIterator[tuple[Parties, Gateway]]:
    """By the wall's clock, as programs of their own have no other."""
    async with stage(broker, root, vhost) as parties, running(load_config(parties.folder)) as gateway:
        yield parties, gateway


def tops(wheel: Path) -> set[str]:
    """Top-level names that it installs."""
    return {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_two_wheels_and_what_each_installs(wheels: dict[str, Path]) -> None:
    assert wheels.keys() == {"lianzhi", "lianzhi_gateway"}
    assert tops(wheels["lianzhi"]) == {"lianzhi"}
    assert tops(wheels["lianzhi_gateway"]) == {"schemas", "adapters", "gateway"}


def test_the_library_brings_nothing_of_the_server(alone: Path) -> None:
    asked = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n)])"
    assert run(str(alone / "python"), "-I", "-c", asked, *SERVER).split() == []
    commands = run(str(alone / "lianzhi"), "--help")
    assert "partner" in commands and "submit" in commands
    assert "serve" not in commands


async def test_an_agency_of_twenty_lines_answers_what_the_command_submits(
    alone: Path, broker: PrivateBroker, tmp_path: Path
) -> None:
    async with served(broker, tmp_path / "stage", "wheels-agency") as (parties, gateway):
        toml = parties.partners[GRID] / "partner.toml"
        doctor = await command(alone / "lianzhi", "partner", "doctor", "--config", str(toml))
        assert doctor[0] == 0, doctor[1]
        words = written(tmp_path / "answers.json", VISITED)
        agency = await program(alone / "python", SCRIPTS / "agency.py", toml, words)
        try:
            client = parties.write_client(tmp_path / "court-system", gateway.url)
            body = written(tmp_path / "body.json", submission(VERIFY, purpose="verify-residence"))
            code, out = await command(
                alone / "lianzhi", "submit", str(body), "--config", str(client), "--receiver", GRID, "--json"
            )
            assert code == 0, out
            number = json.loads(out)["request_no"]

            async def completed() -> bool:
                found = await gateway.context.store.request(number)
                return found is not None and found.state == "completed"

            await eventually(completed)
        finally:
            agency.terminate()
            await agency.wait()


async def test_a_place_that_cannot_be_used_is_sent_back_by_the_client(
    alone: Path, broker: PrivateBroker, tmp_path: Path
) -> None:
    async with served(broker, tmp_path / "stage", "wheels-court") as (parties, gateway):
        client = parties.write_client(tmp_path / "court-system", gateway.url)
        paper = tmp_path / "paper.pdf"
        paper.write_bytes(PDF)
        body = written(tmp_path / "body.json", locate(hashlib.sha256(PDF).hexdigest()))
        court = await program(alone / "python", SCRIPTS / "court.py", client, body, paper, POLICE, HANDLER)
        try:
            assert court.stdout is not None
            number = (await court.stdout.readline()).decode().strip()
            police = Agency(parties.partners[POLICE], WallClock())
            await police.connect()
            talk = await police.opened(number)
            ref = catalogue()[LOCATE].example_request["person"]["ref"]
            wrong = dict(catalogue()[LOCATE].example_result) | {"items": [{"ref": ref, "sightings": [{"place": "?"}]}]}
            await police.say(talk, "result", wrong)
            told = (await court.stdout.read()).decode()
            assert "missing-member" in told, told
        finally:
            if court.returncode is None:
                court.kill()
            await court.wait()
        reopened = await police.next(number, "reopen")
        await police.close()
        assert reopened.envelope.data.head is not None
        assert reopened.envelope.data.head.model_dump(exclude_none=True) == {"reason_code": "invalid-body"}


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


async def program(*words: str | Path) -> Process:
    return await asyncio.create_subprocess_exec(*map(str, words), stdout=PIPE, stderr=STDOUT, env=environment())


async def command(*words: str | Path) -> tuple[int | None, str]:
    """Exit code and all that it said."""
    process = await program(*words)
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode()
