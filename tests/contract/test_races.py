"""Two processes of one gateway and the same submission: the store's unique keys settle it, on both databases."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest_asyncio

from gateway.application.conversation.send_verb import Actor
from gateway.application.ports.lists import RequestFilter
from gateway.application.posts import Answer, Handed
from gateway.application.submission.numbers import Numbers
from gateway.application.submission.submit import Submitter, fingerprint
from gateway.core.routing import Client
from gateway.store import SqlStore
from lianzhi.crypto.sdjwt import parse
from lianzhi.crypto.strictjson import dumps
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import CONTENT_TYPE
from tests.api.test_read import located
from tests.api.test_say import act, answered
from tests.api.world import COURT, Keys, World, locate_request, serving

PATH = "/v1/requests"


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path) -> AsyncIterator[World]:
    async with serving(store, tmp_path / "papers", Keys.fresh()) as world:
        await world.put_pdf()
        yield world


def processes(world: World) -> Iterator[Submitter]:
    """Each knows nothing of the other but what stands in the store."""
    two = [Submitter(world.context, Numbers(world.store, 100), lambda: None) for _ in range(2)]
    return itertools.cycle(two)


def handed(world: World, raw: bytes, key: str, *, path: str = PATH, content_type: str = CONTENT_TYPE) -> Handed:
    court = world.context.participant(COURT)
    client: Client = next(c for c in court.clients if c.id == "cms1")
    return Handed(court, client, key, fingerprint("POST", path, raw), content_type, raw)


async def together(world: World, each: list[tuple[bytes, str]]) -> list[Answer | BaseException]:
    calls = [
        process.submit(handed(world, raw, key)) for process, (raw, key) in zip(processes(world), each, strict=False)
    ]
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_one_key_or_one_id_in_two_processes_makes_one_request(world: World) -> None:
    for keys in (["one"] * 8, [f"key {n}" for n in range(8)]):
        raw = world.signed(locate_request()).raw
        before = await _count(world)
        answers = await together(world, [(raw, key) for key in keys])
        numbers = {answer.body["request_no"] for answer in answers if isinstance(answer, Answer)}
        assert (len(answers), len(numbers)) == (8, 1), answers
        assert not [answer for answer in answers if isinstance(answer, BaseException)]
        assert await _count(world) == before + 1


async def test_of_two_that_say_different_things_under_one_id_one_is_refused(world: World) -> None:
    first = world.signed(locate_request())
    other = world.signed(locate_request(team="执行二团队"), id=parse(first.raw).event["id"])
    answers = await together(world, [(first.raw, "first"), (other.raw, "other")])
    refused = [answer.code for answer in answers if isinstance(answer, RejectedError)]
    assert refused == ["id-reused"]
    assert await _count(world) == 1


async def said_together(world: World, number: str, each: list[Handed]) -> list[Answer]:
    """By two processes that both look before either has said anything."""
    two = itertools.cycle([Actor(world.context, lambda: None) for _ in range(2)])
    return await asyncio.gather(*(actor.say(one, number) for actor, one in zip(two, each, strict=False)))


async def test_a_verb_under_one_key_in_two_processes_is_said_once_and_both_hear_the_same(world: World) -> None:
    number = await answered(world)
    raw, path = dumps(act("confirm")).encode(), f"{PATH}/{number}/messages"
    one = handed(world, raw, "one", path=path, content_type="application/json")
    answers = await said_together(world, number, [one] * 8)
    assert [answer.body for answer in answers] == [answers[0].body] * 8
    assert [answer.replayed for answer in answers].count(False) == 1
    assert [m.verb for m in await world.store.messages(number)].count("confirm") == 1


async def test_a_signed_verb_under_many_keys_in_two_processes_is_said_once(world: World) -> None:
    number = await located(world)
    body = {"request_no": number, **act("withdraw", reason_code="paid")}
    raw = world.signed(body, verb="withdraw", matter="police.person-locate.request").raw
    path = f"{PATH}/{number}/messages"
    answers = await said_together(world, number, [handed(world, raw, f"key {n}", path=path) for n in range(8)])
    assert {answer.body["request_no"] for answer in answers} == {number}
    assert [answer.replayed for answer in answers].count(False) == 1
    assert [m.verb for m in await world.store.messages(number)].count("withdraw") == 1


async def _count(world: World) -> int:
    return len(await world.store.requests(RequestFilter(limit=200)))
