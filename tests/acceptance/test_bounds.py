"""The bounds of every member come in by HTTP and by the queues of a gateway that runs: each is accepted or refused by
name, at the place where it stands. Nothing is answered 500 or 503, nothing ends as `poison`.

`tests/property/test_bounds.py` tries every bound of every member without a gateway. Here each (type, member) comes in
once with a value that it must refuse, and every value that passes comes in beside as many others as pass with it.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from adapters.contract import AdapterError
from adapters.registry import adapter_for
from lianzhi.crypto import sdjwt
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Envelope
from lianzhi.protocol.verbs import VERBS
from schemas.catalogue import catalogue
from schemas.validation import refs_of
from simulation.parties import HOME
from tests.agency import Agency
from tests.bounds.filling import filled, value_of
from tests.bounds.leaves import Leaf, pointer, put
from tests.bounds.messages import Form, forms, leaves_of, passing, stands
from tests.bounds.probes import Probe, probes
from tests.clerk import answered
from tests.court_system import EVERYBODY, fresh_case, fresh_payload
from tests.dated import by_now
from tests.faults import example
from tests.property.test_bounds import body_of, differing, near
from tests.scenes import RESTS_ON, commission, home_asks, opening, partner_in, ready
from tests.words import Said, Talk
from tests.world import World

pytestmark = pytest.mark.slow
MET = EVERYBODY
ASKED = [name for name in sorted(catalogue()) if home_asks(name)]
TOLD = [name for name in sorted(catalogue()) if not home_asks(name)]
ANSWERED = [name for name in ASKED if catalogue()[name].result_item is not None]
ENTRUST = "entrust.matter.request"
TERMS = ("bankruptcy.transfer.submit", "refusal.supervision.request")
"""Whose answer sets a term that is counted from the day of the answer."""


def form_of(name: str, verb: str, data: Mapping[str, Any]) -> Form:
    return replace(next(form for form in forms(catalogue()[name]) if form.verb == verb), example=data)


def bad(form: Form, within: str = "") -> Iterator[tuple[Leaf, Probe]]:
    """One value for each member that it must refuse, another for each member."""
    for leaf in leaves_of(form.model):
        if str(leaf).startswith(within):
            refused = [probe for probe in probes(leaf) if probe.refused]
            if refused:
                yield leaf, random.Random(f"{form}{leaf}").choice(refused)


def good(form: Form, within: str = "") -> list[dict[str, Any]]:
    """Messages that pass, with every value that can."""
    held = [
        (leaf, probe)
        for leaf in leaves_of(form.model)
        if str(leaf).startswith(within)
        for probe in probes(leaf)
        if not probe.refused
    ]
    return [data for data, _ in passing(form, held)]


# --- said by a partner ----------------------------------------------------------------------------------------------


class Tried:
    """What an agency has published, and where quarantine must point to when it is refused."""

    def __init__(self, world: World, agency: Agency) -> None:
        self.world, self.agency = world, agency
        self.published: dict[str, tuple[str, list[str] | None]] = {}

    async def send(self, talk: Talk, form: Form, data: Mapping[str, Any], at: tuple[str, list[str]] | None) -> None:
        """data: canonical. at: (what it is, pointers near which it must be refused), or None when it may be taken."""
        place = form.verb in ("result", "correct") and form.matter.result_class is Classification.LOCATION
        words = (
            body_of(form, data).data if place else await adapter_for(self.agency.dialect).encode(body_of(form, data))
        )
        said = await self.agency.make(talk, form.verb, data, words=dict(words))
        if not _enveloped(said):
            talk.seqno -= 1  # not read as a message of this request: it uses no number up
        self.published[said.sha256] = (f"{form}", None) if at is None else at
        await self.agency.publish(said)

    async def judged(self) -> int:
        """How many were taken. Everything refused was refused by name, where it had to be."""
        await self.agency.fence()
        rows = {row.body_sha256: row for row in await self.world.store.quarantine(limit=100_000)}
        taken = 0
        for sha256, (what, at) in self.published.items():
            row = rows.get(sha256)
            if row is None:
                assert at is None, f"{what}: taken"
                taken += 1
                continue
            assert row.reason not in ("poison", "internal", "unavailable"), (what, row)
            if at is not None:
                assert row.reason in ("invalid-field", "bad-envelope"), (what, row.reason, row.pointer)
                assert row.pointer is not None
                assert near(row.pointer, at), (what, row.pointer, at)
        return taken


def _enveloped(said: Said) -> bool:
    try:
        Envelope.model_validate(sdjwt.parse(said.raw).event)
    except ValueError:
        return False
    return True


async def wrong_place(agency: Agency, form: Form, leaf: Leaf, changed: Mapping[str, Any]) -> list[str] | None:
    """Where in the message the value stands that is wrong; None where the agency's words cannot say it."""
    if leaf.path[0] in VERBS[form.verb].head:
        return [f"/data/head{pointer(leaf.path)}"]
    adapter = adapter_for(agency.dialect)
    value = filled(leaf.kind) if leaf.steps[-1].model else value_of(leaf.annotation)
    right = await adapter.encode(body_of(form, put(form.example, leaf, value)))
    try:
        there = [*differing(right, await adapter.encode(body_of(form, changed)))]
    except AdapterError:
        return None
    refs = ["/data/head/refs"] if there and leaf.path[-1] in ("ref", "items") else []  # refs stand there too, in clear
    return [*there, *refs] or None


@pytest.mark.parametrize("name", ANSWERED)
async def test_what_a_partner_answers_is_applied_or_refused_at_its_place(world: World, name: str) -> None:
    case_no = fresh_case()
    payload, _ = await ready(world, name, case_no)
    agency = await world.agency(partner_in(name))
    tried = Tried(world, agency)
    request_no = await world.court.ask(name, payload, case_no=case_no)
    talk = await agency.opened(request_no)
    now = world.clock.now()
    said = (
        answered(name, payload, now)
        if name in TERMS
        else by_now(catalogue()[name], "result", _about(name, payload), now)
    )
    form = form_of(name, "result", said)
    place = form.matter.result_class is Classification.LOCATION
    for leaf, probe in bad(form):
        if place and leaf.path[0] not in VERBS["result"].head:
            continue  # sealed to the court system's own key: the gateway does not see it
        changed = put(form.example, leaf, probe.value)
        at = await wrong_place(agency, form, leaf, changed)
        if at is not None and await _is_refused(form, changed, agency):
            await tried.send(talk, form, changed, (f"{form} {leaf} {probe.name}", at))
    await tried.send(talk, form, form.example, None)
    for data in good(form) if name not in RESTS_ON and not place else []:
        again = await world.court.ask(name, payload, case_no=fresh_case())
        try:
            await tried.send(await agency.opened(again), form, data, None)
        except AdapterError:
            continue
    assert await tried.judged()


async def _is_refused(form: Form, changed: Mapping[str, Any], agency: Agency) -> bool:
    """What its words leave out or fold into one is no longer wrong when it is read."""
    adapter, head = adapter_for(agency.dialect), VERBS[form.verb].head
    clear = {n: v for n, v in changed.items() if n in head and v is not None}
    if form.verb in ("result", "correct") and form.matter.result_class is Classification.LOCATION:
        return bool(form.refused(changed))
    try:
        body = await adapter.decode(form.matter.name, form.verb, await adapter.encode(body_of(form, changed)))
    except AdapterError:
        return True
    return bool(form.refused({**clear, **body}))


def _about(name: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The catalogue's result, about the objects of this payload."""
    names = dict(zip(refs_of(example(name)), refs_of(payload), strict=True))

    def renamed(node: Any) -> Any:
        if isinstance(node, list):
            return [renamed(one) for one in node]
        if isinstance(node, Mapping):
            return {n: names.get(v, v) if n == "ref" else renamed(v) for n, v in node.items()}
        return node

    result: dict[str, Any] = renamed(copy.deepcopy(dict(catalogue()[name].example_result)))
    return result


@pytest.mark.parametrize("name", [*TOLD, ENTRUST])
async def test_what_a_partner_opens_is_taken_or_refused_at_its_place(world: World, name: str) -> None:
    agency = await world.agency(partner_in(name))
    tried = Tried(world, agency)
    said = commission() if name == ENTRUST else opening(name, fresh_payload(name))
    case_no = said["request"].get("case_no")
    form = form_of(name, "open", said)
    for leaf, probe in bad(form):
        changed = put(form.example, leaf, probe.value)
        at = await wrong_place(agency, form, leaf, changed)
        if at is not None and await _is_refused(form, changed, agency):
            talk = agency.begin(name, receiver=HOME, case_no=case_no)
            await tried.send(talk, form, changed, (f"{form} {leaf} {probe.name}", at))
    for data in good(form):
        try:
            talk = agency.begin(name, receiver=HOME, case_no=(data.get("request") or {}).get("case_no"))
            await tried.send(talk, form, data, None)
        except AdapterError:
            continue
    await tried.judged()


# --- handed in by the court -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASKED)
async def test_what_the_court_submits_is_accepted_or_refused_at_its_place(world: World, name: str) -> None:
    case_no = fresh_case()
    payload, _ = await ready(world, name, case_no)
    submission = await world.court.submission(name, payload, case_no=case_no)
    form = form_of(name, "open", {"request": {}, "payload": payload})
    for leaf, probe in bad(form, "/payload"):
        changed = put({"payload": payload}, leaf, probe.value)
        told = await world.court.post(
            "/v1/requests", *world.court.signed({**submission, **changed, "payload": changed.get("payload")})
        )
        assert told.status == 422, (str(leaf), probe.name, told)
        assert {e["pointer"] for e in told.body["errors"]} == {pointer(leaf.path) + probe.below}, (
            str(leaf),
            probe.name,
        )
    accepted = 0
    for data in good(form, "/payload"):
        case_no = case_no if name in RESTS_ON else fresh_case()
        given = await world.court.submission(name, data["payload"], case_no=case_no)
        told = await world.court.post("/v1/requests", *world.court.signed(given))
        assert told.status == 202 or 400 <= told.status < 500, (told, data)
        accepted += told.status == 202
        for error in told.body.get("errors", []):
            assert stands(given, error["pointer"]), (told, data)
    assert accepted
