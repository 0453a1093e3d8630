"""The shipped rules, scrape configuration and dashboards, by Debian's own Prometheus beside the demo that works."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml

from gateway.core.signals.table import METRICS
from simulation.parties import GRID, POLICE
from simulation.private_broker import free_port
from simulation.run import Run
from simulation.theatre import Theatre, theatre
from tests.eventually import eventually
from tests.unit.test_monitoring_files import DASHBOARDS, PROMETHEUS, asked_in, panels
from tools.docs.alerts import rules

pytestmark = pytest.mark.slow  # programs of their own, and a demo

PROMTOOL, SERVER = shutil.which("promtool"), shutil.which("prometheus")
needs_prometheus = pytest.mark.skipif(PROMTOOL is None, reason="Prometheus is not installed (make setup-all)")
SECONDS = 300.0
REQUESTS = 40


def promtool(*words: str, folder: Path = PROMETHEUS, given: bytes = b"") -> tuple[int, str]:
    """Its exit code, and what it said."""
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, *words], cwd=folder, input=given, capture_output=True, timeout=SECONDS, check=False
    )
    return done.returncode, (done.stdout + done.stderr).decode()


# --- rules


@needs_prometheus
def test_the_rules_and_the_scrape_are_well_formed() -> None:
    for words in (("check", "rules", "lianzhi.rules.yml"), ("check", "config", "prometheus.yml")):
        code, said = promtool(*words)
        assert code == 0, said


@needs_prometheus
def test_each_rule_fires_on_its_trouble_and_is_quiet_without() -> None:
    code, said = promtool("test", "rules", "rules_test.yml")
    assert code == 0, said


@needs_prometheus
def test_a_rule_that_never_fires_or_always_does_is_found(tmp_path: Path) -> None:
    """Each test of a rule looks at that rule: with all of them dead each fails, and so does the quiet when all fire."""
    for name in ("lianzhi.rules.yml", "rules_test.yml"):
        shutil.copy(PROMETHEUS / name, tmp_path / name)
    alerts = {rule["alert"] for rule in rules()}
    assert found_wrong(tmp_path, "({}) and vector(0) > 1") >= alerts
    tests = yaml.safe_load((PROMETHEUS / "rules_test.yml").read_text("utf-8"))
    tests["tests"] = [group for group in tests["tests"] if "all is well" in group["name"]]
    (tmp_path / "rules_test.yml").write_text(yaml.safe_dump(tests, allow_unicode=True), "utf-8")
    assert found_wrong(tmp_path, "({}) or vector(1)") >= alerts


def found_wrong(folder: Path, change: str) -> set[str]:
    """Alerts that the tests complain of when every expression is changed so."""
    broken = yaml.safe_load((PROMETHEUS / "lianzhi.rules.yml").read_text("utf-8"))
    for group in broken["groups"]:
        for rule in group["rules"]:
            rule["expr"] = change.format(rule["expr"])
    (folder / "lianzhi.rules.yml").write_text(yaml.safe_dump(broken, allow_unicode=True), "utf-8")
    code, said = promtool("test", "rules", "rules_test.yml", folder=folder)
    assert code != 0
    return set(re.findall(r'alertname="(\w+)"', said))


# --- the demo, scraped


class Watched:
    """The demo with a Prometheus that scrapes it."""

    def __init__(self, stage: Theatre, http: aiohttp.ClientSession, url: str, text: str) -> None:
        self.stage = stage
        self.http = http
        self.url = url
        self.text = text

    async def ask(self, path: str, **parameters: str) -> Any:
        async with self.http.get(f"{self.url}/api/v1/{path}", params=parameters) as answer:
            document = await answer.json()
            assert document["status"] == "success", (parameters, document)
            return document["data"]

    async def series(self, query: str) -> int:
        """How many there are now."""
        return len((await self.ask("query", query=query))["result"])


def scrape_of(port: int, folder: Path) -> Path:
    """The shipped configuration, with the demo's port, once a second."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    shutil.copy(PROMETHEUS / "lianzhi.rules.yml", folder)
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    return path


@asynccontextmanager
async def prometheus(config: Path, folder: Path) -> AsyncIterator[str]:
    """Serves on a free loopback port; its data lie in the folder."""
    assert SERVER is not None
    port = free_port()
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            SERVER, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def play(stage: Theatre) -> None:
    """The demo, from the first submission to the comparison of the books."""
    async with asyncio.TaskGroup() as tasks:
        behind = [tasks.create_task(agency.run()) for agency in stage.agencies.values()]
        behind += [tasks.create_task(stage.court.follow()), tasks.create_task(stage.gateway.watch())]
        report = await Run(stage).perform()
        for task in behind:
            task.cancel()
    assert report.good, report.document()


@pytest_asyncio.fixture(scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    """Everything that the demo hands in is answered, and Prometheus has seen it twice since."""
    if SERVER is None:
        pytest.skip("Prometheus is not installed (make setup-all)")
    folder = tmp_path_factory.mktemp("watched")
    async with (
        theatre(folder, REQUESTS, 1, lambda _: None) as stage,
        prometheus(scrape_of(stage.gateway.metrics_port, folder), folder) as url,
        aiohttp.ClientSession() as http,
    ):
        seen = Watched(stage, http, url, "")

        async def scraped() -> bool:
            with suppress(aiohttp.ClientError):
                return await seen.series("lianzhi_store_up") > 0
            return False

        await eventually(scraped, SECONDS)
        await play(stage)

        async def told() -> bool:
            answered = 'sum(lianzhi_life_seconds_count{stage="answered"}) > 10'
            return await seen.series(answered) > 0 and await seen.series("rate(lianzhi_accept_seconds_count[1m])") > 0

        await eventually(told, SECONDS)
        async with http.get(f"http://127.0.0.1:{stage.gateway.metrics_port}/metrics") as answer:
            seen.text = await answer.text()
        yield seen


def filled_in(query: str, partner: str) -> str:
    """What Grafana asks."""
    return query.replace("$job", "lianzhi").replace("$partner", partner).replace("$__rate_interval", "1m")


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: str(path.name))
async def test_every_query_of_every_panel_returns_a_series(watched: Watched, path: Path) -> None:
    for panel in panels(path):
        for target in panel["targets"]:
            for partner in (GRID, POLICE):
                query = filled_in(target["expr"], partner)
                found = await eventually(partial(watched.series, query), SECONDS)
                assert found > 0, (panel["title"], query)


async def test_every_rule_is_evaluated_and_none_fires_for_a_gateway_that_works(watched: Watched) -> None:
    groups = (await watched.ask("rules", type="alert"))["groups"]
    found = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"] for rule in found} == {rule["alert"] for rule in rules()}
    assert [(rule["name"], rule["lastError"]) for rule in found if rule.get("lastError")] == []
    critical = [
        rule["name"] for rule in found if rule["state"] == "firing" and rule["labels"]["severity"] == "critical"
    ]
    assert set(critical) <= {"SignatureFailures"}, "the demo has forgers, and nothing else that is wrong at once"


async def test_rules_ask_for_series_that_the_demo_gives(watched: Watched) -> None:
    """What a rule asks for and nobody gives would be silent for ever."""
    names = set(await watched.ask("label/__name__/values"))
    absent = {name for rule in rules() for name in asked_in(rule["expr"]) if not {name, f"{name}_count"} & names}
    assert absent <= {
        "lianzhi_partner_silent", "lianzhi_paused_by_operator", "lianzhi_certificate_remaining_seconds",
        "lianzhi_key_remaining_seconds", "lianzhi_rows_set_aside_total",
    }  # fmt: skip


async def test_prometheus_finds_nothing_to_mend_in_the_names(watched: Watched) -> None:
    code, said = promtool("check", "metrics", given=watched.text.encode())
    assert (code, said.strip()) == (0, "")


async def test_labels_are_few_and_ours(watched: Watched) -> None:
    """However many requests: the number of series is that of partners, types, states and routes."""
    codes = set(watched.stage.agencies)
    partners = set(re.findall(r'partner="([^"]*)"', watched.text))
    assert codes <= partners
    assert not re.search(r"court-sn\d+-\d{8}-", watched.text), "no request's number"
    series = (await watched.ask("query", query='count({job="lianzhi"})'))["result"][0]["value"][1]
    assert 300 < int(series) < 6_000
    assert {name for name in METRICS if name not in watched.text} <= {"lianzhi_spans_total"}, "the demo traces nothing"


async def test_nobody_is_named(watched: Watched) -> None:
    """No Chinese, no number of a person, a car or a case; what is planted is searched for in test_planted."""
    labels = await watched.ask("series", **{"match[]": '{job="lianzhi"}'})
    values = {value for one in labels for value in one.values()}
    assert len(labels) > 300
    assert [v for v in values if re.search(r"[\u4e00-\u9fff]|\d{8}", v)] == []
