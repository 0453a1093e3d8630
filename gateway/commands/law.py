"""`lianzhi law`: the tables of the law as this court has them, and where each row comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any

import typer

from gateway.registry.config import DEFAULT_FOLDER
from gateway.registry.law_files import LAW, load_law
from lianzhi.cli.output import MISUSE, AsJson, Folder, as_json, console, fail, own_errors_told
from schemas.law.force import Entry, Law, Table
from schemas.law.reading import SUFFIX
from schemas.law.tables import BY_NAME, TABLES

law_app = typer.Typer(help="法律表 Tables of the law", no_args_is_help=True)
_COMMON = frozenset(field.name for field in fields(Entry))


@law_app.command("list")
def law_list(
    table: Annotated[str, typer.Argument(help="只看一张表 One table only")] = "",
    folder: Folder = DEFAULT_FOLDER,
    json_out: AsJson = False,
) -> None:
    """各表的行、依据、来源；? 为本产品的理解 Every row, its source, whose it is; ? marks a reading of ours."""
    if table and table not in BY_NAME:
        fail(f"{table}：没有这张表 No such table. 可用 Known: {', '.join(BY_NAME)}", MISUSE)
    with own_errors_told():
        tables = load_law(folder)
    wanted = [BY_NAME[table]] if table else list(TABLES)
    if json_out:
        as_json([row for one in wanted for row in _rows(tables, one)])
        return
    for one in wanted:
        console.paragraph(f"{one.zh} {one.en} ({LAW}/{one.name}{SUFFIX})", later="  ", style="bold")
        for row in _rows(tables, one):
            for line in _lines(row):
                console.paragraph(line, later="        ")


def _rows(tables: Law, table: Table[Any]) -> Iterator[dict[str, object]]:
    for row, from_file in tables.all(table):
        own = {
            field.name: getattr(row, field.name) for field in fields(row) if field.name not in _COMMON.union(table.key)
        }
        yield {
            "table": table.name,
            "key": table.key_of(row),
            "entry": own,
            "source": row.source,
            "since": row.since.isoformat(),
            "until": row.until.isoformat() if row.until else None,
            "reading": row.reading,
            "from": f"{LAW}/{table.name}{SUFFIX}" if from_file else "default",
        }


def _lines(row: dict[str, Any]) -> Iterator[str]:
    """One row for people: its key, then what it says, then what it rests on."""
    members = [f"{name}={value}" for name, value in row["entry"].items() if value not in (None, "")]
    dates = row["since"] + (f" – {row['until']}" if row["until"] else "")
    whose = "默认 default" if row["from"] == "default" else row["from"]
    yield f"  {row['key']}  {dates}  {whose}{'  ?' if row['reading'] else ''}"
    yield f"      {'  '.join(members)}"
    yield f"      依据 source: {row['source']}"
