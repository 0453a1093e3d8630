"""What a monitor is told, without a store: counts and histograms, disks and certificates, the log's lines."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.records import Request
from gateway.core.signals.tallies import LIFE_SECONDS, SIGNATURE_REASONS, Durations, Tallies
from gateway.monitoring.collected import age, remaining
from gateway.monitoring.machine import Disk, MachineLook, disk_of, end_of
from gateway.observability import CountingHandler, alive, configure_logging, log_state
from gateway.registry.config import Config
from lianzhi.problem import REASONS
from tests.eventually import eventually

HOME, POLICE = "court-sn0114", "police-610114"
NOW = datetime(2026, 3, 24, 10, tzinfo=UTC)


def request(state: str, asker: str = HOME, asked: str = POLICE) -> Request:
    number = f"{HOME}-20260324-000001"
    return Request(number, "grid.verify.request", 1, "ask", state, asker, asked, NOW, NOW)


# --- counts


@given(st.lists(st.floats(-1e6, 1e8)))
def test_a_histogram_counts_as_prometheus_does(seconds: list[float]) -> None:
    durations = Durations(LIFE_SECONDS)
    for one in seconds:
        durations.observe(one)
    buckets = durations.buckets()
    assert [bound for bound, _ in buckets] == [*map(str, LIFE_SECONDS), "+Inf"]
    for bound, count in buckets:
        assert count == sum(max(0.0, one) <= float(bound) for one in seconds)
    assert durations.total == pytest.approx(sum(max(0.0, one) for one in seconds))


@pytest.mark.parametrize(
    ("before", "after", "stage"),
    [
        ("approved", "dispatched", "sent"),
        ("approved", "raised", "sent"),
        ("dispatched", "delivered", "delivered"),
        ("received", "accepted", None),
        ("accepted", "partial", "answered"),
        ("partial", "completed", None),
        ("delivered", "refused", "answered"),
        ("delivered", "acknowledged", "answered"),
        ("completed", "closed", "closed"),
        ("accepted", "accepted", None),
    ],
)
def test_each_stage_of_a_life_is_timed_once(before: str, after: str, stage: str | None) -> None:
    tallies = Tallies()
    tallies.moved(request(after), before, HOME, NOW + timedelta(minutes=3))
    assert {key: d.total for key, d in tallies.lives().items()} == ({(stage, POLICE): 180} if stage else {})
    assert tallies.states() == ({(POLICE, after): 1} if before != after else {})


def test_what_a_partner_asks_counts_as_its_own() -> None:
    tallies = Tallies()
    tallies.moved(request("accepted", asker=POLICE, asked=HOME), "delivered", HOME, NOW)
    assert tallies.states() == {(POLICE, "accepted"): 1}


@given(st.lists(st.tuples(st.sampled_from(["police-1", "grid-1"]), st.sampled_from(sorted(REASONS)))))
def test_failures_of_signatures_are_those_refused_for_them(refused: list[tuple[str, str]]) -> None:
    tallies = Tallies()
    for partner, reason in refused:
        tallies.refused(partner, reason)
    assert tallies.refusals() == Counter(refused)
    assert tallies.signature_failures() == Counter(p for p, reason in refused if reason in SIGNATURE_REASONS)


def test_submissions_are_timed_by_their_type() -> None:
    tallies = Tallies()
    for seconds in (0.003, 0.2, 30.0):
        tallies.accepted("grid.verify.request", seconds)
    (found,) = tallies.accepts().items()
    assert found[0] == "grid.verify.request"
    assert [n for _, n in found[1].buckets()] == [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]


def test_a_client_has_read_as_far_as_it_said_last() -> None:
    tallies = Tallies()
    tallies.read_to("cms1", HOME, 7)
    tallies.read_to("cms1", HOME, 9)
    assert tallies.readers() == {"cms1": (HOME, 9)}


def test_reasons_of_signatures_are_codes_of_ours() -> None:
    assert set(REASONS) >= SIGNATURE_REASONS


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_no_age_and_no_time_that_is_left_is_negative(one: datetime, other: datetime) -> None:
    assert age(one, other) >= 0 and remaining(one, other) >= 0
    assert age(one, other) == 0 or remaining(one, other) == 0
    assert age(None, other) == 0


# --- this machine


def certificate(end: datetime) -> bytes:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(end - timedelta(days=90))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_a_file_of_certificates_ends_with_the_first(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(certificate(NOW + timedelta(days=40)) + certificate(NOW + timedelta(days=9)))
    assert end_of(path) == NOW + timedelta(days=9)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"])
def test_a_certificate_that_cannot_be_read_is_left_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ca.pem").write_bytes(content)
    look = MachineLook({}, {"broker-ca": tmp_path / "ca.pem", "store-ca": tmp_path / "absent.pem"}, lambda: None)
    assert look().certificates == {}


def test_the_disk_of_a_folder_that_is_not_there_is_that_of_the_one_above(tmp_path: Path) -> None:
    found, above = disk_of(tmp_path / "not" / "yet"), disk_of(tmp_path)
    assert isinstance(found, Disk) and isinstance(above, Disk)
    assert found.size == above.size > 0
    look = MachineLook({"documents": tmp_path / "x"}, {}, lambda: NOW)
    assert (set(look().disks), look().last_backup) == ({"documents"}, NOW)


@pytest.mark.parametrize(
    ("broker", "store", "expected"),
    [
        ({}, {}, {}),
        (
            {"url": "amqps://g@b/lz?cafile=/etc/ca.pem&certfile=g.pem", "management": "https://b"},
            {},
            {"broker-ca": "/etc/ca.pem", "broker-client": "g.pem"},
        ),
        ({"url": "amqps://g@b/lz", "ca_file": "ca.pem"}, {}, {"broker-ca": "ca.pem"}),
        ({}, {"url": "postgresql://u@h/d?sslrootcert=system&sslcert=c.pem"}, {"store-client": "c.pem"}),
    ],
)
def test_the_certificates_are_those_that_addresses_name(
    tmp_path: Path, broker: dict[str, str], store: dict[str, str], expected: dict[str, str]
) -> None:
    config = Config(folder=tmp_path, broker=broker, store=store)
    assert config.certificate_files == {name: tmp_path / file for name, file in expected.items()}


# --- the log


def record(level: int) -> logging.LogRecord:
    return logging.LogRecord("x", level, __file__, 1, "x", None, None)


def test_lines_are_counted_by_level_and_those_that_are_lost(capsys: pytest.CaptureFixture[str]) -> None:
    handler = CountingHandler(StringIO())
    for level in (logging.INFO, logging.ERROR, logging.ERROR):
        handler.handle(record(level))
    handler.stream.close()
    handler.handle(record(logging.ERROR))
    assert (handler.lines["info"], handler.lines["error"], handler.failures) == (1, 2, 1)
    assert capsys.readouterr().err == "", "where it cannot be written, nothing more is written"


async def test_the_log_says_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, level = logging.getLogger().handlers[:], logging.getLogger().level
    configure = structlog.configure

    def uncached(**given: Any) -> None:
        configure(**given | {"cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    stop = asyncio.Event()
    try:
        configure_logging(file=tmp_path / "log")
        state = log_state()
        assert state is not None and state.lines["info"] == 0
        living = asyncio.create_task(alive(stop))
        await eventually(lambda: state.lines["info"])
        stop.set()
        await living
        assert state.lines["info"] == 1 and state.age >= 0
        assert '"event": "alive"' in (tmp_path / "log").read_text("utf-8")
    finally:
        logging.basicConfig(handlers=before, level=level, force=True)
        structlog.reset_defaults()
