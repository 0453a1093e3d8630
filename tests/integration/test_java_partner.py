"""What the Java partner keeps beyond the Node one: it says what it lacks, and sends again what the other side lacks."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lianzhi.amqp.link import Link
from lianzhi.protocol.envelope import Envelope
from tests import java_partner
from tests.conftest import Vhost
from tests.integration.node_court import COURT, POLICE, NodeCourt, Talk
from tests.java_partner import JavaPartner

pytestmark = pytest.mark.slow  # a partner in another language
LOCATE = "police.person-locate.request"


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return java_partner.compiled(tmp_path_factory.mktemp("classes"))


@pytest.fixture
async def court(vhost: Vhost, link: Link, tmp_path: Path) -> AsyncIterator[NodeCourt]:
    court = NodeCourt(tmp_path)
    court.hand_over()
    await court.connect(vhost, link)
    yield court
    await court.close()


@pytest.fixture
def police(court: NodeCourt, vhost: Vhost, classes: Path) -> JavaPartner:
    return JavaPartner(**court.settings(vhost, POLICE), classes=classes)


def gap(court: NodeCourt, talk: Talk, next_seqno: int, **more: Any) -> bytes:
    words = {"body_sha256": "", "reason": "sequence-gap", "request_no": talk.request_no, "next_seqno": next_seqno}
    return court.outside(POLICE, "notice", words | more)[1]


async def test_of_a_request_without_its_beginning_it_says_so_once_and_counts_on(
    court: NodeCourt, police: JavaPartner
) -> None:
    talk = court.talk(LOCATE)
    opened = await court.open(talk)
    async with police:
        for _ in range(2):
            await court.send(POLICE, await court.make(talk, "urge", {"level": 1}))
        (asked,) = await court.told(POLICE, 1)
        await court.send(POLICE, gap(court, talk, 4))
        await police.logged("notice")
        await court.send(POLICE, opened)
        answers = await court.heard(POLICE, 3)
        await police.logged("applied", 3)
    assert asked.data["reason"] == "sequence-gap"
    assert (asked.data["request_no"], asked.data["next_seqno"]) == (talk.request_no, 1)
    assert asked.envelope.receiver == COURT
    assert [a.envelope.seqno for a in answers[:3] if isinstance(a.envelope, Envelope)] == [4, 5, 6]
    assert len(court.notices[POLICE]) == 1


async def test_what_a_notice_or_an_urge_asks_for_goes_out_again_the_very_same(
    court: NodeCourt, police: JavaPartner
) -> None:
    talk, stranger = court.talk(LOCATE), court.talk(LOCATE)
    async with police:
        await court.send(POLICE, await court.open(talk))
        first = [a.raw for a in await court.heard(POLICE, 3)]
        await court.send(POLICE, gap(court, stranger, 1))
        await court.send(POLICE, gap(court, talk, 9))
        await court.send(POLICE, gap(court, talk, 2, message_id=talk.opened[0] if talk.opened else ""))
        await police.logged("notice", 3)
        await court.send(POLICE, gap(court, talk, 2))
        by_notice = [a.raw for a in (await court.heard(POLICE, 5))[3:]]
        await court.send(POLICE, await court.make(talk, "urge", {"level": 1}))
        by_urge = [a.raw for a in (await court.heard(POLICE, 8))[5:]]
    assert by_notice == first[1:]
    assert by_urge == first


async def test_no_more_goes_out_again_in_an_hour_than_is_bounded(court: NodeCourt, police: JavaPartner) -> None:
    talk = court.talk(LOCATE)
    async with police:
        opened = await court.open(talk)
        await court.send(POLICE, opened)
        await court.heard(POLICE, 3)
        for _ in range(40):
            await court.send(POLICE, opened)
        await police.logged("again", 40)
        answers = await court.heard(POLICE, 3 + 40 + 64)
    assert len(answers) == 3 + 40 + 64  # the answer itself each time, what came after it 64 times
    assert {a.raw for a in answers} == {a.raw for a in answers[:3]}


async def test_its_ledger_is_its_owners_alone_and_one_process_has_it(court: NodeCourt, police: JavaPartner) -> None:
    async with police:
        await police.logged("connected")
        second = JavaPartner(**{**vars_of(police), "log": []})
        await second.start()
        assert await second.ended() == 2
    (line,) = await second.logged("stderr")
    assert "is in use by another process" in line["text"]
    assert os.stat(police.ledger).st_mode & 0o777 == 0o600


async def test_an_option_that_the_locale_cannot_say_is_refused(court: NodeCourt, police: JavaPartner) -> None:
    police.locale = "C"
    await police.start()
    assert await police.ended() == 2
    (line,) = await police.logged("stderr")
    assert "--system" in line["text"] and "LC_ALL=C.UTF-8" in line["text"]


async def test_a_ledger_damaged_in_the_middle_stops_it_by_name(court: NodeCourt, police: JavaPartner) -> None:
    police.ledger.write_text('{"at":"2026-03-24T02:06:37.120Z"\n' + json.dumps({"sent": "x"}) + "\n")
    await police.start()
    assert await police.ended() == 2
    (line,) = await police.logged("stderr")
    assert "is damaged in the line at byte 0" in line["text"]


def vars_of(partner: JavaPartner) -> dict[str, Any]:
    """The settings it was made with."""
    return {name: value for name, value in vars(partner).items() if not name.startswith("_")}
