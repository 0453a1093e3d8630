"""The floor under what the tests pass, which only rises: `make coverage`.

Two reports of coverage.py (JSON) are compared with `tools/coverage_floor.toml`: what lies below its floor is told and
ends the command with 1; where clearly more is passed than the floor says, the floor is raised, for the next commit.
Nothing here ever lowers it. One point of room is left: Hypothesis does not take the same way each time.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FLOOR = ROOT / "tools" / "coverage_floor.toml"
ROOM = 1.0
STEP = 0.5
"""ROOM: points between what was measured and the floor that is set by it. STEP: a floor rises by so many at least."""


@dataclass(frozen=True)
class Part:
    """name: of its table in the floor's file. folder: whose files are counted; empty: all. report: by which tests."""

    name: str
    folder: str
    report: str


PARTS = (
    Part("core", "gateway/core/", "unit"),
    Part("protocol", "library/lianzhi/protocol/", "unit"),
    Part("all", "", "all"),
)
Share = Mapping[str, float]
"""`lines`, `branches`: of a hundred."""


def measured(report: Mapping[str, Any], folder: str) -> dict[str, float]:
    """report: the JSON of coverage.py. Raises ValueError where it holds no file of that folder."""
    found = [file["summary"] for name, file in report["files"].items() if name.startswith(folder)]
    if not found:
        raise ValueError(f"no file under {folder or '.'} in the report")
    lines = sum(f["covered_lines"] for f in found) / sum(f["num_statements"] for f in found)
    branches = sum(f["covered_branches"] for f in found) / sum(f["num_branches"] for f in found)
    return {"lines": round(100 * lines, 2), "branches": round(100 * branches, 2)}


def below(floors: Mapping[str, Share], found: Mapping[str, Share]) -> list[str]:
    """What has fallen through, in words."""
    return [
        f"{part} {kind}: {found[part][kind]:.2f} < {floor:.2f}"
        for part, kinds in floors.items()
        for kind, floor in kinds.items()
        if found[part][kind] < floor
    ]


def raised(floors: Mapping[str, Share], found: Mapping[str, Share]) -> dict[str, dict[str, float]]:
    """The floors by what was measured; none of them lower than it was."""

    def one(floor: float, share: float) -> float:
        new = round(share - ROOM, 1)
        return new if new >= floor + STEP else floor

    return {
        part: {kind: one(floors.get(part, {}).get(kind, 0.0), share) for kind, share in kinds.items()}
        for part, kinds in found.items()
    }


def as_toml(floors: Mapping[str, Share]) -> str:
    head = "# 由 make coverage 写出，只升不降 written by `make coverage`, which only raises it (docs/testing.md)\n"
    tables = (
        f"\n[{part}]\n" + "".join(f"{kind} = {share:.1f}\n" for kind, share in kinds.items())
        for part, kinds in floors.items()
    )
    return head + "".join(tables)


def main(reports: Mapping[str, Path]) -> int:
    """reports: `unit` and `all`, where the JSON of each lies."""
    read = {name: json.loads(path.read_text("utf-8")) for name, path in reports.items()}
    found = {part.name: measured(read[part.report], part.folder) for part in PARTS}
    floors = tomllib.loads(FLOOR.read_text("utf-8"))
    for part, kinds in found.items():
        print(f"{part}: lines {kinds['lines']:.2f} %, branches {kinds['branches']:.2f} %")
    if wrong := below(floors, found):
        print("覆盖率低于下限 below the floor of tools/coverage_floor.toml:", *wrong, sep="\n  ", file=sys.stderr)
        return 1
    higher = raised(floors, found)
    if higher != floors:
        FLOOR.write_text(as_toml(higher), encoding="utf-8")
        print("下限已提高，请一并提交 the floor was raised: commit tools/coverage_floor.toml")
    return 0


if __name__ == "__main__":
    raise SystemExit(main({"unit": ROOT / ".coverage-unit.json", "all": ROOT / ".coverage-all.json"}))
