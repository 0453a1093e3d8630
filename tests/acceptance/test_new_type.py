"""One more matter type is one more file; one more organisation is one more participant file. Nothing else changes.

The file written here is what a developer would add to `schemas/matters/`; the type is then asked, answered and closed
over the real broker by one more organisation (a deputy, `plain/1`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from gateway.broker.management import Management
from schemas import catalogue as entries
from schemas.matters import witness
from simulation.parties import partner
from simulation.private_broker import PrivateBroker
from simulation.stage import set_stage
from tests.world import NEAR, World

TYPE = "witness.rehearsal.announce"
WITNESS = "witness-610199"
SOURCE = '''
"""Inviting deputies to see the bureau at work."""

from typing import Annotated, Literal

from lianzhi.protocol.base import Model, label
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.times import ComingMoment
from lianzhi.protocol.values import Line


class Act(Model):
    ref: Annotated[Ref, label("对象编号", "Reference")]
    kind: Annotated[Line, label("行动", "Kind of act")]
    division: Annotated[Line, label("区划", "Area, division only")]
    begins_at: Annotated[ComingMoment, label("开始", "Begins")]


class Invitation(Model):
    act: Annotated[Act, label("行动", "The act")]
    decline_by: Annotated[ComingMoment, label("最迟谢绝", "Decline by")]


class Attendance(Model):
    ref: Annotated[Ref, label("对象编号", "Reference")]
    attended: Annotated[Literal["yes", "no"], label("是否到场", "Attended")]
    opinion: Annotated[Line | None, label("意见", "Opinion")] = None


WITNESS_TOUR = ask(
    name="witness.rehearsal.announce",
    zh="参观邀请",
    en="Invite to a tour",
    help_zh="邀请人大代表、政协委员参观执行指挥中心。",
    help_en="Invites a deputy to see the command centre.",
    linkages=(),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.WITNESS}),
    request=Invitation,
    result_item=Attendance,
    request_class=Classification.INTERNAL,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={
        "act": {
            "ref": "w4x8d2va", "kind": "腾房", "division": "610199", "begins_at": "2026-03-26T09:00:00+08:00"
        },
        "decline_by": "2026-03-25T12:00:00+08:00",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-26T12:00:00+08:00",
        "items": [{"ref": "w4x8d2va", "attended": "yes"}],
    },
)
'''


@pytest.fixture
def one_more_file(tmp_path: Path) -> Iterator[None]:
    """`witness/rehearsal.py` stands among the matter types while the test runs."""
    folder = tmp_path / "witness"
    folder.mkdir()
    (folder / "rehearsal.py").write_text(SOURCE, encoding="utf-8")
    witness.__path__.append(str(folder))
    entries.catalogue.cache_clear()
    yield
    witness.__path__.remove(str(folder))
    entries.catalogue.cache_clear()


@pytest.mark.usefixtures("one_more_file")
async def test_a_type_from_one_file_is_asked_answered_and_closed(
    broker: PrivateBroker, management: Management, tmp_path: Path
) -> None:
    invited = partner(WITNESS, "witness", "王代表（演示）", "Deputy (demo)", ["witness.*"], dialect="plain/1")
    await management.put("vhosts", "new-type")
    world = World(await set_stage(tmp_path / "stage", broker, vhost="new-type", partners=(*NEAR, invited)))
    try:
        gateway = await world.start()
        witness = await world.office(WITNESS)
        payload = entries.catalogue()[TYPE].example_request
        number = await world.court.ask(TYPE, payload, receiver=WITNESS)

        opened = await witness.next(number, "open")
        told = {*opened.body, *opened.body["request"]}
        assert told.isdisjoint({"case_no", "legal_basis", "documents"})  # domain.md 2.10, of whatever witnesses get
        invitation = await witness.understood(opened)
        act = invitation["payload"]["act"]
        await witness.answer(number, "receipt")
        answer = {"outcome": "done", "as_of": act["begins_at"], "items": [{"ref": act["ref"], "attended": "yes"}]}
        await witness.answer(number, "result", answer)

        await world.reaches(number, "completed")
        assert (await world.court.read(number, "result"))["items"] == answer["items"]
        assert (await world.court.say(number, "confirm")).status == 202
        await world.reaches(number, "closed")

        async with aiohttp.ClientSession(gateway.url) as session, session.get("/openapi.json") as document:
            assert TYPE in await document.text()
    finally:
        await world.close()
        await management.delete("vhosts", "new-type")
