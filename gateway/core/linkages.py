"""`docs/linkages.md`: every linkage of the plan with its types, directions, clocks and ledger, out of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.core.ledgers import LEDGERS
from schemas.catalogue import Deadline, Kind, MatterType, Shape
from schemas.linkages import GROUPS, Group, Linkage

_SHAPES = {Shape.ASK: "请求 ask", Shape.ALERT: "预警 alert", Shape.NOTICE: "通报 notice"}
_KINDS = {
    Kind.COURT: "法院",
    Kind.POLICE: "公安",
    Kind.GRID: "网格",
    Kind.DEPARTMENT: "部门",
    Kind.ASSOCIATION: "协会",
    Kind.PROCURATORATE: "检察院",
    Kind.OFFICE: "院内部门",
    Kind.PUBLICATION: "公布单位",
    Kind.WITNESS: "见证人",
}
_SHORT_HEAD = "| 项 item | 说明 note |\n|---|---|\n"
_HEAD = (
    "| 联动 linkage | 事项 type | 方向 direction | 形态 shape | 时限 clock | 台账 ledger | 说明 note |\n"
    "|---|---|---|---|---|---|---|\n"
)


def linkages_document(catalogue: Mapping[str, MatterType]) -> str:
    """The whole file. catalogue: by name; a type that it does not have has no line."""
    parts = [
        "# 联动一览 Linkages\n",
        "由 `schemas/linkages.py` 与事项目录生成，方向、形态、时限取自目录；测试比对。 Written from the table of "
        "linkages and the catalogue; a test compares them.\n",
    ]
    for group in GROUPS:
        carried = any(linkage.types or linkage.ledger for linkage in group.linkages)
        table = [_HEAD, *_rows(group, catalogue)] if carried else [_SHORT_HEAD, *_short(group)]
        parts.append(f"## {group.zh} {group.en}\n\n{''.join(table)}")
    return "\n".join(parts)


def _short(group: Group) -> Iterator[str]:
    return (_line(_name(linkage), _note(linkage)) for linkage in group.linkages)


def _rows(group: Group, catalogue: Mapping[str, MatterType]) -> Iterator[str]:
    for linkage in group.linkages:
        own = [_name(linkage), _ledger(linkage), _note(linkage)]
        matters = [catalogue[name] for name in linkage.types if name in catalogue]
        for cells in map(_of, matters) if matters else [("–", "–", "–", "–")]:
            name, ledger, note = own
            yield _line(name, *cells, ledger, note)
            own = ["", "", ""]  # said once


def _of(matter: MatterType) -> tuple[str, str, str, str]:
    shape = _SHAPES[matter.shape] + ("，可多家 to several" if matter.fan_out else "")
    way = f"{_kinds(matter.senders)} → {_kinds(matter.receivers)}"
    return f"{matter.zh} `{matter.name}`", way, shape, _deadline(matter.deadline)


def _kinds(kinds: Iterable[Kind]) -> str:
    return "、".join(_KINDS[kind] for kind in Kind if kind in set(kinds))


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
