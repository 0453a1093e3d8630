"""`new participant`: the file of one more organisation, complete and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.registry import partners
from gateway.commands.setup.alone import one_at_a_time
from gateway.registry.config import DEFAULT_FOLDER, load_config
from gateway.registry.installation import Installation
from gateway.registry.participants import form_of
from gateway.registry.setup.first_steps import BROKER_APPLY
from gateway.registry.setup.participant_rules import unknown_patterns
from lianzhi.cli.output import Folder, console
from lianzhi.errors import ConfigurationError
from schemas.catalogue import Kind, catalogue


@dataclass(frozen=True, slots=True)
class Patterns:
    """Types, or patterns of them, that a participant is asked and may open; empty: all of its kind."""

    accepts: Sequence[str] = ()
    opens: Sequence[str] = ()


ALL = Patterns()


@one_at_a_time
def new_participant(
    code: Annotated[str, typer.Argument(help="单位编号，如 police-610114 Its code")],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            help="哪类，如 police、court、grid Which kind: a folder of adapters/",
        ),
    ],
    zh: Annotated[str, typer.Option("--zh", help="中文名称 Its name")],
    en: Annotated[str, typer.Option("--en", help="英文名称 Its name in English")],
    folder: Folder = DEFAULT_FOLDER,
    http: Annotated[bool, typer.Option("--http", help="用接口，不用队列 By the API instead of queues")] = False,
    dialect: Annotated[str | None, typer.Option(help="方言；默认为该类单位的 By default its kind's")] = None,
    division: Annotated[str | None, typer.Option(help="区划代码 Division")] = None,
    court_code: Annotated[str | None, typer.Option(help="法院代字，仅法院 Court code, of courts")] = None,
    dept: Annotated[str | None, typer.Option(help="哪个部门，仅部门 Which one, of departments")] = None,
) -> None:
    """新建单位文件，列入该类单位能收、能发起的全部事项。 An organisation's file, with every type of its kind."""
    path = write_participant(
        load_config(folder).folder, code, kind, zh, en, http=http,
        dialect=dialect, division=division, court_code=court_code, dept=dept,
    )  # fmt: skip
    console.print(f"已写 Written: {path}", markup=False)
    console.print("下一步 Next:")
    console.print("  1 从 accepts、opens 删去不用的事项 take out the types that it is not to get or to open")
    owner = "" if http else " --handover"
    console.print(f"  2 lianzhi keys new {code} sig 1{owner}; lianzhi keys new {code} enc 1{owner}")
    reach = f"lianzhi clients add {code} <client>" if http else BROKER_APPLY
    console.print(f"  3 lianzhi participants check; {reach}", markup=False)
    console.print(f"  4 lianzhi participants package {code} --out {code}.zip")


def write_participant(
    folder: Path, code: str, kind: str, zh: str, en: str, *, http: bool, patterns: Patterns = ALL, **more: str | None
) -> Path:
    """The participant's file, which lists every type of its kind unless `patterns` names some. more: other members of
    the file; None: absent. Raises ConfigurationError; then nothing was written."""
    word = Kind(kind)
    met = {name: matter for name, matter in sorted(catalogue().items()) if word in partners(matter)}
    form: dict[str, Any] = {"code": code, "kind": kind, "name": {"zh": zh, "en": en}}
    form |= {name: value for name, value in more.items() if value is not None}
    form["channel"] = "http" if http else "amqp"
    form["accepts"] = list(patterns.accepts) or [name for name, matter in met.items() if word in matter.receivers]
    form["opens"] = list(patterns.opens) or [name for name, matter in met.items() if word in matter.senders]
    if not http:
        form["broker"] = {"user": code}
    installation = Installation(folder)
    path = installation.participant_file(code)
    form_of(path, form)
    if wrong := unknown_patterns(form["accepts"], form["opens"]):
        raise ConfigurationError(f"{path}：{wrong}")
    installation.add_participant(form)
    return path
