"""`lianzhi measure list|show`, as a person and as a program read it."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.commands.measure import measure_app
from gateway.core.records import Changes
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.installation import Installation
from gateway.store import open_store
from gateway.store.upkeep.migrate import migrate
from tests.contract.samples import measure, number, request, step, write

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One measure that ends in ten days, and one that lapsed."""
    folder = tmp_path_factory.mktemp("court") / "lianzhi"
    Installation(folder).create()
    soon = (datetime.now(SHANGHAI).date() + timedelta(days=10)).isoformat()
    changes = Changes(
        new_requests=[request(1), request(2)],
        new_measures=[measure(1, end_on=soon), measure(2, state="lapsed", end_on="2026-01-01")],
        measure_steps=[step(2, state="active", cause=None), step(2)],
    )

    async def fill() -> None:
        url = f"sqlite:///{folder / 'lianzhi.sqlite'}"
        await migrate(url)
        store = await open_store(url)
        await write(store, changes)
        await store.close()

    asyncio.run(fill())
    return folder


def ran(folder: Path, *words: str) -> tuple[int, str]:
    done = RUNNER.invoke(measure_app, [*words, "--dir", str(folder)])
    return done.exit_code, done.output


def numbers(folder: Path, *words: str) -> list[str]:
    code, output = ran(folder, "list", "--json", *words)
    assert code == 0, output
    return [row["measure"] for row in json.loads(output)]


def test_a_list(folder: Path) -> None:
    first, second = f"{number(1)}-1", f"{number(2)}-1"
    assert numbers(folder) == [first]
    assert numbers(folder, "--within", "10") == [first]
    assert numbers(folder, "--within", "9") == []
    assert numbers(folder, "--state", "lapsed,active") == [first, second]
    assert numbers(folder, "--case", "another") == []
    code, output = ran(folder, "list", "--json")
    assert (code, json.loads(output)[0]["days_left"]) == (0, 10)
    assert ran(folder, "list", "--state", "gone")[0] == 2


def test_one_with_its_history(folder: Path) -> None:
    code, output = ran(folder, "show", f"{number(2)}-1", "--json")
    shown = json.loads(output)
    assert (code, shown["state"], "object_key" in shown) == (0, "lapsed", False)
    assert [(line["state"], line["cause"]) for line in shown["history"]] == [
        ("active", None),
        ("lapsed", "renewal-not-asked"),
    ]
    assert "lapsed" in ran(folder, "show", f"{number(2)}-1")[1]
    assert ran(folder, "show", "nobody-1")[0] == 1
