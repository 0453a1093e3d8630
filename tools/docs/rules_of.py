"""Which rules a validator can raise, and where: read out of its source, through everything of ours that it calls."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType
from typing import Any

from pydantic import BaseModel

Raised = tuple[str, str]
"""(rule, JSON pointer below what is validated; "" for the thing itself, "*" for a place that only the value tells)."""
FROM_CALLER, RULE_OF_CALLER = "{at}", "{rule}"


def raised_by(function: Callable[..., Any], owner: type | None = None) -> frozenset[Raised]:
    """Of a validator. owner: the model, when it is one of its methods."""
    plain = inspect.unwrap(getattr(function, "__func__", function))
    return frozenset(_calls(plain, owner, frozenset({plain}))) if isinstance(plain, FunctionType) else frozenset()


def of_model(model: type[BaseModel]) -> frozenset[Raised]:
    """By the validators of the model as a whole."""
    validators = model.__pydantic_decorators__.model_validators.values()
    return frozenset(found for one in validators for found in raised_by(one.func, model))


def of_member(model: type[BaseModel], name: str) -> frozenset[Raised]:
    """By the model's validators of one member."""
    validators = model.__pydantic_decorators__.field_validators.values()
    return frozenset(found for one in validators if name in one.info.fields for found in raised_by(one.func, model))


@cache
def _tree(function: FunctionType) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef), function
    return tree


def _calls(function: FunctionType, owner: type | None, above: frozenset[FunctionType]) -> Iterator[Raised]:
    for node in ast.walk(_tree(function)):
        if not isinstance(node, ast.Call):
            continue
        places = _places(next((k.value for k in node.keywords if k.arg == "at"), None))
        if isinstance(node.func, ast.Name) and node.func.id == "broken":
            rule = _rule_said(node.args[0])
            assert rule is not None, f"{function} raises a rule whose name is made"
            yield from ((rule, place) for place in places)
            continue
        called = _called(node.func, function, owner)
        if called is not None and called not in above:
            given = _rule_said(next((k.value for k in node.keywords if k.arg == "rule"), None))
            for rule, inner in _calls(called, owner, above | {called}):
                named = rule if rule != RULE_OF_CALLER else given or _default(called, "rule")
                yield from ((named, place) for place in _filled(called, inner, places))


def _called(name: ast.expr, function: FunctionType, owner: type | None) -> FunctionType | None:
    """A function of ours: by its name, or a method of the model."""
    if isinstance(name, ast.Name):
        found = _named(function, name.id)
    elif isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name) and name.value.id in ("self", "cls"):
        found = getattr(owner, name.attr, None)
    else:
        return None
    found = getattr(found, "__func__", found)
    found = inspect.unwrap(found) if callable(found) else found
    return found if isinstance(found, FunctionType) and found.__module__.startswith(("schemas.", "lianzhi.")) else None


def _named(function: FunctionType, name: str) -> Any:
    """What a name stands for in a function: what it closes over, as a check that is wrapped, else of its module."""
    closed = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    return closed[name].cell_contents if name in closed else function.__globals__.get(name)


def _places(said: ast.expr | None) -> list[str]:
    """`at=` as it is written; a name stays one, for whoever calls to fill in."""
    if said is None:
        return [""]
    if isinstance(said, ast.IfExp):
        return _places(said.body) + _places(said.orelse)
    if isinstance(said, ast.Constant):
        return [str(said.value)]
    return [FROM_CALLER if isinstance(said, ast.Name) and said.id == "at" else "*"]


def _rule_said(said: ast.expr | None) -> str | None:
    """The rule as it is written; a parameter `rule` stays one, for whoever calls to fill in."""
    if isinstance(said, ast.Constant):
        return str(said.value)
    return RULE_OF_CALLER if isinstance(said, ast.Name) and said.id == "rule" else None


def _filled(called: FunctionType, inner: str, places: list[str]) -> list[str]:
    if inner != FROM_CALLER:
        return [inner]
    if places != [""]:
        return places
    return [_default(called, "at")]


def _default(called: FunctionType, parameter: str) -> str:
    """`*` where the caller has to say it and says what only the value tells."""
    default = inspect.signature(called).parameters[parameter].default
    return default if isinstance(default, str) else "*"
