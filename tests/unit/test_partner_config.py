"""partner.toml: what it says is read, and what is wrong with it is named with the file and the fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lianzhi.crypto.keyring import generate_jwk
from lianzhi.errors import ConfigurationError
from lianzhi.partner import PartnerConfig
from tests.integration.partner_court import COURT, JWKS, POLICE, write_partner

URL = "amqp://x:p%40ss%2Fword@mq.court.example:5671/lianzhi"


def write(folder: Path, **more: Any) -> Path:
    path = write_partner(folder, URL, **more)
    (folder / "amqp.password").write_text("p@ss/word\n")
    return path


def test_the_file_of_the_examples(tmp_path: Path) -> None:
    config = PartnerConfig.load(write(tmp_path))
    assert (config.code, config.gateway, config.system, config.prefetch) == (POLICE, COURT, POLICE, 512)
    assert config.amqp_url == f"amqp://{POLICE}:p%40ss%2Fword@mq.court.example:5671/lianzhi"
    assert config.ledger == tmp_path / "inbox.sqlite"
    assert (config.sign_key.kid, config.open_keys[0].kid) == (f"{POLICE}.sig.1", f"{POLICE}.enc.1")
    assert {path.name for path in config.secret_files} == {
        f"{POLICE}.sig.1.private.jwk",
        f"{POLICE}.enc.1.private.jwk",
        "amqp.password",
    }


def test_the_broker_may_know_us_by_another_name(tmp_path: Path) -> None:
    """Where two courts share a broker, each gives us a user of its own."""
    config = PartnerConfig.load(write(tmp_path))
    assert config.broker_user == POLICE
    config = PartnerConfig.load(write(tmp_path, amqp=f"amqp://{POLICE}-b@mq.court.example/lianzhi"))
    assert (config.code, config.broker_user) == (POLICE, f"{POLICE}-b")
    assert config.amqp_url.startswith(f"amqp://{POLICE}-b:")


def test_the_nodes_of_a_cluster_stand_in_a_list(tmp_path: Path) -> None:
    nodes = [f"amqp://{POLICE}@mq{n}.court.example/lianzhi" for n in (1, 2)]
    config = PartnerConfig.load(write(tmp_path, amqp=nodes))
    assert config.amqp_urls == tuple(url.replace("@", ":p%40ss%2Fword@") for url in nodes)
    assert config.amqp_url == config.amqp_urls[0] and "p%40ss" not in repr(config)


def test_nothing_secret_shows(tmp_path: Path) -> None:
    shown = repr(PartnerConfig.load(write(tmp_path)))
    assert "p%40ss" not in shown
    assert JWKS[f"{POLICE}.sig.1"]["d"] not in shown


def test_after_a_rotation_the_old_key_still_opens(tmp_path: Path) -> None:
    (tmp_path / "new.jwk").write_text(json.dumps(generate_jwk(f"{POLICE}.enc.2")))
    config = PartnerConfig.load(write(tmp_path, open_key=["new.jwk", f"{POLICE}.enc.1.private.jwk"]))
    assert [key.kid for key in config.open_keys] == [f"{POLICE}.enc.2", f"{POLICE}.enc.1"]


def test_tls_files_go_into_the_url(tmp_path: Path) -> None:
    config = PartnerConfig.load(write(tmp_path, ca_file="ca.pem", cert_file="own.pem", cert_key_file="own.key"))
    query = config.amqp_url.partition("?")[2]
    assert [part.partition("=")[0] for part in query.split("&")] == ["cafile", "certfile", "keyfile"]
    assert str(tmp_path.resolve()).replace("/", "%2F") in query


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"code": "Police"}, "code"),
        ({"amqp": "https://mq.court.example"}, "amqp"),
        ({"amqp": "amqps://mq.court.example/lianzhi?no_verify_ssl=1"}, "no_verify_ssl"),
        ({"amqp": "amqps://mq.court.example/lianzhi?heartbeat=5&heartbeat=9"}, "heartbeat"),
        ({"amqp": "amqp://Other@mq.court.example/lianzhi"}, "amqp"),
        ({"amqp": "amqp://x@mq1.court.example:5672,mq2.court.example:5672/lianzhi"}, "one host"),
        ({"amqp": ["amqp://x@mq1.court.example/a", "amqp://x@mq2.court.example/b"]}, "same user and virtual host"),
        ({"amqp": []}, "amqp"),
        ({"amqp": 5672}, "amqp"),
        ({"sign_key": "nowhere.jwk"}, "nowhere.jwk"),
        ({"sign_key": f"{POLICE}.enc.1.private.jwk"}, f"{POLICE}.sig."),
        ({"open_key": []}, "open_key"),
        ({"open_key": "amqp.password"}, "JSON"),
        ({"gateway_keys": f"{POLICE}.enc.1.private.jwk"}, "gateway_keys"),
        ({"prefetch": 0}, "prefetch"),
        ({"keep_days": 30}, "keep_days"),
        ({"ledgr": "typo.sqlite"}, "ledgr"),
        ({"delivered": "no table"}, "delivered"),
        ({"system": 5}, "system"),
        ({"contract": "nowhere"}, "nowhere"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, more: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        PartnerConfig.load(write(tmp_path, **more))
    assert told in str(wrong.value)
    assert str(tmp_path / "partner.toml") in str(wrong.value)
    assert any("\u4e00" <= character <= "\u9fff" for character in str(wrong.value))


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("ledger")))
    with pytest.raises(ConfigurationError, match="ledger"):
        PartnerConfig.load(path)


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        PartnerConfig.load(tmp_path / "partner.toml")
    (tmp_path / "partner.toml").write_text("code = ")
    with pytest.raises(ConfigurationError, match="TOML"):
        PartnerConfig.load(tmp_path / "partner.toml")


def test_keys_that_cannot_sign_leave_no_gateway(tmp_path: Path) -> None:
    path = write(tmp_path)
    public = json.loads((tmp_path / "court-sn0199.keys.json").read_text())
    public["keys"] = [key for key in public["keys"] if ".enc." in key["kid"]]
    (tmp_path / "court-sn0199.keys.json").write_text(json.dumps(public))
    with pytest.raises(ConfigurationError, match="no signature key"):
        PartnerConfig.load(path)


def test_an_own_form_of_delivered(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text() + '[delivered]\nat = "{time:%Y}"\nby = "{system}"\n')
    assert PartnerConfig.load(path).delivered == {"at": "{time:%Y}", "by": "{system}"}
    path.write_text(path.read_text().replace("{system}", "{secret}"))
    with pytest.raises(ConfigurationError, match="delivered"):
        PartnerConfig.load(path)
