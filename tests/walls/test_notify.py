"""Pages: a mail server or a platform that is broken, hostile or misspelt costs its own pages and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import os
from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import tomlkit

from simulation.parties import GRID, HANDLER, HOME, POLICE
from tests.agency import Agency
from tests.court_system import CourtSystem, fresh_payload
from tests.eventually import eventually
from tests.fault.court import PAPER, VERIFY
from tests.faults import CONTROL, HIT, SEAL
from tests.scenes import answer_to, hit
from tests.walls.mail_server import MailServer, mail_server
from tests.walls.product import Installation, WallClock

POOL = min(32, (os.cpu_count() or 1) + 4)
"""Threads that asyncio shares among all who ask for one (concurrent.futures.ThreadPoolExecutor)."""


def configure(site: Installation, **notify: Any) -> None:
    """`[notify]` in `lianzhi.toml`; the handler has an address, the first level is enough."""
    file = site.folder / "lianzhi.toml"
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    document["notify"] = {"backup_minutes": 600, "desk_minutes": 700, "chief_minutes": 800, **notify}
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    home = site.folder / "participants" / f"{HOME}.toml"
    document = tomlkit.parse(home.read_text(encoding="utf-8"))
    for person in document["staff"]:
        if person["no"] == HANDLER:
            person["contact"] = {"mail": "handler@court.example"}
    home.write_text(tomlkit.dumps(document), encoding="utf-8")


def mail(server: MailServer, **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": server.port, "sender": "lianzhi@court.example", "tls": "none", **more}


async def raised(site: Installation, count: int = 1) -> list[str]:
    """So many vehicles sealed and controlled, and each of them seen; the alerts' numbers."""
    police = await site.agency(POLICE)
    court = CourtSystem(WallClock(), site.parties.handover, site.parties.token)  # type: ignore[arg-type]
    await court.connect(site.url)
    alerts = []
    for _ in range(count):
        seal = fresh_payload(SEAL)
        await done(site, court, police, SEAL, seal)
        days = {"start_on": date.today().isoformat(), "end_on": (date.today() + timedelta(days=60)).isoformat()}
        control = fresh_payload(CONTROL, vehicle=seal["vehicle"], **days)
        item = await done(site, court, police, CONTROL, control)
        opening = hit({"vehicle": control["vehicle"], "control_no": item["control_no"]})
        talk = police.begin(HIT)
        talk.refs = [opening["payload"]["ref"]]
        await police.say(talk, "open", opening)
        alerts.append(talk.request_no)
    await police.fence()
    await court.close()
    return alerts


async def done(
    site: Installation, court: CourtSystem, police: Agency, type: str, payload: dict[str, Any]
) -> dict[str, Any]:
    """Asked for and done; what the police said of it."""
    number = await court.ask(type, payload)
    result = answer_to(type, payload, datetime.now(UTC))
    await police.answer(number, "result", result)
    await police.fence()
    item: dict[str, Any] = result["items"][0]
    return item


async def told(site: Installation, number: str, kind: str) -> list[dict[str, Any]]:
    """What the court hears of this kind about that request, once there is anything."""

    async def heard() -> list[dict[str, Any]]:
        assert site.processes[-1].returncode is None, site.said()
        try:
            feed = await site.court.feed()
        except aiohttp.ClientError:  # it is about to be found ended
            return []
        return [e for e in feed if (e.get("request_no"), e["kind"]) == (number, kind)]

    return await eventually(heard)


async def details(site: Installation, number: str, kind: str) -> list[str]:
    """Codes of these events, as the timeline shows them."""
    async with site.court.session.get(f"/v1/requests/{number}/timeline") as answer:
        events = (await answer.json())["events"]
    return [event["detail"] for event in events if event["kind"] == kind]


async def alive(site: Installation) -> None:
    """It serves, and a request still goes out and comes back."""
    assert site.processes[-1].returncode is None, site.said()
    grid = await site.agency(GRID)
    order = site.court.orders(1, [VERIFY], first=990)[0]
    await site.court.submit(order)
    await grid.answer(site.court.accepted[order.key], "delivered")
    await grid.fence()
    assert site.processes[-1].returncode is None, site.said()


async def test_c1_a_mail_server_that_speaks_nonsense(site: Installation) -> None:
    """The page is tried again and told; nothing else stops."""
    async with mail_server("challenge") as server:
        (site.folder / "mail.password").write_text("secret")
        configure(site, mail=mail(server, user="lianzhi", password_file="mail.password"))
        await site.serve()
        (alert,) = await raised(site)
        assert await told(site, alert, "page-not-sent")
        assert (await details(site, alert, "page-not-sent"))[0] == "page-waiting:A:mail:protocol"
        await eventually(lambda: server.seen >= 2)
        await alive(site)


@pytest.mark.parametrize(
    ("field", "notify"),
    [
        pytest.param(
            "notify.mail.host", {"mail": {"host": "mail..court.example", "sender": "lianzhi@court.example"}}, id="host"
        ),
        pytest.param(
            "notify.mail.host",
            {"mail": {"host": "mail.court.example:25", "sender": "lianzhi@court.example"}},
            id="port",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "notify.mail.sender",
            {"mail": {"host": "127.0.0.1", "sender": "lianzhi@court.example\nBcc: x@y.example"}},
            id="sender",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "notify.mail.user",
            {"mail": {"host": "127.0.0.1", "sender": "lianzhi@court.example", "user": "张三"}},
            id="user",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "notify.webhook.url",
            {"webhook": {"url": "https://sms..court.example", "secret_file": "hash.key"}},
            id="url",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "notify.webhook.url",
            {"webhook": {"url": "ftp://sms.court.example", "secret_file": "hash.key"}},
            id="scheme",
            marks=pytest.mark.slow,
        ),
    ],
)
async def test_c1_a_misspelt_address_is_refused_at_load(
    running: Installation, tmp_path: Any, field: str, notify: dict[str, Any]
) -> None:
    """By doctor and by whatever loads the configuration: the field and its rule, in both languages."""
    file = tmp_path / "lianzhi.toml"
    document = tomlkit.parse((running.folder / "lianzhi.toml").read_text(encoding="utf-8"))
    document["notify"] = notify
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    for name in ("participants", "keys", "hash.key", "broker.password"):
        (tmp_path / name).symlink_to(running.folder / name)
    found = await running.run("doctor", "--dir", str(tmp_path), folder=False)
    assert found.code != 0, found.out
    assert "✗" in found.err and field in found.err and "须为" in found.err and "must be" in found.err
    found = await running.run("keys", "list", "--dir", str(tmp_path), folder=False)
    assert found.code == 0, "what has no need of it goes on"


async def test_c1_a_partner_whose_file_is_gone(site: Installation) -> None:
    """A deadline of a request to it falls due: told as an incident; everybody else's work goes on."""
    site.environment |= {"LIANZHI_TIMING__REDELIVER_AFTER": "1"}
    process = await site.serve()
    order = site.court.orders(1, [VERIFY])[0]
    await site.court.submit(order)
    number = site.court.accepted[order.key]
    grid = await site.agency(GRID)
    await grid.opened(number)
    await site.stop(process)
    await grid.close()
    site.agencies.remove(grid)
    (site.folder / "participants" / f"{GRID}.toml").rename(site.root / "kept.toml")
    process = await site.serve()
    assert await told(site, number, "incident")
    assert process.returncode is None, site.said()
    async with site.court.session.get("/livez") as answer:
        assert answer.status == 200


async def test_c9_a_mail_server_that_drips(site: Installation) -> None:
    """More pages are stuck at it than there are shared threads; a document is taken all the same."""
    async with mail_server("drip") as server:
        configure(site, mail=mail(server))
        await site.serve()
        alerts = await raised(site, POOL + 2)
        for alert in alerts:
            assert await told(site, alert, "page")
        await eventually(lambda: server.seen >= POOL, 300)  # where mail takes shared threads, none is left now
        for number in range(3):
            paper = PAPER + str(number).encode()
            await eventually(lambda: server.open)
            put = asyncio.create_task(_put(site, paper))
            finished, _ = await asyncio.wait({put}, timeout=10)
            put.cancel()
            assert finished, f"a document waits while {server.open} mails are stuck"
            assert put.result() == 201
            assert not server.mails


async def _put(site: Installation, paper: bytes) -> int:
    path, headers = f"/v1/documents/{hashlib.sha256(paper).hexdigest()}", {"Content-Type": "application/pdf"}
    async with site.court.session.put(path, data=paper, headers=headers) as answer:
        return answer.status


async def test_c9_a_reply_without_end(site: Installation) -> None:
    """Cut at its bound; the page is tried again. (Before: read into memory as fast as it came, until the time was over,
    and on, because nothing ended the thread.)"""
    async with mail_server("endless") as server:
        configure(site, mail=mail(server))
        await site.serve()
        (alert,) = await raised(site)
        assert await told(site, alert, "page-not-sent")
        await eventually(lambda: server.open == 0)
        assert server.said < 8 << 20


async def test_c9_a_mail_that_was_taken_is_not_sent_again(site: Installation) -> None:
    """Whatever the server says to QUIT."""
    async with mail_server("take") as server:
        configure(site, mail=mail(server))
        await site.serve()
        (alert,) = await raised(site)
        assert await told(site, alert, "page")
        await eventually(lambda: server.mails)
        await alive(site)
        pages = [e for e in await site.court.feed() if e["kind"] == "page-not-sent"]
        assert (len(server.mails), pages) == (1, [])
