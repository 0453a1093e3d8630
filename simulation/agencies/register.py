"""Who keeps a list or a register on the court's word: publishers, offices of the court (docs/domain.md 2.9).

They speak `plain/1`: the canonical names. A notice is read; an entry is made or taken out.
"""

from __future__ import annotations

from typing import Any

from lianzhi.partner import Request
from simulation.agencies.agency import Agency, Body, Word, Work
from simulation.clock import now

NUMBERED = ("sanction.dishonest.publish", "sanction.consumption-limit.publish", "sanction.grace.set")
NOTICES = ("sanction.credit-repair.certify",)


class Register(Agency):
    clerk = "冯样例"

    def __init__(self, *how: Any) -> None:
        super().__init__(*how)
        self._entries = 0

    def receipt(self, request: Request) -> Body:
        return {"received_at": now().isoformat(), "person": self.clerk}

    def fault(self, request: Request) -> Word | None:
        return None

    def work(self, request: Request, body: Body) -> Work:
        if request.type in NOTICES:
            return Work("阅知", Word("read", {"by": self.clerk}, {"at": now().isoformat()}))
        item: Body = {"ref": body["payload"]["debtor"]["ref"], "status": "done", "done_at": now().isoformat()}
        if request.type in NUMBERED:
            self._entries += 1
            item["registry_no"] = f"{self.code.upper()}-{self._entries:06d}"
        codes = {"outcome": "done", "as_of": now().isoformat()}
        return Work("登记或撤下", Word("result", {"items": [item]}, codes))
