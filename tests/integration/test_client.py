"""The court system's library against a server that misbehaves: nothing is lost, doubled or believed too soon."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lianzhi.client import (
    OLDEST,
    Backoff,
    CourtClient,
    CursorGoneError,
    ProblemError,
    UnavailableError,
    UnexpectedAnswerError,
)
from lianzhi.errors import MisuseError, RejectedError
from lianzhi.problem import Problem
from tests.eventually import eventually
from tests.integration.handed_in import BODY, COURT, GRID, SIGN, TOKEN
from tests.misbehaving import Misbehaving

NUMBER = f"{COURT}-20260324-000001"
ACCEPTED = {"request_no": NUMBER, "receiver": GRID, "state": "approved", "type": BODY["type"]}
FAST = Backoff(first=0.01, most=0.02)
Served = Callable[..., AbstractAsyncContextManager[tuple[Misbehaving, CourtClient]]]


@pytest.fixture
def served(tmp_path: Path) -> Served:
    @asynccontextmanager
    async def served(*script: Any, **how: Any) -> AsyncIterator[tuple[Misbehaving, CourtClient]]:
        async with Misbehaving(list(script)).served() as server, client(server.url, tmp_path, **how) as court_system:
            yield server, court_system

    return served


def client(url: str, folder: Path, **how: Any) -> CourtClient:
    given: dict[str, Any] = {"timeout": 0.5, "patience": 0.3, "wait": 0, "backoff": FAST, "sign_key": SIGN}
    return CourtClient(url, TOKEN, court=COURT, gateway=COURT, spool=folder / "spool.sqlite", **(given | how))


async def test_through_every_fault_of_the_line_it_sends_the_same_bytes_under_the_same_key(served: Served) -> None:
    faults = ("unavailable", "cut", "silent", "broken", "cut")
    async with served(*faults, ACCEPTED) as (server, court_system):
        accepted = await court_system.submit(BODY, receiver=GRID, sign=True)
    assert accepted.request_nos == [NUMBER]
    assert len(server.attempts) == len(faults) + 1
    first = server.attempts[0]
    assert set(server.attempts) == {first}  # method, path, key, type, token and body
    assert (first.method, first.path, first.content_type) == ("POST", "/v1/requests", "application/sd-jwt")
    assert first.key and first.authorization == f"Bearer {TOKEN}"


async def test_a_cancelled_call_stays_in_the_spool(served: Served, tmp_path: Path) -> None:
    async with served("silent", timeout=20) as (server, court_system):
        waiting = asyncio.create_task(court_system.submit(BODY, receiver=GRID))
        await eventually(lambda: server.attempts)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        (cancelled,) = server.attempts
    async with served(ACCEPTED) as (server, court_system):
        assert [one.key async for one in court_system.resume()] == [cancelled.key]
        assert [one.body for one in server.attempts] == [cancelled.body]


async def test_a_refusal_is_raised_by_name_and_not_tried_again(served: Served) -> None:
    async with served("invalid-field") as (server, court_system):
        with pytest.raises(ProblemError) as caught:
            await court_system.submit(BODY, receiver=GRID)
        assert [r async for r in court_system.resume()] == []
    assert caught.value.code == "invalid-field"
    assert len(server.attempts) == 1


async def test_a_clock_that_is_wrong_ends_nothing(served: Served) -> None:
    """Ours or the gateway's: the same bytes stay in the spool and are right when it has been set."""
    async with served("clock-ahead", "clock-ahead", ACCEPTED) as (server, court_system):
        with pytest.raises(ProblemError) as caught:
            await court_system.submit(BODY, receiver=GRID, sign=True)
        assert caught.value.about_clock
        [still] = [r async for r in court_system.resume()]
        assert still.problem is not None and still.problem.about_clock
        [resumed] = [r async for r in court_system.resume()]
    assert resumed.answer == ACCEPTED
    assert len(server.attempts) == 3
    assert len(set(server.attempts)) == 1


async def test_what_is_in_doubt_stays_as_it_was_made(served: Served) -> None:
    """Whoever answers that speaks of a newer store: the next try still says which one was known at first."""
    async with served(ACCEPTED, "in-doubt", ACCEPTED) as (server, court_system):
        server.incarnation = "a" * 36
        await court_system.submit(BODY, receiver=GRID)
        server.incarnation = "b" * 36
        with pytest.raises(ProblemError, match="in-doubt"):
            await court_system.submit(BODY, receiver=GRID, key="lost")
        (resumed,) = [r async for r in court_system.resume()]
        assert resumed.answer == ACCEPTED
        await court_system.submit(BODY, receiver=GRID, key="new")
    assert [a.incarnation for a in server.attempts] == [None, "a" * 36, "a" * 36, "b" * 36]


async def test_corrected_words_may_go_under_the_key_of_refused_ones(served: Served) -> None:
    async with served("invalid-field", ACCEPTED) as (server, court_system):
        with pytest.raises(ProblemError):
            await court_system.submit(BODY, receiver=GRID, key="step-4")
        await court_system.submit({**BODY, "purpose": "other"}, receiver=GRID, key="step-4")
    assert [a.key for a in server.attempts] == ["step-4", "step-4"]


async def test_a_call_made_again_under_its_own_key_is_the_same_submission(served: Served) -> None:
    async with served(ACCEPTED) as (server, court_system):
        once = await court_system.submit(BODY, receiver=GRID, sign=True, key="step-4")
        again = await court_system.submit(BODY, receiver=GRID, sign=True, key="step-4")
        with pytest.raises(MisuseError, match="step-4"):
            await court_system.submit({**BODY, "purpose": "other"}, receiver=GRID, sign=True, key="step-4")
    assert once == again
    assert len(server.attempts) == 1


@pytest.mark.parametrize("page", ["page", "lost"])
async def test_a_proxys_page_concludes_nothing(served: Served, page: str) -> None:
    async with served(page, ACCEPTED) as (server, court_system):
        with pytest.raises(UnexpectedAnswerError):
            await court_system.submit(BODY, receiver=GRID)
        (resumed,) = [r async for r in court_system.resume()]
    assert resumed.answer == ACCEPTED
    assert len(set(server.attempts)) == 1


async def test_a_refused_token_says_nothing_about_what_was_handed_in(served: Served) -> None:
    async with served("unauthorized", "unauthorized", ACCEPTED) as (server, court_system):
        with pytest.raises(ProblemError, match="unauthorized"):
            await court_system.submit(BODY, receiver=GRID)
        with pytest.raises(ProblemError, match="unauthorized"):
            [r async for r in court_system.resume()]
        (resumed,) = [r async for r in court_system.resume()]
    assert resumed.answer == ACCEPTED
    assert len(set(server.attempts)) == 1


async def test_one_refusal_does_not_keep_the_others_from_being_resumed(served: Served) -> None:
    async with served("page", "page", "invalid-field", ACCEPTED) as (_, court_system):
        for key in ("first", "second"):
            with pytest.raises(UnexpectedAnswerError):
                await court_system.submit(BODY, receiver=GRID, key=key)
        refused, accepted = [r async for r in court_system.resume()]
    assert refused.key == "first" and refused.problem is not None and refused.problem.code == "invalid-field"
    assert accepted.key == "second" and accepted.answer == ACCEPTED


async def test_resuming_beside_the_caller_sends_nothing_twice(served: Served) -> None:
    async with served("unavailable", "unavailable", ACCEPTED) as (server, court_system):
        submitting = asyncio.create_task(court_system.submit(BODY, receiver=GRID))
        await server.attempted(1)
        (resumed,) = [r async for r in court_system.resume()]
        assert (await submitting).request_no == resumed.answer["request_no"]
    assert len(server.attempts) == 3


async def test_killed_between_its_spool_and_the_answer_it_resumes_with_the_same_bytes(
    served: Served, tmp_path: Path
) -> None:
    async with Misbehaving(["silent"]).served() as server:
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.client_victim",
            server.url, str(tmp_path / "spool.sqlite"), "step-4",
            cwd=Path(__file__).parents[2], env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
        (before,) = await server.attempted(1)
        victim.kill()
        await victim.wait()
    async with served(ACCEPTED) as (server, court_system):
        (resumed,) = [r async for r in court_system.resume()]
        assert [r async for r in court_system.resume()] == []
        accepted = await court_system.submit(BODY, receiver=GRID, sign=True, key="step-4")
    assert (resumed.key, resumed.answer) == ("step-4", ACCEPTED)
    assert server.attempts == [before]
    assert accepted.request_no == NUMBER


async def test_a_verb_is_spooled_like_a_submission(served: Served) -> None:
    said = {"request_no": NUMBER, "state": "closed", "message_id": None, "seqno": 2}
    async with served("cut", said) as (server, court_system):
        answer = await court_system.confirm(NUMBER, by="sn0199-0007", why="已核实")
    assert answer.state == "closed"
    assert len(set(server.attempts)) == 1
    assert server.attempts[0].path == f"/v1/requests/{NUMBER}/messages"


async def test_reading_gives_up_when_its_patience_ends(served: Served) -> None:
    async with served("unavailable") as (server, court_system):
        with pytest.raises(UnavailableError):
            await court_system.request(NUMBER)
    assert len(server.attempts) > 1


def event(number: int) -> dict[str, Any]:
    return {"cursor": f"c{number}", "at": "2026-03-24T02:10:00.000Z", "kind": "message", "new_member": 1}


def page(*numbers: int, cursor: str = "") -> dict[str, Any]:
    return {"status": 200, "events": [event(n) for n in numbers], "cursor": cursor or f"c{numbers[-1]}"}


class TestFeed:
    async def test_it_follows_through_faults_and_asks_on_from_the_last_event(self, served: Served) -> None:
        async with served(page(1, 2), "cut", "unavailable", page(3), page(cursor="c3b")) as (server, court_system):
            seen = []
            async for one in court_system.events():
                seen.append(one.cursor)
                if len(seen) == 3:
                    break
        assert seen == ["c1", "c2", "c3"]
        assert [a.after for a in server.attempts] == [None, "c2", "c2", "c2"]

    async def test_an_event_that_was_not_dealt_with_comes_again_after_a_restart(
        self, served: Served, tmp_path: Path
    ) -> None:
        async with served(page(1, 2, 3)) as (_, court_system):
            events = court_system.events()
            assert [(await anext(events)).cursor for _ in range(2)] == ["c1", "c2"]
        async with served(page(2, 3)) as (server, court_system):
            assert (await anext(court_system.events())).cursor == "c2"
        assert server.attempts[0].after == "c1"

    async def test_an_empty_page_renews_the_place(self, served: Served) -> None:
        async with served(page(cursor="later"), page(1)) as (server, court_system):
            await anext(court_system.events())
        assert server.attempts[1].after == "later"

    async def test_a_gone_cursor_is_never_passed_over(self, served: Served) -> None:
        async with served(page(1), "cursor-gone", page(7)) as (server, court_system):
            seen = []
            with pytest.raises(CursorGoneError):
                async for one in court_system.events():
                    seen.append(one.cursor)
            assert (await anext(court_system.events(after=OLDEST))).cursor == "c7"
        assert seen == ["c1"]
        assert [a.after for a in server.attempts] == [None, "c1", None]

    async def test_after_a_restore_it_reads_on_where_the_gateway_says(self, served: Served) -> None:
        restored = Problem.of("other-incarnation", cursor="common")
        async with served(page(1), restored, page(7)) as (server, court_system):
            events = court_system.events()
            assert [(await anext(events)).cursor for _ in range(2)] == ["c1", "c7"]
        assert [a.after for a in server.attempts] == [None, "c1", "common"]

    @pytest.mark.parametrize("cursors", [["a", "b"], [None, None], ["a", None]])
    async def test_a_restore_that_leads_nowhere_is_an_error(self, served: Served, cursors: list[str | None]) -> None:
        script = [Problem.of("other-incarnation", cursor=cursor) for cursor in cursors]
        async with served(page(1), *script) as (server, court_system):
            with pytest.raises(CursorGoneError):
                async for one in court_system.events():
                    assert one.cursor == "c1"
        assert len(server.attempts) == 1 + len(cursors)

    async def test_where_a_second_restore_forgot_the_first_it_reads_on_from_its_place_before_both(
        self, served: Served, tmp_path: Path
    ) -> None:
        """The second backup is older than the first restore: the gateway knows the first life, not the one between."""
        first, unknown = Problem.of("other-incarnation", cursor="b0"), Problem.of("other-incarnation")
        second = Problem.of("other-incarnation", cursor="d0")
        async with served(page(1), first, page(2), "silent") as (server, court_system):
            events = court_system.events()
            assert [(await anext(events)).cursor for _ in range(2)] == ["c1", "c2"]
            dealt_with = len(server.attempts)
            following = asyncio.ensure_future(anext(events))  # c2 is dealt with
            await eventually(lambda: len(server.attempts) > dealt_with)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        async with served(unknown, second, page(7), unknown, Problem.of("other-incarnation", cursor="e0"), page(9)) as (
            server,
            court_system,
        ):
            events = court_system.events()
            assert [(await anext(events)).cursor for _ in range(2)] == ["c7", "c9"]
        assert [a.after for a in server.attempts] == ["c2", "c1", "d0", "c7", "c1", "e0"]

    @pytest.mark.parametrize("cursor", [None, "x" * 2000], ids=["none", "too long"])
    async def test_where_the_gateway_knows_none_of_its_places_it_reads_all_that_is_kept(
        self, served: Served, cursor: str | None
    ) -> None:
        """As the answer says: nothing is passed over, and some come a second time."""
        async with served(page(1), Problem.of("other-incarnation", cursor=cursor), page(7)) as (server, court_system):
            events = court_system.events()
            assert [(await anext(events)).cursor for _ in range(2)] == ["c1", "c7"]
        assert [a.after for a in server.attempts] == [None, "c1", None]

    async def test_what_is_no_feed_is_not_taken_for_an_empty_one(self, served: Served) -> None:
        async with served({"status": 200, "things": []}) as (_, court_system):
            with pytest.raises(UnexpectedAnswerError):
                await anext(court_system.events())


class TestDocuments:
    PDF = b"%PDF-1.4 " + b"x" * 200_000
    SHA = hashlib.sha256(PDF).hexdigest()
    STORED = {"sha256": SHA, "size": len(PDF), "media_type": "application/pdf", "at": "2026-03-24T02:10:00.000Z"}

    async def test_a_paper_is_streamed_again_from_its_beginning(self, served: Served, tmp_path: Path) -> None:
        path = tmp_path / "裁定书.pdf"
        path.write_bytes(self.PDF)
        async with served("cut", "unavailable", {"status": 201, **self.STORED}) as (server, court_system):
            stored = await court_system.put_document(path)
        assert stored.sha256 == self.SHA
        assert [a.body for a in server.attempts] == [self.PDF] * 3
        assert {(a.method, a.path) for a in server.attempts} == {("PUT", f"/v1/documents/{self.SHA}")}
        assert {a.content_type for a in server.attempts} == {"application/pdf"}

    async def test_bytes_need_a_media_type(self, served: Served) -> None:
        async with served({"status": 201, **self.STORED}) as (_, court_system):
            with pytest.raises(MisuseError, match="media_type"):
                await court_system.put_document(self.PDF)
            await court_system.put_document(self.PDF, media_type="application/pdf")

    async def test_other_bytes_than_the_digests_leave_no_file(self, served: Served, tmp_path: Path) -> None:
        async with served("page") as (_, court_system):
            with pytest.raises(RejectedError, match="document-mismatch"):
                await court_system.get_document(self.SHA, tmp_path / "paper.pdf")
        assert sorted(p.name for p in tmp_path.iterdir()) == ["spool.sqlite"]  # noqa: ASYNC240

    async def test_a_refused_paper_is_refused_by_name(self, served: Served, tmp_path: Path) -> None:
        async with served("not-found") as (_, court_system):
            with pytest.raises(ProblemError, match="not-found"):
                await court_system.get_document(self.SHA, tmp_path / "paper.pdf")
