"""Whose group, whose case, whose paper, whose approval: what a stranger or a colleague may choose decides nothing."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from gateway.broker.management import Management
from lianzhi.client import signing
from lianzhi.client.signing import Author
from lianzhi.client.wire import JSON
from lianzhi.crypto import jws, strictjson
from lianzhi.crypto.jcs import over
from lianzhi.crypto.keyring import private_key_from_jwk
from lianzhi.protocol.cards import cards
from schemas.catalogue import catalogue
from simulation.parties import (
    BACKUP,
    CHIEF,
    CLERK,
    CLIENT,
    FUPING,
    GAOLING,
    HANDLER,
    HOME,
    LINTONG,
    POLICE,
    PRESIDENT,
)
from simulation.private_broker import PrivateBroker
from tests.agency import Agency
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import LOCATE, VERIFY
from tests.walls.product import Installation, installed

CLUE, STAY = "court.clue.share", "bankruptcy.stay.notify"
CASE = "（2026）陕0199执700001号"
REPEATS = 50
OPENS = 5_000  # what a case was cut at before it was looked whose requests those are
OF_GROUP = 200  # the same of a group
AT_ONCE = 100


def _running(number: str) -> int:
    return int(number.rsplit("-", 1)[1])


def author(site: Installation) -> Author:
    jwk = json.loads((site.parties.handover / f"{HOME}.sub.{CLIENT}.private.jwk").read_text())
    return Author(HOME, HOME, private_key_from_jwk(jwk))


def clue(case_no: str, **changes: Any) -> dict[str, Any]:
    """A plain submission that may go to several courts."""
    return {
        "type": CLUE,
        "schema_version": catalogue()[CLUE].version,
        "case_no": case_no,
        "legal_basis": ["CPL-117"],
        "purpose": "enforcement",
        "handler": HANDLER,
        "drafted_by": CLERK,
        "payload": copy.deepcopy(dict(catalogue()[CLUE].example_request)),
        **changes,
    }


async def post(site: Installation, path: str, body: Mapping[str, Any] | signing.Handed) -> tuple[int, dict[str, Any]]:
    raw, kind = (
        (body.body, body.content_type) if isinstance(body, signing.Handed) else (json.dumps(body).encode(), JSON)
    )
    headers = {"Idempotency-Key": str(uuid7()), "Content-Type": kind}
    async with site.court.session.post(path, data=raw, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def get(site: Installation, path: str, **where: str) -> tuple[int, dict[str, Any]]:
    async with site.court.session.get(path, params=where) as answer:
        return answer.status, await answer.json(content_type=None)


async def stays(agency: Agency, count: int, case_no: str, **members: Any) -> list[str]:
    """`count` notices that the agency opens about `case_no`, each well made and its own; their numbers."""
    payload = dict(catalogue()[STAY].example_request)
    data = {"request": {"case_no": case_no}, "court": {"name": "高陵区人民法院（演示）"}, "payload": payload}

    async def one() -> str:
        talk = agency.begin(STAY, case_no=case_no)
        await agency.say(talk, "open", data, **members)
        return talk.request_no

    numbers: list[str] = []
    for first in range(0, count, AT_ONCE):
        numbers += await asyncio.gather(*(one() for _ in range(min(AT_ONCE, count - first))))
    return numbers


@dataclass(frozen=True)
class Flooded:
    """A court that shared a clue with two others in its case; a third court then opened thousands of requests that name
    that case, some of them that group."""

    site: Installation
    group_no: str
    members: list[str]


@pytest_asyncio.fixture(scope="module")
async def flooded(
    broker: PrivateBroker, management: Management, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Flooded]:
    await management.put("vhosts", "flooded")
    async with installed(tmp_path_factory.mktemp("flooded"), Vhost("flooded", broker, management)) as site:
        await site.serve()
        status, shared = await post(site, "/v1/requests", clue(CASE, receivers=[FUPING, LINTONG]))
        assert status == 202, shared
        neighbour = await site.agency(GAOLING)
        await stays(neighbour, OPENS, CASE)
        await stays(neighbour, OF_GROUP, CASE, groupno=shared["group_no"])
        await neighbour.fence()
        yield Flooded(site, shared["group_no"], [r["request_no"] for r in shared["requests"]])
    await management.delete("vhosts", "flooded")


@pytest.mark.slow
async def test_s2_group(flooded: Flooded) -> None:
    """The court's group is what the court put into it, whatever others say they belong to."""
    status, group = await get(flooded.site, f"/v1/groups/{flooded.group_no}")
    assert status == 200, group
    assert sorted(member["request_no"] for member in group["members"]) == sorted(flooded.members)
    assert not group["complete"]
    said = {"group_no": flooded.group_no, "verb": "urge", "by": HANDLER, "data": {"level": 1, "note": "请尽快"}}
    status, told = await post(flooded.site, f"/v1/groups/{flooded.group_no}/messages", said)
    assert [line["request_no"] for line in told.get("requests", [])] == sorted(flooded.members), told
    listed = (await get(flooded.site, "/v1/requests", group_no=flooded.group_no, limit="200"))[1]
    assert {line["asker"] for line in listed["requests"]} == {HOME}


@pytest.mark.slow
async def test_s2_case(flooded: Flooded) -> None:
    """A partner's open joins the court's case by the court's act alone, here that it reads one of the notices."""
    site = flooded.site
    listed = (await get(site, "/v1/requests", case_no=CASE, limit="200"))[1]
    assert sorted(line["request_no"] for line in listed["requests"]) == sorted(flooded.members)
    status, case = await get(site, "/v1/cases", case_no=CASE)
    assert sorted(line["request_no"] for line in case["open_requests"]) == sorted(flooded.members), (status, case)
    [theirs] = (await get(site, "/v1/requests", type=STAY, limit="1"))[1]["requests"]
    path = f"/v1/requests/{theirs['request_no']}/messages"
    assert (
        await post(
            site, path, {"verb": "read", "data": {"by": HANDLER, "at": datetime.now(UTC).isoformat(timespec="seconds")}}
        )
    )[0] == 202
    listed = (await get(site, "/v1/requests", case_no=CASE, limit="200"))[1]
    assert sorted(line["request_no"] for line in listed["requests"]) == sorted([*flooded.members, theirs["request_no"]])


@pytest.mark.slow
async def test_s2_release(flooded: Flooded) -> None:
    """The debtor has paid: everything of the court's in the case is let go, however many others name the case."""
    order = {"case_no": CASE, "reason": "paid", "by": HANDLER}
    handed = signing.statement(
        author(flooded.site), "/v1/cases/release", order, matter="case.release", receiver=HOME, sign=True,
        message_id=str(uuid7()), now=datetime.now(UTC),
    )  # fmt: skip
    status, released = await post(flooded.site, "/v1/cases/release", handed)
    assert status == 202, released
    assert sorted(item["request_no"] for item in released["items"]) == sorted(flooded.members)


async def test_s2_related_is_text(running: Installation) -> None:
    """A request that the sender is no party of is not linked to what the sender opens."""
    site = running
    case_no = CASE.replace("700001", "700002")
    status, shared = await post(site, "/v1/requests", clue(case_no, receiver=FUPING))
    assert status == 202, shared
    neighbour = await site.agency(GAOLING)
    [number] = await stays(neighbour, 1, case_no, related=shared["request_no"])
    await neighbour.next(number, "delivered")
    shown = await eventually(lambda: _shown(site, number))
    assert shown.get("related") is None


async def _shown(site: Installation, number: str) -> dict[str, Any] | None:
    status, document = await get(site, f"/v1/requests/{number}")
    return document if status == 200 else None


def _paper() -> tuple[bytes, str]:
    body = f"%PDF-1.7 {uuid7()}".encode()
    return body, hashlib.sha256(body).hexdigest()


def credential(agency: Agency) -> dict[str, str]:
    """The agency's own, as `Authorization`."""
    now = int(time.time())
    claims = {"iss": agency.code, "sub": agency.code, "aud": HOME, "iat": now, "exp": now + 240, "jti": str(uuid7())}
    return {"Authorization": f"Bearer {jws.sign({'typ': 'JWT'}, strictjson.dumps(claims).encode(), agency.key)}"}


async def put(site: Installation, paper: tuple[bytes, str], agency: Agency | None = None) -> int:
    """By the court, or by the agency."""
    headers = {"Content-Type": "application/pdf", **(credential(agency) if agency else {})}
    async with site.court.session.put(f"/v1/documents/{paper[1]}", data=paper[0], headers=headers) as answer:
        return answer.status


async def reads(site: Installation, sha256: str, agency: Agency) -> bool:
    async with site.court.session.get(f"/v1/documents/{sha256}", headers=credential(agency)) as answer:
        assert answer.status in (200, 404)
        return answer.status == 200


def attached(sha256: str) -> list[dict[str, Any]]:
    return [{"kind": "other", "issued_on": "2026-03-20", "sha256": sha256, "pages": 1, "media_type": "application/pdf"}]


async def test_s8_naming_a_digest_opens_nothing(running: Installation) -> None:
    """A neighbour names the digest of the court's paper in a request of its own; it was no reader and is none now."""
    site, paper = running, _paper()
    assert await put(site, paper) == 201
    neighbour, told = await site.agency(GAOLING), await site.agency(LINTONG)
    case_no = CASE.replace("700001", "700003")
    payload = dict(catalogue()[STAY].example_request)
    data = {
        "request": {"case_no": case_no},
        "court": {"name": "高陵区人民法院（演示）"},
        "documents": attached(paper[1]),
        "payload": payload,
    }
    talk = neighbour.begin(STAY, case_no=case_no)
    await neighbour.say(talk, "open", data)
    await neighbour.next(talk.request_no, "delivered")
    assert not await reads(site, paper[1], neighbour)
    shared = clue(case_no, receiver=LINTONG, documents=attached(paper[1]))
    status, accepted = await post(site, "/v1/requests", shared)
    assert status == 202, accepted
    await told.next(accepted["request_no"], "open")
    assert await reads(site, paper[1], told)
    assert not await reads(site, paper[1], neighbour)


@pytest.mark.slow
async def test_s8_blocked_tells_nothing(running: Installation) -> None:
    """The court names what only a partner has put: it is answered as if nobody had, until it puts the bytes itself."""
    site, theirs, nowhere = running, _paper(), _paper()
    neighbour = await site.agency(GAOLING)
    assert await put(site, theirs, neighbour) == 201
    told = {}
    for paper in (theirs, nowhere):
        body = clue(CASE.replace("700001", "700004"), receiver=FUPING, documents=attached(paper[1]))
        status, accepted = await post(site, "/v1/requests", body)
        assert status == 202, accepted
        told[paper] = accepted
    assert told[theirs]["state"] == told[nowhere]["state"] == "blocked"
    assert await put(site, theirs) == 201

    async def sent() -> bool:
        return bool((await get(site, f"/v1/requests/{told[theirs]['request_no']}"))[1]["state"] == "dispatched")

    await eventually(sent, 40)


def located(site: Installation, approvals: list[dict[str, Any]], **changes: Any) -> signing.Handed:
    """A coercive query of the police, signed as it is written: with these approvals and no digest of our own."""
    matter = catalogue()[LOCATE]
    now = datetime.now(UTC)
    body = {
        "type": LOCATE,
        "schema_version": matter.version,
        "case_no": CASE.replace("700001", "700009"),
        "legal_basis": ["INT-482", "DCH-15"],
        "purpose": "locate-for-questioning",
        "handler": HANDLER,
        "backup_handler": BACKUP,
        "drafted_by": CLERK,
        "approvals": approvals,
        "documents": attached(_paper()[1]),
        "payload": copy.deepcopy(dict(matter.example_request)),
        **changes,
    }
    body["documents"][0]["kind"] = "summons-proof"
    return signing.submission(
        author(site), body, receivers=[POLICE], sign=True, message_id=str(uuid7()), cards=cards(), now=now
    )


def agreed(by: str, role: str, **ago: float) -> dict[str, Any]:
    at = (datetime.now(UTC) - timedelta(**(ago or {"hours": 1}))).isoformat(timespec="seconds")
    return {"by": by, "role": role, "decision": "approve", "at": at}


async def test_s9_age(running: Installation) -> None:
    """Eighty days ago somebody agreed to something; the court submits today."""
    old = [agreed(CHIEF, "bureau-chief", days=80), agreed(PRESIDENT, "president", days=80)]
    status, answer = await post(running, "/v1/requests", located(running, old))
    assert status == 422, answer
    assert [e["pointer"] for e in answer["errors"]] == ["/approvals/0/at"]
    fresh = [agreed(CHIEF, "bureau-chief", days=6), agreed(PRESIDENT, "president", days=6)]
    status, answer = await post(running, "/v1/requests", located(running, fresh))
    assert status == 202, answer


@pytest.mark.parametrize("member", ["backup_handler", "lead"])
async def test_s9_own_matter(running: Installation, member: str) -> None:
    """Whoever stands in for the handler, or leads the case, does not approve it."""
    approvals = [agreed(CHIEF, "bureau-chief"), agreed(PRESIDENT, "president")]
    status, answer = await post(running, "/v1/requests", located(running, approvals, **{member: CHIEF}))
    assert status == 422, answer
    assert [e["pointer"] for e in answer["errors"]] == ["/approvals/0/by"]


async def test_s9_bound(running: Installation, record_property: Callable[[str, object], None]) -> None:
    """The lines of one approval serve no other request once they say what they are over."""
    record_property("new", "`approvals[].over` is a member that f2027db does not know")
    approvals = [agreed(CHIEF, "bureau-chief"), agreed(PRESIDENT, "president")]
    paper = attached(_paper()[1])
    first = located(running, approvals, documents=paper)
    digest = over(first.content["signed"], [POLICE])
    bound = [{**line, "over": digest} for line in approvals]
    status, answer = await post(running, "/v1/requests", located(running, bound, documents=paper))
    assert status == 202, answer
    status, answer = await post(running, "/v1/requests", located(running, bound))  # with another paper
    assert status == 422, answer
    assert [e["pointer"] for e in answer["errors"]] == ["/approvals/0/over"]


async def test_o16_first_look(running: Installation) -> None:
    """A POST that is repeated under its key takes no number: the next new request has the next one."""
    site = running
    first, following = site.court.orders(2, [VERIFY], first=1_600)
    first, following = (replace(order, key=f"o16-{order.key}") for order in (first, following))
    await site.court.submit(first)
    answers = [await site.court.post(first) for _ in range(REPEATS)]
    assert {(status, said["request_no"]) for status, said, _ in answers} == {(202, site.court.accepted[first.key])}
    await site.court.submit(following)
    assert _running(site.court.accepted[following.key]) == _running(site.court.accepted[first.key]) + 1
