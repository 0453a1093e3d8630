"""`docs/linkages.md`: every linkage of the plan with its types, directions, clocks and ledger, out of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from adapters.registry import kinds
from gateway.core.figures.ledgers import LEDGERS
from schemas.catalogue import Deadline, Kind, MatterType, Shape
from schemas.linkages import GROUPS, WITHOUT_TYPES, Linkage

_SHAPES = {Shape.ASK: "请求 ask", Shape.ALERT: "预警 alert", Shape.NOTICE: "通报 notice"}
_SHORT_HEAD = "| 项 item | 说明 note |\n|---|---|\n"
_HEAD = (
    "| 联动 linkage | 事项 type | 方向 direction | 形态 shape | 时限 clock | 台账 ledger | 说明 note |\n"
    "|---|---|---|---|---|---|---|\n"
)


def linkages_of(catalogue: Mapping[str, MatterType]) -> dict[Linkage, list[MatterType]]:
    """Every linkage with the types that carry it, in the order of the plan."""
    found: dict[Linkage, list[MatterType]] = {linkage: [] for linkage in WITHOUT_TYPES}
    for matter in catalogue.values():
        for linkage in matter.linkages:
            found.setdefault(linkage, []).append(matter)
    order = sorted(found, key=lambda linkage: (GROUPS.index(linkage.group), linkage.row, linkage.zh))
    return {linkage: found[linkage] for linkage in order}


def linkages_document(catalogue: Mapping[str, MatterType]) -> str:
    """The whole file."""
    parts = [
        "# 联动一览 Linkages\n",
        "由事项目录（`schemas/matters/`）与 `schemas/linkages.py` 生成；测试比对。 Written from the catalogue and the "
        "linkages that no type carries; a test compares them.\n",
    ]
    linkages = linkages_of(catalogue)
    for group in GROUPS:
        own = {linkage: types for linkage, types in linkages.items() if linkage.group == group}
        carried = any(types or linkage.ledger for linkage, types in own.items())
        table = [_HEAD, *_rows(own)] if carried else [_SHORT_HEAD, *_short(own)]
        parts.append(f"## {group.zh} {group.en}\n\n{''.join(table)}")
    return "\n".join(parts)


def _short(linkages: Iterable[Linkage]) -> Iterator[str]:
    return (_line(_name(linkage), _note(linkage)) for linkage in linkages)


def _rows(linkages: Mapping[Linkage, Sequence[MatterType]]) -> Iterator[str]:
    for linkage, matters in linkages.items():
        own = [_name(linkage), _ledger(linkage), _note(linkage)]
        for cells in map(_of, matters) if matters else [("–", "–", "–", "–")]:
            name, ledger, note = own
            yield _line(name, *cells, ledger, note)
            own = ["", "", ""]  # said once


def _of(matter: MatterType) -> tuple[str, str, str, str]:
    shape = _SHAPES[matter.shape] + ("，可多家 to several" if matter.fan_out else "")
    way = f"{_kinds(matter.senders)} → {_kinds(matter.receivers)}"
    return f"{matter.zh} `{matter.name}`", way, shape, _deadline(matter.deadline)


def _kinds(met: Iterable[Kind]) -> str:
    return "、".join(kinds()[kind].zh for kind in sorted(met))


def _deadline(deadline: Deadline) -> str:
    return f"{deadline.zh} · {deadline.en}"


def _name(linkage: Linkage) -> str:
    return f"{linkage.zh} · {linkage.en}"


def _ledger(linkage: Linkage) -> str:
    if linkage.ledger is None:
        return "–"
    ledger = LEDGERS[linkage.ledger]
    return f"{ledger.zh} `{ledger.name}`"


def _note(linkage: Linkage) -> str:
    notes = [" · ".join(text) for text in (linkage.note, linkage.excluded) if text]
    if linkage.members:
        notes.append("、".join(f"`{member}`" for member in linkage.members))
    return "；".join(notes) or "–"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"
