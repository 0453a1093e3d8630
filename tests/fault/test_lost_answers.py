"""Calls on a channel that the client forgets, or ends without a word, when the connection is lost at that moment.

Seen with a link cut twice in a row: a consumer that waited ten seconds for an answer that could not come, a healthy
new connection dropped because a channel of the old one was not opened, and an `Exception()` that ended a dispatcher.
"""

from __future__ import annotations

import asyncio

import pytest

from lianzhi.amqp.link import Link, own_cancellation_only
from simulation.private_broker import PrivateBroker
from tests.conftest import CONNECT_SECONDS, Vhost
from tests.eventually import eventually
from tests.fault.proxy import Proxy


async def test_who_waits_for_an_answer_hears_that_the_link_is_lost(broker: PrivateBroker, vhost: Vhost) -> None:
    async with Proxy(broker.ports.amqp) as proxy, Link(vhost.url_at(proxy.port), name="fragile") as link:
        await link.wait_connected(CONNECT_SECONDS)
        forgotten = asyncio.create_task(link.answer(asyncio.Event().wait()))
        assert await link.answer(_at_once()) == "answer"
        proxy.cut()
        await eventually(forgotten.done)
        assert isinstance(forgotten.exception(), ConnectionError)
        await link.wait_connected(CONNECT_SECONDS)
        assert await link.answer(_at_once()) == "answer"


async def _at_once() -> str:
    return "answer"


@pytest.mark.parametrize("end", [asyncio.CancelledError(), Exception()])
async def test_the_client_ends_a_call_without_a_word(end: BaseException) -> None:
    with pytest.raises(ConnectionError), own_cancellation_only():
        raise end


def test_a_fault_of_our_own_is_not_taken_for_a_lost_connection() -> None:
    with pytest.raises(RuntimeError, match="ours"), own_cancellation_only():
        raise RuntimeError("ours")
