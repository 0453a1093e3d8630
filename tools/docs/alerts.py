"""The table of alerts in `docs/handbook/monitoring.md`, from the rules that are shipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "lianzhi.rules.yml"
PAGE = ROOT / "docs" / "handbook" / "monitoring.md"
_MARK = "<!-- alerts -->\n"
_TABLE = (
    "| 告警 alert | `condition` | 级别 severity | 持续 for | 意思 meaning | 手册 page |\n|---|---|---|---|---|---|\n"
)


def rules() -> list[dict[str, Any]]:
    """Every rule, in the order of the file."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def with_alerts(page: str) -> str:
    """`page` with today's table behind the mark, in place of the one that stands there."""
    before, _, after = page.partition(_MARK)
    rest = after.lstrip("\n")
    while rest.startswith("|"):
        rest = rest.partition("\n")[2]
    return f"{before}{_MARK}\n{_TABLE}{''.join(_rows())}\n{rest.lstrip(chr(10))}"


def _rows() -> Iterator[str]:
    for rule in rules():
        labels, page = rule["labels"], rule["annotations"]["runbook_url"].rpartition("/")[2]
        cells = (
            f"`{rule['alert']}`", f"`{labels['condition']}`", labels["severity"], rule.get("for", "—"),
            rule["annotations"]["summary"], f"[{page}]({page})",
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |\n"
