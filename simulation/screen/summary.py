"""What one reads at the end: did it hold, what was tried against it, what came of each request."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.catalogue import catalogue
from simulation.reconciliation.report import HIT, Report
from simulation.screen.live import WIDE

_TRIED = {
    "duplicate-same-key": ("重复提交，同键同文", "handed in again, same key"),
    "duplicate-other-key": ("重复提交，换键同文", "handed in again, other key"),
    "wrong-subject": ("答到别的请求上", "answer filed under another request"),
    "wrong-case-no": ("答到别的案号上", "answer with another case number"),
    "tampered-signature": ("签名改一字节", "one byte of a signature altered"),
    "tampered-disclosure": ("正文改一字节", "one byte of a payload altered"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One line: whether it holds, the figure, and what it says."""

    good: bool
    figure: str
    zh: str
    en: str


def show(console: Console, report: Report) -> None:
    """The verdict in a frame, then the table of matters, then what is wrong, if anything."""
    wide = console.width >= WIDE
    good = report.good
    title = "对账相符  The three books agree" if good else "对账不符  The three books do not agree"
    frame = Group(_checks(report, wide=wide), Text(), _tried(report, wide=wide))
    style = "green" if good else "red"
    console.print()
    console.print(Panel(frame, title=Text(title, style=f"bold {style}"), border_style=style, expand=wide))
    console.print()
    console.print(_matters(report, wide=wide))
    for problem in report.problems:
        console.print(f"✗ {problem}", style="bold red")


def checks(report: Report) -> list[Check]:
    reasons = "、".join(f"{reason} ×{count}" for reason, count in report.open_reasons.items()) or "无"
    equation = f"{report.taken} = {report.answered} + {report.open_with_reason}"
    balanced = report.taken == report.answered + report.open_with_reason
    hits = report.received.get(HIT, {})
    handed, false = hits.get("handed-over", 0), hits.get("false-hit", 0)
    raised, pairs = report.injected["hits"], report.injected["namesake-pairs"]
    return [
        Check(balanced, equation, f"受理 = 已答复 + 未结有因（{reasons}）", "taken = answered + open with a reason"),
        Check(not report.lost, str(report.lost), "丢失", "lost"),
        Check(not report.duplicate_effects, str(report.duplicate_effects), "重复办理", "done twice"),
        Check(not report.forged_applied, str(report.forged_applied), "伪造而生效", "forged and applied"),
        Check(
            not report.mixed_up,
            f"{report.checked - report.mixed_up}/{report.checked}",
            f"答复再验签，各归各人（同名 {pairs} 对）",
            "answers verified again, each about its own",
        ),
        Check(True, str(report.places), "地点答复，只有法院能打开", "places that only the court can open"),
        Check(
            handed + false == raised,
            f"{handed + false}/{raised}",
            f"命中已处置（移交 {handed}，套牌误报 {false}）",
            "hits dealt with: handed over, false",
        ),
    ]


def _checks(report: Report, *, wide: bool) -> Table:
    table = Table.grid(padding=(0, 2))
    for one in checks(report):
        mark = Text("✓", style="bold green") if one.good else Text("✗", style="bold red")
        english = Text(one.en, style="dim")
        words = [Text(one.zh), english] if wide else [Text(one.zh).append("\n").append(english)]
        table.add_row(mark, Text(one.figure, style="bold"), *words)
    return table


def _tried(report: Report, *, wide: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for zh, en in (("故意出错", "tried"), ("次数", "times"), ("拦下", "caught"), ("应当", "must be")):
        table.add_column(_both(zh, en, wide=wide), justify="right" if zh in ("次数", "拦下") else "left")
    for kind, one in report.caught.items():
        zh, en = _TRIED[kind]
        style = "bold green" if one.caught == one.injected else "bold red"
        must = "同一编号 same number" if one.expected == "same-number" else f"隔离 {one.expected}"
        label = Text(zh).append(f"{_gap(wide=wide)}{en}", style="dim")
        table.add_row(label, str(one.injected), Text(str(one.caught), style=style), must)
    return table


def _matters(report: Report, *, wide: bool) -> Table:
    title = f"{report.messages} 份签名报文 signed messages · {report.seconds} s"
    table = Table(title=title, title_justify="left", title_style="dim", box=None, padding=(0, 2, 0, 0))
    table.header_style = "dim"
    for zh, en in (("事项", "matter"), ("件数", "requests"), ("结果", "what came of them")):
        table.add_column(_both(zh, en, wide=wide), justify="right" if zh == "件数" else "left")
    for types, mark in ((report.by_type, ""), (report.received, "← ")):
        for matter, states in types.items():
            label = Text(f"{mark}{catalogue()[matter].zh}").append(f"{_gap(wide=wide)}{matter}", style="dim")
            came = "  ".join(f"{state} {count}" for state, count in states.items())
            table.add_row(label, str(sum(states.values())), came)
    return table


def _gap(*, wide: bool) -> str:
    """Between Chinese and English: a narrow terminal gets two lines."""
    return "  " if wide else "\n"


def _both(zh: str, en: str, *, wide: bool) -> str:
    return f"{zh} {en}" if wide else f"{zh}\n{en}"
