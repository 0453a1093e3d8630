"""PostgreSQL addresses as libpq writes them, for a driver that is not libpq."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from gateway.store.engine.database import database_url
from gateway.store.engine.postgres_url import arguments, environment, placed
from lianzhi.errors import ConfigurationError

SETTINGS = {"application_name": "lianzhi", "jit": "off"}


def asked(query: str) -> dict[str, Any]:
    return arguments(database_url(f"postgresql://u@h/d?{query}"), SETTINGS, 10.0)


def test_without_parameters_ours_hold() -> None:
    assert arguments(database_url("postgresql://u@h/d"), SETTINGS, 10.0) == {
        "server_settings": SETTINGS,
        "timeout": 10.0,
    }


@pytest.mark.parametrize(("seconds", "waits"), [("5", 5.0), ("1", 2.0), ("0", 10.0)])
def test_how_long_it_waits_as_libpq_does(seconds: str, waits: float) -> None:
    assert asked(f"connect_timeout={seconds}")["timeout"] == waits


def test_sessions_that_serve_and_copy_stay_apart_under_another_name() -> None:
    url = database_url("postgresql://u@h/d?application_name=court")
    names = [
        arguments(url, {"application_name": name}, 1.0)["server_settings"]["application_name"]
        for name in ("lianzhi", "lianzhi-snapshot")
    ]
    assert names == ["court", "court-snapshot"]


@pytest.mark.parametrize(
    ("mode", "host", "certificate"),
    [
        ("require", False, ssl.CERT_NONE),
        ("verify-ca", False, ssl.CERT_REQUIRED),
        ("verify-full", True, ssl.CERT_REQUIRED),
    ],
)
def test_what_tls_verifies(mode: str, host: bool, certificate: ssl.VerifyMode) -> None:
    context = asked(f"sslmode={mode}")["ssl"]
    assert (context.check_hostname, context.verify_mode) == (host, certificate)


@pytest.mark.parametrize(
    ("query", "tls"), [("sslmode=disable", False), ("sslmode=prefer", "prefer"), ("ssl=allow", "allow")]
)
def test_the_weak_modes_are_the_drivers(query: str, tls: object) -> None:
    assert asked(query)["ssl"] == tls


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("sslmode=maybe", "sslmode"),
        ("no_such=1", "no_such"),
        ("host=a&host=b", "host"),
        ("connect_timeout=soon", "connect_timeout"),
        ("port=x", "port"),
    ],
)
def test_what_is_wrong_is_named(query: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        database_url(f"postgresql://u@h/d?{query}")


def test_a_certificate_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"sslrootcert.*nowhere"):
        asked("sslmode=verify-full&sslrootcert=/nowhere/ca.pem")


def test_several_hosts_are_refused_in_words() -> None:
    with pytest.raises(ConfigurationError, match="one host"):
        database_url("postgresql://u@h1:1,h2:2/d")


def test_a_socket_and_pg_dump_are_told_the_same() -> None:
    url = database_url("postgresql://u@/d?host=/run/postgresql&port=5433&sslmode=require&passfile=/p")
    place = placed(url)
    assert (place.host, place.port, place.database, dict(place.query)) == ("/run/postgresql", 5433, "d", {})
    assert environment(url) == {"PGSSLMODE": "require", "PGPASSFILE": "/p"}
