"""Options that several commands of operators share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path,
    typer.Option("--dir", envvar="LIANZHI_FOLDER", readable=False, help="安装目录 Folder of the installation"),
]
"""An operator may pass through it, and not read it."""

Why = Annotated[
    str,
    typer.Option("--why", help="理由，一行，不写姓名和号码 Why, in one line, without names and numbers of people"),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="条数上限 At most so many")]
