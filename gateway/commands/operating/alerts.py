"""`lianzhi alerts`: what duty officers have been told and is not over, and a test of whether they can be."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from gateway.commands.operating.client import ask
from gateway.commands.operating.options import Folder
from gateway.commands.operating.printing import rows, say
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import AsJson, as_json

alerts_app = typer.Typer(help="告警 Alerts", no_args_is_help=True)
FIELDS = (
    ("告警 condition", "condition"), ("级别 severity", "severity"), ("对象 subject", "subject"), ("主机 host", "host"),
    ("自 since", "since"), ("事项 title", "title"), ("原因 cause", "cause"), ("cause", "cause_en"),
    ("已告知 told", "told"), ("手册 handbook", "link"),
)  # fmt: skip
TOLD = (
    ("方式 way", "way"), ("收件 recipient", "recipient"), ("结果 outcome", "outcome"), ("次数 attempts", "attempts"),
    ("原因 error", "error"),
)  # fmt: skip
LOOK_SECONDS = 0.5
_AGAIN = frozenset({"waiting"})


@alerts_app.command("list")
def alerts_list(folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """未消除的告警：自何时、告知了谁 What stands since when, and who was told."""
    found = ask(folder, "GET", "/alerts")
    if json_out:
        as_json(found)
        return
    rows([{**one, "told": _told(one)} for one in found], "告警 Alerts", FIELDS, json_out=False)


@alerts_app.command("test")
def alerts_test(
    folder: Folder = DEFAULT_FOLDER,
    seconds: Annotated[float, typer.Option("--wait", min=0, max=600, help="等待结果的秒数 Seconds to wait")] = 15,
    json_out: AsJson = False,
) -> None:
    """向每个收件人发一条测试 Tells everybody that this is a test."""
    told = ask(folder, "POST", "/alerts/tests", {})
    until = time.monotonic() + seconds
    while any(one["outcome"] in _AGAIN for one in told["told"]) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        told = ask(folder, "GET", f"/alerts/tests/{told['alert']}")
    if json_out:
        as_json(told)
    else:
        rows(told["told"], "测试 Test", TOLD, json_out=False)
    if any(one["outcome"] != "sent" for one in told["told"]):
        if not json_out:
            say("有未送达的：看上面的原因和日志；仍会重试 Not everybody was reached: see the reason and the log")
        raise typer.Exit(1)


def _told(alert: Mapping[str, Any]) -> str:
    """recipient: what became of its newest telling."""
    latest = {one["recipient"]: f"{one['recipient']} {one['outcome']}" for one in alert["told"]}
    return ", ".join(latest.values())
