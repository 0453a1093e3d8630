"""The gateway's part of a trace: a call, the messages that it makes, and what comes back."""

from __future__ import annotations

import pytest

from lianzhi.crypto.sdjwt import parse
from lianzhi.protocol.tracing import TraceContext, parse_traceparent
from tests.api.world import COURT, GRID, POLICE, World, grid_request, locate_request
from tests.recorder import Recorder

TOLD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
VERIFY = "grid.verify.request"


@pytest.fixture
def tracer(world: World) -> Recorder:
    world.context.tracer = tracer = Recorder()
    return tracer


async def told(world: World, number: str, verb: str) -> TraceContext | None:
    """The context that the stored message carries."""
    message = await world.stored(number, verb)
    return parse_traceparent(parse(f"{message.jws}~{message.disclosure}~".encode()).event.get("traceparent"))


async def test_a_call_is_a_span_and_its_message_one_in_it(world: World, tracer: Recorder) -> None:
    number = await world.accepted(await world.submit(grid_request(), headers={"traceparent": TOLD}))
    call, made = tracer.named("POST /v1/requests")[0], tracer.named(f"create {VERIFY}.open")[0]
    assert (call.kind, call.parent, call.error) == ("server", parse_traceparent(TOLD), None)
    assert call.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/requests",
        "http.response.status_code": 202,
        "lianzhi.client": "cms1",
        "lianzhi.request_no": number,
    }
    assert (made.kind, made.parent, made.links) == ("producer", call.context, ())
    assert made.attributes["lianzhi.partner"] == GRID and made.attributes["lianzhi.request_no"] == number
    assert await told(world, number, "open") == made.context


async def test_only_posts_are_traced_and_a_refused_one_too(world: World, tracer: Recorder) -> None:
    await world.get("/v1/types")
    assert tracer.spans == []
    reply = await world.submit(grid_request(purpose="no such purpose"), headers={"traceparent": "00-zz"})
    (call,) = tracer.spans
    assert call.parent is None and call.error == reply.code == "invalid-field"
    assert "lianzhi.request_no" not in call.attributes


async def test_of_whom_nothing_is_known_no_span_is_written(world: World, tracer: Recorder) -> None:
    for headers in ({"traceparent": TOLD}, {"Authorization": "Bearer lz_cms1_" + "x" * 43}):
        assert (await world.submit(grid_request(), client=None, headers=headers)).status == 401
    assert tracer.spans == []


async def test_answers_and_later_verbs_stay_in_the_trace_of_their_request(world: World, tracer: Recorder) -> None:
    number = await world.accepted(await world.submit(grid_request(), headers={"traceparent": TOLD}))
    (call,) = tracer.named("POST /v1/requests")
    await world.sent()
    await world.reply(
        number, "delivered", {"stored_at": "2026-03-24T10:06:37+08:00", "system": "平台（演示）"}, seqno=1
    )
    (taken,) = tracer.named(f"process lianzhi.from.{GRID}")
    assert (taken.kind, taken.parent, taken.error) == ("consumer", call.context, None)
    assert taken.attributes["lianzhi.verb"] == "delivered"
    act = {"verb": "withdraw", "by": "sn0199-0007", "data": {"reason_code": "paid"}}
    reply = await world.post(f"/v1/requests/{number}/messages", act)
    assert reply.status == 202, reply
    (withdrawn,) = tracer.named(f"create {VERIFY}.withdraw")
    (later,) = tracer.named("POST /v1/requests/{no}/messages")
    assert withdrawn.parent == call.context and withdrawn.links == (later.context,)
    assert later.context.trace_id != call.context.trace_id
    assert await told(world, number, "withdraw") == withdrawn.context


async def test_what_waited_for_a_paper_leaves_in_the_trace_of_its_submission(world: World, tracer: Recorder) -> None:
    number = await world.accepted(await world.submit_signed(locate_request()))
    (call,) = tracer.named("POST /v1/requests")
    assert not tracer.named("create police.person-locate.request.open")
    await world.put_pdf()
    world.clock.advance(seconds=60)
    await world.clockwork.once()
    (made,) = tracer.named("create police.person-locate.request.open")
    assert made.parent == call.context and made.attributes["lianzhi.partner"] == POLICE
    assert await told(world, number, "open") == made.context


async def test_where_nothing_is_traced_nothing_is_written(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request(), headers={"traceparent": TOLD}))
    message = await world.stored(number, "open")
    assert "traceparent" not in parse(f"{message.jws}~{message.disclosure}~".encode()).event
    request = await world.store.request(number)
    assert request is not None and "trace" not in request.facts
    assert "lianzhi_spans" not in await world.metrics()


async def test_metrics_tell_what_became_of_spans(world: World, tracer: Recorder) -> None:
    await world.submit(grid_request())
    assert f'lianzhi_spans_total{{outcome="dropped"}} {len(tracer.spans)}.0' in await world.metrics()
    assert COURT not in [span.attributes.get("lianzhi.partner") for span in tracer.spans]
