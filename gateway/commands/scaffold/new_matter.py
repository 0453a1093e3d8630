"""`new matter`: the file of one more matter type, with labels, examples and linkage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from adapters.registry import kinds
from lianzhi.cli.output import console, own_errors_told
from lianzhi.errors import ConfigurationError
from schemas import linkages
from schemas.catalogue import UNWRITTEN, Kind, Shape, catalogue
from schemas.linkages import EVERY_REQUEST, EXCLUDED, WITHOUT_TYPES, Group

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z][a-z0-9]*(-[a-z0-9]+)*){2}")
_LONGEST_ZH, _LONGEST_EN, _WIDEST = 20, 60, 100
"""Characters that fit into a line of a form, and of the file."""
_GROUPS = {
    name.lower().replace("_", "-"): name
    for name, value in vars(linkages).items()
    if isinstance(value, Group) and value not in (EVERY_REQUEST, EXCLUDED)
}


def new_matter(
    name: Annotated[str, typer.Argument(help="名称，三段，如 witness.tour.announce Its name, three parts")],
    zh: Annotated[str, typer.Option("--zh", help="中文名称 Its name")],
    en: Annotated[str, typer.Option("--en", help="英文名称 Its name in English")],
    shape: Annotated[Shape, typer.Option(help="ask 须答复 is answered；notice 须回执 is read")] = Shape.ASK,
    sender: Annotated[list[str] | None, typer.Option(help="谁发出，可多类；默认法院 Who sends it")] = None,
    receiver: Annotated[list[str] | None, typer.Option(help="谁接收，可多类；默认院内部门 Who gets it")] = None,
    group: Annotated[
        str, typer.Option(help=f"联动的一组 Group of linkages: {', '.join(_GROUPS)}")
    ] = "court-and-others",
    tree: Annotated[Path, typer.Option(help="源代码的根目录 Root of the source tree")] = Path(),
) -> None:
    """新建事项：schemas/matters/<family>/ 里一个文件，可用，再改 A matter type: one file that works, to be changed."""
    with own_errors_told():
        path = write_matter(
            tree, name, zh, en, shape=shape, senders=sender or ["court"], receivers=receiver or ["office"], group=group
        )
    console.print(f"已写 Written: {path}", markup=False)
    console.print("下一步 Next:")
    console.print("  1 改成所要的内容 make of it what is wanted: docs/howto/new-matter-type.md")
    console.print(f"    带 {UNWRITTEN} 的须写好，否则检查不通过 checks refuse what still has this mark", markup=False)
    console.print("  2 对方有自己的方言的，adapters/ 里补字段 rows in adapters/, where a kind has a dialect of its own")
    console.print("  3 make docs; make check")


def write_matter(
    tree: Path,
    name: str,
    zh: str,
    en: str,
    *,
    shape: Shape = Shape.ASK,
    senders: Sequence[str] = ("court",),
    receivers: Sequence[str] = ("office",),
    group: str = "court-and-others",
    beside: str = "",
) -> Path:
    """Writes `schemas/matters/<family>/<thing>.py` into the tree: the first two parts of the name. A new family gets a
    folder. beside: a kind that is being written too. Returns the file. Raises ConfigurationError."""
    _check(name, zh, en, group)
    if unknown := {*senders, *receivers} - {*kinds(), beside}:
        raise ConfigurationError(
            f"{', '.join(sorted(unknown))}：没有这类单位，已知：{', '.join(kinds())}。 No such kind of partner."
        )
    if shape is Shape.ALERT:
        raise ConfigurationError(
            "预警随控制而来，先有控制的事项；照 schemas/matters/police/person_hit.py 写。 An alert comes of a control, "
            "whose types come first; write it as schemas/matters/police/person_hit.py."
        )
    family, thing, _ = name.split(".")
    matters = tree / "schemas" / "matters"
    file = matters / family.replace("-", "_") / f"{thing.replace('-', '_')}.py"
    if not matters.is_dir():
        raise ConfigurationError(f"不是源代码的根目录 not the root of the source tree: {tree.resolve()}")
    if file.exists():
        raise ConfigurationError(f"已有此文件 this file is there: {file}")
    template = Template((files("gateway.commands") / "templates" / f"{shape}.txt").read_text("utf-8"))
    words = {
        "name": name,
        "zh": zh,
        "en": en,
        "model": "".join(word.capitalize() for word in re.split(r"[.-]", f"{family}.{thing}")),
        "constant": f"{file.parent.name}_{file.stem}".upper(),
        "group": _GROUPS[group],
        "senders": _kinds(senders),
        "receivers": _kinds(receivers),
    }
    _open_family(file.parent, family)
    file.write_text(template.substitute(words), "utf-8")
    return file


def _open_family(folder: Path, family: str) -> None:
    """A folder without `__init__.py` would not be walked, and its types not be found."""
    folder.mkdir(exist_ok=True)
    if not (head := folder / "__init__.py").exists():
        head.write_text(f'"""The types whose names begin with `{family}.`."""\n', "utf-8")


def _check(name: str, zh: str, en: str, group: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name}：须为三段小写字母、数字。 Three parts of lower-case letters and digits.")
    if name in catalogue():
        raise ConfigurationError(f"{name}：已有此事项。 There is this type already.")
    check_names(zh, en)
    carried = [linkage for matter in catalogue().values() for linkage in matter.linkages]
    if zh in {linkage.zh for linkage in (*carried, *WITHOUT_TYPES)}:
        raise ConfigurationError(f"{zh}：已有同名的联动。 There is a linkage of this name already.")
    if group not in _GROUPS:
        raise ConfigurationError(f"--group {group}：可用 there are: {', '.join(_GROUPS)}")


def check_names(zh: str, en: str) -> None:
    """Raises ConfigurationError: what cannot stand in a file, or does not fit."""
    if not 0 < len(zh) <= _LONGEST_ZH or zh.isascii() or not zh.isprintable() or set(zh) & set('"\\$'):
        raise ConfigurationError(f"--zh 须为中文，至多 {_LONGEST_ZH} 字。 Chinese, at most {_LONGEST_ZH} characters.")
    if not 0 < len(en) <= _LONGEST_EN or not en.isascii() or not en.isprintable() or set(en) & set('"\\$'):
        raise ConfigurationError(f"--en 须为英文，至多 {_LONGEST_EN} 字符。 English, at most {_LONGEST_EN} characters.")


def _kinds(words: Iterable[str]) -> str:
    """As Python writes them; a kind that has no name in `Kind` by its word."""
    named = [f"Kind.{w.upper()}" if hasattr(Kind, w.upper()) else f'Kind("{w}")' for w in sorted(set(words))]
    if len(line := ", ".join(named)) <= _WIDEST:
        return f"frozenset({{{line}}})"
    return "frozenset(\n        {\n" + "".join(f"            {kind},\n" for kind in named) + "        }\n    )"
