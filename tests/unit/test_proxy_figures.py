"""The figures of the configuration that we ship for a proxy are those of the gateway."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gateway.bounds import Bounds
from gateway.http.inputs import LONGEST_WAIT
from gateway.http.server import KEEPALIVE_SECONDS
from lianzhi.problem import REASONS

TEXT = (Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf").read_text(encoding="utf-8")
BOUNDS = Bounds()
UNITS = {"k": 1 << 10, "m": 1 << 20}


def figure(pattern: str) -> int:
    """Seconds, bytes or a count: the first group of the only line that fits."""
    (found,) = re.findall(rf"(?m)^ *{pattern};", TEXT)
    return int(found.rstrip("skm")) * UNITS.get(found[-1], 1)


def test_times() -> None:
    assert figure(r"client_header_timeout +(\d+s)") == BOUNDS.http_header_seconds
    assert figure(r"client_body_timeout +(\d+s)") == BOUNDS.http_body_seconds
    assert figure(r"proxy_read_timeout +(\d+s)") > LONGEST_WAIT
    assert all(int(s) < KEEPALIVE_SECONDS for s in re.findall(r"keepalive_timeout +(\d+)s;", TEXT))


def test_sizes() -> None:
    sizes = [int(n) * UNITS[unit] for n, unit in re.findall(r"client_max_body_size (\d+)([km]);", TEXT)]
    assert sorted(sizes) == [1 << 10, BOUNDS.message_bytes, BOUNDS.document_bytes]


def test_counts() -> None:
    assert figure(r"limit_conn lianzhi_address (\d+)") == BOUNDS.http_connections_per_address
    assert figure(r"limit_conn lianzhi_all +(\d+)") < BOUNDS.http_connections


def test_its_own_refusals_are_in_our_words() -> None:
    for status, text in re.findall(r"return (\d+) '(.*)';", TEXT):
        told = json.loads(text)
        reason = REASONS[told["type"].rsplit(":", 1)[1]]
        assert (told["status"], told["title"], told["title_en"]) == (reason.status, reason.zh, reason.en)
        assert told["status"] == int(status)
