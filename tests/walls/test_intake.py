"""What a partner floods the intake with stays his own: what waits, what is refused, what is counted, what is told."""

from __future__ import annotations

import hashlib
import itertools
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from lianzhi.crypto import base64url
from lianzhi.crypto.sdjwt import parse
from lianzhi.protocol.envelope import GATEWAY_NOTICE, GATEWAY_PING, GATEWAY_PONG
from simulation.parties import FUPING, GRID, POLICE
from tests.agency import Agency
from tests.eventually import eventually
from tests.fault.court import LOCATE, VERIFY
from tests.walls.product import Installation
from tests.words import Said, Talk

KEPT_BYTES = 64 << 10
_numbers = itertools.count(700)


async def asked(site: Installation, code: str, type: str) -> tuple[Agency, Talk]:
    """A request of the court that this agency has received, and has said nothing to yet."""
    agency = await site.agency(code)
    if type == LOCATE:
        await site.court.hand_in_paper()
    order = site.court.orders(1, [type], first=next(_numbers))[0]
    await site.court.submit(order)
    return agency, await agency.opened(site.court.accepted[order.key])


async def shown(site: Installation, number: str) -> dict[str, Any]:
    found: dict[str, Any] = (await site.run("request", "show", number, "--json")).json()
    return found


async def row_of(site: Installation, body: bytes) -> dict[str, Any]:
    """The row of quarantine about these bytes, once it is there."""
    sha256 = hashlib.sha256(body).hexdigest()

    async def found() -> dict[str, Any] | None:
        rows = (await site.run("quarantine", "list", "--json", "--limit", "5000")).json()
        return next((row for row in rows if row["sha256"] == sha256), None)

    return await eventually(found)


async def disposition(site: Installation, number: str, said: Said) -> str | None:
    """What became of that message, as `request trace` tells it; None: it is not stored."""
    done = await site.run("request", "trace", number, "--json")
    letters = done.json()["messages"] if done.code == 0 else []
    return next((letter["disposition"] for letter in letters if letter["id"] == said.id), None)


async def reached(site: Installation, bound: str, participant: str) -> float:
    """How often the metric says that this bound was reached. It has a listener of its own, or the API's."""
    text = ""
    async with aiohttp.ClientSession() as session:
        for port in (site.port + 1, site.port):
            with suppress(aiohttp.ClientConnectionError):
                async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    text += await answer.text()
    wanted = f'lianzhi_bound_reached_total{{bound="{bound}",partner="{participant}"}} '
    return next((float(line.removeprefix(wanted)) for line in text.splitlines() if line.startswith(wanted)), 0.0)


# S3: what waits


async def test_s3_held_per_request(site: Installation) -> None:
    """Five may wait; the sixth is refused, told, and may come again when there is room: its number is not used up."""
    site.limit(held_per_request=5)
    await site.serve()
    grid, talk = await asked(site, GRID, VERIFY)
    said = [await grid.make(talk, verb) for verb in ("delivered", "receipt", "accept", *["progress"] * 5)]
    for early in said[1:]:
        await grid.publish(early)
    await grid.fence()
    assert (await shown(site, talk.request_no))["held"] == 5
    row = await row_of(site, said[6].raw)
    assert (row["reason"], row["pointer"]) == ("held-limit", "/seqno")
    assert (await grid.noticed(body_sha256=said[6].sha256))["next_seqno"] == 1
    assert await reached(site, "held_per_request", GRID) == 2
    incidents = [event for event in await site.court.feed() if event["kind"] == "incident"]
    assert len(incidents) == 1

    await grid.publish(said[0])
    await grid.fence()
    assert await disposition(site, talk.request_no, said[5]) == "applied"
    wanted = await grid.noticed(reason="sequence-gap", request_no=talk.request_no)
    assert wanted["next_seqno"] == 7
    for again in said[6:]:
        await grid.publish(again)
    await grid.fence()
    assert [await disposition(site, talk.request_no, one) for one in said[6:]] == ["applied", "applied"]


async def test_s3_held_on_a_number_that_nobody_opened(site: Installation) -> None:
    """A number that does not exist holds no more than one that does."""
    site.limit(held_per_request=5)
    await site.serve()
    neighbour = await site.agency(FUPING)
    talk = neighbour.begin("entrust.matter.request")
    answers = ("01900000-0000-7000-8000-000000000000", "A" * 43)
    said = [await neighbour.make(talk, "urge", answers=answers, seqno=n) for n in range(2, 10)]
    for one in said:
        await neighbour.publish(one)
    await neighbour.fence()
    kept = [await disposition(site, talk.request_no, one) for one in said]
    assert kept == ["held"] * 5 + [None] * 3
    assert (await row_of(site, said[-1].raw))["reason"] == "held-limit"


async def test_s3_held_per_partner_in_messages_and_bytes(site: Installation) -> None:
    """All requests of one partner together; another partner's room is its own."""
    site.limit(held_per_partner=4, held_bytes_per_partner=60_000)
    await site.serve()
    police, first = await asked(site, POLICE, LOCATE)
    _, second = await asked(site, POLICE, LOCATE)
    for talk in (first, second):
        for seqno in (2, 3):
            await police.say(talk, "progress", seqno=seqno)
    fifth = await police.say(second, "progress", seqno=4)
    await police.fence()
    assert (await row_of(site, fifth.raw))["reason"] == "held-limit"
    assert await reached(site, "held_per_partner", POLICE) == 1

    grid, talk = await asked(site, GRID, VERIFY)
    large = {"stage": "checking", "note": "长" * 9_000}
    words = [await grid.make(talk, "progress", words=large, seqno=seqno) for seqno in (2, 3)]
    for one in words:
        await grid.publish(one)
    await grid.fence()
    assert [await disposition(site, talk.request_no, one) for one in words] == ["held", None]
    assert await reached(site, "held_bytes_per_partner", GRID) == 1


async def test_s3_far_numbers_are_refused_not_held(running: Installation) -> None:
    """However many of them: none is stored among the messages, and the request goes on."""
    grid, talk = await asked(running, GRID, VERIFY)
    for seqno in range(5_000, 5_020):
        await grid.say(talk, "progress", seqno=seqno)
    far = await grid.say(talk, "progress", seqno=2**53 - 1)
    await grid.fence()
    assert (await shown(running, talk.request_no))["held"] == 0
    row = await row_of(running, far.raw)
    assert (row["reason"], row["pointer"]) == ("seqno-too-far", "/seqno")
    talk.seqno = 0
    delivered = await grid.say(talk, "delivered")
    await grid.fence()
    assert await disposition(running, talk.request_no, delivered) == "applied"


# S5: quarantine


async def test_s5_quarantine_keeps_the_beginning_and_counts_equal_ones(running: Installation) -> None:
    grid = await running.agency(GRID)
    body = f"rubbish {next(_numbers)} ".encode() + b"x" * 300_000
    before = len([e for e in await running.court.feed() if e["kind"] == "quarantined"])
    for _ in range(20):
        await grid.publish(body)
    await grid.fence()
    row = await row_of(running, body)
    assert row["count"] == 20
    out = running.root / "kept"
    assert (await running.run("quarantine", "show", str(row["id"]), "--out", str(out))).code == 0
    assert out.read_bytes() == body[:KEPT_BYTES]
    after = len([e for e in await running.court.feed() if e["kind"] == "quarantined"])
    assert after == before + 1


async def test_s5_quarantine_rows_an_hour(site: Installation) -> None:
    """Beyond them nothing is kept, everything is counted; another partner's are its own."""
    site.limit(quarantine_rows_per_hour=10)
    await site.serve()
    police, grid = await site.agency(POLICE), await site.agency(GRID)
    for number in range(40):
        await police.publish(f"rubbish {number}".encode())
    await police.fence()
    other = b"the grid's own rubbish"
    await grid.publish(other)
    await grid.fence()
    rows = await site.quarantine()
    assert len([row for row in rows if row["owner"] == POLICE]) == 10
    assert await row_of(site, other)
    assert await reached(site, "quarantine_rows_per_hour", POLICE) == 30
    assert len([event for event in await site.court.feed() if event["kind"] == "incident"]) == 1


# S10: 64 bits


async def test_s10_large_numbers_on_postgresql(postgres_site: Installation) -> None:
    """Every number that the schema lets a partner sign has room in its column."""
    site = postgres_site
    site.limit(held_distance=2**53)
    await site.serve()
    grid, talk = await asked(site, GRID, VERIFY)
    said = [await grid.say(talk, "progress", seqno=seqno) for seqno in (2**31 - 1, 2**31, 2**32, 2**53 - 1)]
    await grid.fence()
    kept = [await disposition(site, talk.request_no, one) for one in said]
    assert kept == ["held"] * 4, [row["reason"] for row in await site.quarantine()]


async def test_s10_cursor_of_a_year_that_never_comes(running: Installation) -> None:
    """`f1.<event>.<seconds>`, as long as its digits may be."""
    cursor = base64url.encode(b"f1.1.999999999999")
    async with running.court.session.get("/v1/events", params={"after": cursor}) as answer:
        assert answer.status == 400, await answer.text()


# S11: wrongly typed members


@pytest.mark.slow
async def test_s11_type_is_no_text(running: Installation) -> None:
    grid, talk = await asked(running, GRID, VERIFY)
    anything: tuple[Any, ...] = ([], {}, [GATEWAY_PING], 5, True)
    for wrong in anything:
        said = await grid.say(talk, "delivered", type=wrong, seqno=1)
        await grid.fence()
        row = await row_of(running, said.raw)
        assert (row["reason"], row["pointer"]) == ("bad-envelope", "/type"), wrong


async def test_s11_head_is_null(running: Installation) -> None:
    grid, talk = await asked(running, GRID, VERIFY)
    made = await grid.make(talk, "delivered", seqno=1)
    event = {"data": {"head": None}} | {"seqno": 1}
    said = await _again(grid, made, **event)
    await grid.publish(said)
    await grid.fence()
    assert await disposition(running, talk.request_no, said) is None
    row = await row_of(running, said.raw)
    assert (row["reason"], row["pointer"]) == ("bad-envelope", "/data/head")


async def test_s11_a_notice_whose_reason_is_no_text(running: Installation) -> None:
    grid = await running.agency(GRID)
    body = {"body_sha256": "0" * 64, "title_zh": "无", "title_en": "none", "reason": ["stale"]}
    notice = await grid.make_outside(GATEWAY_NOTICE, body)
    await grid.publish(notice)
    await grid.fence()
    assert not [row for row in await running.quarantine() if row["sha256"] == notice.sha256]


# O5: notices


async def test_o5_quarantine_tells_the_rule_and_what_to_do(running: Installation) -> None:
    grid, talk = await asked(running, GRID, VERIFY)
    said = await grid.say(talk, "delivered", {"stored_at": "2026-02-30T00:00:00+08:00", "system": "网格"})
    await grid.fence()
    row = await row_of(running, said.raw)
    assert row["reason"] == "invalid-field"
    assert row.get("rule") == "moment-form"
    assert row["detail_zh"].startswith("时间")
    assert row["detail_en"].startswith("A time")


async def test_o5_id_reused_uses_up_no_number_and_says_which_is_next(running: Installation) -> None:
    grid, talk = await asked(running, GRID, VERIFY)
    first = await grid.say(talk, "delivered")
    other = await grid.say(talk, "receipt", id=first.id)
    notice = await grid.noticed(body_sha256=other.sha256)
    assert (notice["reason"], notice["request_no"], notice.get("next_seqno")) == ("id-reused", talk.request_no, 2)
    talk.seqno = 1
    again = await grid.say(talk, "receipt")
    await grid.fence()
    assert await disposition(running, talk.request_no, again) == "applied"


async def test_o5_version_2_to_whom_has_said_so(site: Installation) -> None:
    """After a ping that says version 2; before, and to everybody else, exactly version 1."""
    await site.serve()
    first_version = {"body_sha256", "reason", "title_zh", "title_en"}
    police, grid = await site.agency(POLICE), await site.agency(GRID)
    for agency in (police, grid):
        early = f"before {agency.code}".encode()
        await agency.publish(early)
        notice = await agency.noticed(body_sha256=hashlib.sha256(early).hexdigest())
        assert notice.keys() == first_version
    assert pongs(grid)[-1:] in ([], [{}])

    await grid.publish(await grid.make_outside(GATEWAY_PING, {"notice_version": 2}))
    await grid.fence()
    assert [body for body in pongs(grid) if body.get("notice_version") == 2 and "clock_offset_ms" in body]
    _, talk = await asked(site, GRID, VERIFY)
    said = await grid.say(talk, "delivered", {"stored_at": "gestern", "system": "网格"})
    notice = await grid.noticed(body_sha256=said.sha256)
    assert (notice["version"], notice["rule"], notice["next_seqno"]) == (2, "moment-form", 2)
    assert (notice["request_no"], notice["message_id"]) == (talk.request_no, said.id)
    assert notice["detail_zh"] and notice["detail_en"]
    assert abs(notice["clock_offset_ms"]) < 60_000

    altered = said.raw[:-30] + b"A" * 28 + said.raw[-2:]
    await grid.publish(altered)
    notice = await grid.noticed(body_sha256=hashlib.sha256(altered).hexdigest())
    assert notice["reason"] == "bad-disclosure"
    assert (notice["request_no"], notice["next_seqno"]) == (talk.request_no, 2)
    assert "message_id" not in notice

    late = b"after"
    await police.publish(late)
    assert (await police.noticed(body_sha256=hashlib.sha256(late).hexdigest())).keys() == first_version
    await police.fence()
    assert not any(pongs(police))


# S12: the log


async def test_s12_log_tells_no_text_of_a_fault(running: Installation) -> None:
    """A message that breaks the intake is logged by type and place: no text of an exception, nothing that was sent."""
    grid, talk = await asked(running, GRID, VERIFY)
    name = "张某某的住址"
    said = await grid.say(talk, "delivered", type=[name], seqno=1)
    await grid.fence()
    await row_of(running, said.raw)
    body = {"body_sha256": "0" * 64, "title_zh": "无", "title_en": "none", "reason": {name: 1}}
    await grid.publish(await grid.make_outside(GATEWAY_NOTICE, body))
    await grid.fence()
    log = running.log.read_text(errors="replace")
    assert [word for word in (name, "Traceback", "unhashable") if word in log] == []


def pongs(agency: Agency) -> list[dict[str, Any]]:
    return [taken.body for taken in agency.taken if taken.envelope.type == GATEWAY_PONG]


async def _again(agency: Agency, made: Said, **members: Any) -> Said:
    """The same message signed anew with other members, also of `data`."""
    parsed = parse(made.raw)
    event = {**parsed.event, **members}
    signed = agency.sign(event, parsed.content)
    return Said(signed.raw, signed.id, signed.digest, made.routing_key, signed.disclosure)
