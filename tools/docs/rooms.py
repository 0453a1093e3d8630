"""The generated part of `docs/architecture.md`: the rooms as the import contracts of `pyproject.toml` have them.

`make docs` writes it into the page; a test compares (tests/unit/test_rooms.py).
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: tools/docs/rooms.py -->", "<!-- rooms: end -->"
_MEMBER = re.compile(r"[\w.]+")


def contracts() -> list[Mapping[str, Any]]:
    """The contracts of import-linter, in the order of `pyproject.toml`."""
    found: list[Mapping[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
    return found


def rooms_document(found: Sequence[Mapping[str, Any]]) -> str:
    """What stands between the two marks of the page."""
    layers = dict(_layered(found))
    return f"\n{_drawing(layers)}\n{_rules(found)}\n{_table(layers)}\n"


def _layered(found: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Of each contract of layers, what contains them ("": the root packages), and the layers."""
    for contract in found:
        if contract["type"] == "layers":
            for container in contract.get("containers", [""]):
                yield container, contract["layers"]


def _drawing(layers: Mapping[str, list[str]]) -> str:
    return "```mermaid\nflowchart TB\n" + "\n".join(_level("", layers, "    ")) + "\n```\n"


def _level(container: str, layers: Mapping[str, list[str]], indent: str) -> Iterator[str]:
    """One node for each layer, or a frame where the layer has layers of its own; an arrow from each to the next."""
    names = []
    for number, layer in enumerate(layers[container], 1):
        inner = f"{container}.{layer}".lstrip(".")
        if inner in layers:
            name = inner.replace(".", "_")
            yield f'{indent}subgraph {name}["{layer}"]'
            yield from _level(inner, layers, indent + "    ")
            yield f"{indent}end"
        else:
            name = f"{container.replace('.', '_') or 'root'}_{number}"
            yield f'{indent}{name}["{layer}"]'
        names.append(name)
    yield from (f"{indent}{upper} --> {lower}" for upper, lower in pairwise(names))


def _rules(found: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| 约束 contract | 内容 what it says |", "|---|---|"]
    for contract in found:
        lines.append(f"| {contract['name'].replace('|', '/')} | {_said(contract)} |")
    return "\n".join(lines) + "\n"


def _said(contract: Mapping[str, Any]) -> str:
    match contract["type"]:
        case "layers":
            chain = " → ".join(contract["layers"]).replace("|", "\\|")
            where = ", ".join(f"`{one}`" for one in contract.get("containers", []))
            closed = "；每个成员都列入 every member is listed" if contract.get("exhaustive") else ""
            return f"{where + '：' if where else ''}{chain}{closed}"
        case "forbidden":
            sources, targets = (_listed(contract[name]) for name in ("source_modules", "forbidden_modules"))
            return f"{sources} 不直接导入 never import {targets}"
        case "independence":
            return f"{_listed(contract['modules'])} 互不导入 never import each other"
        case other:
            raise ValueError(f"no words for a contract of type {other}")


def _listed(modules: Sequence[str]) -> str:
    return ", ".join(f"`{one}`" for one in dict.fromkeys(modules))


def _table(layers: Mapping[str, list[str]]) -> str:
    """Every room with the first sentence of its docstring; of a room without layers, the rooms inside it too."""
    lines = ["| 室 room | 内容 what is in it |", "|---|---|"]
    for container, chain in layers.items():
        for member in (one for layer in chain for one in _MEMBER.findall(layer)):
            name = f"{container}.{member}".lstrip(".")
            # Adapters and matters are extended by files: a new one changes no page.
            inner = _rooms_in(name) if container and name not in layers else ()
            lines += [f"| `{room}` | {_first_sentence(room)} |" for room in (name, *inner)]
    return "\n".join(lines) + "\n"


def _rooms_in(room: str) -> list[str]:
    return [f"{room}.{found.parent.name}" for found in sorted(_path(room).glob("*/__init__.py"))]


def _first_sentence(module: str) -> str:
    path = _path(module)
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(source.read_text("utf-8")))
    if not docstring:
        raise ValueError(f"{source.relative_to(ROOT)} does not say what it is")
    words = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", words)[0].replace("|", "\\|")


def _path(module: str) -> Path:
    return ROOT.joinpath("library" if module.split(".", maxsplit=1)[0] == "lianzhi" else ".", *module.split("."))


def with_rooms(page: str, document: str) -> str:
    """The page with its generated part replaced."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{document}{END}{after}"
