"""The library's forms of `delivered`, from the dialects: `make docs` writes them, a test compares."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from adapters.registry import adapter_for, dialects
from schemas.catalogue import MatterType


def delivered_document(types: Mapping[str, MatterType]) -> str:
    """Dialect → matter type, or `*` for all others → form. A dialect whose form templates cannot write has none."""
    found = {dialect: _forms(dialect, types) for dialect in dialects()}
    rows = [f"{json.dumps(d)}: {json.dumps(forms, ensure_ascii=False)}" for d, forms in found.items() if forms]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def _forms(dialect: str, types: Mapping[str, MatterType]) -> dict[str, Mapping[str, str]]:
    told = {name: form for name in sorted(types) if (form := adapter_for(dialect).delivered(name)) is not None}
    if not told:
        return {}
    ((most, _),) = Counter(tuple(form.items()) for form in told.values()).most_common(1)
    return {"*": dict(most), **{name: form for name, form in told.items() if form != dict(most)}}
