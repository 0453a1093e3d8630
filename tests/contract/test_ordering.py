"""The order of one sender's messages, against one model: the gateway's, the partner library's, and the rule alone.

Whatever comes in whatever order (twice, never, under a used number, with other bytes under a known id, a withdrawal
before what it overtakes), both act on the same messages in the same order, keep the same ones without acting on them,
let the same ones wait, and refuse the same ones. Real code, real signatures and real databases; only the broker is
missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from adapters.contract import Canonical
from adapters.registry import adapter_for
from gateway.application.ports.broker import Delivery
from gateway.bounds import Bounds
from gateway.core.routing import Participant
from gateway.store import SqlStore
from lianzhi.crypto.sdjwt import issue, parse
from lianzhi.crypto.seal import seal
from lianzhi.partner import PartnerConfig
from lianzhi.partner.bounds import PartnerBounds
from lianzhi.protocol.envelope import CONTENT_TYPE, dataschema, timestamp
from lianzhi.protocol.verbs import split
from schemas.catalogue import Kind
from schemas.validation import refs_of
from tests.api.world import COURT, Keys, World, participants, serving
from tests.faults import ENTRUST
from tests.integration.partner_court import Court, write_partner
from tests.scenes import commission
from tests.unit.test_partner_desk import BODY, HEAD, Site, living
from tests.words import standing

OPENER, CASE = "court-sn0191", "（2026）陕0191执900001号"
LAST = 9  # the highest number that is said
DISTANCE, HELD = 4, 3  # how far ahead a message is taken, how many may wait
Fate = Literal["in-turn", "waits", "never"]
"""in-turn: its number was used up in its turn (a gateway may refuse its content even so). never: kept, not acted on."""


@dataclass(frozen=True)
class Said:
    """One message. copy: 0 is the right one; another has the same number under another id. forged: the id of the right
    one over other bytes."""

    seqno: int
    copy: int = 0
    forged: bool = False


@dataclass(frozen=True)
class Script:
    """What one sender says, and what arrives together, in order. withdraws: the number of its withdrawal; 0: none."""

    withdraws: int
    batches: tuple[tuple[Said, ...], ...]

    def verb(self, said: Said) -> str:
        return "open" if said.seqno == 1 else "withdraw" if said.seqno == self.withdraws else "urge"


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Most messages come once and not too far from their turn; the others are lost, come twice, or are none of it."""
    withdraws = draw(st.sampled_from([0, 0, *range(2, LAST)]))
    keys = {n: n + draw(st.integers(-3, 3)) for n in range(1, LAST + 1)}
    if withdraws:
        keys[withdraws] -= draw(st.integers(0, 3))
    there = [n for n in sorted(keys, key=keys.__getitem__) if draw(st.integers(0, 9)) > 0]
    arrivals = [Said(n) for n in there]
    for _ in range(draw(st.integers(0, 4))):
        seqno, copy, forged = draw(st.integers(1, LAST)), draw(st.integers(0, 1)), draw(st.integers(0, 3)) == 0
        arrivals.insert(draw(st.integers(0, len(arrivals))), Said(seqno, copy, forged and seqno > 1))
    batches = list[tuple[Said, ...]]()
    while arrivals:
        size = draw(st.sampled_from([1, 1, 2, 4]))
        batches.append(tuple(arrivals[:size]))
        arrivals = arrivals[size:]
    return Script(withdraws, tuple(batches))


# --- the model ----------------------------------------------------------------------------------------------------


@dataclass
class Model:
    """The rule as sets: which numbers are stored, and how far they reach without a gap.

    works: whether the receiver sets to work when a batch is in. closes: whether it acts on nothing any more once it was
    withdrawn before it had begun. far_withdrawal: whether a withdrawal is taken from however far ahead.
    """

    works: bool
    closes: bool
    far_withdrawal: bool
    stored: dict[int, Said] = field(default_factory=dict)
    never: set[int] = field(default_factory=set)
    withdrawn: int = 0
    begun: bool = False
    closed: bool = False
    acted: list[int] = field(default_factory=list)
    refused: dict[Said, list[str]] = field(default_factory=dict)

    @property
    def front(self) -> int:
        """The first number that is missing; nobody waits for one that a withdrawal has overtaken."""
        return next(n for n in count(1) if n not in self.stored and n > self.withdrawn)

    def fate(self, seqno: int) -> Fate:
        if seqno in self.never:
            return "never"
        return "in-turn" if seqno < self.front else "waits"

    def waiting(self) -> list[int]:
        return [n for n in self.stored if self.fate(n) == "waits"]

    def told(self, said: Said) -> list[str]:
        """Its fate, or why it was refused, once for each time."""
        return [self.fate(said.seqno)] if self.stored.get(said.seqno) == said else self.refused[said]

    def arrives(self, said: Said, verb: str) -> None:
        known = self.stored.get(said.seqno)
        if known == said:
            return
        reason = self._refuses(said, verb)
        if reason is not None:
            self.refused.setdefault(said, []).append(reason)
            return
        if verb == "withdraw":
            self._withdraw(said.seqno)
        elif said.seqno < self.withdrawn or (self.closed and self.closes):
            self.never.add(said.seqno)
        self.stored[said.seqno] = said
        self.acted += sorted(n for n in self.stored if self.fate(n) == "in-turn" and n not in self.acted)

    def _refuses(self, said: Said, verb: str) -> str | None:
        known, ahead = self.stored.get(said.seqno), said.seqno - self.front
        if known is not None:
            return "id-reused" if known.copy == said.copy else "sequence-reused"
        if ahead > DISTANCE and not (verb == "withdraw" and self.far_withdrawal):
            return "too-far"
        waits = ahead > 0 and verb != "withdraw" and not (self.closed and self.closes)
        return "no-room" if waits and len(self.waiting()) >= HELD else None

    def _withdraw(self, seqno: int) -> None:
        self.never |= {n for n in self.waiting() if n < seqno}
        if self.closes and not self.begun:
            self.never |= {*self.stored}
        self.withdrawn, self.closed = seqno, not self.begun

    def batch_is_in(self) -> None:
        self.begun |= self.works and 1 in self.acted and not self.closed


# --- those who receive --------------------------------------------------------------------------------------------


class Gateway:
    """A partner opens a request at the gateway."""

    REASONS = {"too-far": "seqno-too-far", "no-room": "held-limit"}

    def __init__(self, world: World) -> None:
        self.world = world
        self.numbers = count(1)

    def begin(self) -> None:
        self.number = f"{OPENER}-20260324-{next(self.numbers):06d}"
        self.ids: dict[tuple[int, int], str] = {}
        self.raws: dict[Said, bytes] = {}
        self.origin = str(uuid7()), "A" * 43

    def model(self, works: bool) -> Model:
        return Model(works=True, closes=False, far_withdrawal=False)

    async def arrive(self, batch: list[tuple[Said, str]]) -> None:
        raws = [self.raws.get(said) or await self._make(said, verb) for said, verb in batch]
        queue = f"lianzhi.from.{OPENER}"
        await self.world.intake.take(
            [Delivery(OPENER, queue, raw, OPENER, CONTENT_TYPE, "", False, None, n) for n, raw in enumerate(raws)]
        )

    async def _make(self, said: Said, verb: str) -> bytes:
        canonical = commission() if verb == "open" else standing(verb, self.world.clock.now())
        head, body = split(verb, canonical, (refs_of(canonical) or None) if verb == "open" else None)
        message_id = self.ids.setdefault((said.seqno, said.copy), str(uuid7()))
        event = {
            "specversion": "1.0",
            "id": message_id,
            "source": f"//{OPENER}",
            "receiver": COURT,
            "type": f"lianzhi.{ENTRUST}.{verb}",
            "subject": self.number,
            "time": timestamp(self.world.clock.now()),
            "dataschema": dataschema("court/1", ENTRUST, verb, 1),
            "datacontenttype": "application/json",
            "seqno": said.seqno,
            "caseno": CASE,
            "data": {"head": head} if head else {},
        }
        words = await adapter_for("court/1").encode(Canonical(ENTRUST, verb, body))
        key, keys = self.world.keys.private[f"{OPENER}.sig.1"], self.world.keys.ring
        if verb == "open":
            event["replykey"] = f"{OPENER}.enc.1"
            reader = keys.sealing_key(COURT, at=self.world.clock.now())
            signed = issue(event, "sealed", seal(words, request_no=self.number, message_id=message_id, key=reader), key)
            self.origin = message_id, signed.digest
        else:
            event["causationid"], event["originhash"] = self.origin
            signed = issue(event, "body", words, key)
        self.raws[said] = signed.raw
        return signed.raw

    async def told(self, said: Said) -> str:
        raw = self.raws[said]
        for message in await self.world.store.messages(self.number):
            if message.digest == parse(raw).digest:
                return {"held": "waits", "overtaken": "never"}.get(message.disposition, "in-turn")
        rows = await self.world.store.quarantine(limit=50)
        return next(row.reason for row in rows if row.body_sha256 == hashlib.sha256(raw).hexdigest())

    async def acted(self) -> list[int]:
        """What the state machine took of it, in order."""
        numbers = {m.id: m.seqno for m in await self.world.store.messages(self.number) if m.sender == OPENER}
        events = [e for e in await self.world.store.timeline(self.number) if e.kind == "message"]
        return [seqno for e in events if (seqno := numbers.get(e.message_id or "")) is not None]


class Partner:
    """The court asks an agency, which has the library."""

    REASONS = {"too-far": "sequence-gap", "no-room": "sequence-gap"}

    def __init__(self, site: Site, court: Court) -> None:
        self.site, self.court = site, court

    def begin(self) -> None:
        self.talk = self.court.talk()
        self.ids: dict[tuple[int, int], str] = {}
        self.raws: dict[Said, bytes] = {}
        self.offered: list[str] = []

    def model(self, works: bool) -> Model:
        self.works = works
        return Model(works=works, closes=True, far_withdrawal=True)

    async def arrive(self, batch: list[tuple[Said, str]]) -> None:
        raws = [self.raws.get(said) or self._make(said, verb) for said, verb in batch]
        done = await self.site.arrive(*raws)
        self.offered += [offer.id for offer in done.offers]
        if self.works:
            for offer in done.offers:
                await self.site.desk.finish(offer.request_no, (offer.sender, offer.id), [], [])

    def _make(self, said: Said, verb: str) -> bytes:
        words: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {"open": (BODY, HEAD), "urge": ({}, {"level": 1})}
        body, head = words.get(verb, ({}, {"reason_code": "wrong"}))
        message_id = self.ids.setdefault((said.seqno, said.copy), str(uuid7()))
        self.raws[said] = self.court.make(self.talk, verb, body, head=head, seqno=said.seqno, id=message_id)
        return self.raws[said]

    async def told(self, said: Said) -> str:
        raw = self.raws[said]
        states = await self._states("digest")
        if (state := states.get(parse(raw).digest)) is not None:
            return {"held": "waits", "overtaken": "never"}.get(state[1], "in-turn")
        sql, about = "SELECT reason FROM lz_set_aside WHERE sha256 = ?", (hashlib.sha256(raw).hexdigest(),)
        ((reason,),) = await self.site.desk.ledger.read(lambda c: c.execute(sql, about).fetchall())
        return str(reason)

    async def acted(self) -> list[int]:
        states = await self._states("id")
        given = [states[message_id] for message_id in self.offered]
        return [seqno for seqno, state in given if state != "overtaken"]

    async def _states(self, column: str) -> dict[str, tuple[int, str]]:
        sql = f"SELECT {column}, seqno, state FROM lz_message WHERE request_no = ?"
        rows = await self.site.desk.ledger.read(lambda c: c.execute(sql, (self.talk.request_no,)).fetchall())
        return {name: (seqno, state) for name, seqno, state in rows}


@pytest_asyncio.fixture
async def gateway(sqlite_store: SqlStore, tmp_path: Path) -> AsyncIterator[Gateway]:
    opener = Participant(
        code=OPENER,
        kind=Kind.COURT,
        zh="高陵区人民法院（演示）",
        en="Gaoling Court (demo)",
        channel="amqp",
        dialect="court/1",
        court_code="陕0191",
        opens=("entrust.*",),
    )
    bounds = Bounds(held_per_request=HELD, held_distance=DISTANCE, quarantine_rows_per_hour=10**6)
    parties, keys = [*participants(), opener], Keys.fresh(OPENER)
    async with serving(sqlite_store, tmp_path / "papers", keys, bounds=bounds, parties=parties) as world:
        yield Gateway(world)


@pytest_asyncio.fixture
async def partner(tmp_path: Path) -> AsyncIterator[Partner]:
    config = PartnerConfig.load(write_partner(tmp_path, "amqp://x:y@localhost:5672/lianzhi"))
    bounds = PartnerBounds(held_per_request=HELD, held_distance=DISTANCE)
    async with living(replace(config, bounds=bounds)) as site:
        yield Partner(site, Court())


async def follow(receiver: Gateway | Partner, script: Script, works: bool) -> None:
    """After each batch, of every message that has come: where it stands, or why it was refused; and what was acted on,
    in order."""
    receiver.begin()
    model, come = receiver.model(works), set[Said]()
    for batch in script.batches:
        for said in batch:
            model.arrives(said, script.verb(said))
        await receiver.arrive([(said, script.verb(said)) for said in batch])
        model.batch_is_in()
        come |= {*batch}
        for said in come:
            expected = [receiver.REASONS.get(word, word) for word in model.told(said)]
            assert await receiver.told(said) in expected, (said, script, works)
    acted = await receiver.acted()
    assert acted == [n for n in model.acted if n in acted]


many = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


BEHIND_AN_EARLY_WITHDRAWAL = Script(2, ((Said(3),), (Said(2),), (Said(4), Said(3, 1)), (Said(1),), (Said(5),)))
HELD_BEHIND = Script(3, ((Said(1),), (Said(5),), (Said(3),), (Said(2),), (Said(4),)))
OVER_A_GAP = Script(4, ((Said(1),), (Said(4),), (Said(5),), (Said(2), Said(3)), (Said(6),)))


@many
@example(script=BEHIND_AN_EARLY_WITHDRAWAL)
@example(script=OVER_A_GAP)
@example(script=HELD_BEHIND)
@given(script=scripts())
async def test_the_gateway_keeps_the_order(gateway: Gateway, script: Script) -> None:
    await follow(gateway, script, works=True)


@many
@example(script=BEHIND_AN_EARLY_WITHDRAWAL, works=True)
@example(script=OVER_A_GAP, works=True)
@example(script=HELD_BEHIND, works=True)
@given(script=scripts(), works=st.booleans())
async def test_the_partners_library_keeps_the_same_order(partner: Partner, script: Script, works: bool) -> None:
    await follow(partner, script, works)
