"""The trade association. It reads a public notice, passes it to its members, and says so."""

from __future__ import annotations

from lianzhi.partner import Request
from simulation.agencies.agency import Agency, Body, Word, Work
from simulation.clock import now


class Association(Agency):
    clerk = "郑样例"

    def receipt(self, request: Request) -> Body:
        return {"receivedAt": now().isoformat(), "receiver": self.clerk, "unitName": "云川县行业协会（演示）"}

    def fault(self, request: Request) -> Word | None:
        return None

    def work(self, request: Request, body: Body) -> Work:
        return Work("通报会员", Word("read", {"by": self.clerk}, {"at": now().isoformat()}))
