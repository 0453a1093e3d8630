"""Figures of the code: how much there is, in which parts, the sizes of rooms, modules and functions, duplicates.

    python -m tools.house_figures [FOLDER…]        one table, a column for each folder (default: this one)

A folder is a checkout; of another commit: `git worktree add ../old f2027db`. Code lines are the lines on which a token
of code stands, so neither blank nor comment nor docstring (`tokenize`, `ast`). Two functions are duplicates when they
differ only in the names of their arguments and variables, in annotations and docstrings; those of fewer than `LEAST`
nodes of the syntax tree are alike by chance and do not count.
"""

from __future__ import annotations

import ast
import copy
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

PRODUCT = ("library", "schemas", "adapters", "gateway", "simulation")
OTHER = ("tests", "bench", "tools")
LEAST = 40
OFTEN = 5
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class Module:
    """lines: as an editor counts them. comments: of lines that hold nothing else. functions: lines of each."""

    path: Path
    lines: int
    code: int
    docstrings: int
    comments: int
    functions: tuple[int, ...]


def read(path: Path, root: Path) -> Module:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    docstrings = set(_docstring_lines(tree))
    code: set[int] = set()
    comments: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in _NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    code -= docstrings
    functions = (
        node.end_lineno - node.lineno + 1
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno
    )
    return Module(
        path.relative_to(root),
        len(text.splitlines()),
        len(code),
        len(docstrings),
        len(comments - code - docstrings),
        tuple(functions),
    )


def _docstring_lines(tree: ast.Module) -> Iterator[int]:
    """The docstrings of modules, classes and functions, and the texts that stand below a constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            assert node.end_lineno is not None
            yield from range(node.lineno, node.end_lineno + 1)


def duplicate_pairs(trees: Iterable[ast.Module]) -> int:
    """How many pairs of functions are duplicates of each other."""
    shapes = Counter(shape for tree in trees for node in ast.walk(tree) if (shape := _shape(node)) is not None)
    return sum(count * (count - 1) // 2 for count in shapes.values())


def _shape(node: ast.AST) -> str | None:
    """The function without what it calls its own things; None: no function, or a small one."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    node = copy.deepcopy(node)
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body.pop(0)
    node.name, node.returns, node.decorator_list = "", None, []
    own = {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
    own |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    names: dict[str, str] = {}
    for one in ast.walk(node):
        if isinstance(one, ast.arg):
            one.arg, one.annotation = names.setdefault(one.arg, str(len(names))), None
        elif isinstance(one, ast.Name) and one.id in own:
            one.id = names.setdefault(one.id, str(len(names)))
    return ast.dump(node) if sum(1 for _ in ast.walk(node)) >= LEAST else None


def parameter_names(trees: Sequence[ast.Module]) -> dict[str, set[str]]:
    """Class of ours → the names that parameters of that type have; of classes that `OFTEN` parameters or more have."""
    ours = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    found: dict[str, list[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.arg) and isinstance(node.annotation, ast.Name) and node.annotation.id in ours:
                found.setdefault(node.annotation.id, []).append(node.arg)
    return {kind: set(names) for kind, names in found.items() if len(names) >= OFTEN}


def modules(root: Path, parts: Sequence[str]) -> list[Module]:
    """Those of `parts`, without migrations that are kept as they were written."""
    return [read(path, root) for path in _paths(root, parts)]


def _paths(root: Path, parts: Sequence[str]) -> list[Path]:
    found = (path for part in parts for path in (root / part).rglob("*.py"))
    return [path for path in sorted(found) if "versions" not in path.parts]


def figures(root: Path) -> dict[str, str]:
    """By the words of each row."""
    product = modules(root, PRODUCT)
    code, lines = sum(m.code for m in product), sum(m.lines for m in product)
    by_part = {part: [m for m in product if m.path.parts[0] == part] for part in PRODUCT}
    rooms = Counter(m.path.parent for m in product if m.path.name != "__init__.py")
    room, files = rooms.most_common(1)[0]
    sizes = [m.lines for m in product if m.path.name != "__init__.py"]
    functions = [size for m in product for size in m.functions]
    others = {part: modules(root, [part]) for part in OTHER}
    trees = [ast.parse(path.read_text("utf-8")) for path in _paths(root, PRODUCT)]
    return {
        "代码行 code lines": f"{code:,}",
        **{
            f"— {part}：文件、代码行 files, code lines": f"{len(some)}, {sum(m.code for m in some):,}" if some else "–"
            for part, some in by_part.items()
        },
        "最大的室 largest room": f"{room}, {files} 个文件 files",
        "重复的函数对 duplicate pairs of functions": str(duplicate_pairs(trees)),
        "同类参数的名称数 names of parameters of one type: median / 90 % / max": _names(parameter_names(trees)),
        "模块行数 module lines: median / 90 % / max": _spread(sizes),
        "函数行数 function lines: median / 90 % / max": _spread(functions),
        "文档字符串占行 docstrings, of lines": _share(sum(m.docstrings for m in product), lines),
        "独行注释占行 own-line comments, of lines": _share(sum(m.comments for m in product), lines),
        **{
            f"{part}：文件、代码行 files, code lines": f"{len(some)}, {sum(m.code for m in some):,}"
            for part, some in others.items()
        },
    }


def _spread(sizes: Sequence[int]) -> str:
    return f"{median(sizes):.0f} / {quantiles(sizes, n=10)[-1]:.0f} / {max(sizes)}"


def _names(names: Mapping[str, set[str]]) -> str:
    if len(names) < 2:
        return "–"
    widest = max(names, key=lambda kind: len(names[kind]))
    return f"{_spread([len(some) for some in names.values()])} ({widest})"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def figures_table(columns: dict[str, dict[str, str]]) -> str:
    """columns: heading → figures; all of the same rows."""
    head = ["|  | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    rows = next(iter(columns.values()))
    return "\n".join([*head, *(f"| {row} | " + " | ".join(c[row] for c in columns.values()) + " |" for row in rows)])


if __name__ == "__main__":
    folders = [Path(name).resolve() for name in sys.argv[1:]] or [Path(__file__).parents[1]]
    print(figures_table({folder.name: figures(folder) for folder in folders}))
