"""`/metrics` over its listener: described one by one, of a bounded number, true when something is away, cheap."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.application.ports.broker import QueueSizes
from gateway.core.signals.metric import OTHER
from gateway.core.signals.table import METRICS
from gateway.monitoring import metrics as module
from gateway.monitoring.machine import Disk, Machine
from gateway.monitoring.metrics import Metrics, Senses
from gateway.observability import CountingHandler
from lianzhi.crypto.keyring import Keyring, PublicKey
from lianzhi.errors import StoreUnavailableError
from tests.api.test_clocks import DELIVERED
from tests.api.test_pages import raised
from tests.api.world import COURT, GRID, NEIGHBOUR, NOW, POLICE, World, grid_request
from tests.recorder import Recorder
from tools.docs.metrics import metrics_document

UNKNOWN_CALL = frozenset({("method", OTHER), ("route", "other"), ("status", "404")})
WITH_NOUGHT = ("signature_failures_total", "partner_overdue_requests", "partner_dead_messages")
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Wire:
    """What a process knows of its broker."""

    connected, blocked = True, False
    missing: Sequence[str] = ()
    silent: dict[str, str] = {}


class Seen:
    """Everything that a serving process may look at."""

    def __init__(self) -> None:
        self.queues: QueueSizes | None = {
            (GRID, "to", "normal"): (7, 0),
            (GRID, "from", "normal"): (0, 1),
            ("stranger", "to", "normal"): (1, 1),
            ("", "dead", ""): (2, 1),
        }
        self.machine = Machine(
            {"installation": Disk(5, 10)}, NOW - timedelta(hours=3), {"broker-ca": NOW + timedelta(days=9)}
        )
        self.log = CountingHandler(StringIO())
        self.looks = 0

    async def ask(self) -> QueueSizes | None:
        self.looks += 1
        return self.queues

    def senses(self) -> Senses:
        return Senses(Wire, self.ask, lambda: self.machine, lambda: self.log, "0.9")


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def metrics(world: World, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> Metrics:
    """Looks again at every scrape."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    return Metrics(world.context, seen.senses())


async def samples(metrics: Metrics) -> Samples:
    found = {}
    for family in text_string_to_metric_families((await metrics.text()).decode()):
        for sample in family.samples:
            found[sample.name, frozenset(sample.labels.items())] = sample.value
    return found


async def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return (await samples(metrics)).get((name, frozenset(labels.items())))


def of_partners(found: Samples, name: str) -> dict[str, float]:
    return {dict(labels)["partner"]: figure for (other, labels), figure in found.items() if other == name}


# --- described


async def played(world: World) -> None:
    """Something of everything that has labels."""
    number = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    await world.reply(number, "delivered", DELIVERED, seqno=1)
    await world.get("/v1/events")
    await world.deliver(POLICE, b"rubbish")
    world.context.reached.count("backlog", POLICE)
    world.context.faults.set_aside("timer", number, ValueError())
    world.context.clocks.others["broker"] = timedelta(seconds=2)


async def test_what_is_given_is_described_and_what_is_described_is_given(world: World, metrics: Metrics) -> None:
    world.context.tracer = Recorder()
    await played(world)
    metrics.answered("GET", "/v1/requests", 200, 0.01)
    seen = {}
    for family in text_string_to_metric_families((await metrics.text()).decode()):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        seen[name] = family.type, labels
        assert METRICS[name].en == family.documentation or name.startswith("lianzhi_process_")
    described = {name: (metric.kind, set(metric.labels)) for name, metric in METRICS.items()}
    assert set(seen) == set(described)
    with_samples = {name: found for name, found in seen.items() if found[1] or not METRICS[name].labels}
    assert with_samples == {name: described[name] for name in with_samples}


def test_the_page_has_a_row_for_each_metric() -> None:
    page = metrics_document()
    assert [page.count(f"| `{name}`<br>") for name in METRICS] == [1] * len(METRICS)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_names_are_after_prometheus_conventions(metric: Any) -> None:
    assert metric.name.startswith("lianzhi_") and metric.zh and metric.en
    assert (metric.kind == "counter") == metric.name.endswith("_total")
    if metric.unit == "seconds":
        assert metric.name.removesuffix("_total").endswith("_seconds")
    if metric.unit == "bytes":
        assert metric.name.endswith("_bytes")


# --- bounded


async def test_nothing_that_a_stranger_sends_is_a_label(world: World, metrics: Metrics) -> None:
    await played(world)
    before = len(await samples(metrics))
    for n in range(50):
        metrics.answered(f"METHOD{n}", "other", 404, 0.01)
        world.context.tallies.refused(f"stranger-{n}", "bad-signature")
        world.context.reached.count("backlog", f"stranger-{n}")
        world.context.tallies.accepted(f"no.such.type-{n}", 0.1)
        world.context.tallies.read_to(f"client-{n}", COURT, 0)
    found = await samples(metrics)
    assert len(found) < before + 60, "one histogram and a few of `other`"
    assert "stranger" not in repr(found) and "METHOD" not in repr(found) and "no.such" not in repr(found)
    assert found["lianzhi_signature_failures_total", frozenset({("partner", OTHER)})] == 50
    assert found["lianzhi_http_requests_total", UNKNOWN_CALL] == 50


async def test_an_address_that_nobody_has_is_one_route(world: World) -> None:
    for n in range(20):
        await world.get(f"/v1/nothing-{n}")
    text = await world.metrics()
    assert 'route="other",status="404"} 20.0' in text and "nothing-" not in text


# --- true


async def test_figures_of_partners_begin_with_nought(world: World, metrics: Metrics) -> None:
    """A rule sees an increase only where there was a figure before."""
    found = await samples(metrics)
    for name in WITH_NOUGHT:
        partners = {dict(labels)["partner"] for n, labels in found if n == f"lianzhi_{name}"}
        assert partners == {POLICE, GRID, NEIGHBOUR}


async def test_a_request_of_a_partner_is_counted_from_accepting_to_its_answer(world: World, metrics: Metrics) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    again = await world.submit(grid_request(), key="k" * 16)
    assert (await world.submit(grid_request(), key="k" * 16)).headers["Idempotency-Replayed"] == "true"
    await world.accepted(again)
    await world.sent()
    world.clock.advance(minutes=2)
    await world.reply(number, "delivered", DELIVERED, seqno=1)
    world.clock.advance(hours=2)
    await world.reply(number, "accept", {"handler": "周演示"}, seqno=2)
    found = await samples(metrics)

    def of(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    assert of("lianzhi_accept_seconds_count", type="grid.verify.request") == 2
    assert of("lianzhi_partner_open_requests", partner=GRID) == 2
    assert of("lianzhi_partner_undelivered_requests", partner=GRID) == 1
    assert of("lianzhi_partner_oldest_undelivered_seconds", partner=GRID) == 7_320
    assert of("lianzhi_partner_oldest_unanswered_seconds", partner=GRID) == 7_320
    assert of("lianzhi_state_changes_total", partner=GRID, state="delivered") == 1
    assert of("lianzhi_life_seconds_count", partner=GRID, stage="sent") == 2
    assert of("lianzhi_life_seconds_bucket", partner=GRID, stage="delivered", le="60.0") == 0
    assert of("lianzhi_life_seconds_bucket", partner=GRID, stage="delivered", le="600.0") == 1
    assert of("lianzhi_life_seconds_sum", partner=GRID, stage="delivered") == 120


async def test_late_requests_are_told_of_their_partner(world: World, metrics: Metrics) -> None:
    await world.accepted(await world.submit(grid_request()))
    await world.sent()
    assert await value(metrics, "lianzhi_partner_overdue_requests", partner=GRID) == 0
    world.clock.advance(days=60)
    assert await value(metrics, "lianzhi_partner_overdue_requests", partner=GRID) == 1
    assert await value(metrics, "lianzhi_requests_overdue", waits_for="partner") == 1


async def test_a_wrong_signature_is_a_failure_of_that_partner_and_other_rubbish_is_not(
    world: World, metrics: Metrics
) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    true = world.keys.private[f"{GRID}.sig.1"]
    world.keys.private[f"{GRID}.sig.1"] = replace(world.keys.private[f"{POLICE}.sig.1"], kid=true.kid)  # type: ignore[index]
    try:
        await world.reply(number, "delivered", DELIVERED, seqno=1)
    finally:
        world.keys.private[f"{GRID}.sig.1"] = true  # type: ignore[index]
    await world.deliver(POLICE, b"rubbish")
    found = await samples(metrics)
    assert of_partners(found, "lianzhi_signature_failures_total") == {GRID: 1, POLICE: 0, NEIGHBOUR: 0}
    assert of_partners(found, "lianzhi_refused_messages_total") == {GRID: 1, POLICE: 1}
    assert sum(n for (name, _), n in found.items() if name == "lianzhi_quarantine_open") == 2


async def test_a_client_that_has_read_all_is_not_behind_and_one_that_has_not_is(world: World, metrics: Metrics) -> None:
    await world.accepted(await world.submit(grid_request()))
    page = (await world.get("/v1/events")).json
    world.clock.advance(minutes=5)
    assert await value(metrics, "lianzhi_feed_behind_seconds", client="cms1") == 300, "it has shown nothing as read"
    await world.get(f"/v1/events?after={page['cursor']}")
    assert await value(metrics, "lianzhi_feed_behind_seconds", client="cms1") == 0
    assert await value(metrics, "lianzhi_feed_behind_seconds", client="reader") is None


async def test_a_hit_that_nobody_acknowledges_grows_old(world: World, metrics: Metrics) -> None:
    assert await value(metrics, "lianzhi_alert_oldest_unacknowledged_seconds") == 0
    await raised(world)
    world.clock.advance(minutes=11)
    assert await value(metrics, "lianzhi_alerts_unacknowledged") == 1
    assert await value(metrics, "lianzhi_alert_oldest_unacknowledged_seconds") == 660


# --- clocks


async def test_a_clock_that_steps_back_makes_no_age_negative_and_no_counter_smaller(
    world: World, metrics: Metrics, seen: Seen
) -> None:
    await played(world)
    before = await samples(metrics)
    number = await world.accepted(await world.submit(grid_request()))
    world.clock.advance(days=-3)
    seen.machine = replace(seen.machine, last_backup=NOW)
    await world.sent()
    await world.reply(number, "delivered", DELIVERED, seqno=1)
    after = await samples(metrics)
    counters = {name for name, metric in METRICS.items() if metric.kind != "gauge"}
    for (name, labels), figure in before.items():
        if name in counters or name.removesuffix("_count").removesuffix("_sum").removesuffix("_bucket") in counters:
            assert after[name, labels] >= figure, (name, labels)
    ages = {key: figure for key, figure in after.items() if key[0].endswith("_seconds") and "offset" not in key[0]}
    assert len(ages) > 10 and min(ages.values()) >= 0


# --- what is away, and what is here


async def test_a_store_that_is_away_is_told_and_its_figures_are_absent(
    world: World, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.accepted(await world.submit(grid_request()))
    assert await value(metrics, "lianzhi_store_up") == 1

    async def away(*_: object) -> None:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(type(world.store), "counts", away)
    found = {name for name, _ in await samples(metrics)}
    assert await value(metrics, "lianzhi_store_up") == 0
    assert not found & {name for name, metric in METRICS.items() if metric.scope == "store"}
    assert {"lianzhi_queue_consumers", "lianzhi_disk_free_bytes", "lianzhi_clock_doubt_seconds"} <= found


async def test_a_store_that_hangs_is_a_store_that_is_away(
    world: World, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "STORE_SECONDS", 0.05)
    monkeypatch.setattr(type(world.store), "counts", hangs)
    assert await value(metrics, "lianzhi_store_up") == 0


async def test_queues_are_told_by_partner_and_direction(world: World, metrics: Metrics, seen: Seen) -> None:
    found = await samples(metrics)
    to = frozenset({("partner", GRID), ("direction", "to"), ("lane", "normal")})
    assert found["lianzhi_queue_messages", to] == 7
    assert found["lianzhi_queue_consumers", to] == 0
    assert found["lianzhi_dead_queue_messages", frozenset()] == 2
    assert "stranger" not in repr(found)
    seen.queues = None
    assert await value(metrics, "lianzhi_broker_asked") == 0
    assert not any(name.startswith("lianzhi_queue_") for name, _ in await samples(metrics))


async def test_the_machine_is_told(world: World, metrics: Metrics, seen: Seen) -> None:
    assert await value(metrics, "lianzhi_disk_free_bytes", place="installation") == 5
    assert await value(metrics, "lianzhi_backup_age_seconds") == 3 * 3600
    assert await value(metrics, "lianzhi_certificate_remaining_seconds", certificate="broker-ca") == 9 * 86_400
    assert await value(metrics, "lianzhi_build_info", version="0.9") == 1
    seen.machine = Machine()
    assert await value(metrics, "lianzhi_backup_age_seconds") == float("inf")


async def test_the_end_of_a_key_is_that_of_the_last_one_of_its_use(world: World, metrics: Metrics) -> None:
    def lasting(kid: str, days: float | None) -> PublicKey:
        (key,) = [k for p in world.context.directory for k in world.context.keyring.public_keys(p.code) if k.kid == kid]
        return replace(key, exp=None if days is None else NOW + timedelta(days=days))

    first = lasting(f"{GRID}.sig.1", 20)
    following = replace(lasting(f"{POLICE}.sig.1", 50), kid=f"{GRID}.sig.2", participant=GRID)
    client = lasting(f"{COURT}.sub.cms1", 5)
    world.context.keyring = Keyring([first, following, lasting(f"{GRID}.enc.1", None), client])
    assert await value(metrics, "lianzhi_key_remaining_seconds", partner=GRID, use="sig") == 50 * 86_400
    assert await value(metrics, "lianzhi_key_remaining_seconds", partner=GRID, use="enc") is None
    assert await value(metrics, "lianzhi_key_remaining_seconds", partner=COURT, use="sub") == 5 * 86_400
    world.clock.advance(days=60)
    assert await value(metrics, "lianzhi_key_remaining_seconds", partner=GRID, use="sig") == 0


async def test_lines_of_the_log_are_counted_and_those_that_could_not_be_written(
    world: World, metrics: Metrics, seen: Seen
) -> None:
    record = logging.LogRecord("lianzhi", logging.WARNING, __file__, 1, "x", None, None)
    seen.log.handle(record)
    assert await value(metrics, "lianzhi_log_lines_total", level="warning") == 1
    seen.log.stream.close()
    seen.log.handle(record)
    assert await value(metrics, "lianzhi_log_lines_total", level="warning") == 1
    assert await value(metrics, "lianzhi_log_failures_total") == 1


# --- cheap


async def test_many_who_scrape_at_once_are_one_look(world: World, seen: Seen) -> None:
    metrics = Metrics(world.context, seen.senses())
    await asyncio.gather(*(metrics.text() for _ in range(20)))
    await metrics.text()
    assert seen.looks == 1


async def test_the_listener_knows_one_address(world: World) -> None:
    async with world.http.get(world.metrics_url + "?verbose=1") as answer:
        assert answer.status == 422
    async with world.http.post(world.metrics_url) as answer:
        assert answer.status in (404, 405)
