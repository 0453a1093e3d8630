"""The shipped rules and dashboards ask for metrics that there are, lead to pages that there are, and are all tested."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.core.signals.table import METRICS
from gateway.registry.config import HttpSection
from tools.docs.alerts import ROOT, RULES, rules

PROMETHEUS, GRAFANA = ROOT / "deploy" / "prometheus", ROOT / "deploy" / "grafana"
DASHBOARDS = sorted(GRAFANA.glob("*.json"))
TESTS = yaml.safe_load((PROMETHEUS / "rules_test.yml").read_text("utf-8"))
_METRIC = re.compile(r"\blianzhi_[a-z_]+")
_LABELS = re.compile(r"\{([^}]*)\}")


def asked_in(expression: str) -> set[str]:
    """The names of the metrics in it."""
    return {
        name if name in METRICS else re.sub(r"_(bucket|count|sum)$", "", name) for name in _METRIC.findall(expression)
    }


def labels_in(expression: str) -> set[str]:
    """The labels that it asks for or groups by."""
    matched = {m for inside in _LABELS.findall(expression) for m in re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", inside)}
    grouped = {m for inside in re.findall(r"(?:by|on) \(([^)]*)\)", expression) for m in re.findall(r"\w+", inside)}
    return matched | grouped


def labels_of(expression: str) -> set[str]:
    """Those that its metrics have, and those that Prometheus gives."""
    return {"job", "instance", "le"} | {label for name in asked_in(expression) for label in METRICS[name].labels}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
class TestRule:
    def test_asks_for_what_there_is(self, rule: dict[str, Any]) -> None:
        expression = rule["expr"]
        assert asked_in(expression) <= set(METRICS) and (asked_in(expression) or expression.startswith("up{"))
        assert labels_in(expression) <= labels_of(expression)

    def test_says_what_it_is_in_both_languages_and_leads_to_a_page(self, rule: dict[str, Any]) -> None:
        notes = rule["annotations"]
        assert set(notes) == {"summary", "description", "runbook_url"}
        for text in (notes["summary"], notes["description"]):
            assert re.search(r"[\u4e00-\u9fff]", text) and re.search(r"[A-Za-z]{3}", text)
        base, _, page = notes["runbook_url"].rpartition("/")
        assert base == "{{ $externalLabels.handbook }}"
        assert (ROOT / "docs" / "handbook" / page).is_file()

    def test_names_in_its_texts_are_labels_that_it_has(self, rule: dict[str, Any]) -> None:
        named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["description"]))
        aggregated = re.findall(r"(?:max|min|sum) by \(([^)]*)\)", rule["expr"])
        kept = set(re.findall(r"\w+", aggregated[0])) if aggregated else labels_of(rule["expr"])
        assert named <= kept

    def test_has_a_severity_and_a_condition(self, rule: dict[str, Any]) -> None:
        assert set(rule["labels"]) == {"severity", "condition"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule["labels"]["condition"])

    def test_is_played_with_its_trouble_and_without(self, rule: dict[str, Any]) -> None:
        (group,) = [one for one in TESTS["tests"] if one["name"] == rule["alert"]]
        fired = [sample for test in group["promql_expr_test"] for sample in test["exp_samples"]]
        assert [f'alertname="{rule["alert"]}"' in sample["labels"] for sample in fired] == [True]
        assert [bool(test["exp_samples"]) for test in group["promql_expr_test"]] == [False, True, False]


def test_what_is_well_is_quiet() -> None:
    (well,) = [one for one in TESTS["tests"] if "all is well" in one["name"]]
    assert well["promql_expr_test"] and not any(test["exp_samples"] for test in well["promql_expr_test"])
    given = {name for one in well["input_series"] for name in asked_in(one["series"])}
    used = {name for rule in rules() for name in asked_in(rule["expr"])}
    assert used - given == {"lianzhi_paused_by_operator", "lianzhi_partner_silent"}, "absent where all is well"


def test_rules_cover_what_a_duty_officer_wants() -> None:
    conditions = {rule["labels"]["condition"] for rule in rules()}
    assert {
        "partner-no-consumer", "message-old", "outbox-old", "deadline-near", "hit-unacknowledged", "signature-failures",
        "clock-apart", "clock-doubted", "partner-clock", "key-ends", "key-ended", "certificate-ends",
        "certificate-ended", "log-stopped", "disk-low", "disk-full", "backlog-high", "backlog-full", "backup-old",
        "backup-stopped", "broker-away", "broker-blocked", "store-away", "gateway-down",
    } <= conditions  # fmt: skip


def test_the_scrape_is_of_the_listener_and_loads_the_rules() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    (job,) = config["scrape_configs"]
    http = HttpSection()
    assert job["static_configs"] == [{"targets": [f"{http.metrics_host}:{http.port + 1}"]}]
    assert config["rule_files"] == [RULES.name]
    assert f'up{{job="{job["job_name"]}"}}' in "".join(rule["expr"] for rule in rules())


def panels(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["panels"]
    return found


def queries(path: Path) -> list[str]:
    """Every query of every panel."""
    return [target["expr"] for panel in panels(path) for target in panel["targets"]]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: str(path.name))
class TestDashboard:
    def test_asks_for_what_there_is(self, path: Path) -> None:
        for query in queries(path):
            if query.startswith("count(ALERTS"):
                continue
            assert asked_in(query) <= set(METRICS) and (asked_in(query) or query.startswith("min(up"))
            assert labels_in(query) <= labels_of(query), query

    def test_is_one_that_grafana_takes(self, path: Path) -> None:
        board = json.loads(path.read_text("utf-8"))
        assert board["uid"] == f"lianzhi-{path.stem}" and board["schemaVersion"] >= 36
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids) > 10
        assert all(panel["title"] and panel["targets"] for panel in board["panels"])
        variables = {variable["name"] for variable in board["templating"]["list"]}
        used = set(re.findall(r"\$\{?(\w+)", path.read_text("utf-8"))) - {"__rate_interval"}
        assert used <= variables

    def test_no_panel_lies_over_another(self, path: Path) -> None:
        taken: set[tuple[int, int]] = set()
        for panel in panels(path):
            at = panel["gridPos"]
            own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not own & taken and at["x"] + at["w"] <= 24
            taken |= own


def test_there_are_three_dashboards() -> None:
    assert [path.stem for path in DASHBOARDS] == ["broker-store", "overview", "partner"]
