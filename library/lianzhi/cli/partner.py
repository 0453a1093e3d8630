"""`lianzhi partner consume | reply | doctor`: the library from a shell, for a first try and for small agencies.

Exit codes: 0 done, 1 found wrong, 2 misuse. A payload is printed only where `--show-body` asks for it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from lianzhi.cli.cells import local
from lianzhi.cli.output import console, listing, must_be_there, problems
from lianzhi.errors import ConfigurationError, LianzhiError, MisuseError
from lianzhi.printable import printable

if TYPE_CHECKING:
    from lianzhi.partner.doctor import Check
    from lianzhi.partner.findings import Findings, NoticeLine, SetAsideLine

T = TypeVar("T")

FOUND_WRONG, MISUSE = 1, 2
CONFIRM_SECONDS = 15.0

app = typer.Typer(help="协助单位一侧：接收、回复、自检 The partner's side", no_args_is_help=True)

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", envvar="LIANZHI_PARTNER", help="配置文件 The partner's partner.toml")
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON Machine-readable output")]
DEFAULT_CONFIG = Path("partner.toml")


@app.command()
def consume(
    config: ConfigFile = DEFAULT_CONFIG,
    json_out: AsJson = False,
    once: Annotated[int, typer.Option("--once", help="处理 N 条后结束（0 不限） Stop after N messages, 0 = never")] = 0,
    show_body: Annotated[bool, typer.Option("--show-body", help="打印正文（含个人信息） Print the payload")] = False,
) -> None:
    """接收报文，每条一行；写入台账并自动回复送达 Take messages, one line each; `delivered` is answered by itself."""
    must_be_there(config)
    _run(_consume(config, json_out=json_out, once=once, show_body=show_body))


async def _consume(path: Path, *, json_out: bool, once: int, show_body: bool) -> None:
    from lianzhi.partner import Partner, PartnerConfig

    async with Partner(PartnerConfig.load(path)) as partner:
        problems.print("等候报文，Ctrl-C 结束 Waiting for messages; Ctrl-C ends.")
        count = 0
        async for request in partner.inbox:
            line: dict[str, Any] = {
                "request_no": request.request_no,
                "type": request.type,
                "verb": request.verb,
                "seqno": request.envelope.seqno,
                "id": request.envelope.id,
                "time": request.envelope.time,
                "case_no": request.case_no,
                "head": request.head,
            }
            if show_body:
                line["body"] = request.body
            console.print(
                _json(line)
                if json_out
                else "  ".join(_word(v) for v in (line | _local(request.envelope.time)).values() if v)
            )
            sys.stdout.flush()
            await request.done()
            count += 1
            if once and count >= once:
                break


def _local(moment: str) -> dict[str, str]:
    """The time as every list shows it; `--json` keeps that of the wire."""
    return {"time": local(datetime.fromisoformat(moment))}


@app.command()
def reply(
    request_no: Annotated[str, typer.Argument(help="请求编号 Request number")],
    verb: Annotated[str, typer.Argument(help="动作，如 receipt、result Verb")],
    body: Annotated[str, typer.Option("--body", help="正文 JSON 文件，- 为标准输入 JSON file, - is stdin")] = "",
    head: Annotated[list[str] | None, typer.Option("--head", help="明文代码 k=v，可多次 Codes in clear")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    json_out: AsJson = False,
) -> None:
    """回复一件请求 Answer a request; returns when the broker has confirmed."""
    must_be_there(config)
    content = _body(body)
    codes = dict(_code(pair) for pair in head or [])
    message_id, confirmed = _run(_reply(config, request_no, verb, content, codes))
    if json_out:
        console.print(_json({"id": message_id, "request_no": request_no, "verb": verb, "confirmed": confirmed}))
    else:
        console.print(f"{'已发出 Sent' if confirmed else '待发 Waiting'}: {request_no}  {verb}  {message_id}")
    if not confirmed:
        _fail("已写入台账，消息中间件尚未确认，恢复后自动发出。 Stored; goes out when the broker is back.", FOUND_WRONG)


async def _reply(
    path: Path, request_no: str, verb: str, content: dict[str, Any], codes: dict[str, Any]
) -> tuple[str, bool]:
    from lianzhi.partner import Partner, PartnerConfig

    async with Partner(PartnerConfig.load(path), consume=False) as partner:
        message_id = await partner.say(request_no, verb, content, **codes)
        try:
            await asyncio.wait_for(partner.drained(), CONFIRM_SECONDS)
        except TimeoutError:
            return message_id, False
    return message_id, True


@app.command()
def doctor(
    config: ConfigFile = DEFAULT_CONFIG,
    json_out: AsJson = False,
    ping: Annotated[
        bool,
        typer.Option(
            "--ping",
            help="另发一次 ping，应答由接收进程收取 Also send one ping",
        ),
    ] = False,
) -> None:
    """自检，不取报文、不作答 Check the installation; takes no message, answers nothing."""
    from lianzhi.partner.config import PartnerConfig
    from lianzhi.partner.doctor import examine

    must_be_there(config)
    loaded = _loaded(lambda: PartnerConfig.load(config))
    logging.disable(logging.CRITICAL)  # a line of ours says already what libraries log
    checks, found = _run(examine(loaded, datetime.now(UTC), ping=ping))
    if json_out:
        report: dict[str, Sequence[Check | SetAsideLine | NoticeLine]] = {
            "checks": checks,
            "set_aside": found.set_aside,
            "notices": found.notices,
        }
        console.print(_json({name: [asdict(line) for line in lines] for name, lines in report.items()}))
    else:
        _tell(checks, found)
    if any(check.level == "wrong" for check in checks):
        raise typer.Exit(FOUND_WRONG)


def _tell(checks: Sequence[Check], found: Findings) -> None:
    """Every line with its reason in both languages; then what was set aside and what the gateway said of our own."""
    marks = {"ok": "✓", "warning": "!", "wrong": "✗"}
    colours = {"ok": None, "warning": "yellow", "wrong": "red"}
    for check in checks:
        console.paragraph(
            f"{marks[check.level]} {check.subject:13}{check.zh}", later=" " * 15, style=colours[check.level]
        )
        for text in (check.en, f"→ {check.fix}" if check.fix else ""):
            if text:
                console.paragraph(f"{'':15}{text}", later=" " * 15)
    if found.set_aside:
        listing([_set_aside(line) for line in found.set_aside], "搁置 Set aside", json_out=False)
    if found.notices:
        rows = [_notice(line) for line in found.notices]
        listing(rows, "网关的通知 What the gateway said of our messages", json_out=False)


def _set_aside(line: SetAsideLine) -> dict[str, Any]:
    return {
        "at": line.last_at,
        "reason": line.reason,
        "count": line.count,
        "about": line.request_no or line.message_id or line.sha256,
        "pointer": line.pointer,
    }


def _run(work: Coroutine[Any, Any, T]) -> T:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    return _loaded(lambda: asyncio.run(work))


def _loaded(work: Callable[[], T]) -> T:
    try:
        return work()
    except (ConfigurationError, MisuseError) as error:
        _fail(str(error), MISUSE)
    except LianzhiError as error:
        _fail(f"{type(error).__name__}: {error}", FOUND_WRONG)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _notice(line: NoticeLine) -> dict[str, Any]:
    """Time and codes; `next` is the number that the gateway waits for, `clock` how far ours is ahead."""
    return {
        "at": line.at,
        "reason": line.reason,
        "about": line.request_no or line.message_id,
        "rule": line.rule if line.rule != line.reason else None,
        "pointer": line.pointer,
        "next": line.next_seqno,
        "clock": None if line.clock_offset_ms is None else f"{line.clock_offset_ms:+d} ms",
        "sent again": line.sent_again or None,
    }


def _fail(text: str, code: int) -> NoReturn:
    problems.print(text, style="red")
    raise typer.Exit(code)


def _body(source: str) -> dict[str, Any]:
    if not source:
        return {}
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
        value = json.loads(text)
    except (OSError, ValueError) as error:
        _fail(f"--body {source}：读不到或不是合法的 JSON。 Cannot be read or is not JSON: {error}", MISUSE)
    if not isinstance(value, dict):
        _fail(f"--body {source}：须为 JSON 对象。 Must be a JSON object.", MISUSE)
    return value


def _code(pair: str) -> tuple[str, Any]:
    """`ttl_hours=72`, `refs=k7m2q9xa,m3x8d2va`, `outcome=done`."""
    name, equals, value = pair.partition("=")
    if not equals:
        _fail(f"--head {pair}：须为 k=v。 Must be k=v.", MISUSE)
    if name == "refs":
        return name, value.split(",")
    return name, int(value) if value.isascii() and value.isdigit() else value


def _json(value: Any) -> str:
    """Also in JSON no character that a terminal would obey: `\\u009b` stands for the same text."""
    return _shown(json.dumps(value, ensure_ascii=False))


def _word(value: Any) -> str:
    return _shown(value) if isinstance(value, str) else _json(value)


def _shown(text: str) -> str:
    """The other side chose some of it."""
    return printable(text, None)
