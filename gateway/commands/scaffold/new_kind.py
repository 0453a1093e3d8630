"""`new kind`: the folder of one more kind of partner, and the first matter type that it gets."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from adapters.registry import kinds
from gateway.commands.scaffold.new_matter import check_names, write_matter
from lianzhi.cli.output import console
from lianzhi.errors import ConfigurationError

_WORD = re.compile(r"[a-z][a-z0-9]{1,30}")


def new_kind(
    word: Annotated[str, typer.Argument(help="类别，一个词，如 forestry Its word")],
    zh: Annotated[str, typer.Option("--zh", help="这类单位叫什么 What the kind is called")],
    en: Annotated[str, typer.Option("--en", help="英文名称 The same in English")],
    matter: Annotated[str, typer.Option("--matter", help="它收的第一个事项，三段 The first type that it gets")],
    title: Annotated[str, typer.Option("--title", help="该事项的中文名称 What the type is called")],
    title_en: Annotated[str, typer.Option("--title-en", help="该事项的英文名称 The same in English")],
    tree: Annotated[Path, typer.Option(help="源代码的根目录 Root of the source tree")] = Path(),
) -> None:
    """新建一类单位：adapters/ 里一个文件夹和一个事项，写好即可用，再改 A kind: a folder and a type, to be changed."""
    folder = tree / "adapters" / word
    if not _WORD.fullmatch(word):
        raise ConfigurationError(f"{word}：须为小写字母、数字，字母开头。 Lower-case letters, digits; a letter first.")
    if word in kinds() or folder.exists():
        raise ConfigurationError(f"{word}：已有这类单位：{', '.join(kinds())}。 There is this kind already.")
    check_names(zh, en)
    written = write_matter(tree, matter, title, title_en, receivers=(word,), beside=word)
    folder.mkdir()
    template = Template((files("gateway.commands") / "templates" / "kind.txt").read_text("utf-8"))
    source = template.substitute(word=word, zh=zh, en=en, matter=matter)
    (folder / "__init__.py").write_text(source, "utf-8")
    console.print(f"已写 Written: {folder}/__init__.py, {written}", markup=False)
    console.print("下一步 Next:")
    console.print("  1 改字段、不给看的 its own names, what it may not see: docs/howto/new-kind-of-partner.md")
    console.print("  2 make docs; make check")
    console.print(f"  3 lianzhi new participant CODE --kind {word} …")
