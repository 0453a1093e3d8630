"""A gateway whose database was restored gets back what it has lost: its own bytes and ours, within bounds."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lianzhi.partner import PartnerConfig
from lianzhi.partner.bounds import PartnerBounds
from tests.integration.partner_court import Court, write_partner
from tests.unit.test_partner_desk import Site, living, notice, opened

BEFORE, AFTER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def config(tmp_path: Path) -> PartnerConfig:
    return PartnerConfig.load(write_partner(tmp_path, "amqp://x:y@localhost:5672/lianzhi", system="协查平台"))


@pytest.fixture
def court() -> Court:
    return Court()


async def handled(site: Site, raw: bytes) -> None:
    await site.arrive(raw)
    await (await site.next()).reply("receipt", {"QSSJ": "1"})
    await site.published()


def kept(site: Site, court: Court, index: int) -> bytes:
    """The gateway says of our message that it keeps it, and has lost its request."""
    about = {
        "message_id": site.broker.event(index)["id"],
        "body_sha256": hashlib.sha256(site.broker.sent[index][1]).hexdigest(),
        "rule": "forgotten-kept",
    }
    return court.outside("notice", notice("unknown-request", **about))


async def test_t1_a_request_that_the_gateway_has_lost_goes_back_whole_and_once(
    config: PartnerConfig, court: Court
) -> None:
    talk, raw = opened(court)
    async with living(config) as site:
        await handled(site, raw)
        assert await site.published() == ["delivered", "receipt"]
        ours = [body for _, body in site.broker.sent]
        await site.arrive(kept(site, court, 0))
        assert await site.published() == ["delivered", "receipt", "open", "delivered", "receipt"]
        assert [body for _, body in site.broker.sent[2:]] == [raw, *ours], "the very bytes, in order"
        assert site.broker.sent[2][0] == f"{config.code}.normal.{talk.type}.open"
        await site.arrive(kept(site, court, 1))
        assert len(await site.published()) == 5, "a second word about the same changes nothing within the hour"
        rows = await site.desk.ledger.query("SELECT count(*) FROM lz_outbox WHERE state = 'refused'", ())
        assert rows == [(0,)], "what is kept was not refused"


async def test_t1_it_goes_back_again_after_an_hour(config: PartnerConfig, court: Court) -> None:
    _, raw = opened(court)
    ahead = timedelta(0)
    async with living(config, now=lambda: datetime.now(UTC) + ahead) as site:
        await handled(site, raw)
        await site.arrive(kept(site, court, 0))
        await site.published()
        ahead = timedelta(minutes=61)
        await site.arrive(kept(site, court, 0))
        assert (await site.published())[5:] == ["open", "delivered", "receipt"]


@pytest.mark.parametrize("kind", ["notice", "pong"])
async def test_t1_another_incarnation_gets_everything_of_late_again(
    config: PartnerConfig, court: Court, kind: str
) -> None:
    """The first that is heard of is no change; the oldest request goes first."""
    first, second = opened(court)[1], opened(court)[1]

    def told(incarnation: str) -> bytes:
        body = notice("stale", incarnation=incarnation) if kind == "notice" else {"incarnation": incarnation}
        return court.outside(kind, body)

    async with living(config) as site:
        await handled(site, first)
        await handled(site, second)
        said = len(await site.published())
        for incarnation in (BEFORE, BEFORE):
            await site.arrive(told(incarnation))
        assert len(await site.published()) == said
        done = await site.arrive(told(AFTER))
        again = (await site.published())[said:]
        assert again == ["open", "delivered", "receipt"] * 2
        assert done.restored == 6
        backs = [body for key, body in site.broker.sent[said:] if key.endswith(".open")]
        assert backs == [first, second]
        await site.arrive(told(AFTER))
        assert len(await site.published()) == said + 6


async def test_t1_what_goes_back_is_bounded_in_number_and_age(config: PartnerConfig, court: Court) -> None:
    few = replace(config, bounds=PartnerBounds(sent_again_per_request_and_hour=2, said_again_of_hours=1))
    ahead = timedelta(0)
    async with living(few, now=lambda: datetime.now(UTC) + ahead) as site:
        await handled(site, opened(court)[1])
        ahead = timedelta(hours=2)
        await handled(site, opened(court)[1])
        said = len(await site.published())
        for incarnation in (BEFORE, AFTER):
            await site.arrive(court.outside("notice", notice("stale", incarnation=incarnation)))
        assert (await site.published())[said:] == ["open", "delivered"]


async def test_t1_nobody_else_is_believed_about_the_gateways_life(config: PartnerConfig, court: Court) -> None:
    """A notice of a kept message that is not ours asks for nothing."""
    _, raw = opened(court)
    async with living(config) as site:
        await handled(site, raw)
        about = {"message_id": site.broker.event(0)["id"], "body_sha256": "0" * 64, "rule": "forgotten-kept"}
        await site.arrive(court.outside("notice", notice("unknown-request", **about)))
        assert await site.published() == ["delivered", "receipt"]
