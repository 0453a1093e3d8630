"""What of changed files only a restart takes over, and what the log says of the rest."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import gateway
from gateway.bounds import Bounds
from gateway.core.routing import Client, Directory, Participant
from gateway.registry.config import Config
from gateway.registry.file_watch import look
from gateway.reloading import LIMITS_AT_BROKER, LIMITS_AT_START, differences, restart_needed
from schemas.catalogue import Kind

GATEWAY = Path(gateway.__file__).parent
HOME = Participant("court-a", Kind.COURT, "甲法院", "Court A", "http", "canonical", home=True)
POLICE = Participant("police-a", Kind.POLICE, "甲公安", "Police A", "amqp", "police/1")
CMS = Client("cms1", frozenset({"read"}), "a" * 64)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, []),
        ({"http": {"port": 9000}}, ["[http] port"]),
        ({"store": {"url": "sqlite:///other.sqlite"}}, ["[store] url"]),
        ({"broker": {"prefetch": 7, "password_file": "other"}}, ["[broker] prefetch"]),
        ({"limits": {"message_bytes": 100, "polls_in_flight": 3}}, ["[limits] message_bytes"]),
        ({"terms": {"confirm_days": 9}, "timing": {"lease_term": 9}}, []),
    ],
)
def test_what_needs_a_restart(tmp_path: Path, given: dict[str, dict[str, object]], told: list[str]) -> None:
    assert list(restart_needed(Config(folder=tmp_path), Config(folder=tmp_path, **given))) == told


def test_every_limit_holds_at_once_or_says_when() -> None:
    """What is neither at the start nor at the broker is asked for by its name each time, of a context that changes."""
    later = {*LIMITS_AT_START, *LIMITS_AT_BROKER}
    assert later < set(Bounds.model_fields)
    kept = set(re.findall(r"\bbounds\.(\w+)", (GATEWAY / "broker" / "topology.py").read_text("utf-8")))
    assert kept == set(LIMITS_AT_BROKER)
    made = (GATEWAY / "broker" / "consumer.py", GATEWAY / "http" / "connections.py", GATEWAY / "http" / "server.py")
    at_start = {name for path in made for name in re.findall(r"\bbounds\.(\w+)", path.read_text("utf-8"))}
    assert at_start <= set(LIMITS_AT_START), "a limit that is read when something is made holds only from the start on"


def test_who_came_and_who_went() -> None:
    before = Directory([replace(HOME, clients=(CMS,)), POLICE])
    other = replace(POLICE, code="police-b")
    ended = replace(CMS, revoked=True)
    begun = replace(CMS, id="cms2")
    after = Directory([replace(HOME, clients=(ended, begun)), replace(POLICE, enabled=False), other])
    assert dict(differences(before, after)) == {
        "added": ["police-b"],
        "suspended": ["police-a"],
        "tokens_ended": ["cms1"],
        "tokens_begun": ["cms2"],
    }
    assert dict(differences(after, before))["resumed"] == ["police-a"]
    assert dict(differences(before, before)) == {}


def test_another_token_under_the_same_name_is_told() -> None:
    before = Directory([replace(HOME, clients=(CMS,))])
    after = Directory([replace(HOME, clients=(replace(CMS, token_sha256="b" * 64),))])
    assert dict(differences(before, after)) == {"tokens_ended": ["cms1"], "tokens_begun": ["cms1"]}


def test_a_file_is_seen_to_change_come_and_go(tmp_path: Path) -> None:
    config = Config(folder=tmp_path, broker={"password_file": "broker.password"})
    (tmp_path / "participants").mkdir()
    seen = [look(config)]
    for act in (
        lambda: (tmp_path / "broker.password").write_text("one"),
        lambda: (tmp_path / "participants" / "a.toml").write_text("x"),
        lambda: (tmp_path / "participants" / "a.toml").write_text("longer"),
        lambda: (tmp_path / "participants" / "a.toml").rename(tmp_path / "participants" / "b.toml"),
        (tmp_path / "participants" / "b.toml").unlink,
    ):
        act()
        seen.append(look(config))
    assert all(a != b for a, b in pairwise(seen))
    assert look(config) == seen[-1]


def test_the_configuration_is_read_again_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "lianzhi.toml").write_text("[http]\nport = 8080\n")
    config = Config(folder=tmp_path, broker={"prefetch": 7})
    (tmp_path / "lianzhi.toml").write_text("[http]\nport = 8081\n")
    again = config.again()
    assert (again.http.port, again.broker.prefetch) == (8081, 7)
