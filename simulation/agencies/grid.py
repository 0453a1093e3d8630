"""The grid centre. It is told a name, four characters of an ID and an address; it looks, and says what it saw."""

from __future__ import annotations

from lianzhi.partner import Request
from simulation.agencies.agency import Agency, Body, Word, Work
from simulation.clock import now

CENTRE = "云川县网格中心（演示）"
STREETS_BEYOND = ("界外路",)


class GridCentre(Agency):
    clerk = "孙示例"

    def receipt(self, request: Request) -> Body:
        return {
            "receivedAt": now().isoformat(),
            "workerName": self.clerk,
            "workerNo": "yc-0001",
            "gridName": CENTRE,
        }

    def fault(self, request: Request) -> Word | None:
        if request.body["address"].get("street") not in STREETS_BEYOND:
            return None
        return Word("refuse", {"explanation": "该街道不在本网格范围内"}, {"reason_code": "not-in-jurisdiction"})

    def work(self, request: Request, body: Body) -> Work:
        tail = body["idTail4"]
        home = int(tail[:3]) % 5
        seen = {
            "livesHere": "2" if home == 0 else "1",
            "lastSeenMonth": now().strftime("%Y-%m"),
            "contactable": "9" if home == 0 else "1",
        }
        item = {
            "ref": body["ref"],
            **{question: seen[question] for question in body["questions"] if question in seen},
            "workerNo": f"yc-{tail.lower()}",  # each resident has a worker: the answer shows whom it is about
            "workerName": "钱示例",
            "visitedAt": now().isoformat(),
        }
        result = Word("result", {"items": [item]}, {"outcome": "done", "as_of": now().isoformat()})
        accepted = Word("accept", {"workerName": "钱示例"})
        return Work("上门核实", result, (accepted,) if home == 1 else ())
