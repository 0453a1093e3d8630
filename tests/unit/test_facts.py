"""Facts of a request have one home. mypy refuses a key that `Facts` has not where it is written or indexed; what it
lets pass (`facts.get("…")`, `"…" in facts`) is found here."""

from __future__ import annotations

import re
from pathlib import Path

import gateway
from gateway.core.requests.facts import Facts

ROOT = Path(gateway.__file__).parent
FACTS = r"(?<![\w.])(?:\w+\.)*facts"  # `facts`, `request.facts`
USED = re.compile(rf'{FACTS}(?:\[|\.get\(|\.pop\()"(\w+)"|"(\w+)" (?:not )?in {FACTS}(?![\w.[])|\*\*{FACTS}, "(\w+)"')


def test_every_key_that_is_used_has_its_home_and_every_home_is_used() -> None:
    used: dict[str, str] = {}
    for path in sorted(ROOT.rglob("*.py")):
        for found in USED.finditer(path.read_text("utf-8")):
            used[next(key for key in found.groups() if key)] = str(path.relative_to(ROOT))
    assert {key: where for key, where in used.items() if key not in Facts.__annotations__} == {}
    assert sorted(Facts.__annotations__) == sorted(used)
