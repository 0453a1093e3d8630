"""What a commissioned matter is about: one unreal object of each kind (docs/domain.md 2.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulation.synthetic import DIVISION, World

Party = dict[str, Any]


def thing(world: World, kind: str, party: Party) -> dict[str, Any]:
    """kind: as `schemas.matters.entrust.commissions` names it; party: whose it is, or whom it concerns."""
    return _OBJECTS[kind](world, party)


def _deposit(world: World, party: Party) -> dict[str, Any]:
    return _object(world, "deposit", party) | {
        "amount": world.money(),
        "bank": "演示银行示例支行",
        "account_no": world.account_no(),
    }


def _equity(world: World, party: Party) -> dict[str, Any]:
    return _object(world, "equity", party) | {"company": world.company(), "share": "30%（演示）"}


def _realty(world: World, party: Party) -> dict[str, Any]:
    unit = f"{DIVISION}001001GB{world.next():05d}F00010001"
    return _object(world, "realty", party) | {"unit_no": unit, "location": "演示小区1幢1单元101室"}


def _movable(world: World, party: Party) -> dict[str, Any]:
    return _object(world, "movable", party) | {
        "description": f"演示设备第{world.next()}号",
        "quantity": 1,
        "location": "演示仓库",
    }


def _subject(world: World, party: Party) -> dict[str, Any]:
    return _object(world, "subject", party) | {"questions": ["名下是否有不动产", "名下是否有机动车"]}


def _addressee(world: World, party: Party) -> dict[str, Any]:
    return _object(world, "addressee", party) | {"address": world.address(), "paper": "执行通知书（演示）"}


def _whereabouts(world: World, party: Party) -> dict[str, Any]:
    return _object(world, "whereabouts", party) | {
        "decision": "detention-order",
        "address": world.address(),
        "seen_on": world.day(-1),
    }


def _site(world: World, party: Party) -> dict[str, Any]:
    return _object(world, "site", party) | {"address": world.address(), "description": "协助清点（演示）"}


def _object(world: World, kind: str, party: Party) -> dict[str, Any]:
    return {"ref": world.ref(), "kind": kind, "party": party}


_OBJECTS: dict[str, Callable[[World, Party], dict[str, Any]]] = {
    "deposit": _deposit,
    "equity": _equity,
    "realty": _realty,
    "movable": _movable,
    "subject": _subject,
    "addressee": _addressee,
    "whereabouts": _whereabouts,
    "site": _site,
}
