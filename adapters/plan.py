"""A compiled message: flat tuples that encode, decode and prune one object without looking anything up.

A `Level` is one object scope: the message itself, or one item of a list of objects. Canonical objects inside it
are numbered slots (slot 0 is the scope itself); dialect objects inside it are paths (`into`). Both directions
walk the same `Step`s, so what is encoded is what is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from adapters.codecs import Codec, in_turn, typed
from adapters.contract import AdapterError

Value = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One canonical member: `key` of the object in `slot` ↔ dialect `names` in the dialect object `into`.

    rank: its place in the dialect body. path: canonical, inside the level. items: the level of a list's items.
    """

    rank: tuple[int, ...]
    slot: int
    key: str
    path: str
    into: tuple[str, ...]
    names: tuple[str, ...]
    codec: Codec | None = None
    items: Level | None = None

    @property
    def encode(self) -> Value | None:
        if self.items:
            return self.items.encode_list
        return self.codec.encode if self.codec else None

    @property
    def decode(self) -> Value | None:
        if self.items:
            return self.items.decode_list
        return self.codec.decode if self.codec else None

    @property
    def see(self) -> Value | None:
        if self.items:
            return self.items.visible_list
        return self.codec.see if self.codec else None


@dataclass(slots=True)
class _Place:
    """An object of the dialect. slot: the innermost canonical object whose members, and no others, it holds; 0: none.
    To say the one is to say the other, be it empty: what it requires is then missing, as the schema of it says."""

    members: dict[str, Any] = field(default_factory=dict)
    slot: int = 0


@dataclass(slots=True)
class Level:
    """slots: (parent slot, key) of every canonical object below the scope, parents first."""

    slots: list[tuple[int, str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    _writes: list[tuple[int, str, tuple[str, ...], str, tuple[str, ...], Value | None, str]] = field(
        default_factory=list
    )
    _reads: _Place = field(default_factory=_Place)
    _looks: list[tuple[int, str, Value | None]] = field(default_factory=list)

    def freeze(self) -> None:
        """Order the steps and lay out the tuples. Raises ValueError when two members share a dialect name."""
        self.steps.sort(key=lambda s: s.rank)
        for s in self.steps:
            many = s.names if len(s.names) > 1 else ()
            self._writes.append((s.slot, s.key, s.into, s.names[0], many, s.encode, s.path))
            self._looks.append((s.slot, s.key, s.see))
            place = self._reads
            for depth, name in enumerate(s.into, start=1):
                if name not in place.members:
                    place.members[name] = _Place(slot=self._own_slot(s.into[:depth]))
                place = place.members[name]
                if not isinstance(place, _Place):
                    raise ValueError(f"{name} is both an object and a value ({s.path})")
            read = (s.slot, s.key, s.decode, many)
            for name in s.names:
                if place.members.setdefault(name, read) is not read:
                    raise ValueError(f"two members are both called {'.'.join((*s.into, name))}; one is {s.path}")

    def _own_slot(self, path: tuple[str, ...]) -> int:
        """The innermost canonical object of which all members, and nothing else, are said in the object at `path`."""
        inside = [s for s in self.steps if s.into[: len(path)] == path]
        for slot in self._line(inside[0].slot):
            if [s for s in self.steps if slot in self._line(s.slot)] == inside:
                return slot
        return 0

    def _line(self, slot: int) -> list[int]:
        """The slot and those that it stands in, without the scope itself."""
        found = []
        while slot:
            found.append(slot)
            slot = self.slots[slot - 1][0]
        return found

    def encode(self, source: Mapping[str, Any]) -> dict[str, Any]:
        """Canonical object → dialect object. Raises AdapterError with a canonical pointer."""
        objects = self._objects(source)
        out: dict[str, Any] = {}
        for slot, key, into, name, many, encode, path in self._writes:
            owner = objects[slot]
            if owner is None or (value := owner.get(key)) is None:
                continue
            if encode is not None:
                try:
                    value = encode(value)
                except AdapterError as error:
                    raise error.below("/" + path.replace(".", "/")) from None
            place = out
            for step in into:
                place = place.setdefault(step, {})
            if many:
                place.update((n, v) for n, v in zip(many, value, strict=True) if v is not None)
            else:
                place[name] = value
        return out

    def decode(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Dialect object → canonical object. Raises AdapterError with a pointer into `body`."""
        objects: list[dict[str, Any] | None] = [{}, *[None] * len(self.slots)]
        self._read(body, self._reads, objects)
        return self._object(objects, 0)

    def visible(self, source: Mapping[str, Any]) -> dict[str, Any]:
        """The canonical object without what the dialect does not say."""
        objects = self._objects(source)
        out: list[dict[str, Any] | None] = [{}, *[None] * len(self.slots)]
        for slot, key, see in self._looks:
            owner = objects[slot]
            if owner is None or (value := owner.get(key)) is None:
                continue
            if see is not None and (value := see(value)) is None:
                continue
            self._object(out, slot)[key] = value
        return self._object(out, 0)

    def encode_list(self, items: list[Any]) -> list[Any]:
        return in_turn(self.encode, items)

    def decode_list(self, items: Any) -> list[Any]:
        return in_turn(self.decode, typed(items, list))

    def visible_list(self, items: list[Any]) -> list[Any]:
        return [self.visible(item) for item in items]

    def _objects(self, source: Mapping[str, Any]) -> list[Mapping[str, Any] | None]:
        objects: list[Mapping[str, Any] | None] = [source]
        for parent, key in self.slots:
            owner = objects[parent]
            objects.append(owner.get(key) if owner is not None else None)
        return objects

    def _object(self, objects: list[dict[str, Any] | None], slot: int) -> dict[str, Any]:
        """The object in `slot`, made, together with those that it stands in, when first wanted."""
        found = objects[slot]
        if found is None:
            parent, key = self.slots[slot - 1]
            found = objects[slot] = self._object(objects, parent).setdefault(key, {})
        return found

    def _read(self, body: Any, place: _Place, objects: list[dict[str, Any] | None]) -> None:
        if not isinstance(body, Mapping):
            raise AdapterError("", "wrong-type", "应为对象", "Must be an object")
        if place.slot:
            self._object(objects, place.slot)
        for name, value in body.items():
            at = name
            try:
                read = place.members.get(name) or _unknown()
                if value is None:
                    continue
                if isinstance(read, _Place):
                    self._read(value, read, objects)
                    continue
                slot, key, decode, many = read
                owner = self._object(objects, slot)
                if not many:
                    owner[key] = value if decode is None else decode(value)
                elif key not in owner:  # else another of its members has said it already
                    try:
                        owner[key] = decode(tuple(body.get(n) for n in many))
                    except AdapterError as error:
                        at = many[int(error.pointer[1:])] if error.pointer else name
                        raise AdapterError("", error.rule, error.zh, error.en) from None
            except AdapterError as error:
                raise error.below(f"/{at[:80].replace('~', '~0').replace('/', '~1')}") from None


def _unknown() -> NoReturn:
    raise AdapterError(
        "", "unknown-member", "字段规范中没有这一项，请删除或核对名称", "The dialect has no such member; check its name"
    )
