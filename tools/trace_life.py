"""Which files and functions of ours one request's life passes: `python -m tools.trace_life`.

Court system (client library) → gateway → RabbitMQ → agency (partner library), and back until it is closed, all in this
process under `sys.setprofile`. What is only run while modules are imported does not count.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from gateway.bootstrap import running
from gateway.registry.config import load_config
from lianzhi.client import ClientConfig, CourtClient
from lianzhi.partner import Partner, PartnerConfig
from schemas.catalogue import catalogue
from simulation.parties import BACKUP, CLERK, GRID, HANDLER, PARTNERS
from simulation.private_broker import VHOST, PrivateBroker
from simulation.stage import set_stage

ROOT = Path(__file__).parents[1]
PRODUCT = tuple(str(ROOT / name) + "/" for name in ("library/lianzhi", "gateway", "schemas", "adapters"))
VERIFY = "grid.verify.request"
VISITED = {"workerNo": "g-01", "workerName": "网演示", "visitedAt": "2026-03-26T10:00:00+08:00", "livesHere": "1"}
HEAD = {"outcome": "done", "as_of": "2026-03-26T10:30:00+08:00"}


async def live(root: Path, broker: PrivateBroker, seen: set[CodeType]) -> None:
    """One life before, so that whatever is done once is done; then the one that is traced."""
    partners = tuple(form for form in PARTNERS if form["code"] == GRID)
    parties = await set_stage(root, broker, vhost=VHOST, partners=partners)
    async with (
        running(load_config(parties.folder)) as gateway,
        CourtClient.from_config(ClientConfig.load(parties.write_client(root / "court", gateway.url)), wait=1) as court,
        Partner(PartnerConfig.load(parties.partners[GRID] / "partner.toml")) as grid,
    ):
        await _life(court, grid)
        _trace(seen)
        try:
            await _life(court, grid)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


async def _life(court: CourtClient, grid: Partner) -> None:
    payload: dict[str, Any] = dict(catalogue()[VERIFY].example_request)
    body = {
        "type": VERIFY, "schema_version": 1, "case_no": "（2026）陕0199执900001号", "legal_basis": ["INT-482"],
        "purpose": "verify-residence", "handler": HANDLER, "backup_handler": BACKUP, "drafted_by": CLERK,
        "payload": payload,
    }  # fmt: skip
    accepted = await court.submit(body, receiver=GRID)
    assert accepted.request_no is not None
    async for request in grid.inbox:
        async with request.transaction() as tx:
            if request.verb == "open":
                tx.reply("result", {"items": [{"ref": payload["person"]["ref"], **VISITED}]}, **HEAD)
        if request.verb == "open":
            break
    async for event in court.events():
        if event.request_no == accepted.request_no and event.verb == "result":
            break
    (result,) = [m for m in await court.messages(accepted.request_no) if m.verb == "result"]
    await court.unseal(result)
    await court.confirm(accepted.request_no, by=HANDLER)
    async for request in grid.inbox:
        async with request.transaction():
            if request.verb == "confirm":
                return


def _trace(seen: set[CodeType]) -> None:
    def called(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PRODUCT):
            seen.add(frame.f_code)

    sys.setprofile(called)
    threading.setprofile(called)


async def main() -> None:
    seen: set[CodeType] = set()
    with tempfile.TemporaryDirectory(prefix="lianzhi-life-") as folder:
        async with PrivateBroker() as broker:
            await live(Path(folder), broker, seen)
    files = Counter(Path(code.co_filename).relative_to(ROOT).as_posix() for code in seen)
    rooms = Counter(name.rsplit("/", 1)[0] for name in files)
    for room, count in sorted(rooms.items()):
        print(f"{count:4} {room}")
    print(json.dumps({"files": len(files), "functions": len(seen)}))


if __name__ == "__main__":
    asyncio.run(main())
