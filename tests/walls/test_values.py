"""Values as people write them: every real one passes, and nothing that names nobody."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from lianzhi.client import signing
from lianzhi.client.signing import Author
from lianzhi.crypto import base64url
from lianzhi.crypto.keyring import private_key_from_jwk
from lianzhi.protocol.cards import cards
from simulation.parties import CLIENT, FUPING, GRID, HOME, OFFICE, POLICE, REALTY
from tests.fault.court import ENTRUST, SEAL, VERIFY, draft
from tests.walls.product import Installation
from tests.walls.test_intake import asked, disposition, row_of

CONTROL = "police.person-control.request"
INQUIRY = "police.vehicle-info.query"
PROPERTY = "dept.property-control.request"
PAYMENT = "fund.release.approve"
LEAD = "refusal.lead.transfer"
RECEIVERS = {ENTRUST: FUPING, VERIFY: GRID, PROPERTY: REALTY, PAYMENT: OFFICE}
Change = Callable[[dict[str, Any]], Any]
_numbers = itertools.count(5_000)


async def submit(
    site: Installation, type: str, change: Change = lambda _: None, *, case: int | None = None
) -> tuple[int, dict[str, Any]]:
    """A submission that is right but for what `change` does to its body. case: number of the case, else a new one."""
    await site.court.hand_in_paper()
    body, _ = draft(next(_numbers) if case is None else case, type)
    change(body)
    jwk = json.loads((site.parties.handover / f"{HOME}.sub.{CLIENT}.private.jwk").read_text())
    author = Author(HOME, HOME, private_key_from_jwk(jwk))
    handed = signing.submission(
        author,
        body,
        receivers=[RECEIVERS.get(type, POLICE)],
        sign=True,
        message_id=str(uuid7()),
        cards=cards(),
        now=datetime.now(UTC),
    )
    headers = {"Idempotency-Key": str(uuid7()), "Content-Type": handed.content_type}
    async with site.court.session.post(handed.path, data=handed.body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def accepted(site: Installation, type: str, change: Change = lambda _: None, *, case: int | None = None) -> str:
    status, answer = await submit(site, type, change, case=case)
    assert (status, answer.get("errors")) == (202, None), answer
    return str(answer["request_no"])


async def refused(
    site: Installation, type: str, change: Change, pointer: str, rule: str, *, case: int | None = None
) -> None:
    status, answer = await submit(site, type, change, case=case)
    found = [(error["pointer"], error["rule"]) for error in answer.get("errors", [])]
    assert (status, found) == (422, [(pointer, rule)]), answer


def within(path: str, value: Any) -> Change:
    """What stands at `payload/person/name`, whatever it was."""

    def change(body: dict[str, Any]) -> None:
        *steps, last = path.split("/")
        at: Any = body
        for step in steps:
            at = at[int(step)] if step.isdigit() else at[step]
        at[last] = value

    return change


def person(**members: Any) -> Change:
    """The person of a lookout, with these members instead."""

    def change(body: dict[str, Any]) -> None:
        body["payload"]["person"] |= members

    return change


def foreigner(kind: str, number: str, **details: str) -> Change:
    return person(id_kind=kind, id_no=number, birth_date="1985-03-12", **details)


async def test_v1_paragraphs_and_blanks_as_people_paste_them(running: Installation) -> None:
    need = "　　被执行人名下车辆拟查封，\r\n　　须核实登记人\u00a0和已有查封。"
    await accepted(running, INQUIRY, within("payload/need", need))
    number = await accepted(running, VERIFY, within("payload/person/name", "李　示例"))
    told = await (await running.agency(GRID)).next(number, "open")
    assert told.body["name"] == "李示例"


@pytest.mark.parametrize("name", ["张\U00031350", "李\U0002ebf0", "阿卜杜热西提•买买提"])
async def test_v2_rare_characters_whatever_python_knows(running: Installation, name: str) -> None:
    await accepted(running, VERIFY, within("payload/person/name", name))


async def test_v2_what_shows_another_sign_on_each_system_is_no_name(running: Installation) -> None:
    for name in ("张\ue000", "张\ufffd"):
        await refused(running, VERIFY, within("payload/person/name", name), "/payload/person/name", "text-character")


async def test_v3_nobody_signs_nothing(running: Installation) -> None:
    """Each is refused at its member, and the request waits for a receipt by somebody."""
    grid, talk = await asked(running, GRID, VERIFY)
    await grid.say(talk, "delivered")
    for verb, member, value in (
        ("receipt", "person", " "),
        ("receipt", "person", "赵\x1b[2J"),
        ("receipt", "person", "赵\n演示"),
        ("receipt", "person", "赵\u202e示演"),
        ("receipt", "person", "不详"),
        ("receipt", "unit", "\u3000"),
        ("accept", "handler", "\t"),
        ("progress", "stage", "----"),
    ):
        usual = json.loads(base64url.decode((await grid.make(talk, verb, seqno=talk.seqno)).disclosure))[2]
        said = await grid.make(talk, verb, words={**usual, member: value})
        await grid.publish(said)
        notice = await grid.noticed(body_sha256=said.sha256)
        assert (notice["reason"], notice["pointer"]) == ("invalid-field", f"/{member}"), (verb, member)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("other", "无"),
        ("other", "不详"),
        ("other", "-"),
        ("other", "1"),
        ("other", "0000"),
        ("officer-id", "0000"),
        ("officer-id", "军字第号"),
        ("passport", "00000"),
        ("hm-travel-permit", "H00000000"),
        ("taiwan-travel-permit", "00000000"),
    ],
)
async def test_v4_no_coercion_without_a_number(running: Installation, kind: str, number: str) -> None:
    rule = "id-form" if len(number) < 4 else "id-of-nobody"
    await refused(running, CONTROL, foreigner(kind, number), "/payload/person/id_no", rule)


async def test_v4_a_paper_of_no_kind_says_who_gave_it(running: Installation) -> None:
    status, answer = await submit(running, CONTROL, foreigner("other", "A123456(7)"))
    assert status == 422, answer
    assert [(e["pointer"], e["rule"]) for e in answer["errors"]] == [
        ("/payload/person/id_issuer", "id-issuer-required"),
        ("/payload/person/id_name", "id-name-required"),
    ]
    given = {"id_issuer": "香港特别行政区入境事务处", "id_name": "香港永久性居民身份证"}
    await accepted(running, CONTROL, foreigner("other", "A123456(7)", **given))


async def test_v4_nothing_of_a_register_is_called_none(running: Installation) -> None:
    """As with people: everybody's realty under 无 would be one object."""
    for number in ("无", "不详", "0000000000000000000000000000"):
        await refused(
            running, PROPERTY, within("payload/objects/0/unit_no", number),
            "/payload/objects/0/unit_no", "register-number-form",
        )  # fmt: skip


async def test_v5_a_passport_is_one_persons_with_its_country(running: Installation) -> None:
    await refused(
        running, CONTROL, foreigner("passport", "E90000001"), "/payload/person/id_country", "id-country-required"
    )
    case = next(_numbers)
    await accepted(running, CONTROL, foreigner("passport", "E90000002", id_country="USA"), case=case)
    status, answer = await submit(running, CONTROL, foreigner("passport", "E90000002", id_country="USA"), case=case)
    assert (status, answer["type"]) == (409, "urn:lianzhi:problem:measure-open")
    await accepted(running, CONTROL, foreigner("passport", "E90000002", id_country="CHN"), case=case)


@pytest.mark.parametrize(("kind", "first", "second"), [("hm-travel-permit", "H90000001", "H9000000102")])
async def test_v5_a_permit_is_one_persons_whatever_its_count(
    running: Installation, kind: str, first: str, second: str
) -> None:
    case = next(_numbers)
    await accepted(running, CONTROL, foreigner(kind, first), case=case)
    status, answer = await submit(running, CONTROL, foreigner(kind, second), case=case)
    assert (status, answer["type"]) == (409, "urn:lianzhi:problem:measure-open"), answer


async def test_v6_nobody_is_registered_in_hong_kong(running: Installation) -> None:
    """A number of 810101 with a right check digit; that of a residence permit goes on."""
    number = "810101199003071239"
    await refused(running, CONTROL, person(id_no=number), "/payload/person/id_no", "resident-id-province")
    await accepted(running, CONTROL, person(id_kind="residence-permit", id_no="810000199003071237"))


@pytest.mark.parametrize("code", ["N2610199MA6X0AB123", "Y1610199MA6X0AB12X"])
async def test_v7_letters_in_the_first_places_of_a_code(running: Installation, code: str) -> None:
    def company(body: dict[str, Any]) -> None:
        party = body["payload"]["objects"][0]["party"]
        party |= {"name": "云川县示例村股份经济合作社", "id_kind": "uscc", "id_no": code}

    await accepted(running, PROPERTY, company)


@pytest.mark.parametrize(
    ("kind", "plate"), [("07", "陕A90701"), ("08", "陕A90801"), ("13", "陕A91301"), ("24", "陕A1234警")]
)
async def test_v8_every_kind_of_plate(running: Installation, kind: str, plate: str) -> None:
    def change(body: dict[str, Any]) -> None:
        body["payload"]["vehicle"] |= {"plate": plate, "plate_kind": kind}

    await accepted(running, SEAL, change)


async def test_v9_case_numbers_as_they_are_written(running: Installation) -> None:
    number = await accepted(running, VERIFY, within("case_no", "(2025)陕0114执00123号"))
    async with running.court.session.get(f"/v1/requests/{number}") as answer:
        assert (await answer.json())["case_no"] == "（2025）陕0114执123号"
    await accepted(running, VERIFY, within("case_no", "（2025）陕0114执123号之一百零二"))
    await accepted(running, LEAD, within("payload/judgment/case_no", "（2015）阎民初字第00123号"))


async def test_v10_telephones_as_they_are_written(running: Installation) -> None:
    def phones(*numbers: str) -> Change:
        return within("payload/duty_phones", list(numbers))

    await accepted(running, CONTROL, phones("138-0013-8000", "(029)86200110"))
    await refused(running, CONTROL, phones("13800138000", "00000000000"), "/payload/duty_phones/1", "phone-form")


async def test_v11_a_time_beyond_the_calendar(running: Installation) -> None:
    for type, path, value in (
        (CONTROL, "approvals/0/at", "9999-12-31T23:59:59-08:00"),
        (CONTROL, "approvals/0/at", "0001-01-01T00:00:00+08:00"),
        (PAYMENT, "payload/received_on", "9999-12-31"),
        (PAYMENT, "documents/0/issued_on", "0001-01-01"),
    ):
        await refused(running, type, within(path, value), f"/{path}", "day-range")
    for where, pointer, rule in (
        ("/v1/reports/weekly?month=0001-01", "/month", "no-such-period"),
        ("/v1/reports/weekly?week=0001-W01", "/week", "no-such-period"),
        ("/v1/ledgers/fund?until=9999-12-31", "/until", "day-range"),
    ):
        async with running.court.session.get(where) as answer:
            problem = await answer.json(content_type=None)
        assert (answer.status, problem["errors"][0]["pointer"], problem["errors"][0]["rule"]) == (422, pointer, rule)


@pytest.mark.parametrize("type", [ENTRUST, PROPERTY])
async def test_v12_the_same_object_twice(running: Installation, type: str) -> None:
    def twice(body: dict[str, Any]) -> None:
        first = body["payload"]["objects"][0]
        again = {**first, "ref": "zzzzzzz2", "party": {**first["party"], "ref": "zzzzzzz3"}}
        body["payload"]["objects"].append(again)

    await refused(running, type, twice, "/payload/objects/1", "duplicate-object")


async def test_v13_the_digest_may_be_named(running: Installation) -> None:
    grid, talk = await asked(running, GRID, VERIFY)
    said = await grid.say(talk, "delivered", _sd_alg="sha-256")
    await grid.fence()
    assert await disposition(running, talk.request_no, said) == "applied"
    other = await grid.say(talk, "receipt", _sd_alg="sha-512")
    await grid.fence()
    row = await row_of(running, other.raw)
    assert (row["reason"], row["pointer"]) == ("bad-envelope", "/_sd_alg")
