"""Stories 9 and 12 of docs/domain.md section 7, and a case reassigned: through library, broker and every partner.

One world of its own: three publishers beside the usual agencies, each keeps an entry of its own.
"""

from __future__ import annotations

import asyncio
import copy
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.broker.management import Management
from lianzhi.client import Backoff, ClientConfig, CourtClient, ProblemError
from schemas.catalogue import catalogue
from simulation.parties import BACKUP, CHIEF, CLERK, GAOLING, HANDLER, HOME, POLICE, PRESIDENT, partner
from simulation.parties import GRID as GRID_CENTRE
from simulation.private_broker import PrivateBroker
from simulation.stage import set_stage
from tests.agency import Agency
from tests.court_system import digest_of, fresh_payload, paper
from tests.eventually import eventually
from tests.faults import CANCEL, CONTROL, ENTRUST, GRID, HIT, PERSON, SEAL
from tests.scenes import answer_to, hit
from tests.words import standing
from tests.world import NEAR, World

CASE = "（2026）陕0199执900901号"
PUBLISH, WITHDRAW = "sanction.dishonest.publish", "sanction.dishonest.withdraw"
PUBLISHERS = ("pub-610199-site", "pub-610199-screen", "pub-610199-bank")
PAPERS = ("release-ruling", "enforcement-ruling", "assistance-notice", "dishonesty-decision")


@pytest_asyncio.fixture(scope="module")
async def world(broker: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    publishers = [
        partner(code, "publication", f"发布单位 {code}（演示）", code, ["sanction.*", "cross.*"], dialect="plain/1")
        for code in PUBLISHERS
    ]
    root = tmp_path_factory.mktemp("publishers")
    async with Management(broker.management_url, broker.admin, broker.password) as management:
        await management.put("vhosts", "publishers")
        world = World(await set_stage(root, broker, vhost="publishers", partners=(*NEAR, *publishers)))
        try:
            await world.start()
            yield world
        finally:
            await world.close()
            await management.delete("vhosts", "publishers")


@asynccontextmanager
async def court_system(world: World, folder: Path) -> AsyncIterator[CourtClient]:
    """The court's library at the gateway as it listens now."""
    assert world.gateway is not None
    config = ClientConfig.load(world.parties.write_client(folder, world.gateway.url))
    async with CourtClient.from_config(config, backoff=Backoff(0.01, 0.05), now=world.clock.now) as client:
        yield client


@pytest_asyncio.fixture
async def client(world: World, tmp_path: Path) -> AsyncIterator[CourtClient]:
    async with court_system(world, tmp_path / "cms") as client:
        yield client


def written(world: World, type_: str, payload: Mapping[str, Any], *papers: str, **members: Any) -> dict[str, Any]:
    """A submission; its receivers are named where it is handed in."""
    return {
        "type": type_,
        "schema_version": 1,
        "case_no": CASE,
        "legal_basis": ["CPL-266"],
        "purpose": "sanction",
        "handler": HANDLER,
        "backup_handler": BACKUP,
        "drafted_by": CLERK,
        "documents": [world.court.document(kind) for kind in papers],
        "payload": dict(payload),
        **members,
    }


async def done(agency: Agency, request_no: str, type_: str, **item: Any) -> None:
    """The catalogue's example answer about what was asked."""
    talk = await agency.opened(request_no)
    result = copy.deepcopy(dict(catalogue()[type_].example_result))
    result["items"] = [result["items"][0] | {"ref": talk.refs[0]} | item]
    await agency.answer(request_no, "result", result)


async def published(world: World, client: CourtClient, case_no: str = CASE) -> list[str]:
    """An entry that three publishers were asked for; approved by two people before anything left."""
    body = written(world, PUBLISH, fresh_payload(PUBLISH), "dishonesty-decision", await_approval=True, case_no=case_no)
    accepted = await client.submit(body, receivers=PUBLISHERS)
    numbers = accepted.request_nos
    assert {r.state for r in accepted.requests} == {"awaiting-approval"}
    assert not [m for number in numbers for m in await world.store.messages(number)]
    first = await client.approve(numbers[1], by=CHIEF, role="bureau-chief")
    assert (first.state, first.missing) == ("awaiting-approval", ("approvals-count",))
    last = await client.approve(numbers[0], by=PRESIDENT, role="president")
    assert len(last.requests) == len(PUBLISHERS)
    return numbers


async def papers(world: World) -> None:
    for kind in PAPERS:
        await world.court.put_paper(digest_of(paper(kind)))


# --- 9 the debtor has paid and is still stopped or listed ---------------------------------------------------------


async def test_9_the_debtor_has_paid_and_nothing_of_the_case_is_left(
    world: World, client: CourtClient, tmp_path: Path
) -> None:
    await papers(world)
    police = await world.agency(POLICE)
    car = fresh_payload(SEAL)
    seal = await world.court.ask(SEAL, car, case_no=CASE)
    await police.answer(seal, "result", answer_to(SEAL, car, world.clock.now()))
    await world.reaches(seal, "completed")
    asked = fresh_payload(CONTROL, vehicle=car["vehicle"])
    control = await world.court.ask(CONTROL, asked, case_no=CASE)
    stopped = answer_to(CONTROL, asked, world.clock.now())
    await police.answer(control, "result", stopped)
    await world.reaches(control, "completed")
    listed = await published(world, client)
    for code, number in zip(PUBLISHERS, listed, strict=True):
        await done(await world.agency(code), number, PUBLISH)
        await world.reaches(number, "completed")
    searching = await world.court.ask(PERSON, case_no=CASE)
    await police.opened(searching)
    await world.reaches(searching, "dispatched")

    await world.restart(roles=("api", "intake", "clock"))  # nothing goes out: what is asked now is queued
    queued = await world.court.ask(GRID, case_no=CASE)
    ruling = [world.court.document(kind) for kind in PAPERS[:3]]
    async with court_system(world, tmp_path / "two") as court:
        released = await court.release(CASE, by=HANDLER, reason="paid", documents=ruling)
        assert released.by_hand == []
        assert {i.request_no for i in released.items if i.kind == "withdraw"} == {searching, queued}
        endings = {i.measure_no: str(i.request_no) for i in released.items if i.kind == "ending"}
        assert set(endings) == {f"{number}-1" for number in (seal, control, *listed)}
        assert (await court.request(queued)).state == "withdrawn"
        assert not (await court.released(released.release_no)).done

    await world.restart()
    async with court_system(world, tmp_path / "three") as court:
        withdrawn = await police.next(searching, "withdraw")
        await police.say(await police.opened(searching), "withdraw-ack", answers=withdrawn)
        await done(police, endings[f"{seal}-1"], SEAL, ref=car["vehicle"]["ref"])
        await done(police, endings[f"{control}-1"], CANCEL, ref=car["vehicle"]["ref"])

        async def waiting_for_all() -> bool:
            waiting = (await court.released(released.release_no)).waiting_for
            return set(PUBLISHERS) <= set(waiting)

        await eventually(waiting_for_all)  # until an ending has left, it is our own court that owes it
        for code, number in zip(PUBLISHERS, listed, strict=True):
            await done(await world.agency(code), endings[f"{number}-1"], WITHDRAW)

        async def all_said() -> bool:
            return (await court.released(released.release_no)).done

        await eventually(all_said)
        assert (await court.case(CASE)).measures == ()
    shown = await at_the_terminal(tmp_path / "three" / "client.toml", "case", "show", CASE, "--json")
    assert [r["done"] for r in shown["releases"]] == [True]
    grid = await world.agency(GRID_CENTRE)
    await grid.fence()
    assert [m for m in grid.taken if m.request_no == queued] == []

    talk = police.begin(HIT)
    control_no = stopped["items"][0]["control_no"]
    late = await police.say(talk, "open", hit({"vehicle": car["vehicle"], "control_no": control_no}))
    assert (await world.quarantined(late)).reason == "unknown-control"


async def at_the_terminal(config: Path, *words: str) -> Any:
    """What the command prints for programs."""
    lianzhi = Path(sys.executable).with_name("lianzhi")
    how: dict[str, Any] = {"stdout": asyncio.subprocess.PIPE, "env": {**os.environ, "LIANZHI_CLIENT": str(config)}}
    process = await asyncio.create_subprocess_exec(lianzhi, *words, **how)
    out, _ = await process.communicate()
    assert process.returncode == 0, out
    return json.loads(out)


async def test_9_published_to_three_and_withdrawn_from_the_same_three(world: World, client: CourtClient) -> None:
    await papers(world)
    case_no = CASE.replace("900901", "900902")
    listed = await published(world, client, case_no)
    for code, number in zip(PUBLISHERS, listed, strict=True):
        await done(await world.agency(code), number, PUBLISH)
        await world.reaches(number, "completed")
    payload = fresh_payload(WITHDRAW, published_no=listed[0])
    ending = written(world, WITHDRAW, payload, case_no=case_no)
    with pytest.raises(ProblemError) as caught:
        await client.submit(ending, receivers=PUBLISHERS[:2])
    assert caught.value.code == "group-incomplete"
    assert PUBLISHERS[2] in str(caught.value)
    group = (await client.request(listed[0])).group_no
    accepted = await client.submit({**ending, "group_no": group}, receiver=PUBLISHERS[0])
    assert sorted(r.receiver for r in accepted.requests) == sorted(PUBLISHERS)
    assert accepted.group_no is not None
    for line in accepted.requests:
        await world.reaches(line.request_no, "dispatched")  # before that it is we who owe
        seen = await client.group(accepted.group_no)
        assert not seen.complete
        assert line.receiver in seen.waiting_for
        await done(await world.agency(line.receiver), line.request_no, WITHDRAW)
        await world.reaches(line.request_no, "completed")
    assert (await client.group(accepted.group_no)).complete
    confirmed = await client.say_to_group(accepted.group_no, "confirm", by=HANDLER)
    assert {line.state for line in confirmed.requests} == {"closed"}
    assert await world.store.measures_of_case(HOME, case_no, ("requested", "active")) == []


# --- a case that another court goes on with -----------------------------------------------------------------------


async def test_a_reassigned_case_goes_on_with_partners_that_know_its_old_number(
    world: World, client: CourtClient
) -> None:
    old, new = CASE.replace("900901", "900903"), "（2026）陕0591执900009号"
    neighbour = await world.office(GAOLING)
    payload = fresh_payload(ENTRUST)
    number = await world.court.ask(ENTRUST, payload, receiver=GAOLING, case_no=old)
    await neighbour.next(number, "open")
    await neighbour.answer(number, "receipt")
    await world.reaches(number, "received")

    how: dict[str, Any] = {
        "new_case_no": new,
        "to_court": "陕0591",
        "handler_name": "郑演示",
        "legal_basis": ["CPL-253"],
    }
    moved = await client.reassign(old, by=HANDLER, mode="order", **how)
    assert (moved.case_no, moved.requests, moved.measures) == (new, (number,), (f"{number}-1",))
    (notice,) = moved.notices
    told = await neighbour.understood(await neighbour.next(notice.request_no, "open"))
    assert (told["payload"]["requests"], told["payload"]["new_case_no"]) == ([number], new)
    assert not (await client.group(str(moved.group_no))).complete
    at = standing("receipt", world.clock.now())["received_at"]
    await neighbour.answer(notice.request_no, "read", {"by": "值班员", "at": at})
    await world.reaches(notice.request_no, "read")
    assert (await client.group(str(moved.group_no))).complete

    await neighbour.answer(number, "accept")
    await world.reaches(number, "accepted")
    await neighbour.answer(number, "result", answer_to(ENTRUST, payload, world.clock.now()))
    await world.reaches(number, "completed")
    assert (await client.confirm(number, by=HANDLER)).state == "closed"
    assert (await neighbour.next(number, "confirm")).case_no == old
    assert [m.state for m in (await client.case(new)).measures] == ["active"]
    assert (await client.case(old)).measures == ()


# --- 12 a self-approved query on a spouse or rival ----------------------------------------------------------------


async def test_12_a_query_that_its_own_people_would_approve_never_leaves(
    world: World, client: CourtClient, tmp_path: Path
) -> None:
    await world.court.put_paper(digest_of(paper("summons-proof")))
    police = await world.agency(POLICE)
    body = written(world, PERSON, fresh_payload(PERSON), "summons-proof", await_approval=True, drafted_by=CHIEF)
    number = (await client.submit(body, receiver=POLICE)).request_no
    assert number is not None
    for by, role, code in (
        (CHIEF, "bureau-chief", "approval-refused"),
        (HANDLER, "handler", "approval-refused"),
        (BACKUP, "bureau-chief", "unknown-staff"),
        ("sn0199-9999", "president", "unknown-staff"),
    ):
        with pytest.raises(ProblemError) as caught:
            await client.approve(number, by=by, role=role)
        assert caught.value.code == code
    world.clock.pass_by(seconds=(datetime.now(UTC) - world.clock.now()).total_seconds())  # that of the terminal
    words = ("request", "approve", number, "--by", PRESIDENT, "--role", "president", "--json")
    assert (await at_the_terminal(tmp_path / "cms" / "client.toml", *words))["state"] == "awaiting-approval"
    with pytest.raises(ProblemError) as caught:
        await client.approve(number, by=PRESIDENT, role="president")
    assert caught.value.code == "approval-refused"
    await police.fence()
    assert [t for t in police.taken if t.request_no == number] == []
    assert await world.store.messages(number) == []
