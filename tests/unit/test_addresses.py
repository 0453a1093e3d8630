"""What may stand in the addresses of the configuration; what switches something off is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.registry.config import FILE, load_config
from lianzhi.amqp.address import PARAMETERS, check_broker_url, wrong_address
from lianzhi.amqp.link import Link
from lianzhi.errors import ConfigurationError

BROKER = "amqps://gateway:pass%23word@mq.court.example:5671/lianzhi"


@pytest.mark.parametrize("query", ["", "?", *(f"?{name}=x" for name in PARAMETERS), "?cafile=a.pem&keyfile=b.pem"])
def test_what_the_client_knows_passes(query: str) -> None:
    assert wrong_address(BROKER + query) is None
    check_broker_url(BROKER + query)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?no_verify_ssl=1", "no_verify_ssl"),
        ("?no_verify_ssl", "no_verify_ssl"),
        ("?cafile=a.pem&no%5Fverify_ssl=1", "no_verify_ssl"),
        ("?NO_VERIFY_SSL=1", "NO_VERIFY_SSL"),
        ("?verify=false", "verify"),
        ("?cafile=a.pem&cafile=b.pem", "cafile"),
        ("?%1b[2J=1", "\\x1b[2J"),
    ],
)
def test_what_it_does_not_is_named_and_the_password_is_not(query: str, told: str) -> None:
    for refused in (check_broker_url, lambda url: Link(url, name="test")):
        with pytest.raises(ConfigurationError) as wrong:
            refused(BROKER + query)
        assert told in str(wrong.value)
        assert "pass" not in str(wrong.value)
        assert any("\u4e00" <= character <= "\u9fff" for character in str(wrong.value))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("amqp://gateway@first:5672,second:5672/lianzhi", "one host"),
        ("amqp://gateway@first,second/lianzhi", "one host"),
        ("amqp://gateway@first:port/lianzhi", "port"),
        ("amqp://gateway@first:99999/lianzhi", "port"),
        ("https://first/lianzhi", "amqps://"),
        ("first:5672", "amqps://"),
        ("amqp:///lianzhi", "with a host"),
        ("amqp://[::1/lianzhi", "with a host"),
    ],
)
def test_an_address_names_one_host(url: str, told: str) -> None:
    for refused in (check_broker_url, lambda one: Link([BROKER, one], name="test")):
        with pytest.raises(ConfigurationError, match=told) as wrong:
            refused(url)
        assert any("\u4e00" <= character <= "\u9fff" for character in str(wrong.value))


def test_several_are_the_nodes_of_one_cluster(tmp_path: Path) -> None:
    one, two = "amqp://g@first/lianzhi", "amqps://g@second:5671/lianzhi"
    (tmp_path / "secret").write_text("p@ss\n")
    (tmp_path / FILE).write_text(f'[broker]\nurl = ["{one}", "{two}"]\npassword_file = "secret"')
    config = load_config(tmp_path)
    assert config.broker_urls == ["amqp://g:p%40ss@first/lianzhi", "amqps://g:p%40ss@second:5671/lianzhi"]
    assert (config.broker_user, config.vhost) == ("g", "lianzhi")
    assert config.broker_urls_of("root", "x")[1] == "amqps://root:x@second:5671/lianzhi"
    for wrong in ("amqp://h@second/lianzhi", "amqp://g@second/other", "amqp://g@second,third/lianzhi"):
        (tmp_path / FILE).write_text(f'[broker]\nurl = ["{one}", "{wrong}"]')
        with pytest.raises(ConfigurationError, match=r"broker.*url"):
            load_config(tmp_path)
    (tmp_path / FILE).write_text("[broker]\nurl = []")
    with pytest.raises(ConfigurationError, match="1 to 16"):
        load_config(tmp_path)


def test_a_list_may_stand_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE).write_text("")
    monkeypatch.setenv("LIANZHI_BROKER__URL", '["amqp://g@first/lianzhi", "amqp://g@second/lianzhi"]')
    assert load_config(tmp_path).broker_urls == ["amqp://g@first/lianzhi", "amqp://g@second/lianzhi"]
    monkeypatch.setenv("LIANZHI_BROKER__URL", "amqp://g@third/lianzhi")
    assert load_config(tmp_path).broker_urls == ["amqp://g@third/lianzhi"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[broker]\nurl = "amqps://g@mq.court.example/lianzhi?no_verify_ssl=1"', "no_verify_ssl"),
        ('[broker]\nmanagement = "https://mq.court.example:15671?insecure=1"', "broker.management"),
        ('[notify]\npublic_url = "https://lianzhi.court.example/?token=1"', "notify.public_url"),
        ('[http]\nproxies = ["proxy.court.example"]', "http.proxies"),
    ],
)
def test_the_configuration_names_the_member(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigurationError, match=told):
        load_config(tmp_path)


def test_a_proxy_is_an_address_or_a_network(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[http]\nproxies = ["127.0.0.1", "10.1.0.0/16", "::1"]')
    assert [str(p) for p in load_config(tmp_path).http.proxies] == ["127.0.0.1/32", "10.1.0.0/16", "::1/128"]
