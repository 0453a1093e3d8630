"""Metric families out of what store, broker, machine and this process know. Labels are codes of ours, never what a
stranger sent; ages are never negative, whatever became of a clock."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from prometheus_client.core import Metric

from gateway.application.context import Context
from gateway.application.ports.broker import QueueSizes
from gateway.core.operating.records import Hold, OpenFigures
from gateway.core.records import PartnerClock
from gateway.core.signals.load import Load, PartnerLoad
from gateway.core.silence import Silence
from gateway.monitoring.families import family, histogram, known, single, summed
from gateway.monitoring.machine import Machine
from lianzhi.crypto.keyring import lasts_until

PAGE_STATES = ("waiting", "sent", "failed", "cancelled", "acknowledged")
OUTBOX_STATES = ("ready", "waiting", "parked")


class BrokerHealth(Protocol):
    """What this process knows of the wire. missing: queues that it publishes to and that are not there; silent: queue
    → why it has no consumer of ours."""

    @property
    def connected(self) -> bool: ...
    @property
    def blocked(self) -> bool: ...
    @property
    def missing(self) -> Collection[str]: ...
    @property
    def silent(self) -> Mapping[str, str]: ...


class LogState(Protocol):
    """lines: written, by level; failures: that could not be; age: seconds since the last one was written."""

    @property
    def lines(self) -> Mapping[str, int]: ...
    @property
    def failures(self) -> int: ...
    @property
    def age(self) -> float: ...


@dataclass(slots=True)
class Stored:
    """What the store said at the last look."""

    counts: Mapping[str, Mapping[str, int]]
    figures: OpenFigures
    load: Load
    oldest_unsent: datetime | None
    clocks: Sequence[PartnerClock]
    holds: Sequence[Hold]
    silences: Sequence[Silence]
    alerts: int
    oldest_alert: datetime | None
    unread: Mapping[str, datetime | None]
    """client → when the first event was written that it has not read; None: it has read all."""


@dataclass(slots=True)
class Known:
    """At the last look. stored: None: the store did not answer. queues: None: the broker did not, or nobody asks."""

    at: float = float("-inf")
    now: datetime | None = None
    stored: Stored | None = None
    queues: QueueSizes | None = None
    asks_queues: bool = False
    machine: Machine = field(default_factory=Machine)


def age(since: datetime | None, now: datetime) -> float:
    """Seconds; 0 where there is nothing, and where it began by a clock that was ahead of ours."""
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def remaining(end: datetime, now: datetime) -> float:
    """Seconds until then; 0 when it is over."""
    return max(0.0, (end - now).total_seconds())


def partners_of(context: Context) -> list[str]:
    """Everybody with whom the home court exchanges messages, in order."""
    return sorted(p.code for p in context.directory if not p.home)


# --- the store


def stored_families(context: Context, stored: Stored, now: datetime) -> Iterator[Metric]:
    everybody = {p.code for p in context.directory}
    counts, load, figures = stored.counts, stored.load, stored.figures
    pairs = (key.split("|", 1) for key in counts["requests"])
    yield family(
        "lianzhi_requests",
        summed(
            ((known(type, context.catalogue), state), value)
            for (type, state), value in zip(pairs, counts["requests"].values(), strict=True)
        ),
    )
    waiting = {"us": figures.ours, "partner": figures.partner, "approval": figures.approval}
    yield family("lianzhi_requests_waiting", waiting)
    yield family("lianzhi_requests_overdue", load.overdue)
    yield family("lianzhi_requests_due_soon", load.due_soon)
    yield single("lianzhi_requests_undelivered", figures.undelivered)
    yield single("lianzhi_alerts_unacknowledged", stored.alerts)
    yield single("lianzhi_alert_oldest_unacknowledged_seconds", age(stored.oldest_alert, now))
    for name in ("timers", "quarantine"):
        yield family(f"lianzhi_{name}", counts[name])
    for name, states in (("pages", PAGE_STATES), ("outbox", OUTBOX_STATES)):
        yield family(f"lianzhi_{name}", dict.fromkeys(states, 0) | dict(counts[name]))
    yield family("lianzhi_quarantine_open", load.quarantine_open)
    for name in ("early", "forgotten"):
        rows = ((((known(code, everybody)),), value) for code, value in counts[name].items())
        yield family(f"lianzhi_{name}", summed(rows))
    yield single("lianzhi_outbox_limit_messages", context.settings.backlog_limit)
    yield single("lianzhi_outbox_oldest_seconds", age(stored.oldest_unsent, now))
    yield from _partner_families(context, load, now)
    silent = {(known(s.participant, everybody), s.cause): 1 for s in stored.silences}
    yield family("lianzhi_partner_silent", silent)
    yield _paused(counts["paused"], everybody)
    yield family("lianzhi_paused_by_operator", {(hold.scope, hold.name): 1 for hold in stored.holds})
    yield family("lianzhi_feed_behind_seconds", {client: age(at, now) for client, at in stored.unread.items()})


def _partner_families(context: Context, load: Load, now: datetime) -> Iterator[Metric]:
    """Each partner has a figure, also a nought, so that a rule sees its series before there is trouble."""
    loads = {code: load.partners.get(code, PartnerLoad()) for code in partners_of(context)}
    for name, value in (
        ("open_requests", lambda one: one.owes),
        ("overdue_requests", lambda one: one.overdue),
        ("due_soon_requests", lambda one: one.due_soon),
        ("undelivered_requests", lambda one: one.undelivered),
        ("oldest_undelivered_seconds", lambda one: age(one.oldest_undelivered, now)),
        ("oldest_unanswered_seconds", lambda one: age(one.oldest_unanswered, now)),
        ("dead_messages", lambda one: one.dead),
    ):
        yield family(f"lianzhi_partner_{name}", {code: value(one) for code, one in loads.items()})
    lanes = ("normal", "urgent")
    ready = {(code, lane): one.ready.get(lane, 0) for code, one in loads.items() for lane in lanes}
    yield family("lianzhi_outbox_ready", ready)


def _paused(paused: Mapping[str, int], everybody: Collection[str]) -> Metric:
    rows = []
    for key, value in paused.items():
        route, reason = key.split("|", 1)
        code, lane = route.split(".", 1)
        rows.append(((known(code, everybody), lane, reason), value))
    return family("lianzhi_receiver_paused", summed(rows))


# --- the broker


def queue_families(context: Context, queues: QueueSizes | None) -> Iterator[Metric]:
    """Absent, but for the first, when the broker did not answer."""
    yield single("lianzhi_broker_asked", float(queues is not None))
    if queues is None:
        return
    everybody = {p.code for p in context.directory}
    sizes = {key: size for key, size in queues.items() if key[0] in everybody}
    yield family("lianzhi_queue_messages", {key: messages for key, (messages, _) in sizes.items()})
    yield family("lianzhi_queue_consumers", {key: consumers for key, (_, consumers) in sizes.items()})
    dead = next((messages for (code, *_), (messages, _) in queues.items() if not code), None)
    if dead is not None:
        yield single("lianzhi_dead_queue_messages", dead)


def health_families(health: BrokerHealth) -> Iterator[Metric]:
    yield single("lianzhi_broker_connected", float(health.connected))
    yield single("lianzhi_broker_blocked", float(health.blocked))
    yield single("lianzhi_queues_silent", len(health.silent))
    yield single("lianzhi_queues_missing", len(health.missing))


# --- this machine


def machine_families(context: Context, machine: Machine, now: datetime) -> Iterator[Metric]:
    yield family("lianzhi_disk_free_bytes", {name: disk.free for name, disk in machine.disks.items()})
    yield family("lianzhi_disk_size_bytes", {name: disk.size for name, disk in machine.disks.items()})
    backup = math.inf if machine.last_backup is None else age(machine.last_backup, now)
    yield single("lianzhi_backup_age_seconds", backup)
    ends = {name: remaining(end, now) for name, end in machine.certificates.items()}
    yield family("lianzhi_certificate_remaining_seconds", ends)
    yield family("lianzhi_key_remaining_seconds", key_ends(context, now))
    if (size := context.store.wal_bytes()) is not None:
        yield single("lianzhi_store_wal_bytes", size)


def key_ends(context: Context, now: datetime) -> dict[tuple[str, str], float]:
    """(participant, use) → seconds until its last key of that use ends and none follows; of clients the first that
    does. Without those that have no end."""
    found: dict[tuple[str, str], float] = {}
    for participant in context.directory:
        if not participant.enabled:
            continue
        keys = context.keyring.public_keys(participant.code)
        uses = [(use, [k for k in keys if k.client is None and k.purpose == use]) for use in ("sig", "enc")]
        for client in participant.clients:
            if not client.revoked:
                uses.append(("sub", [k for k in keys if k.kid == client.signs_with]))
                uses.append(("enc", [k for k in keys if k.kid == client.opens_with]))
        for use, some in uses:
            end = lasts_until(some, now) if some else None
            if end is not None:
                key = participant.code, use
                found[key] = min(found.get(key, math.inf), remaining(end, now))
    return found


# --- this process


def process_families(context: Context) -> Iterator[Metric]:
    tallies, everybody = context.tallies, {p.code for p in context.directory}
    yield histogram(
        "lianzhi_accept_seconds", {(type,): d for type, d in tallies.accepts().items() if type in context.catalogue}
    )
    yield histogram("lianzhi_life_seconds", {key: d for key, d in tallies.lives().items() if key[1] in everybody})
    yield family(
        "lianzhi_state_changes_total",
        summed(((known(code, everybody), state), n) for (code, state), n in tallies.states().items()),
    )
    yield family(
        "lianzhi_refused_messages_total",
        summed(((known(code, everybody), reason), n) for (code, reason), n in tallies.refusals().items()),
    )
    failures: dict[tuple[str, ...], float] = {(code,): 0.0 for code in partners_of(context)}
    failures |= summed(((known(code, everybody),), n) for code, n in tallies.signature_failures().items())
    yield family("lianzhi_signature_failures_total", failures)
    reached = (((bound, code and known(code, everybody)), n) for (bound, code), n in context.reached.counts().items())
    yield family("lianzhi_bound_reached_total", summed(reached))
    yield family("lianzhi_rows_set_aside_total", context.faults.counts())
    reloads = context.reloads
    yield family("lianzhi_reloads_total", {"taken": reloads.taken, "refused": reloads.refused})
    yield single("lianzhi_configuration_refused", 0 if reloads.standing else 1)
    yield single("lianzhi_restart_needed", len(reloads.restart))
    if context.tracer is not None:
        yield family("lianzhi_spans_total", context.tracer.counts())


def clock_families(context: Context, clocks: Sequence[PartnerClock]) -> Iterator[Metric]:
    own, everybody = context.clocks, {p.code for p in context.directory}
    offsets = {(name, ""): offset.total_seconds() for name, offset in sorted(own.others.items())}
    offsets |= {("partner", c.participant): c.offset_ms / 1000 for c in clocks if c.participant in everybody}
    yield family("lianzhi_clock_offset_seconds", offsets)
    yield family("lianzhi_clock_steps_total", own.own.steps())
    yield single("lianzhi_clock_doubt_seconds", own.own.doubt.total_seconds())


def log_families(state: LogState) -> Iterator[Metric]:
    yield family("lianzhi_log_lines_total", state.lines)
    yield single("lianzhi_log_failures_total", state.failures)
    yield single("lianzhi_log_age_seconds", state.age)
