"""The demo's court system, an ordinary user of `lianzhi.client`: hands in, follows its feed, and does what is its turn.

It writes its own book of 202s as they come, and checks of each answer that it is about the very object that was asked
for: two people of one name must not get each other's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from lianzhi.client import CourtClient, Event, Message, Opened
from lianzhi.client.feed import OLDEST
from simulation.court.docket import Item
from simulation.court.duty import Duty
from simulation.damage.injections import Insistent
from simulation.parties import HANDLER, HOME
from simulation.reconciliation.journal import Journal
from simulation.screen.board import FINAL, Board, opened_by_us
from simulation.synthetic import Paper, World

HANDS = 12  # submissions at once
LANES = 12  # requests attended to at once; one request's events stay in one lane, in order
SEAL = "police.vehicle-seal.request"
Answered = Callable[[Item, str], Awaitable[None]]


class CourtSystem:
    """insistent: hands some things in twice. answered: told of every answer that was confirmed."""

    def __init__(
        self,
        client: CourtClient,
        journal: Journal,
        board: Board,
        world: World,
        duty: Duty,
        insistent: Insistent,
        answered: Answered,
    ) -> None:
        self.board = board
        self.mixed_up: list[str] = []
        self.checked = 0
        self.places = 0
        self._client = client
        self._journal = journal
        self._world = world
        self._duty = duty
        self._insistent = insistent
        self._answered = answered
        self._items: dict[str, Item] = {}
        self._awaited = 0  # handed in, 202 not yet read
        self._more = asyncio.Condition()
        self._live: dict[str, asyncio.Future[str | None]] = {}
        self._papers: dict[str, asyncio.Task[Any]] = {}
        self._lanes: list[asyncio.Queue[Event]] = [asyncio.Queue() for _ in range(LANES)]
        self.working = 0

    def another(self, receiver: str, number: str) -> tuple[str, str] | None:
        """(request_no, case_no) of a request of ours to another agency than `receiver`; not `number` itself."""
        for other, item in self._items.items():
            if item.draft.receiver != receiver and other != number:
                return other, str(item.draft.body["case_no"])
        return None

    def unfinished(self, states: Mapping[str, str]) -> list[str]:
        """Which of these requests, ours and theirs, are not at their end, but for those whose papers never come."""
        return [
            number
            for number, state in states.items()
            if state not in FINAL and not (state == "blocked" and self._never_complete(number))
        ]

    def _never_complete(self, number: str) -> bool:
        item = self._items.get(number)
        return item is not None and item.papers == "never"

    # handing in

    async def hand_in(self, items: Iterable[Item]) -> None:
        """Every item, several at once; what rests on a seal when that is live."""
        todo = list(items)
        self._live = {item.rests_on: asyncio.get_running_loop().create_future() for item in todo if item.rests_on}
        turns = iter(todo)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(HANDS):
                tasks.create_task(self._hands(turns))

    async def _hands(self, turns: Iterable[Item]) -> None:
        for item in turns:
            if item.rests_on is not None:
                seal = await self._live[item.rests_on]
                if seal is None:
                    continue
                item.draft.body["payload"]["seal"]["measure_no"] = f"{seal}-1"
            await self._one(item)

    async def _one(self, item: Item) -> None:
        draft = item.draft
        held_back = draft.papers[:1] if item.papers != "before" else ()
        for paper in draft.papers:
            if paper not in held_back:
                await self.put(paper)
        self._awaited += 1
        try:
            self.board.handed_in += 1
            if any(way.startswith("duplicate") for way in item.injections):
                number, state = await self._insistent.hand_in(item)
            else:
                accepted = await self._client.submit(draft.body, receiver=draft.receiver, key=item.key)
                number, state = accepted.request_nos[0], accepted.state
            self._journal.write(
                "accepted", request_no=number, key=item.key, type=item.matter, receiver=draft.receiver, state=state
            )
            self._items[number] = item
            self.board.accepted(number, draft.receiver, item.matter, state)
        finally:
            self._awaited -= 1
            async with self._more:
                self._more.notify_all()
        if item.papers == "after":
            await self.put(held_back[0])

    async def put(self, paper: Paper) -> None:
        """Hand a paper in, once."""
        digest = paper.document["sha256"]
        if digest not in self._papers:
            put = self._client.put_document(paper.content, media_type=paper.document["media_type"])
            self._papers[digest] = asyncio.create_task(put)
        await self._papers[digest]

    # following

    async def follow(self) -> None:
        """The feed from its beginning, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes:
                tasks.create_task(self._attend(lane))
            async for event in self._client.events(after=OLDEST):
                self.board.note(event)
                if event.kind == "message" and event.request_no is not None:
                    self.working += 1
                    self._lanes[hash(event.request_no) % LANES].put_nowait(event)

    async def _attend(self, lane: asyncio.Queue[Event]) -> None:
        while True:
            event = await lane.get()
            try:
                await self._take(event)
            finally:
                self.working -= 1

    async def _take(self, event: Event) -> None:
        number = event.request_no
        assert number is not None
        if not opened_by_us(number):
            if event.verb == "open":
                await self._duty.asked(number, event.type or "", await self._message(event))
            return
        if event.verb == "open":
            await self._opened(number)
        elif event.verb == "supplement-request":
            await self._supplement(number, await self._message(event))
        elif event.verb == "result":
            await self._result(number, await self._message(event))
        elif event.verb in ("refuse", "return"):
            self._seal_is(await self._item(number), None)

    async def _message(self, event: Event) -> Message:
        found = await self._client.messages(event.request_no or "")
        return next(m for m in found if m.message_id == event.message_id)

    async def _item(self, number: str) -> Item | None:
        """What we asked; None when somebody else did, with our token."""
        async with self._more:
            await self._more.wait_for(lambda: number in self._items or not self._awaited)
        return self._items.get(number)

    async def _opened(self, number: str) -> None:
        """A visitor's own request, handed in with our token, belongs on the board too."""
        if await self._item(number) is None:
            request = await self._client.request(number)
            self.board.adopted(number, request.asked, request.type, request.state)

    async def _result(self, number: str, message: Message) -> None:
        """Believe it only when the signature verifies here too; then say that it is good."""
        item = await self._item(number)
        opened = await self._client.unseal(message, reopen_by=HANDLER)
        self.places += opened.own
        self.checked += 1
        if item is not None and not _is_about(item, opened):
            self.mixed_up.append(number)
            verb, data = "reopen", {"why": "结果不是所请求的对象", "reason_code": "wrong-object"}
        else:
            verb, data = "confirm", {"why": "已核对"}
        said = await self._client.answer(number, verb, data, by=HANDLER, key=f"{verb}:{message.message_id}")
        self._journal.write("said", request_no=number, verb=verb, message_id=said.message_id)
        if item is not None:
            done = any(line.get("status") == "done" for line in opened.data["items"])
            self._seal_is(item, number if done else None)
            await self._answered(item, number)

    def _seal_is(self, item: Item | None, number: str | None) -> None:
        """Whoever waits for this seal may go on, or need not wait any longer."""
        waiting = self._live.get(item.key) if item is not None else None
        if waiting is not None and not waiting.done():
            waiting.set_result(number)

    async def _supplement(self, number: str, message: Message) -> None:
        """What is missing, now with its number."""
        opened = await self._client.unseal(message)
        documents, fields = [], []
        for missing in opened.data["missing"]:
            if kind := missing.get("document"):
                paper = self._world.paper(kind, f"（{self._world.today.year}）陕0199执委{self._world.next()}号", HOME)
                await self.put(paper)
                documents.append(paper.document)
            else:
                fields.append({"field": missing["field"], "value": f"YS{900_000 + self._world.next()}"})
        said = await self._client.supplement(
            number, by=HANDLER, documents=documents, fields=fields, key=f"supplement:{message.message_id}"
        )
        self._journal.write("said", request_no=number, verb="supplement", message_id=said.message_id)


def _is_about(item: Item, opened: Opened) -> bool:
    """Every agency quotes the tail of the number that it was given; a search without a find quotes nothing."""
    found = opened.data["outcome"] != "none" or not opened.own
    return not found or item.draft.about in json.dumps(opened.data["items"], ensure_ascii=False)
