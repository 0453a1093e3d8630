"""`[broker]` of `lianzhi.toml`: virtual hosts, who issued the certificate, which password, and what the broker says of
itself."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import tomlkit

from gateway.broker.entry import judge_version
from gateway.broker.management import Management
from gateway.registry.config import Config, load_config
from gateway.registry.installation import Installation
from gateway.registry.setup.broker_passwords import gateway_password
from lianzhi.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Installation(tmp_path / "court").create()
    return tmp_path / "court"


def configured(folder: Path, **broker: str) -> Config:
    path = folder / "lianzhi.toml"
    document = tomlkit.parse(path.read_text("utf-8"))
    document["broker"] = broker
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
    return load_config(folder)


@pytest.mark.parametrize(
    ("path", "vhost"),
    [
        ("", "/"),
        ("/", "/"),
        ("/%2F", "/"),
        ("/lianzhi", "lianzhi"),
        ("/%2Fcourt", "/court"),
        ("/a%2Fb", "a/b"),
        ("/%E6%B3%95", "法"),
    ],
)
def test_the_virtual_host_of_an_address(folder: Path, path: str, vhost: str) -> None:
    assert configured(folder, url=f"amqp://u@h{path}").vhost == vhost


def test_the_authority_goes_into_each_address_of_tls(folder: Path) -> None:
    (folder / "ca.pem").write_text("")
    config = configured(folder, url="amqps://u@h/v?heartbeat=10", ca_file="ca.pem", password_file="broker.password")
    (url,) = config.broker_urls
    assert parse_qs(urlsplit(url).query) == {"heartbeat": ["10"], "cafile": [str((folder / "ca.pem").resolve())]}
    assert urlsplit(url).password == (folder / "broker.password").read_text().strip()


def test_an_authority_that_is_not_there_or_stands_twice(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="ca_file"):
        _ = configured(folder, url="amqps://u@h/v", ca_file="nowhere.pem").broker_urls
    with pytest.raises(ConfigurationError, match="cafile"):
        configured(folder, url="amqps://u@h/v?cafile=/x", ca_file="ca.pem")


def test_what_is_no_certificate_is_told(folder: Path) -> None:
    (folder / "ca.pem").write_text("no certificate")
    with pytest.raises(ConfigurationError, match="PEM"):
        Management("https://h", "u", "p", ca_file=folder / "ca.pem")


def test_a_password_is_made_once_and_named(folder: Path) -> None:
    (folder / "broker.password").unlink()
    config = configured(folder, url="amqp://u@h/v")
    made = gateway_password(config)
    assert made is not None and len(made) == 32
    again = load_config(folder)
    assert again.broker.password_file == "broker.password" and gateway_password(again) == made


@pytest.mark.parametrize(("url", "password"), [("amqps://u@h/v?auth=external", None), ("amqp://u:w%20rd@h/v", "w rd")])
def test_a_certificate_and_a_password_in_the_address_need_no_file(folder: Path, url: str, password: str | None) -> None:
    (folder / "broker.password").unlink()
    assert gateway_password(configured(folder, url=url)) == password
    assert not (folder / "broker.password").exists()


@pytest.mark.parametrize(("version", "doubts"), [("3.10.8", 0), ("3.13.7", 0), ("4.1.0", 1), ("", 1), ("unknown", 1)])
def test_what_is_said_of_a_version(version: str, doubts: int) -> None:
    assert len(judge_version(version)) == doubts


def test_one_that_is_too_old_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"3\.9\.2"):
        judge_version("3.9.2")
