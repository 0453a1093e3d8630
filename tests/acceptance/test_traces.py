"""One request's life is one trace: from the court system through gateway, broker and agency and back, three processes
apart; and nothing in it says more than codes and numbers (docs/handbook/traces.md)."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL
from typing import Any

import aiohttp
import pytest
import tomlkit

from gateway.keeping import look_over
from lianzhi.amqp.link import Link
from lianzhi.amqp.publisher import ConfirmedPublisher
from lianzhi.client import ClientConfig, CourtClient
from lianzhi.client.answers import Accepted, Event
from lianzhi.crypto.keyring import generate_jwk, private_key_from_jwk
from lianzhi.crypto.sdjwt import issue
from lianzhi.spans import TracingSettings
from schemas.bodies import content_model
from schemas.catalogue import catalogue
from simulation.parties import GRID, HANDLER, HOME, POLICE
from simulation.private_broker import free_port
from tests.acceptance import traced_agency
from tests.bounds.messages import Form
from tests.child import Child
from tests.clerk import answered
from tests.collector import Collector, Seen, collecting
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import PAPER, PAPER_SHA256, VERIFY, draft
from tests.fault.entry import Fall
from tests.fault.site import Site, site_at
from tools.planted import Marker, Mint, planted, search

pytestmark = pytest.mark.slow

TYPE = "police.person-info.query"
NO_PAPER = "3f" * 32
"""The digest that `tests.bounds` fills in."""
GATEWAY, AGENCY, COURT = "lianzhi-gateway", "police-system", "court-system"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as found:
        yield found


@pytest.fixture
async def site(tmp_path: Path, vhost: Vhost, collector: Collector) -> AsyncIterator[Site]:
    http = {"port": free_port(), "metrics_port": free_port()}
    async with site_at(tmp_path, vhost, tracing={"endpoint": collector.endpoint}, http=http) as site:
        yield site


class Case:
    """A request with markers in every member that can name somebody, and its answer with others."""

    def __init__(self, seed: str) -> None:
        mint = Mint(seed)
        body, self.receiver = draft(1, TYPE)
        form = Form(catalogue()[TYPE], "open", _model("open"), {"request": {}, "payload": body["payload"]})
        asked = next(planted(form, mint, ("payload",)))
        payload = json.loads(json.dumps(asked.data["payload"]).replace(NO_PAPER, PAPER_SHA256))
        self.body = {**body, "payload": payload}
        reply = answered(TYPE, self.body["payload"], datetime.now(UTC))
        answer = next(planted(Form(catalogue()[TYPE], "result", _model("result"), reply), mint))
        self.result: dict[str, Any] = answer.data
        self.fault = Marker("an exception's text", mint.han(6), ())
        self.markers = [*asked.markers, *answer.markers, self.fault]


def _model(verb: str) -> Any:
    return content_model(catalogue()[TYPE], verb)


async def agency(site: Site, case: Case, endpoint: str) -> Child:
    """The police's program, which fails once before it answers."""
    path = site.parties.partners[POLICE] / "partner.toml"
    settings = tomlkit.parse(path.read_text())
    settings["tracing"] = {"endpoint": endpoint, "service": AGENCY}
    path.write_text(tomlkit.dumps(settings))
    order = traced_agency.Order(path, site.root / "police.log", case.result, case.fault.text)
    site.children.append(await Child.start(traced_agency.main, order))
    return site.children[-1]


def court(site: Site, collector: Collector) -> CourtClient:
    config = ClientConfig.load(site.parties.write_client(site.root / "court", site.court.url))
    return CourtClient.from_config(replace(config, tracing=TracingSettings(collector.endpoint, COURT)), wait=1)


async def heard(client: CourtClient, request_no: str, verb: str) -> Event:
    async for event in client.events():
        if event.request_no == request_no and event.verb == verb:
            return event
    raise AssertionError("the feed has no end")


async def lived(site: Site, case: Case, client: CourtClient) -> str:
    """Asked, answered, read. The request's number."""
    await client.put_document(PAPER, media_type="application/pdf")
    accepted: Accepted = await client.submit(case.body, receiver=POLICE)
    assert accepted.request_no is not None
    async with asyncio.timeout(60):
        event = await heard(client, accepted.request_no, "result")
    answer = next(m for m in await client.messages(accepted.request_no) if m.message_id == event.message_id)
    opened = await client.unseal(answer)
    assert opened.data["outcome"] == case.result["outcome"]
    return accepted.request_no


async def test_one_requests_life_is_one_complete_trace_of_three_processes(site: Site, collector: Collector) -> None:
    case = Case("traces")
    gateway = await site.child()
    police = await agency(site, case, collector.endpoint)
    async with court(site, collector) as client:
        request_no = await lived(site, case, client)
    await police.stop()
    await gateway.stop()
    spans = collector.of(request_no)
    assert {span.trace_id for span in spans} == {spans[0].trace_id}
    assert {(span.service, span.participant) for span in spans} == {
        (GATEWAY, HOME),
        (AGENCY, POLICE),
        (COURT, HOME),
    }
    known = {span.span_id: span for span in collector.spans}
    assert [span.name for span in spans if not span.parent] == ["POST /v1/requests"]
    assert not [span for span in spans if span.parent and span.parent not in known]
    assert _tree(spans) == LIFE
    assert all(span.started <= span.ended for span in spans)
    assert [span.name for span in spans if span.failed] == [f"handle {TYPE}.open"]
    assert {span.attributes["lianzhi.type"] for span in spans if "lianzhi.type" in span.attributes} == {TYPE}

    assert (await look_over(site.config(), digests=True)).clean

    told = b"".join(collector.bodies)
    assert search(told, case.markers) == []
    everything = told + "".join(marker.text for marker in case.markers).encode()
    assert {found.field for found in search(everything, case.markers)} == {marker.field for marker in case.markers}


def _tree(spans: list[Seen]) -> set[tuple[str, str, str, str]]:
    """(service, kind, name, name of the parent)"""
    names = {span.span_id: span.name for span in spans}
    return {(span.service, span.kind, span.name, names.get(span.parent, "")) for span in spans}


OPEN, DELIVERED, RESULT = (f"create {TYPE}.{verb}" for verb in ("open", "delivered", "result"))
IN, OUT = "process lianzhi.from.police-610199", "process lianzhi.to.police-610199"
LIFE = {
    (COURT, "client", "POST /v1/requests", ""),
    (GATEWAY, "server", "POST /v1/requests", "POST /v1/requests"),
    (GATEWAY, "producer", OPEN, "POST /v1/requests"),
    (GATEWAY, "client", "send lianzhi.out", OPEN),
    (AGENCY, "consumer", OUT, OPEN),
    (AGENCY, "producer", DELIVERED, OPEN),
    (AGENCY, "client", "send lianzhi.in", DELIVERED),
    (GATEWAY, "consumer", IN, DELIVERED),
    (AGENCY, "internal", f"handle {TYPE}.open", OPEN),
    (AGENCY, "producer", RESULT, f"handle {TYPE}.open"),
    (AGENCY, "client", "send lianzhi.in", RESULT),
    (GATEWAY, "consumer", IN, RESULT),
    (COURT, "consumer", f"read {TYPE}.result", RESULT),
}
"""From the court system through the gateway to the agency and back: (service, kind, name, name of the parent)."""


FROM_GRID = "process lianzhi.from.grid-610199"
TRACE = "5af7651916cd43dd8448eb211c80319c"


async def post(site: Site, path: str, body: dict[str, Any], key: str, **told: str) -> tuple[int, dict[str, Any]]:
    """As a court system of another hand does."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key, **told}
    async with site.court.session.post(path, data=json.dumps(body), headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_an_agency_that_traces_nothing_stays_in_its_requests_trace(site: Site, collector: Collector) -> None:
    """Its answers carry no context; a verb that is posted later is linked to the trace of its own call."""
    gateway = await site.child()
    grid = await site.agency(GRID)
    body, _ = draft(2, VERIFY)
    told = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-00", "tracestate": "a=" + "x" * 4000}
    status, accepted = await post(site, "/v1/requests", {**body, "receiver": GRID}, "open", **told)
    assert status == 202, accepted
    request_no = accepted["request_no"]
    await eventually(lambda: _has(collector, request_no, FROM_GRID, "result"))
    later = f"00-{'7' * 32}-b7ad6b7169203331-01"
    said = {"verb": "confirm", "by": HANDLER, "data": {}}
    status, answer = await post(site, f"/v1/requests/{request_no}/messages", said, "confirm", traceparent=later)
    assert status == 202, answer
    await grid.stop()
    await gateway.stop()
    spans = collector.of(request_no)
    (begun,) = [span for span in spans if span.name == "POST /v1/requests"]
    assert (begun.trace_id, begun.parent) == (TRACE, "b7ad6b7169203331")  # not sampled there, and written all the same
    taken = [span for span in spans if span.name == FROM_GRID]
    assert [span.attributes["lianzhi.verb"] for span in taken] == ["delivered", "result"]
    assert {(span.trace_id, span.parent) for span in taken} == {(TRACE, begun.span_id)}
    (confirm,) = [span for span in spans if span.name == f"create {VERIFY}.confirm"]
    assert (confirm.trace_id, confirm.parent, confirm.links) == (TRACE, begun.span_id, ("7" * 32,))
    assert b"xxxx" not in b"".join(collector.bodies)


def _has(collector: Collector, request_no: str, name: str, verb: str) -> bool:
    return any(span.name == name and span.attributes["lianzhi.verb"] == verb for span in collector.of(request_no))


async def test_what_another_process_sends_after_a_crash_is_in_the_trace(site: Site, collector: Collector) -> None:
    """The bytes tell it: the process that made them was killed before it sent them, and took its last spans along."""
    killed = await site.child(fall=Fall("committed-not-published"))
    body, _ = draft(4, VERIFY)
    asked = {**body, "receiver": GRID}
    with suppress(aiohttp.ClientError):
        await post(site, "/v1/requests", asked, "open", traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    assert await killed.ended() == -SIGKILL
    gateway, grid = await site.child(), await site.agency(GRID)
    status, accepted = await post(site, "/v1/requests", asked, "open", traceparent=f"00-{'7' * 32}-b7ad6b7169203331-01")
    assert status == 202, accepted
    await eventually(lambda: _has(collector, accepted["request_no"], FROM_GRID, "result"))
    await grid.stop()
    await gateway.stop()
    spans = collector.of(accepted["request_no"])
    again = [span for span in spans if span.name == "POST /v1/requests"]
    assert "7" * 32 in {span.trace_id for span in again}
    assert {span.trace_id for span in spans if span not in again} == {TRACE}
    assert [span.name for span in spans if span.name.startswith("send")] == ["send lianzhi.out"]


async def test_what_is_not_verified_decides_nothing(site: Site, collector: Collector, vhost: Vhost) -> None:
    """Headers that are none begin a trace of their own; of bytes that are no message nothing is written but that they
    came, and why they were refused."""
    gateway = await site.child()
    name = Mint("strangers").han(6)
    for number, told in enumerate(("00-zz", f"00-{'0' * 32}-b7ad6b7169203331-01", name.encode().hex(), "")):
        status, _ = await post(site, "/v1/requests", {"type": name}, f"key-{number}", traceparent=told)
        assert status == 404
    event = {
        "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
        "subject": f"{HOME}-20260324-000001",
        "type": name,
        "data": {},
    }
    forged = private_key_from_jwk(generate_jwk(f"{POLICE}.sig.1"))  # the name of the agency's key, not the key
    body = issue(event, "body", {"name": name}, forged).raw
    async with Link(vhost.url(POLICE, site.parties.passwords[POLICE]), name="stranger") as link:
        await link.wait_connected(20)
        publisher = ConfirmedPublisher(link, "lianzhi.in", user_id=POLICE)
        await publisher.publish(f"{POLICE}.normal.x.result", body, timeout=20)
        await eventually(lambda: [span for span in collector.spans if span.kind == "consumer"])
        await publisher.close()
    await gateway.stop()
    posts = [span for span in collector.spans if span.kind == "server"]
    assert len({span.trace_id for span in posts}) == 4 and {span.parent for span in posts} == {""}
    (refused,) = [span for span in collector.spans if span.kind == "consumer"]
    assert refused.parent == "" and refused.trace_id != TRACE and refused.failed
    assert {key: value for key, value in refused.attributes.items() if not key.startswith("messaging.")} == {
        "lianzhi.partner": POLICE,
        "error.type": "bad-signature",
    }
    marker = Marker("a stranger's text", name, (name[:3],))
    assert search(b"".join(collector.bodies), [marker]) == []


@pytest.mark.parametrize("trouble", ["hangs", "refuses", "is not there"])
async def test_a_collector_in_trouble_holds_nothing_up(site: Site, collector: Collector, trouble: str) -> None:
    collector.hangs, collector.status = trouble == "hangs", 503 if trouble == "refuses" else 200
    if trouble == "is not there":
        collector.endpoint = f"http://127.0.0.1:{free_port()}"
    case = Case(trouble)
    gateway = await site.child(tracing={"endpoint": collector.endpoint})
    police = await agency(site, case, collector.endpoint)
    async with court(site, collector) as client:
        await lived(site, case, client)
    metrics = f"http://127.0.0.1:{site.config().http.metrics_port}/metrics"
    async with site.court.session.get(metrics) as answer:
        assert 'lianzhi_spans_total{outcome="exported"} 0' in await answer.text()
    await police.stop()
    await gateway.stop()
    assert collector.spans == []
    assert [path.name for path in site.root.glob("*.log") if "Traceback" in path.read_text()] == []


def test_nobody_imports_opentelemetry_who_has_not_configured_it() -> None:
    everything = "import lianzhi.partner, lianzhi.client, lianzhi.cli.main, gateway.bootstrap, gateway.cli, sys"
    asked = f"{everything}; print([name for name in sys.modules if name.partition('.')[0] == 'opentelemetry'])"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
