"""What the court system of a drill hands in, and what its agencies answer."""

from __future__ import annotations

from typing import Any

from simulation.parties import GRID, PARTNERS, POLICE
from tests.fault.agencies import last_word
from tests.fault.court import SEAL, VERIFY, draft

AGENCIES = {VERIFY: GRID, SEAL: POLICE}
MARKS = {SEAL: r"LSVAM4187C2(\d{6})", VERIFY: r"(\d{6})号"}
"""What an agency sees of a matter in its own dialect, whatever number it has: the car's VIN, the door."""
AGAIN = 3  # of so many plain submissions one is handed in again


def order(number: int) -> dict[str, Any]:
    """The work of one line (scripts/court.py)."""
    type = (VERIFY, SEAL)[number % 2]
    body, receiver = draft(number, type)
    mark = f"{number:06d}"
    if type == VERIFY:
        body["payload"]["address"]["detail"] = f"{mark}号"
    again = type == VERIFY and number % (2 * AGAIN) == 0
    return {"mark": mark, "key": f"order-{mark}", "receiver": receiver, "body": body, "again": again}


async def answers() -> dict[str, dict[str, Any]]:
    """The last word of each type, in the words of the agency that is asked (scripts/agency.py)."""
    dialects = {str(form["code"]): str(form["dialect"]) for form in PARTNERS}
    found: dict[str, dict[str, Any]] = {}
    for type, code in AGENCIES.items():
        verb, body, head = await last_word(type, dialects[code])
        found[type] = {"mark": MARKS[type], "verb": verb, "body": body, "head": head}
    return found
