"""An agency that has not updated: f2027db's partner library against this gateway, a whole conversation and a refusal.

The old library is taken out of the clone's history and run with this tree's environment.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from lianzhi.crypto.sdjwt import parse
from simulation.parties import GRID, HANDLER
from tests.eventually import eventually
from tests.fault.court import VERIFY
from tests.walls.library import program
from tests.walls.product import HERE, Installation

OLD = "f2027db"
VERSION_1 = {
    "message_id", "body_sha256", "reason", "pointer", "title_zh", "title_en", "next_seqno", "request_no",
}  # fmt: skip


@pytest.fixture(scope="module")
def old_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of that commit, in a folder of their own."""
    asked = subprocess.run(
        ["git", "-C", str(HERE), "rev-parse", "-q", "--verify", f"{OLD}^{{commit}}"], capture_output=True, check=False
    )
    if asked.returncode:
        pytest.skip(f"commit {OLD} is not in this clone (a shallow one? git fetch --unshallow)")
    folder = tmp_path_factory.mktemp("old")
    packed = folder / "old.tar"
    subprocess.run(
        ["git", "-C", str(HERE), "archive", "-o", str(packed), OLD, "gateway", "schemas", "adapters"], check=True
    )
    subprocess.run(["tar", "-xf", str(packed), "-C", str(folder)], check=True)
    return folder


async def test_a_partner_on_the_old_library(site: Installation, old_library: Path, tmp_path: Path) -> None:
    await site.serve()
    folder = site.parties.partners[GRID]
    without_contract(folder / "partner.toml")
    async with program(
        tmp_path, "conversation.py", folder / "partner.toml",
        interpreter=sys.executable, cwd=old_library, PYTHONPATH=str(old_library),
    ) as agency:  # fmt: skip
        (ready,) = await agency.told("ready")
        assert ready["library"].startswith(str(old_library)), "it ran this tree's library"
        order = site.court.orders(1, [VERIFY])[0]
        await site.court.submit(order)
        number = site.court.accepted[order.key]
        (notice,) = await agency.told("notice")
        assert (notice["request_no"], notice["reason"]) == (number, "invalid-field")
        await eventually(lambda: _in_state(site, number, "completed"), 30)
        await _confirm(site, number)
        await agency.told("handled", 2)
        await eventually(lambda: _in_state(site, number, "closed"), 30)
        assert await agency.stop() == 0, agency.log
    notices = await asyncio.to_thread(_notices, folder / "inbox.sqlite")
    assert len(notices) == 1
    assert notices[0].keys() <= VERSION_1, "a partner that has not said version 2 gets version 1"


def without_contract(config: Path) -> None:
    """That library knows no contract: it would refuse the member."""
    lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
    config.write_text("".join(line for line in lines if not line.startswith("contract ")), encoding="utf-8")


async def _in_state(site: Installation, number: str, state: str) -> bool:
    async with site.court.session.get(f"/v1/requests/{number}") as answer:
        return bool((await answer.json())["state"] == state)


async def _confirm(site: Installation, number: str) -> None:
    body = {"verb": "confirm", "by": HANDLER, "data": {}}
    headers = {"Idempotency-Key": str(uuid7())}
    async with site.court.session.post(f"/v1/requests/{number}/messages", json=body, headers=headers) as answer:
        assert answer.status == 202, await answer.text()


def _notices(ledger: Path) -> list[dict[str, Any]]:
    import sqlite3

    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT text FROM lz_message WHERE verb = 'notice'").fetchall()
    finally:
        connection.close()
    return [parse(text.encode()).content for (text,) in rows]
