"""Traces: what a stranger's header can do, how spans leave a process, and what a side writes that traces nothing."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.registry.config import FILE, load_config
from lianzhi.amqp.traced import TracedPublisher
from lianzhi.crypto import base64url
from lianzhi.errors import ConfigurationError, UnroutableError
from lianzhi.partner import PartnerConfig
from lianzhi.protocol.envelope import Envelope
from lianzhi.protocol.tracing import (
    Span,
    TraceContext,
    is_written,
    next_context,
    parse_traceparent,
    signed_in,
)
from lianzhi.spans import ExportingTracer, TracingSettings, open_tracer
from tests.collector import collecting
from tests.eventually import eventually
from tests.integration.partner_court import write_partner
from tests.recorder import Recorder
from tests.unit.test_client_config import written as write_client

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TOLD = f"00-{TRACE}-{SPAN}-01"
PATTERN = Envelope.model_json_schema()["properties"]["traceparent"]["anyOf"][0]["pattern"]
IDS = st.integers(1, 2**128 - 1).map(lambda n: f"{n:032x}"), st.integers(1, 2**64 - 1).map(lambda n: f"{n:016x}")


# --- a stranger's header


@given(*IDS, st.booleans())
def test_a_context_is_read_as_it_was_written(trace_id: str, span_id: str, sampled: bool) -> None:
    context = TraceContext(trace_id, span_id, sampled)
    assert parse_traceparent(str(context)) == context
    assert re.fullmatch(PATTERN, str(context))


@given(
    st.one_of(st.text(max_size=80), st.from_regex(r"[0-9a-fA-F]{2}-[0-9a-f]{31,33}-[0-9a-f]{15,17}-[0-9a-f]{1,3}.?"))
)
def test_whatever_it_says_it_is_a_context_or_nothing(text: str) -> None:
    found = parse_traceparent(text)
    if found is not None:
        assert text[3:35] == found.trace_id and text[36:52] == found.span_id
        assert int(found.trace_id, 16) and int(found.span_id, 16)
        assert str(found) == str(found).lower() and str(found)[:53] == f"00-{text[3:53]}"


@pytest.mark.parametrize(
    "text",
    [
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
        f" {TOLD}",
        f"cc-{TRACE}-{SPAN}-01-{'x' * 300}",
        "٠٠" + TOLD[2:],
        "",
        None,
    ],
)
def test_what_w3c_calls_invalid_is_none(text: str | None) -> None:
    assert parse_traceparent(text) is None


def test_a_version_to_come_is_read_as_far_as_it_is_known() -> None:
    assert parse_traceparent(f"cc-{TRACE}-{SPAN}-03-what-the-future-brings") == TraceContext(TRACE, SPAN, True)


@given(IDS[0], st.floats(0, 1), st.booleans())
def test_the_flag_of_somebody_else_decides_nothing(trace_id: str, ratio: float, sampled: bool) -> None:
    made = next_context(TraceContext(trace_id, SPAN, sampled), ratio)
    assert made.trace_id == trace_id and made.span_id != SPAN
    assert made.sampled == is_written(trace_id, ratio)


@given(IDS[0], st.floats(0, 1), st.floats(0, 1))
def test_what_a_smaller_ratio_takes_a_larger_one_takes_too(trace_id: str, one: float, other: float) -> None:
    assert is_written(trace_id, min(one, other)) <= is_written(trace_id, max(one, other))
    assert is_written(trace_id, 1.0) and not is_written(trace_id, 0.0)


@given(IDS[0], st.floats(0, 1))
def test_opentelemetry_decides_the_same(trace_id: str, ratio: float) -> None:
    from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

    theirs = TraceIdRatioBased(ratio)
    if abs(int(trace_id[16:], 16) - ratio * 2**64) > 1:  # they round the bound to an integer
        told = theirs.should_sample(None, int(trace_id, 16), "x").decision is Decision.RECORD_AND_SAMPLE
        assert told == is_written(trace_id, ratio)


# --- the bytes of a message


def compact(event: Mapping[str, Any]) -> bytes:
    return b"eyJ9." + base64url.encode(json.dumps(event).encode()).encode() + b".c2ln~ZA~"


def message(**more: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "id": "01a23283-3a12-715b-871b-0a6e8c463afc",
        "source": "//court-sn0199",
        "receiver": "police-610199",
        "type": "lianzhi.police.vehicle-seal.request.open",
        "subject": "court-sn0199-20260324-000001",
        "traceparent": TOLD,
    }
    return {name: value for name, value in {**event, **more}.items() if value is not None}


def test_stored_bytes_tell_their_trace() -> None:
    found = signed_in(compact(message()))
    assert found is not None
    context, told = found
    assert context == TraceContext(TRACE, SPAN, True)
    assert told == {
        "messaging.message.id": "01a23283-3a12-715b-871b-0a6e8c463afc",
        "messaging.message.conversation_id": "court-sn0199-20260324-000001",
        "lianzhi.request_no": "court-sn0199-20260324-000001",
        "lianzhi.type": "police.vehicle-seal.request",
        "lianzhi.verb": "open",
        "lianzhi.partner": "police-610199",
    }


@given(st.binary(max_size=200))
def test_other_bytes_tell_nothing(raw: bytes) -> None:
    assert signed_in(raw) is None
    assert signed_in(b"e30." + base64url.encode(raw).encode() + b".e30~") is None


@pytest.mark.parametrize("absent", ["traceparent", "subject", "type", "receiver", "id"])
def test_a_message_that_is_not_whole_tells_nothing(absent: str) -> None:
    assert signed_in(compact(message(**{absent: None}))) is None


# --- how spans leave


def span(number: int = 1, *, sampled: bool = True) -> Span:
    return Span("send x", "client", TraceContext(TRACE, f"{number:016x}", sampled), None, 1, 2, {})


class Taking:
    """An exporter. open: whether it takes spans now, else it hangs. takes: its answer; None: it raises."""

    def __init__(self, takes: bool | None = True) -> None:
        self.open = threading.Event()
        self.began = threading.Event()
        self.takes = takes
        self.taken: list[str] = []
        self.threads: set[str] = set()

    def export(self, spans: Sequence[Span]) -> bool:
        self.threads.add(threading.current_thread().name)
        self.began.set()
        self.open.wait()
        if self.takes is None:
            raise OSError("what the collector said")
        self.taken += [one.context.span_id for one in spans]
        return self.takes

    def shutdown(self) -> None:
        self.open.set()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lianzhi.spans.EVERY_SECONDS", 0.01)


async def test_a_collector_that_hangs_costs_spans_and_nobody_waits() -> None:
    exporter = Taking()
    tracer = ExportingTracer(exporter, 1.0, room=3)
    tracer.record(span(1))
    await eventually(exporter.began.is_set)
    for number in range(2, 9):
        tracer.record(span(number))  # returns, though nothing is taken
    assert tracer.counts() == {"exported": 0, "dropped": 4, "failed": 0}
    exporter.open.set()
    await tracer.close()
    assert exporter.taken == [f"{number:016x}" for number in (1, 2, 3, 4)]
    assert tracer.counts() == {"exported": 4, "dropped": 4, "failed": 0}
    assert exporter.threads == {"spans"}


@pytest.mark.parametrize("takes", [False, None], ids=["refuses", "fails"])
async def test_a_collector_that_takes_nothing_is_counted_and_never_heard(
    takes: bool | None, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = Taking(takes)
    exporter.open.set()
    tracer = ExportingTracer(exporter, 1.0)
    tracer.record(span())
    await eventually(lambda: tracer.counts()["failed"] == 1)
    exporter.takes = True
    tracer.record(span(2))
    await eventually(lambda: tracer.counts()["exported"] == 1)
    await tracer.close()
    assert "0 had no room, 1 were not taken" in caplog.text and "what the collector said" not in caplog.text


async def test_closing_waits_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lianzhi.spans.CLOSE_SECONDS", 0.01)
    exporter = Taking()
    tracer = ExportingTracer(exporter, 1.0)
    tracer.record(span())
    await eventually(exporter.began.is_set)
    await tracer.close()  # ends, though the exporter did not until it was told to
    assert exporter.open.is_set()


async def test_what_is_not_sampled_does_not_leave() -> None:
    tracer = ExportingTracer(Taking(), 0.0)
    made = tracer.begin(parse_traceparent(TOLD))
    tracer.record(Span("x", "server", made, None, 1, 2, {}))
    assert not made.sampled
    await tracer.close()
    assert tracer.counts() == {"exported": 0, "dropped": 0, "failed": 0}


async def test_a_span_arrives_as_it_was_recorded() -> None:
    async with collecting() as collector:
        tracer = open_tracer(TracingSettings(collector.endpoint, "a-service"), "police-610199")
        parent, link = TraceContext(TRACE, SPAN, True), TraceContext("1" * 32, "2" * 16, False)
        made = tracer.begin(parent)
        said: dict[str, str | int] = {"lianzhi.type": "a.b", "messaging.message.body.size": 3}
        tracer.record(Span("process q", "consumer", made, parent, 10, 25, said, "stale", (link,)))
        tracer.record(Span("create a.b.open", "producer", tracer.begin(None), None, 10, 25, {}))
        await tracer.close()
    one, root = sorted(collector.spans, key=lambda each: each.name, reverse=True)
    assert (one.service, one.participant) == ("a-service", "police-610199")
    assert (one.trace_id, one.span_id, one.parent) == (TRACE, made.span_id, SPAN)
    assert (one.name, one.kind, one.started, one.ended, one.failed) == ("process q", "consumer", 10, 25, True)
    assert one.attributes == {**said, "error.type": "stale"} and one.links == ("1" * 32,)
    assert (root.parent, root.failed, root.links) == ("", False, ()) and root.trace_id != TRACE
    assert tracer.counts()["exported"] == 2


# --- the door of the wire


class Wire:
    connected = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, dict[str, Any]]] = []
        self.error: Exception | None = None

    async def publish(self, routing_key: str, body: bytes, **how: Any) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append((routing_key, body, how))


async def test_what_goes_out_is_a_span_in_the_trace_of_its_bytes() -> None:
    wire, tracer = Wire(), Recorder()
    publisher = TracedPublisher(wire, "lianzhi.out", tracer)
    body = compact(message())
    await publisher.publish("police-610199.normal.x.open", body, timeout=3, message_id="m")
    assert wire.sent == [("police-610199.normal.x.open", body, {"timeout": 3, "message_id": "m"})]
    (sent,) = tracer.spans
    assert (sent.name, sent.kind, sent.error) == ("send lianzhi.out", "client", None)
    assert sent.parent == TraceContext(TRACE, SPAN, True) and sent.context.trace_id == TRACE
    assert sent.attributes["messaging.rabbitmq.destination.routing_key"] == "police-610199.normal.x.open"
    assert sent.attributes["lianzhi.partner"] == "police-610199" and sent.started <= sent.ended

    wire.error = UnroutableError("police-610199.normal.x.open")
    with pytest.raises(UnroutableError):
        await publisher.publish("police-610199.normal.x.open", body, timeout=3)
    assert tracer.spans[1].error == "UnroutableError" and tracer.spans[1].parent == sent.parent

    wire.error = None
    await publisher.publish("k", compact(message(traceparent=None)), timeout=3)
    assert len(wire.sent) == 2 and len(tracer.spans) == 2


async def test_a_publish_that_is_cancelled_is_no_span() -> None:
    wire, tracer = Wire(), Recorder()
    waiting = asyncio.get_running_loop().create_future()

    async def publish(*_: Any, **__: Any) -> None:
        await waiting

    wire.publish = publish  # type: ignore[method-assign]
    task = asyncio.create_task(TracedPublisher(wire, "x", tracer).publish("k", compact(message()), timeout=3))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert tracer.spans == []


# --- where they go


ENDPOINT = "http://127.0.0.1:4318"
WRONG: list[tuple[Any, str]] = [
    ({"service": "a-service"}, "endpoint"),
    ({"endpoint": "collector:4318"}, "endpoint"),
    ({"endpoint": "grpc://collector:4317"}, "endpoint"),
    ({"endpoint": "http://user:password@collector:4318"}, "OTEL_EXPORTER_OTLP_HEADERS"),
    ({"endpoint": "http://collector:4318/?token=1"}, "endpoint"),
    ({"endpoint": "http://collector:99999"}, "endpoint"),
    ({"endpoint": "http://采集器:4318"}, "endpoint"),
    ({"endpoint": 4318}, "endpoint"),
    ({"endpoint": ENDPOINT, "service": ""}, "service"),
    ({"endpoint": ENDPOINT, "service": "a service"}, "service"),
    ({"endpoint": ENDPOINT, "ratio": 1.5}, "ratio"),
    ({"endpoint": ENDPOINT, "ratio": -0.1}, "ratio"),
    ({"endpoint": ENDPOINT, "ratio": "all"}, "ratio"),
    ({"endpoint": ENDPOINT, "colour": "red"}, "colour"),
]


def table(members: Mapping[str, Any]) -> str:
    return "[tracing]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in members.items())


def at_the_gateway(folder: Path, text: str) -> TracingSettings | None:
    (folder / FILE).write_text(text)
    return load_config(folder).tracing.settings()


def at_a_partner(folder: Path, text: str) -> TracingSettings | None:
    path = write_partner(folder, "amqp://x:y@localhost:5672/lianzhi")
    (folder / "amqp.password").write_text("p\n")
    path.write_text(f"{path.read_text()}\n{text}")
    return PartnerConfig.load(path).tracing


def at_a_court(folder: Path, text: str) -> TracingSettings | None:
    from lianzhi.client import ClientConfig

    path = write_client(folder)
    path.write_text(f"{path.read_text()}\n{text}")
    return ClientConfig.load(path).tracing


SIDES = [(at_the_gateway, "lianzhi-gateway"), (at_a_partner, "lianzhi-partner"), (at_a_court, "lianzhi-client")]


@pytest.fixture(params=SIDES, ids=["gateway", "partner", "court"])
def side(request: pytest.FixtureRequest) -> Iterator[tuple[Any, str]]:
    yield request.param


def test_each_side_has_the_same_table(tmp_path: Path, side: tuple[Any, str]) -> None:
    load, service = side
    assert load(tmp_path, "") is None
    assert load(tmp_path, table({"endpoint": ENDPOINT})) == TracingSettings(ENDPOINT, service, 1.0)
    given = {"endpoint": ENDPOINT, "service": "a.b-c_1", "ratio": 0.25}
    assert load(tmp_path, table(given)) == TracingSettings(ENDPOINT, "a.b-c_1", 0.25)


@pytest.mark.parametrize(("members", "told"), WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, side: tuple[Any, str], members: Mapping[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        side[0](tmp_path, table(members))


def test_the_address_is_completed() -> None:
    settings = TracingSettings(ENDPOINT, "x")
    assert settings.url == f"{ENDPOINT}/v1/traces" == replace(settings, endpoint=f"{ENDPOINT}/").url
    assert replace(settings, endpoint=f"{ENDPOINT}/otlp/traces").url == f"{ENDPOINT}/otlp/traces"


def test_without_opentelemetry_the_configuration_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lianzhi.otel", None)
    with pytest.raises(ConfigurationError, match=r"lianzhi\[otel\].*lianzhi-gateway\[otel\]"):
        open_tracer(TracingSettings(ENDPOINT, "x"), "police-610199")
