"""`lianzhi incident`: what needs a person, who has taken it on, and notes about it."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands.operating.client import ask
from gateway.commands.operating.options import Folder, Limit
from gateway.commands.operating.printing import one, rows, say
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import AsJson, as_json

incident_app = typer.Typer(help="异常事件 Incidents", no_args_is_help=True)
Number = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="事件编号 Its number")]
FIELDS = (
    ("", "id"), ("", "at"), ("", "detail"), ("", "request_no"), ("", "type"), ("状态 state", "state"),
    ("经办 owner", "owner"), ("姓名 name", "owner_name"), ("备注 notes", "notes"),
)  # fmt: skip
HISTORY = (("", "at"), ("", "user"), ("", "name"), ("", "act"), ("", "text"))


@incident_app.command("list")
def incident_list(
    folder: Folder = DEFAULT_FOLDER,
    limit: Limit = 50,
    before: Annotated[int | None, typer.Option("--before", min=1, help="此编号之前的 Below this number")] = None,
    json_out: AsJson = False,
) -> None:
    """异常事件，新者在前 Incidents, newest first."""
    found = ask(folder, "GET", "/incidents", limit=limit, before=before)
    rows(found, "异常事件 Incidents", FIELDS, json_out=json_out)


@incident_app.command("show")
def incident_show(number: Number, folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """一件及其备注 One of them, and its notes."""
    told = ask(folder, "GET", f"/incidents/{number}")
    one(told, FIELDS, json_out=json_out)
    if not json_out and told["history"]:
        rows(told["history"], "经过 History", HISTORY, json_out=False)


@incident_app.command("note")
def incident_note(
    number: Number,
    text: Annotated[str, typer.Argument(help="一行，不写姓名和号码 One line, without names and numbers of people")],
    folder: Folder = DEFAULT_FOLDER,
    json_out: AsJson = False,
) -> None:
    """写一条备注 Write a note."""
    told = ask(folder, "POST", f"/incidents/{number}/notes", {"text": text})
    if json_out:
        as_json(told)
    else:
        say(f"已记录 Noted: {number}（{told['notes']}）")


@incident_app.command("own")
def incident_own(number: Number, folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """由我经办 I take it on."""
    told = ask(folder, "POST", f"/incidents/{number}/owner")
    if json_out:
        as_json(told)
    elif not told["changed"]:
        say(f"已由本人经办 It is yours already: {number}")
    elif "taken_from" in told:
        say(f"改由本人经办，原经办 Taken over from {told['taken_from']}  {told['taken_from_name']}")
    else:
        say(f"由本人经办 Taken on: {number}")
