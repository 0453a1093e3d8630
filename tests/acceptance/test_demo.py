"""`make demo` as a visitor runs it: it holds, it says so, it notices damage done behind its back, it leaves nothing.

Two runs, each in a folder of its own: one that is clean and stays until Ctrl-C, and one that ends by itself and was
damaged.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

LIANZHI = Path(sys.executable).with_name("lianzhi")
RUN_SECONDS = 150.0  # a machine that is busy with other things
POLL_SECONDS = 0.02
# What the screen offers to be pasted into a shell.
PASTED = re.compile(r"^TOKEN=.*?^E$", re.M | re.S)
# Kind of damage → its counter in the report, and what the line about it says.
SABOTAGE = {
    "drop": ("lost", "lost: "),
    "double": ("duplicate_effects", "done twice: "),
    "forge": ("forged_applied", "forged and applied: "),
}


@dataclass
class Show:
    """A demo that runs. folder: its own; what it prints is in `out`, its temporary files are in `tmp`."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def said(self) -> str:
        return (self.folder / "out").read_text("utf-8")

    @property
    def report(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "report.json").read_text("utf-8"))
        return document

    def ended(self) -> int:
        try:
            return self.process.wait(RUN_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running:\n{self.said}")

    def until(self, check: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + RUN_SECONDS
        while not (value := check()):
            assert self.process.poll() is None, f"ended before {what}:\n{self.said}"
            assert time.monotonic() < deadline, f"no {what}:\n{self.said}"
            time.sleep(POLL_SECONDS)
        return value

    def left(self) -> list[str]:
        """Command lines of processes that still live in this demo's folders."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                here = (entry / "cwd").resolve(strict=True)
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # gone, or another user's
            if here.is_relative_to(self.folder) or str(self.folder) in line:
                found.append(line)
        return found


def start(folder: Path, *arguments: str) -> Show:
    (folder / "tmp").mkdir(parents=True)
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "LIANZHI_STORE__URL": "sqlite:////nowhere/real.sqlite"}
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "simulation", *arguments],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    return Show(folder, process)


@pytest.fixture(scope="module")
def staying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    yield from until_left(
        start(tmp_path_factory.mktemp("clean"), "--requests", "60", "--no-week", "--report", "report.json")
    )


@pytest.fixture(scope="module")
def sabotaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    damage = [word for kind in SABOTAGE for word in ("--sabotage", kind)]
    arguments = ("--once", "--requests", "8", "--no-week", "--report", "report.json")
    yield from until_left(start(tmp_path_factory.mktemp("damaged"), *arguments, *damage))


def until_left(show: Show) -> Iterator[Show]:
    yield show
    if show.process.poll() is None:
        show.process.send_signal(signal.SIGINT)
        show.ended()


@pytest.fixture
def clean(staying: Show) -> Show:
    """It has handed in its docket, has written its report and stays."""
    staying.until(lambda: PASTED.search(staying.said), "line to paste")
    return staying


@pytest.fixture
def damaged(sabotaged: Show) -> Show:
    """It has ended."""
    sabotaged.ended()
    return sabotaged


def test_a_clean_run_balances(clean: Show) -> None:
    report = clean.report
    assert (report["submitted"], report["taken"]) == (60, 60)
    assert report["answered"] + report["open_with_reason"] == 60
    assert report["open_reasons"] == {"blocked: document-missing": report["open_with_reason"]}
    assert (report["lost"], report["duplicate_effects"], report["forged_applied"]) == (0, 0, 0)
    assert report["problems"] == []
    assert "对账相符" in clean.said


def test_it_is_the_promised_mix(clean: Show) -> None:
    counts = {matter: sum(states.values()) for matter, states in clean.report["by_type"].items()}
    cars = sum(count for matter, count in counts.items() if matter.startswith("police.vehicle-"))
    assert counts["entrust.matter.request"] == 30
    assert counts["grid.verify.request"] == 15
    assert cars == 7
    assert counts["police.person-locate.request"] == 5
    assert counts["assoc.member-notice.publish"] == 3
    assert {"closed", "returned", "refused", "read", "blocked"} <= clean.report["by_state"].keys()


def test_what_was_injected_was_caught_and_nothing_else(clean: Show) -> None:
    report = clean.report
    injected, quarantined = report["injected"], report["quarantined_by_reason"]
    assert all(count >= 1 for count in injected.values())
    assert quarantined == {
        "bad-signature": injected["tampered-signature"],
        "bad-disclosure": injected["tampered-disclosure"],
        "misdirected": injected["wrong-subject"] + injected["wrong-case-no"],
    }
    for kind, caught in report["caught"].items():
        assert caught["caught"] == caught["injected"] == injected[kind], kind
    assert report["mixed_up"] == 0
    assert sum(report["received"]["police.vehicle-hit.alert"].values()) == injected["hits"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", SABOTAGE)
def test_damage_behind_its_back_is_found_and_counted_once(damaged: Show, kind: str) -> None:
    """Three damages, three findings: each counter is 1, and what its line names is what was damaged."""
    assert damaged.ended() == 1, damaged.said
    counter, says = SABOTAGE[kind]
    assert damaged.report[counter] == 1
    (problem,) = (line for line in damaged.report["problems"] if says in line)
    assert problem.rpartition(": ")[2].rpartition("/")[2] == damaged.report["sabotaged"][kind]
    assert f"✗ {problem}" in damaged.said


@pytest.mark.slow
def test_a_finished_run_leaves_nothing_running(damaged: Show) -> None:
    assert damaged.left() == []
    assert list((damaged.folder / "tmp").iterdir()) == []


def test_without_once_it_stays_and_takes_a_pasted_request(clean: Show) -> None:
    found = PASTED.search(clean.said)
    assert found is not None
    pasted = found[0]
    assert "/v1/requests" in pasted
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    number = json.loads(_bash(pasted, clean))["request_no"]
    token, url = pasted.split("\n")[0], re.search(r"http://127.0.0.1:\d+", pasted)
    assert url is not None
    look = f'{token}\ncurl -s -H "Authorization: Bearer $TOKEN" {url[0]}/v1/requests/{number}'
    clean.until(lambda: json.loads(_bash(look, clean))["state"] == "closed", "answer")


def test_ctrl_c_leaves_nothing_running(clean: Show) -> None:
    assert clean.left()
    clean.process.send_signal(signal.SIGINT)
    assert clean.ended() == 0, clean.said
    assert clean.left() == []
    assert list((clean.folder / "tmp").iterdir()) == []


def _bash(script: str, show: Show) -> str:
    command = ["bash", "-c", script + "\n"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30, cwd=show.folder)
    assert done.returncode == 0, done.stderr
    return done.stdout
