"""The police. They find people and cars, register seals, control cars on the road, and report what passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from lianzhi.partner import Request
from simulation.agencies.agency import Agency, Body, Word, Work
from simulation.clock import compact, now
from simulation.parties import HOME

BUREAU = "云川县公安局（演示）"
BUREAU_CODE = "610199000000"
CONTROL = "police.vehicle-control.request"
HIT = "police.vehicle-hit.alert"
RELEASE = "3"
CLONED = 3  # every third car that passes shows the plate of another


class Police(Agency):
    clerk = "赵演示"

    def __init__(self, *how: Any) -> None:
        super().__init__(*how)
        self._hits = 0
        self._offices: dict[str, Callable[[Body], Work]] = {
            "police.person-locate.request": self._find_person,
            "police.vehicle-locate.request": self._find_car,
            "police.vehicle-seal.request": self._seal,
            CONTROL: self._control,
            "police.vehicle-control.cancel": self._cancel,
        }

    def receipt(self, request: Request) -> Body:
        return {
            "QSSJ": _moment(request.type, now()),
            "QSRXM": self.clerk,
            "QSRJH": "061234",
            "QSDW": BUREAU,
            "QSDWJGDM": BUREAU_CODE,
        }

    def fault(self, request: Request) -> Word | None:
        if request.type != "police.vehicle-seal.request" or "FDJH" in request.body:
            return None
        missing = [{"ZDM": "FDJH", "BZYY": "缺发动机号，无法核对登记车辆"}]
        return Word("supplement-request", {"BZQD": missing}, {"reply_by": (now() + timedelta(days=3)).isoformat()})

    def work(self, request: Request, body: Body) -> Work:
        return self._offices[request.type](body)

    async def heard(self, request: Request, body: Body | None) -> None:
        """Once the court has confirmed a control, the car passes a checkpoint."""
        await request.done()
        if request.type == CONTROL and request.verb == "confirm" and body is not None:
            self.later(self._passes(request.request_no, body))

    def _find_person(self, body: Body) -> Work:
        tail = body["ZJHM"][-4:]
        sighting = {
            "seen_at": (now() - timedelta(minutes=40)).isoformat(),
            "precision": "street",
            "place": f"演示区{tail}号街口",
            "confidence": "high",
        }
        found = int(tail[1:3]) % 6 != 0
        items = [{"ref": body["ref"], "sightings": [sighting] if found else []}]
        codes = _as_of("done" if found else "none") | {"ttl_hours": 72}
        progress = Word("progress", {"JZJD": "核查", "JZSM": "正在比对（演示）"})
        accepted = Word("accept", {"SLR": "吴演示", "CNSJ": compact(now() + timedelta(days=2))})
        return Work("查找人员", Word("result", {"items": items}, codes), (accepted, progress) if found else ())

    def _find_car(self, body: Body) -> Work:
        seen = {
            "at": (now() - timedelta(hours=3)).isoformat(),
            "place": f"演示区环路{_tail(body)}段",
            "direction": "由南向北",
        }
        items = [{"ref": body["ref"], "last_seen": [seen]}]
        return Work("查找车辆", Word("result", {"items": items}, _as_of("done") | {"ttl_hours": 72}))

    def _seal(self, body: Body) -> Work:
        if body["CFLX"] == RELEASE:
            gone = {"ref": body["ref"], "CFZT": "1"}
            return Work("解除查封", Word("result", {"items": [gone]}, _as_of("done")))
        item = {
            "ref": body["ref"],
            "CFZT": "1",
            "LHSX": 1,
            "CFQSSJ": body["CFQSSJ"],
            "CFJSSJ": body["CFJSSJ"],
            "CFXH": f"YC-CF-{_tail(body)}",
        }
        return Work("登记查封", Word("result", {"items": [item]}, _as_of("done")))

    def _control(self, body: Body) -> Work:
        item = {
            "ref": body["ref"],
            "BKXH": f"BK610199{_tail(body)}",
            "SPR": "吴演示",
            "SXSJ": _moment(CONTROL, now()),
        }
        accepted = Word("accept", {"SLR": "吴演示"})
        return Work("上路布控", Word("result", {"items": [item]}, _as_of("done")), (accepted,))

    def _cancel(self, body: Body) -> Work:
        item = {"ref": body["ref"], "SXSJ": _moment(CONTROL, now())}
        return Work("撤销布控", Word("result", {"items": [item]}, _as_of("done")))

    async def _passes(self, control: str, body: Body) -> None:
        await self.pace()
        self._hits += 1
        cloned = self._hits % CLONED == 0
        alert = {
            "ref": body["ref"],
            "YJXH": f"YJ610199{_tail(body)}",
            "BKXH": f"BK610199{_tail(body)}",
            "HPHM": body["HPHM"],
            "HPZL": body["HPZL"],
            "GCSJ": _moment(HIT, now()),
            "KKMC": "演示区环路卡口",
            "FXMC": "由南向北",
            "HPBF": "1" if cloned else "0",
            "SFCJLJ": "1",
            "CZDW": "云川县公安局交警大队（演示）",
            "LXDH": "13800138002",
        }
        await self.partner.open(HIT, HOME, alert, head={"refs": [body["ref"]]}, related=control)


def _tail(body: Body) -> str:
    return str(body["CLSBDH"])[-6:]


def _as_of(outcome: str) -> dict[str, Any]:
    return {"outcome": outcome, "as_of": now().isoformat()}


def _moment(matter: str, moment: datetime) -> str:
    """Vehicles and persons write their times differently (docs/dialects.md)."""
    return moment.strftime("%Y-%m-%d %H:%M:%S") if matter.startswith("police.vehicle-") else compact(moment)
