"""client.toml: read whole, and what is wrong with it is named with its file and member."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lianzhi.client import ClientConfig
from lianzhi.crypto.keyring import public_jwk
from lianzhi.errors import ConfigurationError
from tests.vectors.scene import vector

COURT, POLICE = "court-sn0199", "police-610199"
KEYS = vector("thread.json")["keys"]
SIGN, OPEN = f"{COURT}.sub.cms1", f"{COURT}.enc.cms1"
TOKEN = "lz_cms1_" + "x" * 43
SHOWN = {"keys": [public_jwk(KEYS[f"{POLICE}.sig.1"])]}


def written(folder: Path, **changes: Any) -> Path:
    (folder / "token").write_text(TOKEN + "\n")
    (folder / "sign.jwk").write_text(json.dumps(KEYS[SIGN]))
    (folder / "open.jwk").write_text(json.dumps(KEYS[OPEN]))
    (folder / "keys.json").write_text(json.dumps(SHOWN))
    members = {
        "url": "https://lianzhi.court.example",
        "court": COURT,
        "token_file": "token",
        "spool": "spool.sqlite",
        "sign_key": "sign.jwk",
        "open_key": "open.jwk",
        "gateway_keys": "keys.json",
    } | changes
    path = folder / "client.toml"
    path.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in members.items() if v is not None))
    return path


def test_everything_that_the_file_names_is_read(tmp_path: Path) -> None:
    config = ClientConfig.load(written(tmp_path, gateway="court-sn0198"))
    assert (config.url, config.court, config.gateway) == ("https://lianzhi.court.example", COURT, "court-sn0198")
    assert (config.token, config.spool) == (TOKEN, tmp_path / "spool.sqlite")
    assert config.sign_key is not None and config.sign_key.kid == SIGN
    assert [k.kid for k in config.open_keys] == [OPEN]
    assert config.gateway_jwks == SHOWN


def test_the_token_is_never_shown(tmp_path: Path) -> None:
    assert TOKEN not in repr(ClientConfig.load(written(tmp_path)))


def test_the_least(tmp_path: Path) -> None:
    config = ClientConfig.load(written(tmp_path, sign_key=None, open_key=None, gateway_keys=None))
    assert (config.gateway, config.sign_key, config.open_keys, config.gateway_jwks) == (COURT, None, (), None)


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"url": "ftp://x"}, "url"),
        ({"url": None}, "url"),
        ({"court": "Court"}, "court"),
        ({"spool": 7}, "spool"),
        ({"token_file": "nowhere"}, "token_file"),
        ({"sign_key": "open.jwk"}, "sign_key"),
        ({"open_key": "sign.jwk"}, "open_key"),
        ({"sign_key": ["sign.jwk", "sign.jwk"]}, "sign_key"),
        ({"gateway_keys": "token"}, "gateway_keys"),
        ({"gateway_keys": "sign.jwk"}, "gateway_keys"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, changes: dict[str, Any], member: str) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(ConfigurationError) as caught:
        ClientConfig.load(path)
    assert str(caught.value).startswith(f"{path}，{member}：")


def test_a_file_that_is_not_there_or_no_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        ClientConfig.load(tmp_path / "client.toml")
    (tmp_path / "client.toml").write_text("=")
    with pytest.raises(ConfigurationError, match="TOML"):
        ClientConfig.load(tmp_path / "client.toml")
