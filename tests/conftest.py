"""One private broker for the whole run; a fresh virtual host for each test that wants one."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from gateway.broker.management import Management
from lianzhi.amqp.link import Link
from simulation.private_broker import PrivateBroker

CONNECT_SECONDS = 20.0
# How fast examples are made says something about the machine, nothing about the product.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")
_numbers = count(1)


COLLECTED = pytest.StashKey[list[pytest.Item]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps what was found before `-m` takes tests away: test_tiers looks at all of it."""
    config.stash[COLLECTED] = list(items)


def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not walk through it again and again."""
    gc.freeze()


@dataclass(frozen=True)
class Vhost:
    """A virtual host of its own: nothing another test did can be in it."""

    name: str
    broker: PrivateBroker
    management: Management

    @property
    def user(self) -> str:
        """The administrator, whose URLs these are unless another user is named."""
        return self.broker.admin

    def url(self, user: str | None = None, password: str | None = None) -> str:
        return self.broker.url(user=user, password=password, vhost=self.name)

    def url_at(self, port: int, user: str | None = None, password: str | None = None) -> str:
        """Through a proxy on this machine."""
        return self.broker.url_at(port, user=user, password=password, vhost=self.name)


@pytest_asyncio.fixture(scope="session")
async def broker() -> AsyncIterator[PrivateBroker]:
    async with PrivateBroker() as broker:
        yield broker


@pytest_asyncio.fixture(scope="session")
async def management(broker: PrivateBroker) -> AsyncIterator[Management]:
    async with Management(broker.management_url, broker.admin, broker.password) as management:
        yield management


@pytest_asyncio.fixture
async def vhost(broker: PrivateBroker, management: Management) -> AsyncIterator[Vhost]:
    name = f"test-{next(_numbers)}"
    await management.put("vhosts", name)
    yield Vhost(name, broker, management)
    await management.delete("vhosts", name)


@pytest_asyncio.fixture
async def link(vhost: Vhost, request: pytest.FixtureRequest) -> AsyncIterator[Link]:
    """A connected link to the test's own virtual host, as administrator."""
    async with Link(vhost.url(), name=request.node.name) as link:
        await link.wait_connected(CONNECT_SECONDS)
        yield link
