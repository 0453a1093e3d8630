"""What often comes before: a vehicle under seal, a vehicle under control; and the answer that fits a request."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from schemas.catalogue import Kind, catalogue
from tests.clerk import answered
from tests.court_system import PARTNER_OF, fresh_payload
from tests.dated import by_now, held
from tests.faults import CANCEL, CONTROL, ENTRUST, HIT, LOCATE, SEAL
from tests.words import SHANGHAI
from tests.world import World

PERSON_CONTROL = "police.person-control.request"
PERSON_HIT = "police.person-hit.alert"
HANDOVER = "police.vehicle-handover.record"
RESTS_ON = {
    LOCATE: SEAL,
    CONTROL: SEAL,
    CANCEL: CONTROL,
    HIT: CONTROL,
    HANDOVER: CONTROL,
    "police.vehicle-control.renew": CONTROL,
    PERSON_HIT: PERSON_CONTROL,
    "police.person-control.renew": PERSON_CONTROL,
    "police.person-control.cancel": PERSON_CONTROL,
    "sanction.exit-restrict.renew": "sanction.exit-restrict.request",
    "sanction.exit-restrict.lift": "sanction.exit-restrict.request",
    "sanction.dishonest.withdraw": "sanction.dishonest.publish",
    "sanction.dishonest.correct": "sanction.dishonest.publish",
    "sanction.consumption-limit.lift": "sanction.consumption-limit.publish",
    "sanction.consumption-limit.exempt": "sanction.consumption-limit.publish",
}
"""What must be in force before: without it the gateway refuses, and rightly."""
_numbers = itertools.count(1)


class Asked(Protocol):
    """An agency that answers: `tests.world.Office` or `tests.agency.Agency`."""

    async def answer(self, request_no: str, verb: str, data: Mapping[str, Any] | None = None) -> None: ...


def home_asks(type: str) -> bool:
    """Whether the court is the one who asks, or raises, or tells."""
    return Kind.COURT in catalogue()[type].senders


def partner_in(type: str) -> str:
    """The agency on the other side."""
    matter = catalogue()[type]
    return next(PARTNER_OF[kind] for kind in sorted(matter.receivers if home_asks(type) else matter.senders))


async def ready(world: World, type: str, case_no: str) -> tuple[dict[str, Any], str | None]:
    """A payload that may be handed in, and the request that it rests on: that has been asked and done."""
    if type not in RESTS_ON:
        return fresh_payload(type), None
    earlier = RESTS_ON[type]
    payload, _ = await ready(world, earlier, case_no)
    office = await world.office(partner_in(earlier))
    request_no = await world.court.ask(earlier, payload, case_no=case_no)
    opened = await office.understood(await office.next(request_no, "open"))
    result = answered(earlier, opened["payload"], world.clock.now())
    await office.answer(request_no, "result", result)
    await world.reaches(request_no, "completed")
    payload = fresh_payload(type, **_carried_on(type, payload, result["items"][0]))
    return held(payload, world.clock.now()) if "hold_until" in payload else payload, request_no


def _carried_on(type: str, earlier: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """The same object, under the number that its authority gave."""
    example = catalogue()[type].example_request
    known = {**{n: v for n, v in earlier.items() if isinstance(v, Mapping) and "ref" in v}, "ref": item["ref"]}
    if "vehicle" in earlier:
        known |= {"plate": earlier["vehicle"]["plate"], "plate_kind": earlier["vehicle"]["plate_kind"]}
    known |= {"control_no": item.get("control_no"), "current_end_on": earlier.get("end_on")}
    if "seal" in example:
        known["seal"] = earlier.get("seal") or {**example["seal"], "measure_no": item.get("registry_no")}
    return {name: value for name, value in known.items() if name in example and value is not None}


def opening(type: str, payload: Mapping[str, Any], case_no: str | None = None) -> dict[str, Any]:
    """The canonical `open` of what an agency asks, raises or tells."""
    urgency = "immediate" if catalogue()[type].shape == "alert" else "normal"
    named = {"case_no": case_no} if case_no is not None else {}
    return {"request": {"urgency": urgency, **named}, "documents": [], "payload": payload}


def answer_to(type: str, payload: Mapping[str, Any], now: datetime, **changes: Any) -> dict[str, Any]:
    """The catalogue's example result about the object that this payload asks about, as of now."""
    result = by_now(catalogue()[type], "result", copy.deepcopy(dict(catalogue()[type].example_result)), now)
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


async def controlled(world: World, police: Asked) -> tuple[str, dict[str, Any]]:
    """Has a vehicle of its own sealed and controlled; the control's request, its vehicle and its number."""
    payload = fresh_payload(CONTROL, vehicle=(await sealed(world, police))["vehicle"])
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
    return opening(
        HIT, fresh_payload(HIT, ref=vehicle["ref"], plate=vehicle["plate"], control_no=control["control_no"])
    )
