"""A neighbouring court. It does what it is commissioned to, and commissions a few things itself."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from lianzhi.partner import Request
from simulation.agencies.agency import Agency, Body, Word, Work
from simulation.clock import compact, now
from simulation.parties import HOME
from simulation.synthetic import DIVISION, World

ENTRUST = "entrust.matter.request"
LETTER = "entrust-letter"
COMMISSIONS = ("serve-document", "investigate-property")  # what we ask of the court
NOBODYS = 13  # accounts whose number this divides are not on the bank's books


class NeighbourCourt(Agency):
    """name, court_code: ours. world: what its own commissions are about."""

    clerk = "刘样例"

    def __init__(self, *how: Any, name: str, court_code: str, world: World) -> None:
        super().__init__(*how)
        self._name = name
        self._court_code = court_code
        self._world = world

    def receipt(self, request: Request) -> Body:
        return {"QSSJ": compact(now()), "QSRXM": self.clerk, "QSRGZZBH": f"{self._court_code}-0009", "QSDW": self._name}

    def fault(self, request: Request) -> Word | None:
        body = request.body
        if self._name[:2] not in body["BLDD"]:
            return self._returned(body)
        letters = [paper for paper in body["documents"] if paper["kind"] == LETTER]
        if all("WSBH" in letter for letter in letters):
            return None
        missing = [{"WSLX": LETTER, "BZYY": "委托执行函缺文号，请补正"}]
        return Word("supplement-request", {"BZQD": missing}, {"reply_by": (now() + timedelta(days=3)).isoformat()})

    def work(self, request: Request, body: Body) -> Work:
        items = [self._item(body, thing) for thing in body["objects"]]
        done = any(item["KZZT"] == "1" for item in items)
        codes = {"outcome": "done" if done else "none", "as_of": now().isoformat()}
        accepted = Word("accept", {"CBR": self.clerk, "CNSJ": compact(now() + timedelta(days=9))})
        progress = Word("progress", {"JZJD": "外出办理", "JZSM": "已到协助单位（演示）"})
        slow = body["objects"][0]["DSR"]["DSRZJHM"][-2] in "02468"
        return Work(
            f"代办 {body['WTSXDM']}", Word("result", {"items": items}, codes), (accepted, progress) if slow else ()
        )

    async def heard(self, request: Request, body: Body | None) -> None:
        """Of our own commissions: what the court asked has done is confirmed."""
        if request.ours and request.verb == "result":
            await request.reply("confirm", {"QRR": f"{self.code.removeprefix('court-')}-0009", "QRSM": "收悉"})
        else:
            await request.done()

    def begin(self) -> None:
        """Our own commissions to the court."""
        for code in COMMISSIONS:
            self.later(self._ask(code))

    def _returned(self, body: Body) -> Word:
        talked = {"LXSJ": compact(now()), "LXR": body["CBR"], "LXNR": "电话告知不属本辖区，对方同意退回"}
        said = {"THYY": f"{body['BLDD']}不属本院辖区", "LXJL": [talked]}
        return Word("return", said, {"reason_code": "not-in-jurisdiction"})

    def _item(self, body: Body, thing: Body) -> Body:
        """One line about one object; it quotes the tail of its party's ID, so that anybody sees whom it is about."""
        party = thing["DSR"]
        tail = party["DSRZJHM"][-6:]
        if "KHZH" in thing and int(thing["KHZH"]) % NOBODYS == 0:
            return {"ref": thing["ref"], "KZZT": "2", "WNKZYY": f"证件尾号{tail}查无此账户"}
        item: Body = {"ref": thing["ref"], "KZZT": "1", "HZBH": f"HZ-{tail}"}
        if "KSRQ" in body:
            item |= {"SW": 1, "KSRQ": body["KSRQ"], "JSRQ": body["JSRQ"], "DJBH": f"DJ-{tail}"}
        if "JE" in thing:
            item["SKJE"] = thing["JE"]
        if "FE" in thing:  # a share: frozen from its publication
            item |= {"GSSJ": compact(now()), "TZGSRQ": compact(now())[:8]}
        if "WTQD" in thing:
            item["DCJG"] = [{"WT": q, "DF": f"证件尾号{tail}：查无登记（演示）"} for q in thing["WTQD"]]
        if "SDWS" in thing:
            image = hashlib.sha256(f"HZ-{tail}".encode()).hexdigest()
            item |= {"SDFS": "1", "SDSJ": compact(now()), "QSR": party["XM"], "YSDRGX": "本人", "HZYX": image}
        return item

    async def _ask(self, code: str) -> None:
        await self.pace()
        party, address = self._world.person(), self._world.address()
        number = 900_000 + self._world.next()
        case_no = f"（{self._world.today.year}）{self._court_code}执{number}号"
        thing: Body = {"ref": self._world.ref(), "DSR": _party(party)}
        if code == "serve-document":
            where = {"XZQHDM": DIVISION, "JD": address["street"], "XXDZ": address["detail"]}
            thing |= {"BDLX": "07", "DZ": where, "SDWS": "限制消费令（演示）"}
        else:
            thing |= {"BDLX": "06", "WTQD": ["名下是否有机动车"]}
        body = {
            "AH": case_no,
            "FYDM": self._court_code,
            "FYMC": self._name,
            "CBR": self.clerk,
            "GZZBH": f"{self._court_code}-0009",
            "WTSXDM": code,
            "WTFYDM": self._court_code,
            "STFYDM": "陕0199",
            "BLDD": "云川县（演示）",
            "BLQX": 10,
            "SFJJ": "0",
            "objects": [thing],
            "YT": "serve-document" if code == "serve-document" else "find-property",
            "ZFYJ": "法发〔2017〕27号",
            "JJCD": "1",
            "documents": [_letter(case_no, self.code)],
        }
        refs = [thing["ref"], thing["DSR"]["ref"]]
        await self.partner.open(ENTRUST, HOME, body, head={"refs": refs}, case_no=case_no)


def _party(person: dict[str, Any]) -> Body:
    return {
        "ref": person["ref"],
        "XM": person["name"],
        "ZJLX": "01",
        "XZ": "1",
        "DSRZJHM": person["id_no"],
        "DSRLX": "01",
    }


def _letter(case_no: str, code: str) -> Body:
    return {
        "kind": LETTER,
        "WSBH": f"{case_no}之一",
        "issued_on": now().date().isoformat(),
        "sha256": hashlib.sha256(case_no.encode()).hexdigest(),
        "pages": 1,
        "media_type": "application/pdf",
        "sealed_by": code,
    }
