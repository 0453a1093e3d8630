"""`lianzhi pause|resume|pauses|drain|resend|partners|acts`: what goes out, to whom, and who did what."""

from __future__ import annotations

import time
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gateway.commands.operating.client import ask
from gateway.commands.operating.options import Folder, Limit, Why
from gateway.commands.operating.printing import local, rows, say
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import FOUND_WRONG, MISUSE, AsJson, as_json, fail

Partner = Annotated[str | None, typer.Option("--partner", help="某单位 This participant")]
Type = Annotated[str | None, typer.Option("--type", help="某事项 This matter type")]
Everything = Annotated[bool, typer.Option("--all", help="全部（主管） Everything; a supervisor's")]
POLL_SECONDS = 0.2
PAUSE_FIELDS = (
    ("", "scope"), ("", "name"), ("自 since", "since"), ("", "user"), ("", "person"), ("理由 why", "why"),
)  # fmt: skip
PARTNER_FIELDS = (
    ("", "partner"), ("", "channel"), ("排队 queue", "queue"), ("消费者 consumers", "consumers"),
    ("未送达 undelivered", "undelivered"), ("死信 dead", "dead"), ("暂停 paused", "paused"),
    ("失联 silent", "silent"), ("自 since", "silent_since"),
    ("最近发出 sent", "last_sent"), ("送达 delivered", "last_delivered"), ("答复 answered", "last_answered"),
)  # fmt: skip
ACT_FIELDS = (
    ("", "at"), ("", "user"), ("", "name"), ("", "act"), ("", "about"), ("结果 result", "result"), ("理由 why", "why"),
)  # fmt: skip


def pause(
    why: Why,
    folder: Folder = DEFAULT_FOLDER,
    partner: Partner = None,
    type_: Type = None,
    everything: Everything = False,
    json_out: AsJson = False,
) -> None:
    """暂停发出：报文照收、照存，恢复后依次发出 Stop sending; what is accepted meanwhile waits, and goes afterwards."""
    told = ask(folder, "POST", "/pauses", {**_what(partner, type_, everything), "why": why})
    if json_out:
        as_json(told)
    elif told["changed"]:
        say(f"已暂停 Paused: {_named(told)}")
        if not told["quiet"]:
            say("此前已取走的仍在发出 What had been taken before is still on its way")
    else:
        say(f"此前已暂停 Paused before: {_named(told)}  {local(told['since'])}  {told['user']}  {told['person']}")


def resume(
    folder: Folder = DEFAULT_FOLDER,
    partner: Partner = None,
    type_: Type = None,
    everything: Everything = False,
    why: Annotated[str | None, typer.Option("--why", help="理由，可不写 Why, where there is a reason")] = None,
    json_out: AsJson = False,
) -> None:
    """恢复发出 Send again."""
    told = ask(folder, "POST", "/pauses/end", {**_what(partner, type_, everything), "why": why})
    if json_out:
        as_json(told)
    else:
        say(f"已恢复 Resumed: {_named(told)}" if told["changed"] else f"并未暂停 It was not paused: {_named(told)}")


def pauses(folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """由人暂停的 What people have paused."""
    rows(ask(folder, "GET", "/pauses"), "暂停 Paused", PAUSE_FIELDS, json_out=json_out)


def drain(
    folder: Folder = DEFAULT_FOLDER,
    undo: Annotated[bool, typer.Option("--undo", help="改为继续发出 Go on sending")] = False,
    seconds: Annotated[float, typer.Option("--seconds", min=0, max=3600, help="最多等多久 How long to wait")] = 60.0,
    json_out: AsJson = False,
) -> None:
    """停机前：不再取新报文，已取的发完即告知 Before a stop: take nothing more, finish what is taken, and say so."""
    told = ask(folder, "POST", "/drain/end" if undo else "/drain")
    until = time.monotonic() + seconds
    while not undo and not told["done"] and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
        told = {"changed": told["changed"], **ask(folder, "GET", "/drain")}
    if json_out:
        as_json(told)
    elif undo:
        say("继续发出 It sends again")
    elif told["done"]:
        say(f"已排空，可以停机 Drained; it may be stopped. 待发 waiting: {told['waiting']}")
    else:
        say(f"尚未排空 Not drained yet: {told['at_work']}")
    if not undo and not told["done"]:
        raise typer.Exit(FOUND_WRONG)


def resend(
    number: Annotated[str, typer.Argument(help="请求编号 Request number")],
    why: Why,
    folder: Folder = DEFAULT_FOLDER,
    message: Annotated[str | None, typer.Option("--message", help="只发这一件 Only this message")] = None,
    json_out: AsJson = False,
) -> None:
    """把一件请求中本方的报文原样再发，编号不变 Our messages of one request once more: the same bytes and ids."""
    told: dict[str, Any] = ask(
        folder, "POST", f"/requests/{quote(number, safe='')}/resend", {"message": message, "why": why}
    )
    if json_out:
        as_json(told)
    elif not told["changed"]:
        say(f"已在发出途中 On its way already: {told['waiting']}")
    else:
        for sent in told["sent_again"]:
            say(f"已再发 Sent again: {sent['seqno']}  {sent['verb']}  {sent['message_id']}")


def partners(folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """各单位：排队、消费者、最近往来、未送达、暂停 Each: queue, consumers, last seen, undelivered, paused."""
    rows(ask(folder, "GET", "/partners"), "单位 Participants", PARTNER_FIELDS, json_out=json_out)


def acts(
    folder: Folder = DEFAULT_FOLDER,
    about: Annotated[str | None, typer.Option("--about", help="例如 for example quarantine:12, plan:3")] = None,
    limit: Limit = 50,
    json_out: AsJson = False,
) -> None:
    """操作记录：谁、何时、做了什么、为何；新者在前 Who did what, when and why; newest first."""
    rows(ask(folder, "GET", "/acts", about=about, limit=limit), "操作 Acts", ACT_FIELDS, json_out=json_out)


def _what(partner: str | None, type_: str | None, everything: bool) -> dict[str, str]:
    if sum((partner is not None, type_ is not None, everything)) != 1:
        fail("--partner、--type、--all 须选其一 One of --partner, --type, --all", MISUSE)
    if everything:
        return {"scope": "all", "name": ""}
    return {"scope": "partner", "name": partner} if partner is not None else {"scope": "type", "name": type_ or ""}


def _named(told: dict[str, Any]) -> str:
    return f"{told['scope']} {told['name']}".rstrip()
