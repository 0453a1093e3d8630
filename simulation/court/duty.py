"""The court when it is the one asked: the duty desk at night, and the bureau that serves a neighbour's papers."""

from __future__ import annotations

import hashlib
from typing import Any

from lianzhi.client import CourtClient, Message
from simulation.clock import now
from simulation.pace import Pace
from simulation.parties import HANDLER
from simulation.reconciliation.journal import Journal

HIT = "police.vehicle-hit.alert"


class Duty:
    def __init__(self, client: CourtClient, journal: Journal, pace: Pace) -> None:
        self._client = client
        self._journal = journal
        self._pace = pace

    async def asked(self, number: str, matter: str, message: Message) -> None:
        """message: the `open`. It is believed only when its signature verifies here too."""
        opened = await self._client.unseal(message)
        payload: dict[str, Any] = opened.data["payload"]
        if matter == HIT:
            await self._hit(number, payload)
        else:
            await self._commission(number, payload)

    async def _hit(self, number: str, alert: dict[str, Any]) -> None:
        """Acknowledge, send a team, compare the car with the papers; only then take it over (docs/domain.md 2.4)."""
        await self._say(number, "acknowledge", {"at": now().isoformat()})
        await self._pace()
        await self._say(number, "send-team", {"at": now().isoformat(), "team": "执行一团队"})
        await self._pace()
        same = not alert["observed_plate_differs"]
        check = {"at": now().isoformat(), "plate_ok": same, "vin_ok": same, "photo_ok": same}
        await self._say(number, "identity-check", check)
        if not same:
            await self._say(number, "false-hit", {"at": now().isoformat(), "why": "号牌与车辆不符，系套牌（演示）"})
            return
        signatures = {"handed_by": "交警大队值班员（演示）", "received_by": "李演示"}
        place = {"at": now().isoformat(), "place": "云川县法院涉案车辆停放点（演示）"}
        await self._say(number, "handover", place | signatures)

    async def _commission(self, number: str, payload: dict[str, Any]) -> None:
        received = {"received_at": now().isoformat(), "person": "李演示", "badge": "陕0199-0007"}
        await self._say(number, "receipt", received)
        await self._pace()
        await self._say(number, "accept", {"handler": "李演示"})
        await self._pace()
        items = [_done(thing) for thing in payload["objects"]]
        await self._say(number, "result", {"outcome": "done", "as_of": now().isoformat(), "items": items})

    async def _say(self, number: str, verb: str, data: dict[str, Any]) -> None:
        said = await self._client.answer(number, verb, data, by=HANDLER, key=f"{verb}:{number}")
        self._journal.write("said", request_no=number, verb=verb, message_id=said.message_id)


def _done(thing: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {"ref": thing["ref"], "status": "done", "receipt_no": f"HZ-{thing['party']['id_no'][-6:]}"}
    if "amount" in thing:
        item["amount"] = thing["amount"]
    if thing["kind"] == "equity":
        item |= {"published_at": now().isoformat(), "company_told_on": now().date().isoformat()}
    if "questions" in thing:
        item["findings"] = [{"question": q, "answer": "查无登记（演示）"} for q in thing["questions"]]
    if "paper" in thing:
        served = {
            "method": "direct",
            "signed_at": now().isoformat(),
            "signer": thing["party"]["name"],
            "relation": "本人",
            "receipt_image": hashlib.sha256(thing["ref"].encode()).hexdigest(),
        }
        item["service"] = served
    return item
