"""What a visitor is told: where everything is, and a line to paste (docs/examples.md, "A first curl")."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from simulation.parties import CLERK, GRID, HANDLER

_CURL = """\
TOKEN={token}
curl -s -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: by-hand-$RANDOM" -H "Content-Type: application/json" \
-d @- {url}/v1/requests <<'E'
{body}
E"""
_BODY = {
    "type": "grid.verify.request",
    "schema_version": 1,
    "receiver": GRID,
    "case_no": "（2026）陕0199执900002号",
    "legal_basis": ["CPL-117"],
    "purpose": "verify-residence",
    "urgency": "normal",
    "handler": HANDLER,
    "drafted_by": CLERK,
    "payload": {
        "person": {"ref": "m3x8d2va", "name": "李示例", "id_tail4": "462X"},
        "address": {"division_code": "610199", "street": "东街", "detail": "1号"},
        "questions": ["lives-here", "contactable"],
    },
}


def invite(console: Console, url: str, token: str, folder: Path) -> None:
    """For whoever wants to try it by hand while it runs. token: of this demo only."""
    body = json.dumps(_BODY, ensure_ascii=False, separators=(",", ":"))
    console.print("\n[bold]仍在运行，Ctrl-C 停止。[/] Still running; Ctrl-C stops everything.")
    console.print(f"接口 API   {url}   （[dim]{url}/openapi.json[/]）", soft_wrap=True)
    console.print(f"令牌 token {token}   （仅供演示 of this demo only）", soft_wrap=True)
    console.print("\n粘贴试试，看网格中心那一行 Paste this and watch the grid centre's row:\n", style="dim")
    console.print(_CURL.format(url=url, token=token, body=body), soft_wrap=True, markup=False)
    console.print("\n看它的一生 Then see its life:\n", style="dim")
    console.print(f"lianzhi request trace <request_no> --dir {folder / 'gateway'}\n", soft_wrap=True, markup=False)


def farewell(console: Console, folder: Path) -> None:
    console.print(f"账本、数据库和日志留在 The books, the database and the logs stay in {folder}/", style="dim")
