"""`new participant`: the file of one more organisation, complete and checked."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from adapters.registry import partners
from gateway.registry.config import DEFAULT_FOLDER, load_config
from gateway.registry.installation import Installation
from gateway.registry.participants import form_of
from lianzhi.cli.output import Folder, console
from schemas.catalogue import Kind, catalogue


def new_participant(
    code: Annotated[str, typer.Argument(help="单位编号，如 police-610114 Its code")],
    kind: Annotated[str, typer.Option("--kind", help="哪类单位：adapters/ 里的文件夹名 A folder of adapters/")],
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
    word = Kind(kind)
    met = {name: matter for name, matter in sorted(catalogue().items()) if word in partners(matter)}
    form: dict[str, Any] = {"code": code, "kind": kind, "name": {"zh": zh, "en": en}}
    said = {"division": division, "court_code": court_code, "dept": dept, "dialect": dialect}
    form |= {name: value for name, value in said.items() if value is not None}
    form["channel"] = "http" if http else "amqp"
    form["accepts"] = [name for name, matter in met.items() if word in matter.receivers]
    form["opens"] = [name for name, matter in met.items() if word in matter.senders]
    if not http:
        form["broker"] = {"user": code}
    installation = Installation(load_config(folder).folder)
    path = installation.participant_file(code)
    form_of(path, form)
    installation.add_participant(form)
    console.print(f"已写 Written: {path}", markup=False)
    console.print("下一步 Next:")
    console.print("  1 从 accepts、opens 删去不用的事项 take out the types that it is not to get or to open")
    owner = "" if http else " --handover"
    console.print(f"  2 lianzhi keys new {code} sig 1{owner}; lianzhi keys new {code} enc 1{owner}")
    reach = f"lianzhi clients add {code} <client>" if http else "lianzhi broker apply --passwords passwords.json"
    console.print(f"  3 lianzhi participants check; {reach}", markup=False)
    console.print(f"  4 lianzhi participants contract {code} --out contract.json")
