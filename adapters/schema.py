"""JSON Schema (2020-12) of a partner's messages in its dialect: derived from the compiled table and the canonical
model, so that it cannot differ from them. Pure.

A member of the dialect has the bounds and the labels of the canonical one, translated by its codec. What is required
stays required, also where canonical objects are flattened: of an object that may be absent, its required members are
required once another of its members is there. There is no `null`: what is not there is left out (the adapters pass
over a null). A rule of a model that JSON Schema does not tell is not told here either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel

from adapters.plan import Level, Step
from adapters.wording import Json, kept, plain

HEAD_FIRST = (-1,)
SHARED_FROM = 4  # members that make an object worth a definition of its own


def body_schema(
    level: Level, model: type[BaseModel], head: Sequence[str], definitions: MutableMapping[str, Any]
) -> Json | None:
    """The body and the codes in clear (`head`) together; None where a codec does not tell what it says.

    definitions: gains what is worth a name; the schema refers to it by `#/definitions/…`."""
    whole = json.loads(_canonical(model))
    builder = _Builder(whole.get("$defs", {}), definitions)
    try:
        return builder.message(level, whole, head)
    except _UntoldError:
        return None


def delivered_form(level: Level) -> dict[str, str] | None:
    """The body of `delivered` as templates (`lianzhi.partner.delivered`); None where they do not suffice."""
    form: dict[str, str] = {}
    for step in level.steps:
        template = _TEMPLATES.get(step.key)
        if step.codec is not None:
            template = f"{{time:{step.codec.clock}}}" if step.codec.clock and step.key == "stored_at" else None
        if template is None or step.into or len(step.names) > 1:
            return None
        form[step.names[0]] = template
    return form


_TEMPLATES = {"stored_at": "{time:%Y-%m-%dT%H:%M:%S}+08:00", "system": "{system}"}


@cache
def _canonical(model: type[BaseModel]) -> str:
    return json.dumps(model.model_json_schema(), ensure_ascii=False)


class _UntoldError(Exception):
    """A codec without `said`."""


@dataclass(frozen=True, slots=True)
class _Object:
    """A canonical object. about: the member that it is."""

    schema: Json
    about: Json

    @property
    def members(self) -> Json:
        found: Json = self.schema.get("properties", {})
        return found

    @property
    def required(self) -> Sequence[str]:
        found: Sequence[str] = self.schema.get("required", ())
        return found


@dataclass(frozen=True, slots=True)
class _Said:
    """A member of the dialect. path: in its scope. slots: the canonical objects that it stands in, the scope first."""

    path: tuple[str, ...]
    schema: Json
    slots: tuple[int, ...]


@dataclass(slots=True)
class _Scope:
    """What is known of one object scope. needs: (members of which one must be there, the slot of the optional object
    that asks for it, 0: always). about: the canonical schema of what stands in each slot."""

    said: list[_Said] = field(default_factory=list)
    needs: list[tuple[tuple[tuple[str, ...], ...], int]] = field(default_factory=list)
    rules: dict[tuple[str, ...], list[Json]] = field(default_factory=dict)
    about: dict[int, Json] = field(default_factory=dict)


class _Builder:
    def __init__(self, defs: Mapping[str, Any], definitions: MutableMapping[str, Any]) -> None:
        self.defs = defs
        self.definitions = definitions

    def message(self, level: Level, whole: Json, head: Sequence[str]) -> Json:
        (chosen,) = self._choices(level, whole)
        scope = _Scope()
        required = whole.get("required", [])
        for name in head:
            scope.said.append(_Said((name,), self._leaf(whole["properties"][name]), (0,)))
            if name in required:
                scope.needs.append((((name,),), 0))
        self._fill(scope, level, chosen)
        for rule in self._conditions(level, whole, head):
            scope.rules.setdefault((), []).append(rule)
        return _Layout(scope, self).object(())

    def items(self, level: Level, canonical: Json, name: str) -> Json:
        """The items of a list of objects: several kinds of them where the canonical items are a union."""
        found = []
        for chosen in self._choices(level, canonical):
            scope = _Scope()
            self._fill(scope, level, chosen)
            found.append(_Layout(scope, self).object(()))
        return self.shared(name, found[0] if len(found) == 1 else {"anyOf": found})

    def shared(self, name: str, schema: Json) -> Json:
        """A reference to it, under its own name in the dialect, where it is worth one."""
        if "anyOf" not in schema and len(schema["properties"]) < SHARED_FROM:
            return schema
        about = kept(schema)
        shape = {key: value for key, value in schema.items() if key not in about}
        number, called = 1, name
        while self.definitions.setdefault(called, shape) != shape:
            number += 1
            called = f"{name}-{number}"
        return {"$ref": f"#/definitions/{called.replace('~', '~0').replace('/', '~1')}", **about}

    def _choices(self, level: Level, canonical: Json) -> list[dict[int, _Object]]:
        """The canonical object in each slot: once for each choice of the unions among them. Without those that the
        choice does not have."""
        choices = [{0: _Object(one, canonical)} for one in self._objects(canonical)]
        for slot, (parent, key) in enumerate(level.slots, start=1):
            grown = []
            for choice in choices:
                about = choice[parent].members.get(key) if parent in choice else None
                grown += [{**choice, slot: _Object(one, about)} for one in self._objects(about)] if about else [choice]
            choices = grown
        return choices

    def _objects(self, schema: Json) -> list[Json]:
        """The object, or each of a union, without references and null."""
        schema = self._resolved(schema)
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return [one for part in schema[union] for one in self._objects(part)]
        return [schema] if schema.get("type") == "object" else []

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = {
                **self.defs[schema["$ref"].rpartition("/")[2]],
                **{k: v for k, v in schema.items() if k != "$ref"},
            }
        return schema

    def _fill(self, scope: _Scope, level: Level, chosen: Mapping[int, _Object]) -> None:
        line: dict[int, tuple[int, ...]] = {0: (0,)}
        owner = {0: 0}
        scope.about = {slot: one.about for slot, one in chosen.items()}
        for slot, (parent, key) in enumerate(level.slots, start=1):
            if slot in chosen:
                line[slot] = (*line[parent], slot)
                owner[slot] = owner[parent] if key in chosen[parent].required else slot
        for step in level.steps:
            if step.slot not in chosen or step.key not in (members := chosen[step.slot].members):
                continue
            required = step.key in chosen[step.slot].required
            paths = tuple((*step.into, name) for name in step.names)
            schemas = self._schemas(step, members[step.key])
            scope.said += [_Said(p, s, line[step.slot]) for p, s in zip(paths, schemas, strict=True)]
            if required:
                scope.needs.append((paths, owner[step.slot]))
            if step.codec is not None and step.codec.together is not None:
                scope.rules.setdefault(step.into, []).extend(step.codec.together(step.names))

    def _schemas(self, step: Step, canonical: Json) -> Sequence[Json]:
        """Of each member that the step is said in."""
        if step.items is not None:
            shape = plain(self._resolved(canonical))
            items = self.items(step.items, shape["items"], step.names[0])
            bounds = {k: v for k, v in shape.items() if k in ("minItems", "maxItems", "uniqueItems")}
            return [{**kept(shape), "type": "array", "items": items, **bounds}]
        schema = self._leaf(canonical)
        if step.codec is None:
            return [schema]
        if step.codec.said is None:
            raise _UntoldError
        return step.codec.said(schema)

    def _leaf(self, schema: Json) -> Json:
        """Without references, null and default."""
        return plain(self._inlined(schema))

    def _inlined(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return [self._inlined(part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        return {key: self._inlined(part) for key, part in self._resolved(schema).items()}

    def _conditions(self, level: Level, whole: Json, head: Sequence[str]) -> Iterator[Json]:
        """`if` and `then` of the message as a whole, where every member that they name is said as it is."""
        names = {name: name for name in head}
        for step in level.steps:
            if step.slot == 0 and not step.into and len(step.names) == 1 and step.codec is None:
                names[step.key] = step.names[0]
        parts = {key: whole[key] for key in ("if", "then", "else") if key in whole}
        named = {name for part in parts.values() for name in part.get("properties", {})}
        if "if" in parts and named <= names.keys() and all(part.keys() <= {"properties"} for part in parts.values()):
            yield {
                key: {"properties": {names[name]: told for name, told in part["properties"].items()}}
                for key, part in parts.items()
            }


class _Layout:
    """From the members of a scope to nested objects."""

    def __init__(self, scope: _Scope, builder: _Builder) -> None:
        self.scope = scope
        self.builder = builder
        self.required: dict[tuple[str, ...], set[str]] = {}
        self.dependent: dict[tuple[str, ...], dict[str, set[str]]] = {}
        self.rules = {path: [*rules] for path, rules in scope.rules.items()}
        for paths, owner in scope.needs:
            self._need(paths, owner)

    def object(self, at: tuple[str, ...]) -> Json:
        inside = self._inside(at)
        properties: Json = {}
        for said in inside:
            name = said.path[len(at)]
            if said.path == (*at, name):
                if name in properties:
                    raise ValueError(f"two members are called {name}")
                properties[name] = said.schema
            elif name not in properties:
                nested = self.object((*at, name))
                properties[name] = self.builder.shared(name, nested)
        required = self.required.get(at, set())
        dependent = self.dependent.get(at, {})
        rules = self.rules.get(at, [])
        found: Json = {**self._about(at), "type": "object", "properties": properties}
        if required:
            found["required"] = [name for name in properties if name in required]
        needed = {
            name: [other for other in properties if other in others and other not in required]
            for name, others in dependent.items()
        }
        if needed := {name: others for name, others in needed.items() if others}:
            found["dependentRequired"] = needed
        if rules:
            found["allOf"] = rules
        found["additionalProperties"] = False
        return found

    def _inside(self, at: tuple[str, ...]) -> list[_Said]:
        return [said for said in self.scope.said if said.path[: len(at)] == at]

    def _about(self, at: tuple[str, ...]) -> Json:
        """What the canonical object is called whose members, and no others, make up this one."""
        if not at:
            return {}
        inside = self._inside(at)
        for slot in inside[0].slots:
            if slot and all(slot in said.slots for said in inside):
                everything = [said for said in self.scope.said if slot in said.slots]
                if len(everything) == len(inside):
                    return kept(self.scope.about[slot])
        return {}

    def _need(self, paths: tuple[tuple[str, ...], ...], owner: int) -> None:
        """One of `paths` must be there: always, or once anything else of the optional object in slot `owner` is."""
        into = paths[0][:-1]
        names = [path[-1] for path in paths]
        start = self._own_object(into, owner)
        if start is not None:
            for length in range(start, len(into)):
                self.required.setdefault(into[:length], set()).add(into[length])
            self._one_of(into, names)
            return
        for said in self.scope.said:
            if owner in said.slots and said.path not in paths:
                self._follows(said.path, paths, owner)

    def _own_object(self, into: tuple[str, ...], owner: int) -> int | None:
        """How long the path is of the outermost object that stands for the optional one; None: it has none."""
        if owner == 0:
            return 0
        mine = [said for said in self.scope.said if owner in said.slots]
        for length in range(1, len(into) + 1):
            inside = self._inside(into[:length])
            if len(inside) == len(mine) and all(owner in said.slots for said in inside):
                return length
        return None

    def _one_of(self, into: tuple[str, ...], names: Sequence[str]) -> None:
        if len(names) == 1:
            self.required.setdefault(into, set()).update(names)
        else:
            choice = {"anyOf": [{"required": [name]} for name in names]}
            self.rules.setdefault(into, []).append(choice)

    def _follows(self, given: tuple[str, ...], paths: tuple[tuple[str, ...], ...], owner: int) -> None:
        """Where `given` is, one of `paths` must be."""
        wanted = paths[0]
        length = next(i for i, (a, b) in enumerate(zip(given, wanted, strict=False)) if a != b)
        at, trigger = wanted[:length], given[: length + 1]
        if not all(owner in said.slots for said in self._inside(trigger)):
            return  # that object may be there for another's sake
        if len(paths) > 1 and len(wanted) == length + 1:
            choice = {"anyOf": [{"required": [path[-1]]} for path in paths]}
            rule = {"if": {"required": [trigger[-1]]}, "then": choice}
            if rule not in self.rules.setdefault(at, []):
                self.rules[at].append(rule)
            return
        self.dependent.setdefault(at, {}).setdefault(trigger[-1], set()).add(wanted[length])
        for deeper in range(length + 1, len(wanted)):
            if all(owner in said.slots for said in self._inside(wanted[:deeper])):
                self.required.setdefault(wanted[:deeper], set()).add(wanted[deeper])
