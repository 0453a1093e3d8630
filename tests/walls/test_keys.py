"""Keys that are handed over are refused at load when nothing can be proved by them, wherever they are loaded."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from lianzhi.crypto.jwk import generate_jwk, public_jwk
from tests.walls.product import Finished, run_alone

POLICE, GRID = "police-610114", "grid-610114"
IDENTITY = bytes([1]) + bytes(31)
ZERO = bytes(32)
ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
X25519_ORDER_8 = 325606250916557431795983626356110631294008115727848805560023387167927233504


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "court"
    made = await run_alone("init", "--court", "陕0114", "--dir", str(folder))
    assert made.code == 0, made.err
    return folder


def okp(curve: str, x: bytes) -> dict[str, Any]:
    return {"kty": "OKP", "crv": curve, "x": base64.urlsafe_b64encode(x).decode().rstrip("=")}


def partner(folder: Path, code: str, kind: str, **keys: dict[str, Any]) -> None:
    """keys: purpose → public JWK, as the agency handed it over."""
    lines = [f'code = "{code}"', f'kind = "{kind}"', f'name = {{ zh = "{code}", en = "{code}" }}', 'channel = "amqp"']
    lines += [f'broker = {{ user = "{code}" }}']
    for purpose, jwk in keys.items():
        kid = f"{code}.{purpose}.1"
        (folder / "keys" / f"{kid}.jwk").write_text(json.dumps({k: v for k, v in jwk.items() if k != "kid"}))
        lines += ["[[keys]]", f'kid = "{kid}"', "from = 2026-01-01", f'jwk = "keys/{kid}.jwk"']
    (folder / "participants" / f"{code}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


async def checked(folder: Path) -> Finished:
    return await run_alone("participants", "check", "--dir", str(folder))


@pytest.mark.slow
async def test_keys_of_ordinary_agencies_pass(folder: Path) -> None:
    """The other side of the wall: what is right stays right."""
    partner(folder, POLICE, "police", sig=public_jwk(generate_jwk(f"{POLICE}.sig.1", "OKP")))
    partner(folder, GRID, "grid", sig=public_jwk(generate_jwk(f"{GRID}.sig.1")))
    done = await checked(folder)
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("purpose", "jwk"),
    [
        pytest.param("sig", okp("Ed25519", IDENTITY), id="identity"),
        pytest.param("sig", okp("Ed25519", ORDER_8), id="order-8", marks=pytest.mark.slow),
        pytest.param("enc", okp("X25519", ZERO), id="zero", marks=pytest.mark.slow),
        pytest.param(
            "enc", okp("X25519", X25519_ORDER_8.to_bytes(32, "little")), id="x-order-8", marks=pytest.mark.slow
        ),
    ],
)
async def test_c8_a_point_of_small_order(folder: Path, purpose: str, jwk: dict[str, Any]) -> None:
    good = public_jwk(generate_jwk(f"{POLICE}.sig.1"))
    partner(folder, POLICE, "police", **({"sig": good} | {purpose: jwk}))
    done = await checked(folder)
    assert "低阶点" in done.err and "small order" in done.err, done.out
    assert f"{POLICE}.{purpose}.1.jwk" in done.err
    assert done.code == 1


@pytest.mark.slow
async def test_c8_a_point_of_small_order_does_not_serve(folder: Path) -> None:
    partner(folder, POLICE, "police", enc=okp("X25519", ZERO))
    done = await run_alone("keys", "list", "--json", "--dir", str(folder))
    assert f"{POLICE}.enc.1.jwk" in done.err, done.out
    assert done.code == 2


@pytest.mark.slow
async def test_c8_one_key_for_two_participants(folder: Path) -> None:
    """Whatever the one signs, the other has signed too."""
    jwk = public_jwk(generate_jwk(f"{POLICE}.sig.1"))
    partner(folder, POLICE, "police", sig=jwk)
    partner(folder, GRID, "grid", sig=jwk)
    done = await checked(folder)
    for name in (f"{POLICE}.sig.1.jwk", f"{GRID}.sig.1.jwk"):
        assert name in done.err, done.out
    assert done.code == 1


async def test_c8_one_key_to_sign_and_to_seal(folder: Path) -> None:
    jwk = public_jwk(generate_jwk(f"{POLICE}.sig.1"))
    del jwk["use"]
    partner(folder, POLICE, "police", sig=jwk, enc=jwk)
    done = await checked(folder)
    assert f"{POLICE}.sig.1" in done.err and f"{POLICE}.enc.1" in done.err, done.out
    assert done.code == 1
