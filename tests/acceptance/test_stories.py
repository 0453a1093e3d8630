"""The stories of docs/domain.md section 7 that must be impossible, as far as they concern what exists."""

from __future__ import annotations

import json
import logging
import sqlite3
import traceback
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog
from uuid_utils.compat import uuid7

from gateway.application.ports.store import Store
from lianzhi.crypto import base64url
from lianzhi.crypto.limits import Limits
from lianzhi.crypto.sdjwt import parse
from simulation.parties import CHIEF, CLERK, DEPUTY, FUPING, HOME, PRESIDENT
from tests.court_system import fresh_payload
from tests.faults import CANCEL, HIT, PERSON, SEAL
from tests.scenes import answer_to, controlled, hit
from tests.words import Said
from tests.world import World

ME, NAMESAKE = "610199199003071237", "61019919850715463X"


def person(id_no: str, ref: str) -> dict[str, Any]:
    """One of several people of the same name."""
    payload = fresh_payload(PERSON)
    payload["person"] = {"ref": ref, "name": "王演示", "id_kind": "resident-id", "id_no": id_no, "role": "被执行人"}
    return payload


# --- 1 a request lost between database and broker -----------------------------------------------------------------


async def test_1_a_request_lost_between_database_and_broker(world: World) -> None:
    """Accepted by a process that dies before anything is published."""
    police = await world.agency()
    await world.restart(roles=("api",))
    request_no = await world.court.ask(PERSON)
    await world.restart()
    taken = await police.next(request_no, "open")
    await world.reaches(request_no, "dispatched")
    await police.fence()
    assert police.copies(taken) == 1


async def test_1_a_request_lost_while_its_document_is_missing(world: World) -> None:
    """Blocked is visible, and ends by itself when the document comes, however late."""
    police = await world.agency()
    late = f"late-{uuid7()}"
    document = world.court.document(late) | {"kind": "summons-proof"}
    request_no = await world.court.ask(PERSON, documents=[document])
    blocked = await world.reaches(request_no, "blocked")
    assert blocked.reason == f"document-missing:{document['sha256']}"
    for _ in range(3):  # the gateway looks again and again
        world.clock.pass_by(seconds=16)
        await world.caught_up()
        assert (await world.request(request_no)).state == "blocked"
    await world.court.put_paper(document["sha256"])
    world.clock.pass_by(seconds=16)
    await police.next(request_no, "open")
    await world.reaches(request_no, "dispatched")


# --- 2 the wrong person located (same name) -----------------------------------------------------------------------


async def test_2_the_wrong_person_located(world: World) -> None:
    nameless = person(ME, "k7m2q9xa")
    del nameless["person"]["id_no"]
    submission = await world.court.submission(PERSON)
    by_name_alone = await world.court.post("/v1/requests", *world.court.signed(submission | {"payload": nameless}))
    assert (by_name_alone.status, by_name_alone.reason) == (422, "invalid-field")

    police = await world.agency()
    wanted = await world.court.ask(PERSON, person(ME, "aaaaaaa1"))
    other = await world.court.ask(PERSON, person(NAMESAKE, "bbbbbbb2"))
    talk = await police.opened(wanted)
    for number in (wanted, other):
        await world.reaches(number, "dispatched")
    found = answer_to(PERSON, person(NAMESAKE, "bbbbbbb2"), world.clock.now())
    mistaken = await police.say(talk, "result", found)
    assert (await world.quarantined(mistaken)).reason == "unknown-ref"
    assert {(await world.request(no)).state for no in (wanted, other)} == {"dispatched"}
    await police.answer(wanted, "refuse", {"reason_code": "homonym", "explanation": "同名，证件号不同"})
    assert (await world.reaches(wanted, "refused")).state == "refused"


# --- 4 a reply filed under the wrong case -------------------------------------------------------------------------


async def test_4_a_reply_filed_under_the_wrong_case(world: World) -> None:
    police = await world.agency()
    one, other = [await world.court.ask(PERSON) for _ in range(2)]
    mine, theirs = await police.opened(one), await police.opened(other)
    for number in (one, other):  # it is marked after it was delivered
        await world.reaches(number, "dispatched")
    before = [await world.standing(no) for no in (one, other)]
    wrong = [
        await police.say(mine, "receipt", caseno=theirs.case_no),  # right request, wrong case
        await police.say(mine, "receipt", answers=theirs.origin),  # right request, answers another one's open
        await police.say(mine, "receipt", subject=other, seqno=1),  # right case and origin, wrong request
    ]
    reasons = [(await world.quarantined(said)).reason for said in wrong]
    assert reasons == ["misdirected", "origin-mismatch", "origin-mismatch"]
    assert [await world.standing(no) for no in (one, other)] == before


# --- 5 the same car sealed or dispatched twice --------------------------------------------------------------------


async def test_5_the_same_car_sealed_or_dispatched_twice(world: World) -> None:
    police = await world.agency()
    submission = await world.court.submission(SEAL)
    body, media_type = world.court.signed(submission)
    once, again, anew = [
        await world.court.post("/v1/requests", body, media_type, key=key) for key in ("five", "five", str(uuid7()))
    ]
    assert once.request_no == again.request_no == anew.request_no  # the same signed words are one request
    signed_again = await world.court.post("/v1/requests", *world.court.signed(submission))
    assert (signed_again.status, signed_again.reason) == (409, "measure-open")
    taken = await police.next(once.request_no, "open")
    await police.fence()
    assert police.copies(taken) == 1
    vin = submission["payload"]["vehicle"]["vin"]
    assert len([t for t in police.taken if t.verb == "open" and vin in json.dumps(t.body)]) == 1


# --- 6 location data leaking to an operator, a log, or past its time ----------------------------------------------


async def test_6_location_data_leaking(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A place that the police found stands nowhere but in the sealed part, also when things go wrong."""
    caplog.set_level(logging.DEBUG)
    place = f"演示区隐秘路{uuid7().hex[:8]}号"
    world.clock.pass_by(seconds=61)
    police = await world.agency()
    request_no = await world.court.ask(PERSON, person(ME, "k7m2q9xa"))
    talk = await police.opened(request_no)
    result = answer_to(PERSON, person(ME, "k7m2q9xa"), world.clock.now())
    result["items"][0]["sightings"][0]["place"] = place
    with structlog.testing.capture_logs() as entries:
        poison = await police.make(talk, "result", result, seqno=1)
        world.gates.breaks.add(poison.id)
        await police.publish(poison)
        await world.quarantined(poison)
        too_long = await police.say(talk, "result", result | {"ttl_hours": 73}, seqno=1)
        assert (await world.quarantined(too_long)).reason == "bad-envelope"
        await police.say(talk, "result", result, seqno=1)
        await world.reaches(request_no, "completed")
        assert (await world.court.read(request_no, "result"))["items"][0]["sightings"][0]["place"] == place

    shown = [await world.court.get(f"/v1/requests/{request_no}{part}") for part in ("", "/messages", "/timeline")]
    shown.append(await world.court.get("/v1/events?limit=1000"))
    said = "".join(map(str, entries)) + "".join(_errors(entries)) + caplog.text
    for where in (json.dumps(shown, ensure_ascii=False), said, *await _stored(world.store, world.parties.folder)):
        assert place not in where
    for private in ("王演示", ME):
        assert private not in said
        assert private not in json.dumps(shown[-2:], ensure_ascii=False)
        assert private not in _database(world.parties.folder)


async def test_6_location_data_past_its_time(world: World) -> None:
    """After 72 hours the place is gone from every table and from the file; that it was answered can still be proved."""
    police = await world.agency()
    request_no = await world.court.ask(PERSON, person(ME, "k7m2q9xa"))
    talk = await police.opened(request_no)
    result = answer_to(PERSON, person(ME, "k7m2q9xa"), world.clock.now())
    said = await police.say(talk, "result", result)
    await world.reaches(request_no, "completed")
    again = await police.say(talk, "result", result | {"outcome": "none", "items": []})
    assert (await world.quarantined(again)).reason == "contradicts"
    sealed = [said.raw.decode().split("~")[1], again.raw.decode().split("~")[1]]
    assert all(one in _database(world.parties.folder) for one in sealed)

    world.clock.pass_by(hours=71)
    await world.caught_up()
    assert (await world.court.read(request_no, "result"))["items"] == result["items"]
    world.clock.pass_by(hours=1, minutes=1)
    await world.told(request_no, "destroyed", said.id)
    await world.told(request_no, "destroyed", again.id)

    listed = await world.court.get(f"/v1/requests/{request_no}/messages")
    kept = next(m for m in listed["messages"] if m["message_id"] == said.id)
    assert kept["destroyed"] is True and "sealed" not in kept
    assert parse(f"{kept['bytes']}".encode() + sealed[0].encode() + b"~", Limits()).digest == said.digest
    await world.stop()
    with closing(sqlite3.connect(world.parties.folder / "lianzhi.sqlite")) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # as SQLite does from time to time, and when it is closed
    left = _database(world.parties.folder)
    await world.start()
    assert not any(one in left for one in sealed)


def _errors(entries: Any) -> list[str]:
    """Tracebacks as a log would show them."""
    faults = [entry["exc_info"] for entry in entries if isinstance(entry.get("exc_info"), BaseException)]
    return ["".join(traceback.format_exception(fault)) for fault in faults]


async def _stored(store: Store, folder: Path) -> list[str]:
    """The database as it lies there, and every signed part in it decoded."""
    texts = [_database(folder)]
    for row in await store.quarantine(limit=1000):
        texts += _decoded(bytes(row.body))
    for event in await store.events(HOME, 0, 100_000):
        for message in await store.messages(event.request_no) if event.request_no else ():
            texts += _decoded(f"{message.jws}~{message.disclosure}~".encode())
    return texts


def _database(folder: Path) -> str:
    return "".join(f.read_bytes().decode(errors="replace") for f in folder.glob("lianzhi.sqlite*"))


def _decoded(raw: bytes) -> list[str]:
    parts = [raw.decode(errors="replace")]
    for part in raw.replace(b"~", b".").split(b"."):
        try:
            parts.append(base64url.decode(part.decode()).decode(errors="replace"))
        except ValueError:
            continue
    return parts


# --- 7 "success" reported before it is done, or an error swallowed ------------------------------------------------


async def test_7_accepted_before_it_is_stored(world: World) -> None:
    """With the store down nothing is accepted and nothing is lost."""
    police = await world.agency()
    first = await world.court.ask(PERSON)
    talk = await police.opened(first)
    body, media_type = world.court.signed(await world.court.submission(PERSON))
    world.gates.store_down = True
    await police.say(talk, "delivered")
    refused = await world.court.post("/v1/requests", body, media_type, key="seven")
    assert (refused.status, refused.reason) == (503, "unavailable")
    world.gates.store_down = False
    accepted = await world.court.post("/v1/requests", body, media_type, key="seven")
    await police.next(accepted.request_no, "open")
    await world.reaches(first, "delivered")  # what the police said meanwhile was not thrown away


async def test_7_success_reported_before_it_is_done(world: World) -> None:
    world.clock.pass_by(seconds=61)
    police = await world.agency()
    payload = fresh_payload(SEAL)
    request_no = await world.court.ask(SEAL, payload)
    talk = await police.opened(request_no)
    await world.reaches(request_no, "dispatched")
    of_nothing = await police.say(talk, "result", answer_to(SEAL, payload, world.clock.now(), items=[]))
    assert (await world.quarantined(of_nothing)).reason == "invalid-field"
    assert (await world.request(request_no)).state == "dispatched"

    await police.say(talk, "result", answer_to(SEAL, payload, world.clock.now()))
    await world.reaches(request_no, "completed")
    for by, reason in (("sn0199-9999", "unknown-staff"), (None, "invalid-field")):
        confirmed = await world.court.say(request_no, "confirm", by=by)
        assert (confirmed.status, confirmed.reason) == (422, reason)
    assert (await world.request(request_no)).state == "completed"  # never confirmed by itself


# --- 8 a forged, replayed or altered message accepted -------------------------------------------------------------


async def test_8_a_forged_replayed_or_altered_message_accepted(world: World) -> None:
    world.clock.pass_by(seconds=61)
    police, neighbour = await world.agency(), await world.agency(FUPING)
    one, other = [await world.court.ask(PERSON) for _ in range(2)]
    talk, elsewhere = await police.opened(one), await police.opened(other)
    await world.reaches(one, "dispatched")
    genuine = await police.make(talk, "refuse")
    borrowed = await police.make(talk, "refuse", seqno=1, key=neighbour.key, header={"kid": police.key.kid})
    jws, disclosure, _ = genuine.raw.split(b"~")
    swapped = (await police.make(talk, "receipt", seqno=1)).raw.split(b"~")[1]
    signed, signature = jws.rsplit(b".", 1)
    altered = signed + b"." + (b"A" if signature[:1] != b"A" else b"B") + signature[1:]
    forgeries = {
        "forged": (borrowed, "bad-signature"),
        "altered": (Said(altered + b"~" + disclosure + b"~", genuine.id, "", genuine.routing_key, ""), "bad-signature"),
        "exchanged": (Said(jws + b"~" + swapped + b"~", genuine.id, "", genuine.routing_key, ""), "bad-disclosure"),
        "moved": (await police.make(elsewhere, "refuse", subject=one, seqno=1), "origin-mismatch"),
    }
    before = await world.standing(one)
    for said, reason in forgeries.values():
        await police.publish(said)
        assert (await world.quarantined(said)).reason == reason
    assert await world.standing(one) == before

    await police.say(talk, "refuse", seqno=2)
    await world.reaches(one, "refused")
    before = await world.standing(one)
    for taken in (genuine, genuine):  # replayed: its number was used up long ago
        await police.publish(taken)
    await police.fence()
    assert await world.standing(one) == before


async def test_8_a_forged_submission_accepted(world: World) -> None:
    body, media_type = world.court.signed(await world.court.submission(PERSON))
    head, payload, rest = body.split(b".", 2)
    altered = await world.court.post("/v1/requests", b".".join((head, payload[:-2] + b"AA", rest)), media_type)
    assert (altered.status, altered.reason) == (400, "bad-signature")
    neighbour = await world.agency(FUPING)
    submission = await world.court.submission(PERSON)
    event = json.loads(base64url.decode(payload.decode()))
    typ = {"typ": "lianzhi-submission+sd-jwt"}
    forged = neighbour.sign({**event, "data": {}}, submission, header=typ)
    foreign = await world.court.post("/v1/requests", forged.raw, media_type)
    assert (foreign.status, foreign.reason) == (400, "foreign-key")


# --- 9 the debtor has paid and is still stopped or listed ---------------------------------------------------------


async def test_9_the_debtor_has_paid_and_is_still_stopped(world: World) -> None:
    """Open requests are withdrawn, the live control is cancelled; afterwards nobody can be stopped for this case."""
    world.clock.pass_by(seconds=61)
    police = await world.agency()
    control_request, control = await controlled(world, police)
    case_no = (await world.request(control_request)).case_no
    searching = await world.court.ask(PERSON, case_no=case_no)
    await police.answer(searching, "delivered")
    await world.reaches(searching, "delivered")

    assert (await world.court.say(searching, "withdraw", {"reason_code": "paid"})).status == 202
    withdrawn = await police.next(searching, "withdraw")
    await police.say(await police.opened(searching), "withdraw-ack", answers=withdrawn)
    await world.reaches(searching, "withdrawn")
    cancel = fresh_payload(CANCEL, vehicle=control["vehicle"], control_no=control["control_no"], reason="performed")
    cancelling = await world.court.ask(CANCEL, cancel, case_no=case_no, urgency="immediate")
    await police.answer(cancelling, "result", answer_to(CANCEL, cancel, world.clock.now()))
    await world.reaches(cancelling, "completed")
    assert case_no is not None
    assert await world.store.measures_of_case(HOME, case_no, ("requested", "active")) == []

    talk = police.begin(HIT)
    stopped = await police.say(talk, "open", hit(control))
    assert (await world.quarantined(stopped)).reason == "unknown-control"


# --- 10 over-seizure or a third party's car -----------------------------------------------------------------------


async def test_10_over_seizure_or_a_third_partys_car(world: World) -> None:
    """What covers the debt already is enough; another's car is taken only by the paper that makes the owner liable."""
    police, case_no = await world.agency(), "（2026）陕0199执910010号"
    payload = fresh_payload(SEAL, value="150000.00")
    request_no = await world.court.ask(SEAL, payload, case_no=case_no)
    await police.answer(request_no, "result", answer_to(SEAL, payload, world.clock.now()))
    await world.reaches(request_no, "completed")
    over = await world.court.submit(SEAL, fresh_payload(SEAL, value="30000.00"), case_no=case_no)
    assert (over.status, over.reason) == (409, "over-seizure")

    theirs = fresh_payload(SEAL)
    theirs["vehicle"]["owner"] |= {"role": "协助义务人"}
    submission = await world.court.submission(SEAL)
    refused = await world.court.post("/v1/requests", *world.court.signed(submission | {"payload": theirs}))
    assert (refused.status, refused.rules) == (422, ["third-party-owner"])
    opened = {t.request_no for t in police.taken if t.verb == "open"}
    await police.fence()
    assert {t.request_no for t in police.taken if t.verb == "open"} == opened


# --- 12 a self-approved query on a spouse or rival ----------------------------------------------------------------


async def test_12_a_self_approved_query(world: World) -> None:
    police, court = await world.agency(), world.court
    chief, president, deputy = (CHIEF, "bureau-chief"), (PRESIDENT, "president"), (DEPUTY, "bureau-chief")
    for approvals, drafter, rule in (
        ((), CLERK, "approvals-count"),
        ((chief,), CLERK, "approvals-count"),
        ((chief, deputy), DEPUTY, "approval-by-drafter"),
        ((chief, chief), CLERK, "approval-twice"),
        ((chief, (DEPUTY, "president")), CLERK, "unknown-staff"),
        ((president, ("sn0199-9999", "bureau-chief")), CLERK, "unknown-staff"),
    ):
        refused = await court.submit(PERSON, approvals=court.approvals(*approvals), drafted_by=drafter)
        assert (refused.status, refused.rules) == (422, [rule])
    submission = await court.submission(PERSON)
    unsigned = await court.post("/v1/requests", json.dumps(submission).encode(), "application/json")
    assert (unsigned.status, unsigned.reason) == (422, "signature-required")
    opened = len([t for t in police.taken if t.verb == "open"])
    await police.fence()
    assert len([t for t in police.taken if t.verb == "open"]) == opened
