"""The library's table of matter types, from the catalogue: `make docs` writes it, a test compares."""

from __future__ import annotations

import json
from collections.abc import Mapping

from schemas.answers import card_of
from schemas.catalogue import MatterType


def cards_document(types: Mapping[str, MatterType]) -> str:
    rows = [card_of(types[name]).model_dump(mode="json", exclude_defaults=True) for name in sorted(types)]
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"
