"""What often comes before: a vehicle under seal, a vehicle under control; and the answer that fits a request."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from schemas.catalogue import catalogue
from tests.court_system import fresh_payload
from tests.faults import CANCEL, CONTROL, ENTRUST, HIT, LOCATE, SEAL
from tests.words import SHANGHAI
from tests.world import World

_numbers = itertools.count(1)


class Asked(Protocol):
    """An agency that answers: `tests.world.Office` or `tests.agency.Agency`."""

    async def answer(self, request_no: str, verb: str, data: Mapping[str, Any] | None = None) -> None: ...


def answer_to(type: str, payload: Mapping[str, Any], now: datetime, **changes: Any) -> dict[str, Any]:
    """The catalogue's example result about the object that this payload asks about, as of now."""
    result = copy.deepcopy(dict(catalogue()[type].example_result))
    item = result["items"][0]
    asked = payload.get("vehicle") or payload.get("person") or payload.get("overdue") or payload["objects"][0]
    item["ref"] = asked["ref"]
    item |= {name: payload[name] for name in ("start_on", "end_on") if name in item and name in payload}
    if "control_no" in item:
        item["control_no"] = f"BK610199{next(_numbers):07d}"
    return result | {"as_of": now.astimezone(SHANGHAI).isoformat(timespec="seconds")} | changes


async def sealed(world: World, police: Asked) -> dict[str, Any]:
    """Has a vehicle of its own sealed; the payload of the seal that is now live."""
    payload = fresh_payload(SEAL)
    request_no = await world.court.ask(SEAL, payload)
    await police.answer(request_no, "result", answer_to(SEAL, payload, world.clock.now()))
    await world.reaches(request_no, "completed")
    return payload


async def ready(world: World, type: str, police: Asked) -> dict[str, Any]:
    """A payload that may be handed in: what it rests on is there."""
    if type in (LOCATE, CONTROL):
        return fresh_payload(type, vehicle=(await sealed(world, police))["vehicle"])
    if type == CANCEL:
        _, control = await controlled(world, police)
        return fresh_payload(type, vehicle=control["vehicle"], control_no=control["control_no"])
    return fresh_payload(type)


async def controlled(world: World, police: Asked) -> tuple[str, dict[str, Any]]:
    """Has a vehicle of its own sealed and controlled; the control's request, its vehicle and its number."""
    payload = await ready(world, CONTROL, police)
    request_no = await world.court.ask(CONTROL, payload)
    result = answer_to(CONTROL, payload, world.clock.now())
    await police.answer(request_no, "result", result)
    await world.reaches(request_no, "completed")
    return request_no, {"vehicle": payload["vehicle"], "control_no": result["items"][0]["control_no"]}


def commission(case_no: str = "（2026）陕0191执900001号") -> dict[str, Any]:
    """The canonical `open` of what the court of 高陵 entrusts to ours."""
    return {
        "request": {"case_no": case_no, "urgency": "normal", "legal_basis": ["CPL-253"]},
        "court": {"court_code": "陕0191", "name": "高陵区人民法院（演示）"},
        "handler": {"name": "周演示", "permit": "陕0191-0007"},
        "documents": [],
        "payload": fresh_payload(ENTRUST, entrusting="陕0191", entrusted="陕0199"),
    }


def hit(control: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical `open` of a hit on that control."""
    vehicle = control["vehicle"]
    payload = fresh_payload(HIT, ref=vehicle["ref"], plate=vehicle["plate"], control_no=control["control_no"])
    return {"request": {"urgency": "immediate"}, "documents": [], "payload": payload}
