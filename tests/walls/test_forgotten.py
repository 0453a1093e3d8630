"""What a restore has lost of a request comes back from its partner, and the request stands again (ADR 0041)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lianzhi.protocol.envelope import GATEWAY_PING
from schemas.catalogue import catalogue
from simulation.parties import GRID, POLICE
from tests.agency import Agency
from tests.eventually import eventually
from tests.fault.court import SEAL, VERIFY
from tests.walls.library import program
from tests.walls.product import Installation
from tests.walls.test_authority import get
from tests.walls.test_intake import reached
from tests.walls.test_lost import in_state
from tests.walls.test_restores import accepted, back_up, go_on, hand_in, incident, post, put_back
from tests.words import Taken, Talk


async def reading_version_2(agency: Agency) -> Agency:
    await agency.publish(await agency.make_outside(GATEWAY_PING, {"notice_version": 2}))
    await agency.fence()
    return agency


async def forgets(site: Installation) -> tuple[Talk, Taken]:
    """A request that the grid company has received and the gateway has lost: serving again, restored."""
    process = await site.serve()
    copy = back_up(site)
    (number,) = await hand_in(site)
    grid = await site.agency(GRID)
    talk, opened = await grid.opened(number), await grid.next(number, "open")
    await site.stop(process)
    put_back(site, copy)
    await go_on(site)
    await reading_version_2(grid)
    return talk, opened


async def look(site: Installation, number: str) -> tuple[int, str | None]:
    """Status of the request's view, and its state."""
    status, document = await get(site, f"/v1/requests/{number}")
    return status, document.get("state")


async def listed(site: Installation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await site.run("db", "forgotten", "list", "--json")).json()
    return found


async def test_t1_a_forgotten_request_stands_again_by_our_own_signed_message(site: Installation) -> None:
    """What its partner said of it meanwhile is judged in order; what is not proved stays listed."""
    talk, opened = await forgets(site)
    grid, number = await site.agency(GRID), talk.request_no
    said = [await grid.make(talk, verb) for verb in ("delivered", "receipt", "accept")]
    for message in reversed(said):
        await grid.publish(message)
    await grid.fence()
    early = await site.run("db", "forgotten", "take-up", number)
    await grid.publish(opened.raw)
    await grid.publish(opened.raw, routing_key=f"{GRID}.urgent.{talk.type}.open")  # twice changes nothing
    await grid.fence()
    before = await site.run("db", "forgotten", "show", number, "--json")
    shown = await site.run("db", "forgotten", "list")
    assert number in shown.out, "the number that is to be copied is broken"
    taken = await site.run("db", "forgotten", "take-up", number, "--json")
    assert await look(site, number) == (200, "accepted"), "the request is lost for good"
    assert early.code == 1
    assert "open" in early.err, "without our own message nothing is proved"
    assert [(row["verb"], row["kept"]) for row in before.json()] == [
        ("accept", True), ("receipt", True), ("delivered", True), ("open", True),
    ]  # fmt: skip
    assert "payload" not in before.out
    assert (taken.json()["applied"], taken.json()["refused"]) == (4, [])
    assert await listed(site) == []
    await grid.say(talk, "result", dict(catalogue()[VERIFY].example_result))
    await grid.fence()
    assert await look(site, number) == (200, "completed"), "the conversation goes on"
    assert {row["reason"] for row in await site.quarantine()} == {"unknown-request"}, "what was kept is all there is"
    _, timeline = await get(site, f"/v1/requests/{number}/timeline")
    assert "taken-up" in {event["kind"] for event in timeline["events"]}
    check = await site.run("db", "check")
    assert check.code == 0, check.out


async def test_t1_the_partner_library_gives_back_what_proves_a_forgotten_request(
    site: Installation, tmp_path: Path
) -> None:
    """By itself. What the court system signed is recognised by it, and its measure entered from the same bytes."""
    process = await site.serve()
    await site.court.hand_in_paper()
    toml = site.parties.partners[POLICE] / "partner.toml"
    orders = site.court.orders(2, [SEAL], first=4_001)
    async with program(tmp_path, "agency.py", toml) as police:
        await accepted(site, orders[0], {})
        await police.told("handled", 1)
        copy = back_up(site)
        number = await accepted(site, orders[1], {})
        await police.told("handled", 2)
        await site.stop(process)
        put_back(site, copy)
        await go_on(site)

        async def provable() -> bool:
            done = await site.run("db", "forgotten", "list", "--json")
            assert done.code == 0, "nothing is kept of what partners say"
            return any(row["request_no"] == number and row["provable"] for row in done.json())

        status, problem = await post(site, orders[1])
        assert status == 409, f"done a second time: {problem}"
        await eventually(provable, timeout=40)
        status, problem = await post(site, orders[1])
        assert (status, problem["type"]) == (409, "urn:lianzhi:problem:done-before")
        assert number in str(problem["errors"])
        refused = await site.run("db", "forgotten", "take-up", number)
        assert refused.code == 1
        assert "--submission" in refused.err, "a seal that nobody can prove is not entered silently"
        signed = tmp_path / "submission.sd-jwt"
        signed.write_bytes(orders[0].handed.body)
        assert (await site.run("db", "forgotten", "take-up", number, "--submission", str(signed))).code == 1
        signed.write_bytes(orders[1].handed.body)
        taken = await site.run("db", "forgotten", "take-up", number, "--submission", str(signed), "--json")
        assert taken.code == 0, taken.err
        assert (await look(site, number))[0] == 200
        await in_state(site, [number], "delivered", timeout=20)
    measures = (await get(site, f"/v1/measures?case_no={(await get(site, f'/v1/requests/{number}'))[1]['case_no']}"))[1]
    assert [m["request_no"] for m in measures["measures"]] == [number]
    assert await accepted(site, orders[1], {}) == number, "the same bytes are the same request"
    check = await site.run("db", "check")
    assert check.code == 0, check.out


async def test_t1_what_is_kept_of_forgotten_requests_is_bounded_and_only_a_party_gives_back(site: Installation) -> None:
    site.limit(forgotten_per_partner=2)
    talk, opened = await forgets(site)
    grid, police = await site.agency(GRID), await reading_version_2(await site.agency(POLICE))
    await police.publish(opened.raw)
    await police.fence()
    said = [await grid.make(talk, verb) for verb in ("delivered", "receipt", "accept")]
    for message in said:
        await grid.publish(message)
    await grid.fence()
    rules = {n["message_id"]: n.get("rule") for n in grid.notices(reason="unknown-request")}
    assert [rules.get(message.id) for message in said] == ["forgotten-kept"] * 2 + ["forgotten-per-partner"]
    assert [(row["partner"], row["messages"], row["returned"]) for row in await listed(site)] == [(GRID, 2, 0)]
    assert (await incident(site, "forgotten-request"))["sender"] == GRID
    assert await reached(site, "forgotten_per_partner", GRID) == 1
    incidents = [e for e in await site.court.feed() if e["kind"] == "incident" and not e.get("head")]
    assert len(incidents) == 1, "a person hears that there is no room"
    dropped = await site.run("db", "forgotten", "drop", talk.request_no, "--yes")
    assert dropped.code == 0, dropped.err
    assert await listed(site) == []
