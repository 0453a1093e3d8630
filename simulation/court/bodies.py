"""What a court system hands in for each kind of matter, made of unreal things: the submission and its papers.

Some come with a flaw that the agency finds in what it opens, as in life: a letter without its number, a place outside
the district, an engine number left out. What the agency then says is its own decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schemas.matters.entrust.commissions import COMMISSIONS
from simulation.clock import SHANGHAI
from simulation.court.objects import thing
from simulation.parties import (
    ASSOCIATION,
    BACKUP,
    CHIEF,
    CLERK,
    COURTS,
    DEPUTY,
    GRID,
    HANDLER,
    HOME,
    POLICE,
    PRESIDENT,
)
from simulation.synthetic import DIVISION, PHONES, Paper, World

COURT_CODES = dict(zip(COURTS, ("陕0591", "陕0191", "陕0192"), strict=True))
PLACES = dict(zip(COURTS, ("富平县（演示）", "高陵区（演示）", "临潼区（演示）"), strict=True))
ELSEWHERE = "外省某县（演示）"
BEYOND = "界外路"
"""Not in the district, not in the grid."""

APPROVED_BY: dict[int, tuple[tuple[str, str], ...]] = {
    0: (),
    2: ((DEPUTY, "bureau-chief"), (CHIEF, "bureau-chief")),
    3: ((CHIEF, "bureau-chief"), (PRESIDENT, "president")),
}
"""Nobody; two people; two people with the president among them (whoever is to be held)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One submission. about: what an answer about this very object quotes (the tail of an ID, an account, a VIN)."""

    receiver: str
    body: dict[str, Any]
    papers: tuple[Paper, ...]
    about: str
    signed: bool


class Clerk:
    """Drafts submissions. now: when; approvals lie a few minutes before it."""

    def __init__(self, world: World, now: datetime) -> None:
        self.world = world
        self._now = now.astimezone(SHANGHAI)
        self._shared = (
            world.paper("service-receipt", "送达回证样式（演示）", HOME),
            world.paper("work-permit-copy", "陕0199-0007", HOME),
        )

    def commission(
        self, court: str, code: str, *, name: str | None = None, numbered: bool = True, here: bool = True
    ) -> Draft:
        """委托事项. numbered: the letter has its number; here: the place lies in that court's district."""
        world, row = self.world, COMMISSIONS[code]
        case_no, party = world.case_no(), world.person(name)
        payload: dict[str, Any] = {
            "matter_code": code,
            "entrusting": "陕0199",
            "entrusted": COURT_CODES[court],
            "place": PLACES[court] if here else ELSEWHERE,
            "objects": [thing(world, row.object, party)],
            "requested_days": row.days[1],
        }
        if row.years:
            payload |= {"start_on": world.day(0), "end_on": world.day(364)}
        number = f"{case_no}之一"
        letter = world.paper(
            "entrust-letter", f"（{world.today.year}）陕0199执委{world.next()}号" if numbered else None, HOME
        )
        papers = [
            world.paper("enforcement-ruling", number, HOME),
            world.paper("assistance-notice", number, HOME),
            letter,
            *self._shared,
            *(world.paper(kind, number, HOME) for kind in row.papers),
        ]
        approvals = 0
        if code == "control-person":
            papers.append(world.paper("detention-decision", number, HOME))
            approvals = 3
        return self._draft(
            court, "entrust.matter.request", payload, papers, case_no, party["id_no"][-6:],
            basis=["FAFA-2017-27", "CPL-240"], purpose="seize-asset", approvals=approvals, signed=row.coercive,
        )  # fmt: skip

    def verification(self, *, name: str | None = None, here: bool = True) -> Draft:
        """居住核实. here: the street lies in the grid."""
        person, address = self.world.person(name), self.world.address()
        if not here:
            address["street"] = BEYOND
        payload = {
            "person": {"ref": person["ref"], "name": person["name"], "id_tail4": person["id_no"][-4:]},
            "address": address,
            "questions": ["lives-here", "last-seen-month", "contactable"],
        }
        return self._draft(
            GRID, "grid.verify.request", payload, (), self.world.case_no(), person["id_no"][-4:].lower(),
            basis=["CPL-117"], purpose="verify-residence",
        )  # fmt: skip

    def search(self, *, name: str | None = None, detention: bool = False) -> Draft:
        """协助查找下落. detention: on a detention decision, which the president approves."""
        person, case_no = self.world.person(name), self.world.case_no()
        kind = "detention-decision" if detention else "summons-proof"
        payload = {
            "person": person,
            "reason": "detention-order" if detention else "missing-after-summons",
            "hints": ["常在演示区一带"],
            "validity_days": 15,
            "contact_24h": PHONES[0],
        }
        return self._draft(
            POLICE, "police.person-locate.request", payload, [self.world.paper(kind, f"{case_no}之一", HOME)], case_no,
            person["id_no"][-4:], basis=["INT-482", "DCH-15"], purpose="locate-for-questioning",
            approvals=3 if detention else 2, signed=True,
        )  # fmt: skip

    def seal(self, *, engine: bool = True) -> Draft:
        """车籍查封. engine: with the engine's number."""
        vehicle = self.world.vehicle(engine=engine)
        term = {"start_on": self.world.day(0), "end_on": self.world.day(729)}
        payload = {"vehicle": vehicle, "action": "seal", **term, "debt_amount": self.world.money()}
        return self._on_car("police.vehicle-seal.request", payload, self.world.case_no(), approvals=0)

    def control(self, seal: Draft) -> Draft:
        """实车布控 on the car of that seal; the number of the seal's measure is filled in once it is known."""
        payload = self._resting(seal) | {
            "range": "local",
            "intercept": True,
            "receive_commitment": True,
            "parking": "云川县法院涉案车辆停放点（演示）",
            "duty_phones": list(PHONES[:2]),
        }
        return self._on_car("police.vehicle-control.request", payload, seal.body["case_no"], approvals=2)

    def trace(self, seal: Draft) -> Draft:
        """车辆查找 of the car of that seal."""
        payload = self._resting(seal) | {"area": [DIVISION]}
        return self._on_car("police.vehicle-locate.request", payload, seal.body["case_no"], approvals=2)

    def notice(self) -> Draft:
        """会员通报: what the public list shows, and no more."""
        world, person = self.world, self.world.person()
        masked = f"{person['id_no'][:10]}****{person['id_no'][-4:]}"
        payload = {
            "debtor": {"ref": person["ref"], "name": person["name"], "card_no": masked},
            "court_name": "云川县人民法院（演示）",
            "area_name": "陕西",
            "basis_no": f"（{world.today.year - 1}）陕0199民初{900_000 + world.next()}号",
            "filed_on": world.day(-90),
            "published_on": world.day(-10),
            "performance": "none",
            "disruption": ["able-but-refuses"],
        }
        return self._draft(
            ASSOCIATION, "assoc.member-notice.publish", payload, (), world.case_no(), person["id_no"][-4:],
            basis=["CPL-266"], purpose="publish-dishonest",
        )  # fmt: skip

    def _resting(self, seal: Draft) -> dict[str, Any]:
        given = seal.body["payload"]
        rests_on = {"measure_no": "-", "start_on": given["start_on"], "end_on": given["end_on"]}
        return {
            "vehicle": given["vehicle"],
            "seal": rests_on,
            "start_on": self.world.day(0),
            "end_on": self.world.day(60),
        }

    def _on_car(self, matter: str, payload: dict[str, Any], case_no: str, *, approvals: int) -> Draft:
        papers = [self.world.paper(k, f"{case_no}之一", HOME) for k in ("enforcement-ruling", "assistance-notice")]
        return self._draft(
            POLICE, matter, payload, papers, case_no, payload["vehicle"]["vin"][-6:],
            basis=["SFK-1", "INT-485"], purpose="seize-asset", approvals=approvals, signed=True,
        )  # fmt: skip

    def _draft(
        self,
        receiver: str,
        matter: str,
        payload: dict[str, Any],
        papers: Sequence[Paper],
        case_no: str,
        about: str,
        *,
        basis: list[str],
        purpose: str,
        approvals: int = 0,
        signed: bool = False,
    ) -> Draft:
        body = {
            "type": matter,
            "schema_version": 1,
            "case_no": case_no,
            "team": "执行一团队",
            "legal_basis": basis,
            "purpose": purpose,
            "urgency": "normal",
            "handler": HANDLER,
            "backup_handler": BACKUP,
            "drafted_by": CLERK,
            "approvals": self._approvals(approvals),
            "documents": [paper.document for paper in papers],
            "payload": payload,
        }
        return Draft(receiver, body, tuple(papers), about, signed)

    def _approvals(self, which: int) -> list[dict[str, str]]:
        people = APPROVED_BY[which]
        return [
            {
                "by": by,
                "role": role,
                "decision": "approve",
                "at": (self._now - timedelta(minutes=10 * (len(people) - index))).isoformat(timespec="seconds"),
                "reason": "同意（演示）",
            }
            for index, (by, role) in enumerate(people)
        ]
