"""What was lost on the other side: a queue with answers in it, an agency's ledger, a court system's spool."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import aio_pika
from uuid_utils.compat import uuid7

from lianzhi.client import signing
from lianzhi.protocol.envelope import GATEWAY_NOTICE
from schemas.catalogue import catalogue
from simulation.parties import CLIENT, GRID, HANDLER, HOME, POLICE
from tests.eventually import eventually
from tests.fault.court import ENTRUST, LOCATE, VERIFY
from tests.walls.library import Program, program
from tests.walls.product import Installation, apply_topology
from tests.walls.test_authority import author, get, post
from tests.walls.test_dispatch import broker_limit, shown, submitted, taken, tapped

# C2: a court system's spool


async def handed_in(site: Installation, folder: Path, spool: Path, *, key: str, case: str) -> Program:
    jwk = site.court.handover / f"{HOME}.sub.{CLIENT}.private.jwk"
    async with program(folder, "spooled.py", site.url, site.court.token, jwk, spool, key, case) as running:
        await running.ended()
    assert running.process.returncode == 0, running.log[-2000:]
    return running


async def test_c2_a_lost_spool_makes_nothing_twice_and_is_told_what_it_has_lost(
    running: Installation, tmp_path: Path
) -> None:
    """The same matter under the same key, signed anew: the number that was given is named, and nothing is taken."""
    case = "（2026）陕0199执600001号"
    first = await handed_in(running, tmp_path, tmp_path / "before" / "spool.sqlite", key="step-4", case=case)
    (accepted,) = await first.told("accepted")
    again = await handed_in(running, tmp_path, tmp_path / "after" / "spool.sqlite", key="step-4", case=case)
    (raised,) = await again.told("raised")
    assert raised["code"] == "idempotency-key-reused"
    assert accepted["request_no"] in raised["text"], "it is not told what its key stands for"
    assert [line["request_no"] for line in again.lines if line["event"] == "there"] == [accepted["request_no"]]
    assert await again.told("followed"), "the feed goes on from the oldest event"


# T6: an agency's ledger


async def urged(site: Installation, number: str) -> None:
    said = {"verb": "urge", "by": HANDLER, "data": {"level": 1, "note": "请尽快"}}
    assert (await post(site, f"/v1/requests/{number}/messages", said))[0] == 202


async def in_state(site: Installation, numbers: list[str], state: str, timeout: float = 60) -> None:
    """Until every one of them is."""

    async def there() -> bool:
        return {(await shown(site, number))["state"] for number in numbers} == {state}

    await eventually(there, timeout)


def handled(agency: Program) -> dict[str, list[str]]:
    """What the application was given, by request."""
    found: dict[str, list[str]] = {}
    for line in agency.lines:
        if line["event"] == "handled":
            found.setdefault(line["request_no"], []).append(line["verb"])
    return found


async def test_t6_an_agency_that_lost_its_ledger_is_given_everything_again(site: Installation, tmp_path: Path) -> None:
    """After `delivered`: the court urges, the new ledger says what it lacks, and the work is done after all."""
    await site.serve()
    await site.court.hand_in_paper()
    folder = site.parties.partners[POLICE]
    numbers = await submitted(site, 4, LOCATE, first=1)
    async with program(tmp_path, "agency.py", folder / "partner.toml") as agency:
        await agency.told("handled", len(numbers))
        await in_state(site, numbers, "delivered")
    for file in folder.glob("*.sqlite*"):
        file.unlink()
    for number in numbers:
        await urged(site, number)
    async with program(tmp_path, "agency.py", folder / "partner.toml", "--answer") as agency:
        everything = {number: ["open", "urge"] for number in numbers}
        await eventually(lambda: handled(agency) == everything, timeout=40)
        await in_state(site, numbers, "received", timeout=20)
    assert await site.quarantine() == [], "a number was used twice"
    for number in numbers:
        _, timeline = await get(site, f"/v1/requests/{number}/timeline")
        assert [e["detail"] for e in timeline["events"] if e["kind"] == "sent-again"] == ["asked:1-2"]


async def test_t6_a_partner_says_what_it_lacks_of_its_own_requests_only_and_so_often(site: Installation) -> None:
    """The very same bytes, to nobody but itself, and not for ever."""
    site.limit(sent_again_per_request=3)
    await site.serve()
    await site.court.hand_in_paper()
    police, grid = await site.agency(POLICE), await site.agency(GRID)
    (theirs,) = await submitted(site, 1, VERIFY, first=1)
    (own,) = await submitted(site, 1, LOCATE, first=2)
    others, opened = await grid.next(theirs, "open"), await police.next(own, "open")

    async def lacks(number: str) -> None:
        body = {"body_sha256": "", "reason": "sequence-gap", "title_zh": "缺", "title_en": "x"}
        notice = await police.make_outside(GATEWAY_NOTICE, body | {"request_no": number, "next_seqno": 1})
        await police.publish(notice)
        await police.fence()

    for copies in (2, 3, 4, 4, 4):
        await lacks(theirs)
        await lacks(own)
        await eventually(lambda copies=copies: police.copies(opened) == copies, timeout=20)  # type: ignore[misc]
    (later,) = await submitted(site, 1, LOCATE, first=20)
    await police.next(later, "open")
    await grid.fence()
    assert (police.copies(opened), grid.copies(others)) == (4, 1)
    assert police.notices(request_no=theirs) == []
    assert {n["next_seqno"] for n in police.notices(request_no=own)} == {1}


# T2: a queue with an agency's answers in it


async def lose_answers(site: Installation, code: str) -> None:
    """The agency's `from` queues go with everything in them, and come back empty."""
    async with await aio_pika.connect(site.vhost.url()) as connection, connection.channel() as channel:
        for queue in (f"lianzhi.from.{code}", f"lianzhi.from.{code}.urgent"):
            await channel.queue_delete(queue, if_unused=False, if_empty=False)
    await apply_topology(site)


async def test_t2_answers_that_the_broker_had_confirmed_and_lost_come_again(site: Installation, tmp_path: Path) -> None:
    """All of them, not the lowest alone."""
    site.environment["LIANZHI_TIMING__REDELIVER_AFTER"] = "3"
    process = await site.serve()
    await site.court.hand_in_paper()
    numbers = await submitted(site, 3, LOCATE, first=1)
    await in_state(site, numbers, "dispatched")
    await site.stop(process)
    toml = site.parties.partners[POLICE] / "partner.toml"
    async with program(tmp_path, "agency.py", toml, "--answer") as agency:
        await agency.told("handled", len(numbers))
    await lose_answers(site, POLICE)
    async with program(tmp_path, "agency.py", toml, "--answer") as agency:
        await site.serve()
        await in_state(site, numbers, "received", timeout=40)
        assert handled(agency) == {}, "nothing was handed to the application twice"


async def test_t2_whoever_makes_a_lost_queue_again_lets_everybody_be_asked(site: Installation, tmp_path: Path) -> None:
    """Behind a `delivered` that had come before nothing else would show that more is missing until somebody urges."""
    process = await site.serve()
    await site.court.hand_in_paper()
    numbers = await submitted(site, 2, LOCATE, first=1)
    toml = site.parties.partners[POLICE] / "partner.toml"
    go = tmp_path / "go"
    async with program(tmp_path, "agency.py", toml, "--answer", "--still", str(go)) as agency:
        await in_state(site, numbers, "delivered")
        await site.stop(process)
        go.touch()
        await agency.told("handled", len(numbers))
    await lose_answers(site, POLICE)
    async with program(tmp_path, "agency.py", toml, "--answer"):
        await site.serve()
        await in_state(site, numbers, "received", timeout=40)


async def test_t2_the_gateway_asks_for_what_may_have_been_lost_behind_a_late_answer(site: Installation) -> None:
    """An agency that repeats only its lowest answer hears which number is wanted next, and then sends the rest."""
    site.environment["LIANZHI_TIMING__REDELIVER_AFTER"] = "3"
    await site.serve()
    await site.court.hand_in_paper()
    police = await site.agency(POLICE)
    (number,) = await submitted(site, 1, LOCATE, first=1)
    talk = await police.opened(number)
    answers = [await police.make(talk, verb) for verb in ("delivered", "receipt")]  # confirmed, and lost
    await police.noticed(request_no=number, next_seqno=1, reason="sequence-gap")
    await police.next(number, "open", count=2)
    await police.publish(answers[0])
    await police.noticed(request_no=number, next_seqno=2, reason="sequence-gap")
    await police.publish(answers[1])
    await in_state(site, [number], "received", timeout=20)


# C11: who really owes


async def test_c11_a_release_waits_for_us_where_our_own_confirmation_is_missing(running: Installation) -> None:
    """The grid's answer crossed the withdrawal: nobody but the court can end it now."""
    site = running
    grid = await site.agency(GRID)
    (number,) = await submitted(site, 1, VERIFY, first=7_101)
    await grid.opened(number)
    case_no = (await shown(site, number))["case_no"]
    order = {"case_no": case_no, "reason": "paid", "by": HANDLER}
    handed = signing.statement(
        author(site), "/v1/cases/release", order, matter="case.release", receiver=HOME, sign=True,
        message_id=str(uuid7()), now=datetime.now(UTC),
    )  # fmt: skip
    status, released = await post(site, "/v1/cases/release", handed)
    assert status == 202, released
    path = f"/v1/cases/release/{released['release_no']}"
    withdrawal = await grid.next(number, "withdraw")
    assert (await get(site, path))[1]["waiting_for"] == [GRID]
    talk = await grid.opened(number)
    await grid.say(talk, "withdraw-ack", {"effect": "too-late"}, answers=withdrawal)
    await grid.say(talk, "result", dict(catalogue()[VERIFY].example_result))
    await grid.fence()
    assert (await shown(site, number))["state"] == "completed"
    assert (await get(site, path))[1]["waiting_for"] == [HOME]
    assert (await shown(site, number))["waits_for"] == HOME
    said = await post(site, f"/v1/requests/{number}/messages", {"verb": "confirm", "by": HANDLER, "data": {}})
    assert said[0] == 202, said
    after = (await get(site, path))[1]
    assert (after["done"], after["waiting_for"]) == (True, [])


# C12: a message that the broker never takes


async def test_c12_a_message_above_the_brokers_limit_is_told_with_its_cause(site: Installation) -> None:
    """In the request's view, as an incident with both figures, in a line of the log, and on the command line."""
    async with tapped(site.vhost) as tap:
        process = await site.serve()
        await site.court.hand_in_paper()
        small, large = await submitted(site, 1, VERIFY, first=1), await submitted(site, 1, ENTRUST, first=2)
        sizes = {m.number: m.size for m in await taken(tap, {*small, *large})}
        await site.stop(process)
    limit = (sizes[small[0]] + sizes[large[0]]) // 2
    async with broker_limit(site.vhost, limit):
        process = await site.serve()
        before = len(site.log.read_text())
        (never,) = await submitted(site, 1, ENTRUST, first=10)

        async def told() -> list[dict[str, object]]:
            events = [e for e in await site.court.feed() if e.get("request_no") == never]
            return [e["head"] for e in events if e["kind"] == "incident"]

        (head,) = await eventually(told, timeout=30)
        assert (head["reason"], head["verb"], head["most"]) == ("message-too-large", "open", limit)
        assert head["bytes"] > limit  # type: ignore[operator]
        found = await shown(site, never)
        assert (found["state"], found["reason"]) == ("undeliverable", "message-too-large")
        assert found["waits_for"] == HOME, "nobody else can do anything about it"
        lines = [line for line in site.log.read_text()[before:].splitlines() if "message-too-large" in line]
        assert len(lines) == 1 and "lianzhi doctor" in lines[0], "one line says so, and where to look"
        assert (await site.run("request", "show", never, "--json")).json()["reason"] == "message-too-large"
        await site.stop(process)
