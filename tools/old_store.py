"""Writes what an older version leaves behind: tests/fixtures/written_before (tests/contract/test_written_before.py).

Run by that version's own Python, in that version's checkout, so that every byte is its work:

    cd CHECKOUT && .venv/bin/python THIS/tools/old_store.py THIS/tests/fixtures/written_before/f2027db

For SQLite and for PostgreSQL: a court's installation with requests in many states, as a gateway leaves it that was
switched off in the middle of its work, and the ledger of an agency that was cut off from the broker. The keys are made
for it and lie beside it. `facts.json` says what a test must know.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, os.getcwd())  # the older version's own tests are its kit

import tomlkit

from gateway.application.deadlines.calendars import import_year
from gateway.broker.management import Management
from gateway.core.records import Changes, CourtFigure
from gateway.registry.calendars import read_year
from gateway.registry.config import FILE
from gateway.registry.installation import write_secret
from gateway.store.tables import metadata
from gateway.store.upkeep.migrate import migrate
from lianzhi.client import ClientConfig, CourtClient
from lianzhi.partner import Partner
from simulation.parties import ASSOCIATION, CHIEF, CLERK, GAOLING, GRID, HANDLER, POLICE
from simulation.private_broker import PrivateBroker
from tests import postgres
from tests.clerk import answered
from tests.court_system import fresh_payload
from tests.faults import ENTRUST, HIT, NOTICE, PERSON, SEAL
from tests.faults import GRID as VERIFY
from tests.platform import SECRET
from tests.scenes import answer_to, commission, controlled, hit, sealed
from tests.words import Said
from tests.world import World, open_world

KEPT_KEY = "kept-since-f2027db"
NOBODY = "http://127.0.0.1:9/pages"
LEASE = timedelta(seconds=30)
CASE = "（2026）陕0199执910001号"


async def play(world: World, broker: PrivateBroker) -> dict[str, Any]:
    """The gateway's work of a morning, until it is switched off. What a test must know of it."""
    facts: dict[str, Any] = {}
    court, police, grid = world.court, await world.agency(POLICE), await world.office(GRID)

    # measures in force, a hit whose page reached nobody
    await sealed(world, police)
    _, control = await controlled(world, police)
    alert = police.begin(HIT)
    alert.refs = [hit(control)["payload"]["ref"]]
    await police.say(alert, "open", hit(control))
    await world.told(alert.request_no, "page-not-sent")
    facts["alert"] = alert.request_no

    # one request in each state that the agency can bring it to
    for verb, data, state in (
        ("accept", None, "accepted"),
        ("refuse", None, "refused"),
        ("supplement-request", None, "supplement-wanted"),
    ):
        number = await court.ask(PERSON)
        await police.answer(number, "delivered")
        await police.answer(number, verb, data)
        await world.reaches(number, state)
    withdrawn = await court.ask(PERSON)
    await police.answer(withdrawn, "delivered")
    await world.reaches(withdrawn, "delivered")
    assert (await court.say(withdrawn, "withdraw", {"reason_code": "paid"})).status == 202
    await police.next(withdrawn, "withdraw")
    facts["withdrawing"] = withdrawn
    missing = court.document("summons-proof") | {"sha256": "e" * 64}
    blocked = await court.submit(PERSON, documents=[missing])
    facts["blocked"] = blocked.request_no
    awaiting = await court.submission(PERSON, approvals=court.approvals((CHIEF, "bureau-chief")), await_approval=True)
    facts["awaiting"] = (await court.post("/v1/requests", *court.signed(awaiting))).request_no
    neighbour = await world.agency(GAOLING)
    entrusted = neighbour.begin(ENTRUST, case_no=commission()["request"]["case_no"])
    await neighbour.say(entrusted, "open", commission())
    await neighbour.next(entrusted.request_no, "delivered")

    # the court lets everything of a case go
    car = fresh_payload(SEAL)
    seal = await court.ask(SEAL, car, case_no=CASE)
    await police.answer(seal, "result", answer_to(SEAL, car, world.clock.now()))
    await world.reaches(seal, "completed")
    assert world.gateway is not None
    file = world.parties.write_client(world.parties.folder.parent / "cms", world.gateway.url)
    async with CourtClient.from_config(ClientConfig.load(file), now=world.clock.now) as client:
        ruling = [court.document(kind) for kind in ("enforcement-ruling", "assistance-notice")]
        released = await client.release(CASE, by=HANDLER, reason="paid", documents=ruling)
    facts["release"] = released.release_no
    shutil.rmtree(file.parent)

    # what the agency said too early, and what was refused
    held = await court.ask(PERSON)
    talk = await police.opened(held)
    early = [await police.make(talk, verb) for verb in ("delivered", "receipt", "accept")]
    await police.publish(early[2])
    await world.told(held, "held")
    facts["held"] = {"request_no": held, "missing": [_kept(said) for said in early[:2]]}
    talk = await police.opened(await court.ask(PERSON))
    genuine = await police.make(talk, "delivered")
    altered = genuine.raw.replace(b"~", b"AAAA~", 1)
    await police.publish(altered, routing_key=genuine.routing_key)
    wrong = await police.make(talk, "receipt", caseno="（2026）陕0199执1号", seqno=1)
    await police.publish(wrong)
    await world.quarantined(wrong)
    facts["quarantined"] = [wrong.sha256]

    # the agency's program: one request answered, one looked at, one whose answers it cannot send any more
    accepted, looked_at, unsent = [await court.ask(VERIFY) for _ in range(3)]
    await grid.answer(accepted, "accept")
    await world.reaches(accepted, "accepted")
    for number in (looked_at, unsent):
        await grid.next(number, "open")
        await world.reaches(number, "delivered")
    facts["ledger"] = {"answered": accepted, "open": looked_at, "unsent": unsent}

    # a queue that is not there
    await world.sent_all()
    await _delete_queues(world, broker, ASSOCIATION)
    gone = await court.ask(NOTICE)
    await world.reaches(gone, "undeliverable")
    facts["undeliverable"] = gone

    # a terminated case, the desk, the figures, the calendar
    closed = {"event": "closed", "case_no": CASE, "on": "2026-03-20", "by": HANDLER}
    assert (await court.post("/v1/ledgers/closure", json.dumps(closed).encode(), "application/json")).status == 201
    now = world.clock.now()
    hours = [(now + timedelta(hours=h)).isoformat(timespec="seconds") for h in (-1, 100)]
    await court.put("/v1/duty-roster", {"shifts": [{"begins": hours[0], "ends": hours[1], "person": CLERK}]})
    async with world.store.begin() as tx:
        await tx.apply(Changes(court_figures=[CourtFigure("2026-W12", "执行到位率", "61.20", now)]))
    await import_year(world.gateway.context, read_year(Path("gateway/registry/published/2026.toml")))

    # from here on nothing leaves; one row is in the hands of a dispatcher that dies
    world.gates.dispatching = False
    kept, media_type = court.signed(await court.submission(PERSON))
    answer = await court.post("/v1/requests", kept, media_type, key=KEPT_KEY)
    waiting = [answer.request_no, await court.ask(VERIFY), await court.ask(PERSON), await court.ask(SEAL)]
    facts["idempotency"] = {
        "key": KEPT_KEY,
        "body": base64.b64encode(kept).decode(),
        "content_type": media_type,
        "status": answer.status,
        "answer": answer.body,
    }
    leased = await world.store.lease_outbox("court:1:0", world.clock.now(), LEASE, 1)
    facts["outbox"] = {"request_nos": waiting, "leased": [row.request_no for row in leased]}
    assert len(leased) == 1
    facts["at"] = world.clock.now().isoformat()
    return facts


async def cut_off(world: World, facts: Mapping[str, Any]) -> None:
    """The agency answers while no broker is there: its answers stay in its ledger."""
    office = await world.office(GRID)
    config, asked = office.partner.config, await office.next(facts["ledger"]["unsent"], "open")
    payload = (await office.understood(asked))["payload"]
    answers = {"accept": None, "result": answered(VERIFY, payload, world.clock.now())}
    said = [(verb, *await office._words(asked.type, verb, data)) for verb, data in answers.items()]
    await office.close()
    world._offices.clear()
    nowhere = f"{config.amqp_url.rpartition('@')[0]}@127.0.0.1:9/nobody"
    async with Partner(replace(config, amqp_url=nowhere), now=world.clock.now) as partner:
        for verb, head, body in said:
            await partner.say(asked.request_no, verb, body, **head)


def _kept(said: Said) -> dict[str, str]:
    return {"raw": said.raw.decode(), "routing_key": said.routing_key}


async def _delete_queues(world: World, broker: PrivateBroker, code: str) -> None:
    config = tomlkit.parse((world.parties.folder / FILE).read_text("utf-8"))["broker"]
    vhost = str(config["url"]).rpartition("/")[2]
    async with Management(broker.management_url, broker.admin, broker.password) as management:
        for lane in ("", ".urgent"):
            await management.delete("queues", vhost, f"lianzhi.to.{code}{lane}")


async def write(broker: PrivateBroker, out: Path, store_url: str | None) -> None:
    """One installation into `out`. store_url: of an empty PostgreSQL database."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        async with open_world(broker, root) as world:
            file = world.parties.folder / FILE
            settings = tomlkit.parse(file.read_text("utf-8"))
            settings["notify"] = {"webhook": {"url": NOBODY, "secret_file": "platform.secret"}}
            if store_url is not None:
                settings["store"] = {"url": store_url}
                await migrate(store_url)
            file.write_text(tomlkit.dumps(settings), "utf-8")
            write_secret(world.parties.folder / "platform.secret", SECRET + "\n")
            await world.start()
            facts = await play(world, broker)
            await cut_off(world, facts)
            facts["parties"] = {"token": world.parties.token, "passwords": world.parties.passwords}
            numbers = sorted({e.request_no for e in await world.events() if e.request_no})
            facts["states"] = {r.request_no: r.state for r in await world.store.requests_named(numbers)}
            await world.stop()
        settings.pop("store", None)  # where it was is nobody's business
        file.write_text(tomlkit.dumps(settings), "utf-8")
        database = _sqlite(root) if store_url is None else _postgres(store_url)
        _keep(out, "store.sqlite.gz" if store_url is None else "store.sql.gz", database, facts, _packed(root))


def _keep(out: Path, name: str, database: bytes, facts: Mapping[str, Any], installation: bytes) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / name).write_bytes(gzip.compress(database, 9, mtime=0))
    (out / "facts.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (out / "installation.tar.gz").write_bytes(gzip.compress(installation, 9, mtime=0))


def _sqlite(root: Path) -> bytes:
    """The file as one, without what its WAL still holds apart."""
    with tempfile.TemporaryDirectory() as beside:
        copy = Path(beside) / "store.sqlite"
        connection = sqlite3.connect(root / "gateway" / "lianzhi.sqlite")
        counts = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in metadata.tables}
        empty = [table for table, rows in counts.items() if not rows]
        if empty:
            raise SystemExit(f"nothing was written to {empty}")
        connection.execute("VACUUM INTO ?", (str(copy),))
        connection.close()
        return copy.read_bytes()


def _postgres(url: str) -> bytes:
    """Plain SQL; of nobody in particular."""
    binaries = postgres.binaries()
    assert binaries is not None
    done = subprocess.run(
        [str((binaries / "postgres").resolve().with_name("pg_dump")), "--no-owner", "--no-privileges", url],
        check=True,
        capture_output=True,
    )
    lines = done.stdout.splitlines(keepends=True)  # newer servers add commands that an older psql does not know
    return b"".join(line for line in lines if not line.startswith((b"\\restrict", b"\\unrestrict")))


def _packed(root: Path) -> bytes:
    """Gateway's and partners' folders, without the store; the ledgers as one file each."""
    for ledger in root.glob("partners/*/inbox.sqlite"):
        connection = sqlite3.connect(ledger)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(p for name in ("gateway", "partners") for p in (root / name).rglob("*") if p.is_file()):
            if path.name.startswith("lianzhi.sqlite") or path.suffix == ".lock" or path.name.endswith(("-wal", "-shm")):
                continue
            info = tar.gettarinfo(path, str(path.relative_to(root)))
            info.mtime, info.uid, info.gid, info.uname, info.gname = 0, 0, 0, "", ""
            with path.open("rb") as content:
                tar.addfile(info, content)
    return buffer.getvalue()


async def main(out: Path) -> None:
    cluster = postgres.shared()
    async with PrivateBroker() as broker:
        await write(broker, out / "sqlite", None)
        await write(broker, out / "postgresql", await cluster.new_database("template0"))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
