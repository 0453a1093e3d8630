"""Reading: one request, pages, messages with their translation, timelines, measures, types."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.application.cursors import page_cursor
from gateway.bounds import Bounds
from gateway.store import SqlStore
from lianzhi.crypto import base64url
from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.seal import unseal
from lianzhi.protocol.policy import authenticate, examine
from schemas.catalogue import catalogue
from tests.api.world import (
    CASE,
    COURT,
    GRID,
    NEIGHBOUR,
    POLICE,
    Keys,
    World,
    document,
    gathered,
    grid_request,
    locate_request,
    seal_request,
    serving,
)
from tests.dated import by_now
from tests.words import standing

RECEIPT = {"received_at": "2026-03-24T10:31:52+08:00", "person": "赵演示", "badge": "061234"}


async def located(world: World) -> str:
    """A location request that the police have."""
    await world.put_pdf()
    number = await world.accepted(await world.submit_signed(locate_request()))
    await world.sent()
    return number


async def commissioned(world: World) -> str:
    """A commissioned matter between two courts that both use the API."""
    await world.put_pdf()
    papers = ("enforcement-ruling", "assistance-notice", "entrust-letter", "service-receipt", "work-permit-copy")
    body = locate_request(
        type="entrust.matter.request",
        purpose="seize-asset",
        approvals=[],
        documents=[document(kind) for kind in papers],
        payload=dict(catalogue()["entrust.matter.request"].example_request),
    )
    return await world.accepted(await world.submit_signed(body, receiver=NEIGHBOUR))


async def test_the_messages_are_the_signed_bytes_beside_what_they_say(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    await world.reply(number, "delivered", {"stored_at": "2026-03-24T10:10:00+08:00", "system": "网格平台"}, seqno=1)
    matter = catalogue()["grid.verify.request"]
    result = by_now(matter, "result", matter.example_result, world.clock.now())
    await world.reply(number, "result", result, seqno=2)
    listed = (await world.get(f"/v1/requests/{number}/messages")).json
    assert listed["request_no"] == number
    opened, delivered, answer = listed["messages"]
    assert [m["verb"] for m in listed["messages"]] == ["open", "delivered", "result"]
    assert (answer["sender"], answer["receiver"], answer["disposition"]) == (GRID, COURT, "applied")
    assert answer["data"] == result
    assert answer["head"]["outcome"] == "done"
    assert delivered["data"]["system"] == "网格平台"
    for message in (opened, delivered, answer):
        proved = authenticate(
            message["bytes"].encode(),
            sender=message["sender"],
            keyring=world.keys.ring,
            now=world.clock.now(),
            limits=world.context.limits,
        )
        assert examine(proved, receivers={COURT, GRID}).id == message["message_id"]
        assert proved.parsed.digest == message["digest"]


async def test_what_we_sealed_to_a_partner_stays_sealed(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    opened = (await world.get(f"/v1/requests/{number}/messages")).json["messages"][0]
    assert "data" not in opened
    assert opened["sealed_to"] == f"{GRID}.enc.1"
    partner = Keyring([], [world.keys.private[f"{GRID}.enc.1"]])
    words = unseal(opened["sealed"], request_no=number, message_id=opened["message_id"], keyring=partner)
    assert words["name"] == "李示例"


async def test_a_location_is_for_the_court_system_alone(world: World) -> None:
    number = await located(world)
    matter = catalogue()["police.person-locate.request"]
    result = by_now(matter, "result", matter.example_result, world.clock.now())
    await world.reply(number, "receipt", RECEIPT, seqno=1)
    message_id = await world.reply(number, "result", result, seqno=2, sealed=True)
    reply = await world.get(f"/v1/requests/{number}/messages")
    place = result["items"][0]["sightings"][0]["place"]
    assert place not in reply.body.decode()
    answer = reply.json["messages"][-1]
    assert "data" not in answer
    assert answer["head"] == {"outcome": "done", "as_of": result["as_of"], "ttl_hours": 72, "refs": ["k7m2q9xa"]}
    assert answer["sealed_to"] == f"{COURT}.enc.cms1"
    own = Keyring([], [world.keys.private[f"{COURT}.enc.cms1"]])
    opened = unseal(answer["sealed"], request_no=number, message_id=message_id, keyring=own)
    assert opened["items"] == result["items"]
    assert (await world.get(f"/v1/requests/{number}")).json["state"] == "completed"


async def test_both_courts_read_a_commissioned_matter(world: World) -> None:
    number = await commissioned(world)
    for client in ("cms1", "cms2"):
        opened = (await world.get(f"/v1/requests/{number}/messages", client)).json["messages"][0]
        assert opened["data"]["payload"]["objects"][0]["account_no"] == "6100000000900001"
        assert opened["data"]["request"]["case_no"] == CASE


async def test_a_reading_of_content_is_logged_and_the_content_is_not(world: World) -> None:
    number = await commissioned(world)
    with structlog.testing.capture_logs() as logs:
        await world.get(f"/v1/requests/{number}/messages", "cms2")
    assert logs == [
        {
            "event": "messages-read",
            "log_level": "info",
            "participant": NEIGHBOUR,
            "client": "cms2",
            "request_no": number,
            "type": "entrust.matter.request",
            "messages": 1,
        }
    ]


async def test_a_destroyed_content_leaves_its_proof(world: World, tmp_path: Path) -> None:
    number = await commissioned(world)
    with sqlite3.connect(tmp_path / "lianzhi.db") as database:
        database.execute("UPDATE messages SET disclosure = NULL")
    database.close()
    message = (await world.get(f"/v1/requests/{number}/messages")).json["messages"][0]
    assert message["destroyed"] is True
    assert "data" not in message
    jws = message["bytes"].removesuffix("~")
    assert "~" not in jws and message["digest"]


async def test_what_is_in_quarantine_is_not_among_the_messages(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    await world.reply(number, "delivered", {"stored_at": "2026-03-24T10:10:00+08:00", "system": "网格平台"}, seqno=1)
    later = {"stored_at": "2026-03-24T10:11:00+08:00", "system": "网格平台"}
    await world.reply(number, "delivered", later, seqno=2)
    assert [row.reason for row in await world.store.quarantine()] == ["contradicts"]
    verbs = [m["verb"] for m in (await world.get(f"/v1/requests/{number}/messages")).json["messages"]]
    assert verbs == ["open", "delivered"]


async def test_an_early_message_is_shown_but_not_what_it_says(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    await world.reply(number, "receipt", RECEIPT, seqno=2)
    message = (await world.get(f"/v1/requests/{number}/messages")).json["messages"][-1]
    assert (message["verb"], message["disposition"]) == ("receipt", "held")
    assert "data" not in message


async def test_the_timeline_tells_when_what_happened(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    world.clock.advance(minutes=1)
    await world.sent()
    await world.reply(number, "receipt", RECEIPT, seqno=1)
    told = (await world.get(f"/v1/requests/{number}/timeline")).json
    assert told["request_no"] == number
    steps = [(e["at"], e["kind"], e.get("verb") or e.get("detail"), e["state"]) for e in told["events"]]
    assert steps == [
        ("2026-03-24T02:10:00.000Z", "message", "open", "approved"),
        ("2026-03-24T02:11:00.000Z", "state", None, "dispatched"),
        ("2026-03-24T02:11:00.000Z", "message", "receipt", "received"),
        ("2026-03-24T02:11:00.000Z", "implied", "delivered", "received"),
    ]
    assert "赵演示" not in repr(told)


# --- pages ----------------------------------------------------------------------------------------------------------


async def test_a_list_is_read_page_by_page(world: World) -> None:
    numbers = sorted(
        [await world.accepted(r) for r in await gathered(*(world.submit(grid_request()) for _ in range(7)))]
    )
    seen: list[str] = []
    path = "/v1/requests?limit=3"
    cursor: str | None = ""
    while cursor is not None:
        page = (await world.get(path + (f"&after={cursor}" if cursor else ""))).json
        assert len(page["requests"]) <= 3
        seen += [r["request_no"] for r in page["requests"]]
        cursor = page.get("next")
    assert seen == numbers


async def test_a_list_is_filtered(world: World) -> None:
    await world.put_pdf()
    grid = await world.accepted(await world.submit(grid_request()))
    sealed = await world.accepted(await world.submit_signed(seal_request()))

    async def numbers(query: str) -> list[str]:
        return [r["request_no"] for r in (await world.get(f"/v1/requests?{query}")).json["requests"]]

    assert await numbers("type=grid.verify.request") == [grid]
    assert await numbers(f"receiver={POLICE}") == [sealed]
    assert await numbers("state=approved") == [grid, sealed]
    assert await numbers("state=closed") == []
    assert await numbers("case_no=(2026)陕0199执900001号") == [sealed]
    assert await numbers(f"case_no={CASE}&type=grid.verify.request") == []


async def test_a_list_wants_sense(world: World) -> None:
    for query, pointer in (("limit=0", "/limit"), ("limit=201", "/limit"), ("case_no=abc", "/case_no")):
        reply = await world.get(f"/v1/requests?{query}")
        assert (reply.status, reply.code) == (422, "invalid-field")
        assert [p for p, _ in reply.rules] == [pointer]
    for cursor in ("abc", "cDEu", "x" * 160, "%E6%A1%88"):
        reply = await world.get(f"/v1/requests?after={cursor}")
        assert (reply.status, reply.code) == (400, "bad-cursor"), cursor


async def test_a_number_that_is_none(world: World) -> None:
    for number in ("abc", "court-sn0199-20260324-000009", "court-sn0199-2026-1"):
        assert (await world.get(f"/v1/requests/{number}")).status == 404


# --- measures ---------------------------------------------------------------------------------------------------------


async def sealed_car(world: World) -> str:
    await world.put_pdf()
    number = await world.accepted(await world.submit_signed(seal_request()))
    await world.sent()
    await world.reply(number, "result", dict(catalogue()["police.vehicle-seal.request"].example_result), seqno=1)
    assert (await world.get(f"/v1/requests/{number}")).json["state"] == "completed"
    return number


async def test_a_measure_is_listed_by_its_numbers_and_never_by_its_object(world: World) -> None:
    number = await sealed_car(world)
    reply = await world.get("/v1/measures")
    (measure,) = reply.json["measures"]
    assert measure == {
        "measure_no": f"{number}-1",
        "request_no": number,
        "type": "police.vehicle-seal.request",
        "action": "seal",
        "ref": "v5t9c2hb",
        "state": "active",
        "asked": POLICE,
        "case_no": CASE,
        "control_no": measure["control_no"],
        "rank": 1,
        "start_on": "2026-03-24",
        "end_on": "2028-03-23",
    }
    assert "陕A90001" not in reply.body.decode() and "LSVAM" not in reply.body.decode()


async def test_measures_are_filtered(world: World) -> None:
    await sealed_car(world)

    async def count(query: str, client: str = "cms1") -> int:
        return len((await world.get(f"/v1/measures?{query}", client)).json["measures"])

    assert await count("state=active") == 1
    assert await count("state=requested,ended") == 0
    assert await count(f"case_no={CASE}") == 1
    assert await count("case_no=（2026）陕0199执900009号") == 0
    assert await count("expiring_within=30d") == 0
    assert await count("expiring_within=800d") == 1
    assert await count("state=active", "cms2") == 0
    for query in ("state=lapsing", "expiring_within=30", "state=active,"):
        assert (await world.get(f"/v1/measures?{query}")).code == "invalid-field"


# --- types ------------------------------------------------------------------------------------------------------------


async def test_the_catalogue_is_listed_and_described(world: World) -> None:
    listed = (await world.get("/v1/types")).json["types"]
    assert [t["name"] for t in listed] == sorted(catalogue())
    for summary in listed:
        detail: dict[str, Any] = (await world.get(f"/v1/types/{summary['name']}")).json
        assert detail.items() >= summary.items()
        assert detail["zh"] and detail["help_zh"] and detail["en"] and detail["help_en"]
        assert {"payload", "open"} <= detail["schemas"].keys()
        assert detail["verbs"][0] == {"verb": "open", "zh": "发起", "by": "asker"}
        assert detail["deadline"]["amount"] > 0


async def test_a_type_says_what_it_wants(world: World) -> None:
    locate = (await world.get("/v1/types/police.person-locate.request")).json
    assert locate["of_example"] == {
        "coercive": True,
        "approvals": {"people": 2, "roles": []},
        "documents": {"summons-proof": 1},
    }
    assert locate["result_class"] == "location"
    assert {"verb": "confirm", "zh": "确认办结", "by": "asker"} in locate["verbs"]
    alert = (await world.get("/v1/types/police.vehicle-hit.alert")).json
    assert {"verb": "acknowledge", "zh": "确认", "by": "asked"} in alert["verbs"]
    assert (await world.get("/v1/types/police.dance.request")).code == "unknown-type"


async def test_a_state_that_no_request_has_is_refused_with_those_there_are(world: World) -> None:
    reply = await world.get("/v1/requests?state=donee")
    assert (reply.status, reply.code) == (422, "invalid-field")
    assert "completed" in reply.json["errors"][0]["detail_en"]
    assert (await world.get("/v1/requests?state=awaiting-approval")).status == 200


# --- pages of one request ---------------------------------------------------------------------------------------------


async def pages(world: World, path: str, name: str, limit: int) -> list[list[Any]]:
    found, after = [], ""
    while True:
        page = (await world.get(f"{path}?limit={limit}{after}")).json
        found.append(page[name])
        if "next" not in page:
            return found
        after = f"&after={page['next']}"


@pytest.mark.parametrize(("part", "name"), [("messages", "messages"), ("timeline", "events")])
async def test_what_one_request_holds_comes_in_pages(world: World, part: str, name: str) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    for seqno, verb in enumerate(("delivered", "accept"), start=1):
        await world.reply(number, verb, standing(verb, world.clock.now()), seqno=seqno)
    path = f"/v1/requests/{number}/{part}"
    (whole,) = await pages(world, path, name, 200)
    assert len(whole) >= 3
    some = await pages(world, path, name, 2)
    assert [len(page) for page in some[:-1]] == [2] * (len(some) - 1)
    assert [one for page in some for one in page] == whole


async def test_no_page_is_longer_than_the_bound(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with serving(store, tmp_path / "papers", keys, bounds=Bounds(page_items=2)) as world:
        numbers = [await world.accepted(await world.submit(grid_request())) for _ in range(3)]
        await world.sent()
        first = (await world.get("/v1/requests?limit=200")).json
        assert [r["request_no"] for r in first["requests"]] == sorted(numbers)[:2] and first["next"]
        assert len((await world.get("/v1/events?limit=1000")).json["events"]) == 2
        assert len((await world.get("/v1/measures?limit=200")).json["measures"]) == 0
        for verb in ("delivered", "accept"):
            seqno = 1 if verb == "delivered" else 2
            await world.reply(numbers[0], verb, standing(verb, world.clock.now()), seqno=seqno)
        for part, name in (("messages", "messages"), ("timeline", "events")):
            page = (await world.get(f"/v1/requests/{numbers[0]}/{part}")).json
            assert len(page[name]) == 2 and page["next"]


@pytest.mark.parametrize("part", ["messages", "timeline"])
@pytest.mark.parametrize(
    "after", ["x", "m1.99999999999999999.", base64url.encode(b"m1.9999999999999999999.x"), page_cursor("e1.1")]
)
async def test_a_cursor_of_another_list_is_none(world: World, part: str, after: str) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    reply = await world.get(f"/v1/requests/{number}/{part}?after={after}")
    assert (reply.status, reply.code) == (400, "bad-cursor")


async def test_a_cursor_given_in_no_year_of_ours_breaks_nothing(world: World) -> None:
    """Twelve digits are not the form; with eleven the event decides, and no time is made of them."""
    for seconds, status in (("999999999999", 400), ("99999999999", 200)):
        after = base64url.encode(f"f1.1.{seconds}".encode())
        assert (await world.get(f"/v1/events?after={after}")).status == status
