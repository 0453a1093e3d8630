"""The broker killed, cut off, frozen, absent at the start, or blocked by its own alarm: submissions are accepted all
the while, and everything goes out once it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from simulation.parties import POLICE
from simulation.private_broker import PrivateBroker
from tests.eventually import eventually
from tests.fault.agencies import working
from tests.fault.court import LOCATE, SEAL
from tests.fault.proxy import Proxy
from tests.fault.site import AGENCIES, Site, until

COUNT = 24


@pytest_asyncio.fixture
async def proxy(broker: PrivateBroker) -> AsyncIterator[Proxy]:
    async with Proxy(broker.ports.amqp) as proxy:
        yield proxy


async def _load(site: Site, fail: Callable[[], Awaitable[object]], mend: Callable[[], Awaitable[object]]) -> None:
    """A third of the load runs into the failure, a third is handed in during it, a third while it is mended."""
    court, third = site.court, COUNT // 3
    await court.hand_in_paper()
    orders = court.orders(COUNT)
    running_into_it = asyncio.create_task(court.submit_all(orders[:third]))
    await eventually(lambda: len(court.accepted) > third // 2)
    await fail()
    await running_into_it
    await court.submit_all(orders[third : 2 * third])
    last = asyncio.create_task(court.submit_all(orders[2 * third :]))
    await mend()
    await last
    assert (court.unavailable, court.unheard) == (0, 0)
    await site.settled()


async def _reckon(site: Site) -> None:
    result = await site.reckon()
    assert (len(result.ended), result.parked, result.quarantined) == (COUNT, {}, {})


async def test_the_broker_is_killed_under_load(site: Site, broker: PrivateBroker) -> None:
    async with site.gateway(), working(*site.agencies()):
        await _load(site, broker.kill, broker.start)
    await _reckon(site)


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["gateway", "agency"])
async def test_a_link_is_cut_again_and_again(site: Site, proxy: Proxy, whose: str) -> None:
    through = proxy.port if whose == "agency" else None
    async with (
        site.gateway(broker=site.broker_at(proxy.port) if whose == "gateway" else {}),
        working(*site.agencies(POLICE, amqp_port=through), *site.agencies(*AGENCIES[1:])),
    ):

        async def cut() -> None:
            proxy.cut()
            await eventually(lambda: proxy.connections)
            proxy.cut()

        await _load(site, cut, cut)
    await _reckon(site)


@pytest.mark.slow
async def test_the_link_of_the_gateway_freezes(site: Site, proxy: Proxy, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing passes and nobody is told: publishes end unconfirmed, or the link is given up; both are tried again."""

    async def freeze() -> None:
        proxy.freeze()

    async def thaw() -> None:
        await until(lambda: noticed(site, caplog))
        proxy.thaw()

    async with site.gateway(broker=site.broker_at(proxy.port)), working(*site.agencies()):
        await _load(site, freeze, thaw)
    await _reckon(site)


async def noticed(site: Site, caplog: pytest.LogCaptureFixture) -> bool:
    return "is down" in caplog.text or await site.unsent("unconfirmed")


@pytest.mark.slow
async def test_the_link_of_an_agency_freezes_and_never_thaws(site: Site, proxy: Proxy) -> None:
    async def freeze() -> None:
        proxy.freeze()

    async def replace() -> None:
        proxy.cut()
        proxy.thaw()

    async with (
        site.gateway(),
        working(*site.agencies(POLICE, amqp_port=proxy.port), *site.agencies(*AGENCIES[1:])),
    ):
        await _load(site, freeze, replace)
    await _reckon(site)


@pytest.mark.slow
async def test_the_broker_is_not_there_when_everything_starts(site: Site, proxy: Proxy) -> None:
    proxy.refusing = True
    async with (
        site.gateway(broker=site.broker_at(proxy.port)),
        working(*site.agencies(amqp_port=proxy.port)),
    ):
        await site.court.hand_in_paper()
        await site.court.submit_all(site.court.orders(COUNT))
        assert (site.court.unavailable, site.court.unheard) == (0, 0)
        assert await site.court.readiness() == (200, "down")
        assert await site.store.backlog() == COUNT
        proxy.refusing = False
        await site.settled()
    await _reckon(site)


@pytest.mark.slow
async def test_the_broker_is_blocked_by_its_memory_alarm(site: Site, broker: PrivateBroker) -> None:
    """It takes no publish from anybody; what is handed in waits, and goes when the alarm ends."""

    async def alarm() -> None:
        await broker.control("set_vm_memory_high_watermark", "0.00001")

    async def calm() -> None:
        assert await site.store.backlog() >= COUNT // 3
        await broker.control("set_vm_memory_high_watermark", "0.4")

    async with site.gateway(), working(*site.agencies()):
        try:
            await _load(site, alarm, calm)
        finally:
            await broker.control("set_vm_memory_high_watermark", "0.4")
    await _reckon(site)


@pytest.mark.slow
async def test_a_link_that_is_slow_is_only_slow(site: Site, proxy: Proxy) -> None:
    """Confirms that take longer than a publish may wait: sent again and again, done once."""
    proxy.delay = 0.2
    async with (
        site.gateway(broker=site.broker_at(proxy.port), timing={"publish_timeout": 0.3}),
        working(*site.agencies(POLICE)),
    ):
        await site.court.hand_in_paper()
        await site.court.submit_all(site.court.orders(COUNT, [LOCATE, SEAL]))
        await until(lambda: site.unsent("unconfirmed"))
        proxy.delay = 0.0
        await site.settled()
    await _reckon(site)
