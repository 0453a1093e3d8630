"""The table engine: an adapter that is nothing but its tables (`adapters/rows.py` says how they are written)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

from adapters.compiler import Compiled, Fitting, compile_message, fitting
from adapters.contract import Adapter, Canonical
from adapters.plan import Level
from adapters.rows import Dialect
from adapters.schema import body_schema, delivered_form
from adapters.shape import Node, message
from lianzhi.protocol.verbs import VERBS
from schemas.bodies import content_model
from schemas.catalogue import MatterType, catalogue


class TableAdapter(Adapter):
    """Compiles a type and verb when it is first asked for it: an installation asks at its start (`missing`). types: the
    catalogue."""

    def __init__(self, table: Dialect, types: Callable[[], Mapping[str, MatterType]] = catalogue) -> None:
        self.table = table
        self.dialect = table.name
        self._types = types
        self._compiled: dict[tuple[str, str], Compiled] = {}
        self._shared: dict[tuple[Node, Fitting], Compiled] = {}

    def compiled(self, type: str, verb: str) -> Compiled:
        """Raises LookupError when the catalogue has no such message, ValueError when the table contradicts itself."""
        found = self._compiled.get((type, verb))
        if found is None:
            root = message(self._types()[type], verb)
            if root is None:
                raise LookupError(f"{type} has no {verb}")
            found = self._compiled[type, verb] = self._share(type, verb, root)
        return found

    def _share(self, type: str, verb: str, root: Node) -> Compiled:
        key = root, fitting(self.table, type, verb)
        try:
            if key not in self._shared:
                self._shared[key] = compile_message(self.table, key[1], root)
        except ValueError as error:
            raise ValueError(f"{self.dialect}, {type} {verb}: {error}") from error
        return self._shared[key]

    async def _encode(self, m: Canonical) -> dict[str, Any]:
        return self._level(m.type, m.verb).encode(m.data)

    async def _decode(self, type: str, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._level(type, verb).decode(body)

    def visible(self, m: Canonical) -> dict[str, Any]:
        """`m` without hidden members, nulls and what is empty then; moments to the second where they are said so."""
        return self._level(m.type, m.verb).visible(m.data)

    def missing(self, type: str, verb: str) -> Sequence[str]:
        return self.compiled(type, verb).missing

    def schema(self, type: str, verb: str, definitions: MutableMapping[str, Any]) -> dict[str, Any] | None:
        """Raises LookupError when the catalogue has no such message. None also where the dialect lacks a word."""
        compiled = self.compiled(type, verb)
        model = VERBS[verb].model or content_model(self._types()[type], verb)
        if compiled.missing or model is None:
            return None
        return body_schema(compiled.level, model, VERBS[verb].head, definitions)

    def example(self, m: Canonical) -> dict[str, Any] | None:
        compiled = self.compiled(m.type, m.verb)
        return None if compiled.missing else compiled.level.encode(m.data)

    def delivered(self, type: str) -> dict[str, str] | None:
        compiled = self.compiled(type, "delivered")
        return None if compiled.missing else delivered_form(compiled.level)

    def _level(self, type: str, verb: str) -> Level:
        """Raises LookupError where the dialect lacks a word: nothing is dropped in silence."""
        compiled = self.compiled(type, verb)
        if compiled.missing:
            raise LookupError(f"{self.dialect} has no word for {', '.join(compiled.missing)} of {type} {verb}")
        return compiled.level

    def pointer(self, type: str, verb: str, canonical_pointer: str) -> str:
        """The member or list item itself (of a list that is said in several members, the one that has it), else the
        first member of an object that is flattened, else the nearest thing around it that has a name; `""`, the whole
        body, for what the dialect does not say."""
        compiled = self.compiled(type, verb)
        named = compiled.named
        parts = canonical_pointer.split("/")[1:]
        whole = _path(parts)
        if parts and parts[-1].isdigit() and (members := compiled.spread.get(whole.removesuffix("[]"))):
            return _pointer(members[min(int(parts[-1]), len(members) - 1)], parts)
        if whole not in named and (inner := next((p for p in named if p.startswith(whole + ".")), None)):
            item = whole.endswith("[]")
            return _pointer(f"{named[whole[:-2]]}[]" if item else named[inner], parts)
        for length in range(len(parts), 0, -1):
            if (said := named.get(_path(parts[:length]))) is not None:
                return _pointer(said, parts[:length])
        return ""


def _path(parts: Sequence[str]) -> str:
    """JSON pointer tokens → canonical path."""
    return re.sub(r"\.\d+(?=\.|$)", "[]", ".".join(parts))


def _pointer(path: str, parts: Sequence[str]) -> str:
    """Dialect path → JSON pointer; `[]` takes the list indices among `parts`, as far as there are any."""
    indices = [p for p in parts if p.isdigit()]
    pointer = ""
    for token in path.split("."):
        pointer += "/" + token.removesuffix("[]")
        if token.endswith("[]"):
            if not indices:
                break
            pointer += "/" + indices.pop(0)
    return pointer
