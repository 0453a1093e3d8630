"""The Node partner's reading of the published conversation."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lianzhi.crypto.sdjwt import digest_of
from tests import node_partner
from tests.integration.node_court import COURT, POLICE

pytestmark = pytest.mark.slow  # a partner in another language


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    node_partner.install()


READ_THREAD = """
import { Keys } from './keys.mjs';
import { open, verify } from './message.mjs';
const { code, files, bytes, now } = JSON.parse(process.argv[1]);
const keys = new Keys(code, files);
const message = await verify(Buffer.from(bytes), { code, keys, now });
console.log(JSON.stringify({ digest: message.digest, envelope: message.envelope, body: await open(message, keys) }));
"""


def test_it_reads_the_published_conversation(tmp_path: Path) -> None:
    thread = json.loads((Path(__file__).parents[1] / "vectors" / "thread.json").read_text(encoding="utf-8"))
    opened = next(m for m in thread["messages"] if m["name"] == "open")
    for kid, jwk in thread["keys"].items():
        (tmp_path / kid).write_text(json.dumps(jwk))
    court = [{k: v for k, v in jwk.items() if k != "d"} for kid, jwk in thread["keys"].items() if kid.startswith(COURT)]
    (tmp_path / "court").write_text(json.dumps({"keys": court}))
    given = {
        "code": POLICE,
        "files": {
            "sign": str(tmp_path / f"{POLICE}.sig.1"),
            "open": [str(tmp_path / f"{POLICE}.enc.1")],
            "court": str(tmp_path / "court"),
        },
        "bytes": opened["bytes"],
        "now": 1774317972234,  # 2026-03-24T02:06:12.234Z
    }
    command = ["node", "--input-type=module", "-e", READ_THREAD, json.dumps(given)]
    done = subprocess.run(command, cwd=node_partner.EXAMPLE, capture_output=True, text=True, check=True, timeout=30)
    read = json.loads(done.stdout)
    assert read["body"] == opened["body_after_opening"]
    assert read["envelope"] == opened["event"]
    assert read["digest"] == digest_of(opened["bytes"].split("~")[0])
