"""The Java partner's own JSON reader and JOSE, held against published vectors and against `lianzhi.crypto`."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from lianzhi.crypto import base64url, seal
from lianzhi.crypto.keyring import generate_jwk, private_key_from_jwk, public_jwk
from lianzhi.crypto.sdjwt import digest_of
from tests import java_partner
from tests.integration.node_court import COURT, POLICE
from tests.vectors.scene import vector

pytestmark = pytest.mark.slow  # a partner in another language
KID, PLAINTEXT = f"{POLICE}.enc.9", '{"地点":"演示区东街"}'
THREAD = vector("thread.json")
OPENED = next(m for m in THREAD["messages"] if m["name"] == "open")
JWS = vector("wycheproof/json_web_signature_test.json")["testGroups"]

READ = {
    '{"a":[1,-2,true,false,null,"x"]}': '{"a":[1,-2,true,false,null,"x"]}',
    ' { "a" : { } , "b" : [ ] } ': '{"a":{},"b":[]}',
    '"\\u6587\\ud83d\\ude00\\/\\n"': '"文😀/\\u000a"',
    "9007199254740991": "9007199254740991",
    '{"a":1,"a":1}': ["duplicate-member"],
    "9007199254740992": ["bad-number"],
    "1.0": ["bad-number"],
    "1e2": ["bad-number"],
    "01": ["malformed-json"],
    "NaN": ["malformed-json"],
    '"\\u0000"': ["bad-encoding"],
    '"\\ud800"': ["bad-encoding"],
    '"\\ud800x"': ["bad-encoding"],
    "\ufeff{}": ["bad-encoding"],
    '"a\nb"': ["malformed-json"],
    '{"a":1,}': ["malformed-json"],
    "[1 2]": ["malformed-json"],
    "{} {}": ["malformed-json"],
    "": ["malformed-json"],
    '"x': ["malformed-json"],
    "'x'": ["malformed-json"],
    "[" * 32 + "]" * 32: "[" * 32 + "]" * 32,
    "[" * 33 + "]" * 33: ["too-deep"],
    "[" * 100_000: ["too-deep"],
}


def signatures() -> list[tuple[dict[str, Any], bool]]:
    """Wycheproof's attacks on ES256 as {alg, jwk, jws}, and whether each verifies."""
    return [
        ({"alg": "ES256", "jwk": group["public"], "jws": test["jws"]}, test["result"] == "valid")
        for group in JWS
        if group["comment"] in ("es256", "SpecialCaseEs256")
        for test in group["tests"]
    ]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the checks answered, all vectors in one run."""
    folder = tmp_path_factory.mktemp("keys")
    for kid, jwk in THREAD["keys"].items():
        (folder / kid).write_text(json.dumps(jwk))
    court = [public_jwk(jwk) for kid, jwk in THREAD["keys"].items() if kid.startswith(COURT)]
    (folder / "court").write_text(json.dumps({"keys": court}))
    thread = {"folder": str(folder), "code": POLICE, "bytes": OPENED["bytes"], "now": 1774317972234}
    given = {
        "thread": thread,
        "json": list(READ),
        "signatures": [given for given, _ in signatures()],
        "seal": {"jwk": P256, "kid": KID, "plaintext": PLAINTEXT},
        "unopened": list(JWES.values()),
    }
    classes = java_partner.compiled(tmp_path_factory.mktemp("classes"))
    command = ["java", *java_partner.SMALL_JVM, "-cp", java_partner.class_path(classes), "partner.Check"]
    done = subprocess.run(command, input=json.dumps(given).encode(), capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    answered: dict[str, Any] = json.loads(done.stdout)
    return answered


P256 = generate_jwk(KID, "EC")


def altered(**header: Any) -> str:
    """A JWE to our key whose protected header says something else than it was made with."""
    first, rest = GOOD.split(".", 1)
    said = json.loads(base64url.decode(first))
    return base64url.encode(json.dumps({**said, **header}).encode()) + "." + rest


def made() -> str:
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": KID, "cty": "json"}
    return seal.encrypt(header, PLAINTEXT.encode(), private_key_from_jwk(P256).key)


GOOD = made()
JWES = {
    "ours": GOOD,
    "another algorithm": altered(alg="dir"),
    "another cipher": altered(enc="A128GCM"),
    "compressed": altered(zip="DEF"),
    "critical": altered(crit=["x"]),
    "null": altered(alg=None),
    "off the curve": altered(epk={"kty": "EC", "crv": "P-256", "x": "A" * 42 + "E", "y": "A" * 42 + "E"}),
    "another curve": altered(epk={"kty": "OKP", "crv": "X25519", "x": "A" * 42 + "E"}),
    "no key": altered(epk="x"),
    "apu of another type": altered(apu=5),
    "cut": GOOD[:-4],
    "tag": GOOD[:-4] + ("AAAA" if not GOOD.endswith("AAAA") else "BBBA"),
    "six segments": GOOD + ".AAAA",
    "nothing": "",
}


def test_it_reads_the_published_conversation(found: dict[str, Any]) -> None:
    opened = found["opened"]
    assert opened["body"] == OPENED["body_after_opening"]
    assert opened["envelope"] == OPENED["event"]
    assert opened["digest"] == digest_of(OPENED["bytes"].split("~")[0])


def test_json_is_read_as_the_contract_allows_it(found: dict[str, Any]) -> None:
    assert dict(zip(READ, found["json"], strict=True)) == READ


def test_wycheproofs_signatures_are_judged_as_wycheproof_does(found: dict[str, Any]) -> None:
    expected = [valid for _, valid in signatures()]
    assert found["signatures"] == expected
    assert (expected.count(True), len(expected)) == (2, 39)


def test_what_it_seals_the_gateway_opens(found: dict[str, Any]) -> None:
    header = json.loads(base64url.decode(found["sealed"].split(".")[0]))
    assert seal.decrypt(found["sealed"], header, private_key_from_jwk(P256).key).decode() == PLAINTEXT


def test_a_sealed_part_opens_only_as_it_was_made(found: dict[str, Any]) -> None:
    refused = {name: ["cannot-open"] for name in JWES if name != "ours"}
    assert dict(zip(JWES, found["unopened"], strict=True)) == {"ours": PLAINTEXT, **refused}
