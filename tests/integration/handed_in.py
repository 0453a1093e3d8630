"""One court system, and what it hands in."""

from __future__ import annotations

from typing import Any

from lianzhi.crypto.keyring import private_key_from_jwk
from schemas.catalogue import catalogue
from tests.vectors.scene import vector

COURT, POLICE, GRID = "court-sn0199", "police-610199", "grid-610199"
VERIFY = "grid.verify.request"
TOKEN = "lz_cms1_" + "x" * 43
SIGN = private_key_from_jwk(vector("thread.json")["keys"][f"{COURT}.sub.cms1"])
BODY: dict[str, Any] = {
    "type": VERIFY,
    "schema_version": 1,
    "case_no": "（2026）陕0199执900002号",
    "legal_basis": ["CPL-117"],
    "purpose": "verify-residence",
    "urgency": "normal",
    "handler": "sn0199-0007",
    "drafted_by": "sn0199-0031",
    "payload": dict(catalogue()[VERIFY].example_request),
}
