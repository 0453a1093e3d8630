"""A ledger that lacks messages says so, within bounds; what we said goes again to whoever asks for it once more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lianzhi.partner import PartnerConfig
from lianzhi.partner.bounds import PartnerBounds
from tests.integration.partner_court import COURT, Court, Talk, write_partner
from tests.unit.test_partner_desk import DONE, ITEMS, Site, living, notice, opened

LEVEL = {"level": 1}


@pytest.fixture
def config(tmp_path: Path) -> PartnerConfig:
    return PartnerConfig.load(write_partner(tmp_path, "amqp://x:y@localhost:5672/lianzhi", system="协查平台"))


@pytest.fixture
def court() -> Court:
    return Court()


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def bounded(config: PartnerConfig, **limits: int) -> PartnerConfig:
    return replace(config, bounds=PartnerBounds(**limits))


async def lacks(site: Site) -> list[tuple[str, str, int]]:
    """What was asked for: whom, in which request, from which number on."""
    await site.published()
    asked = []
    for index, verb in enumerate(site.broker.verbs):
        if verb == "notice":
            body: dict[str, Any] = site.broker.content(index)
            assert body["reason"] == "sequence-gap"
            asked.append((site.broker.event(index)["receiver"], body["request_no"], body["next_seqno"]))
    return asked


async def test_t6_an_urge_into_nothing_is_told_at_once(config: PartnerConfig, court: Court) -> None:
    """Once, however much comes behind it, until something has come."""
    talk, raw = opened(court)
    urges = [court.make(talk, "urge", {}, head=LEVEL) for _ in range(3)]
    async with living(config) as site:
        await site.arrive(urges[0])
        await site.arrive(*urges[1:])
        assert await lacks(site) == [(COURT, talk.request_no, 1)]
        await site.desk.ask_for_missing()
        assert len(await lacks(site)) == 1
        await site.arrive(raw)
        await site.desk.ask_for_missing()
        assert len(await lacks(site)) == 1, "nothing is missing any more"


async def test_t6_it_is_asked_again_later_and_later(config: PartnerConfig, court: Court) -> None:
    talk, _ = opened(court)
    clock = Clock()
    async with living(config, now=clock) as site:
        await site.arrive(court.make(talk, "urge", {}, head=LEVEL))
        asked: list[int] = []
        for hour in range(80):
            clock.ahead = timedelta(hours=hour, minutes=1)
            await site.desk.ask_for_missing()
            asked += [hour] * (len(await lacks(site)) - 1 - len(asked))
    assert asked == [1, 3, 7, 15, 31, 55, 79]


async def test_t6_a_number_in_between_is_asked_for_after_a_while(config: PartnerConfig, court: Court) -> None:
    talk, raw = opened(court)
    court.make(talk, "urge", {}, head=LEVEL)  # lost
    clock = Clock()
    async with living(bounded(config, asked_after_seconds=600), now=clock) as site:
        await site.arrive(raw)
        await site.arrive(court.make(talk, "urge", {}, head=LEVEL))
        clock.ahead = timedelta(seconds=590)
        await site.desk.ask_for_missing()
        assert await lacks(site) == []
        clock.ahead = timedelta(seconds=601)
        await site.desk.ask_for_missing()
        assert await lacks(site) == [(COURT, talk.request_no, 2)]


async def test_t6_so_many_a_minute_and_the_others_in_a_later_one(config: PartnerConfig, court: Court) -> None:
    clock = Clock()
    talks = [court.talk() for _ in range(5)]
    for talk in talks:
        talk.seqno = 1
    async with living(bounded(config, notices_told_per_minute=2), now=clock) as site:
        for talk in talks:
            await site.arrive(court.make(talk, "urge", {}, head=LEVEL))
        counts = [len(await lacks(site))]
        for minute in (1, 2, 3):
            clock.ahead = timedelta(minutes=minute, seconds=1)
            await site.desk.ask_for_missing()
            counts.append(len(await lacks(site)))
        assert counts == [2, 4, 5, 5]
        assert {number for _, number, _ in await lacks(site)} == {talk.request_no for talk in talks}


async def test_t6_what_was_asked_for_survives_a_restart(config: PartnerConfig, court: Court) -> None:
    talk, _ = opened(court)
    async with living(config) as site:
        await site.arrive(court.make(talk, "urge", {}, head=LEVEL))
        assert len(await lacks(site)) == 1
    async with living(config) as site:
        await site.desk.ask_for_missing()
        assert await lacks(site) == []


async def test_t6_a_message_that_came_too_early_names_the_number_that_is_taken(
    config: PartnerConfig, court: Court
) -> None:
    talk, raw = opened(court)
    async with living(bounded(config, held_distance=5)) as site:
        await site.arrive(raw)
        await site.arrive(court.make(talk, "urge", {}, head=LEVEL, seqno=50))
        assert await lacks(site) == [(COURT, talk.request_no, 2)]


async def test_t6_a_new_ledger_counts_on_from_the_gateways_word(config: PartnerConfig, court: Court) -> None:
    """Then nothing of ours is refused."""
    talk, raw = opened(court)
    told = notice("sequence-gap", request_no=talk.request_no, next_seqno=4)
    async with living(config) as site:
        await site.arrive(court.make(talk, "urge", {}, head=LEVEL))
        await site.arrive(court.outside("notice", told), raw)
        await site.published()
        (delivered,) = [site.broker.event(i) for i, verb in enumerate(site.broker.verbs) if verb == "delivered"]
        assert delivered["seqno"] == 4
        await site.arrive(court.outside("notice", notice("sequence-gap", request_no=talk.request_no, next_seqno=900)))
        await (await site.next()).reply("receipt", {})
        await site.published()
        assert site.broker.event(-1)["seqno"] == 5, "once we have spoken only a refusal of ours moves the counter"


@pytest.mark.parametrize("next_seqno", [1, 1_002, 2**50])
async def test_t6_the_gateways_word_moves_the_counter_within_its_bound(
    config: PartnerConfig, court: Court, next_seqno: int
) -> None:
    talk, raw = opened(court)
    told = notice("sequence-gap", request_no=talk.request_no, next_seqno=next_seqno)
    async with living(config) as site:
        await site.arrive(court.make(talk, "urge", {}, head=LEVEL))
        await site.arrive(court.outside("notice", told), raw)
        await site.published()
        assert site.broker.event(-1)["seqno"] == 1


async def said(site: Site, talk: Talk, raw: bytes) -> list[bytes]:
    """`delivered`, `receipt` and a result, all confirmed by the broker: their bytes."""
    await site.arrive(raw)
    request = await site.next()
    async with request.transaction() as tx:
        tx.reply("receipt", {})
        tx.reply("result", ITEMS, **DONE)
    assert await site.published() == ["delivered", "receipt", "result"]
    return [body for _, body in site.broker.sent]


async def test_t2_a_repeated_message_and_an_urge_bring_back_everything_from_there_on(
    config: PartnerConfig, court: Court
) -> None:
    talk, raw = opened(court)
    async with living(config) as site:
        first = await said(site, talk, raw)
        await site.arrive(raw)
        await site.published()
        assert [body for _, body in site.broker.sent[3:]] == first
        await site.arrive(court.make(talk, "urge", {}, head=LEVEL))
        await site.published()
        assert [body for _, body in site.broker.sent[6:]] == first


async def test_t2_what_goes_again_in_an_hour_is_bounded_but_for_the_answer_itself(
    config: PartnerConfig, court: Court
) -> None:
    talk, raw = opened(court)
    clock = Clock()
    async with living(bounded(config, sent_again_per_request_and_hour=3), now=clock) as site:
        await said(site, talk, raw)
        counts = []
        for _ in range(4):
            await site.arrive(raw)
            await site.published()
            counts.append(len(site.broker.sent) - 3)
        assert counts == [3, 5, 6, 7]
        clock.ahead = timedelta(hours=1, seconds=1)
        await site.arrive(raw)
        await site.published()
        assert len(site.broker.sent) - 3 == 10
