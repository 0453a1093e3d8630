"""`lianzhi doctor`: everything that the gateway needs, each with what mends it.

Exit codes: 0 nothing is wrong (there may be warnings), 1 something is, 2 the configuration cannot be read, so that
nobody could look at store and broker.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import structlog
import typer

from gateway.core.checkup import Check, exit_code
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import MISUSE, AsJson, Folder, as_json, console, fail, problems
from lianzhi.errors import ConfigurationError
from lianzhi.text_files import look_into

SIGNS = {"ok": "✓", "warning": "!", "wrong": "✗"}
PAPERS = "share/doc/lianzhi"
"""Below the environment; deploy/install.sh puts them there."""
COLOURS = {"ok": None, "warning": "yellow", "wrong": "red"}


def doctor(folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """检查安装的全部依赖，逐行写明原因与改法 Check all that the gateway needs, each with reason and cure."""
    from gateway.commands.examine import examine

    _silence()
    try:
        look_into(folder)
    except ConfigurationError as error:
        fail(str(error), MISUSE)
    checks, looked = asyncio.run(examine(folder, datetime.now(UTC)))
    code = exit_code(checks) if looked else MISUSE
    if json_out:
        as_json({"exit_code": code, "checks": [asdict(check) for check in checks]})
    else:
        tell(checks)
    raise typer.Exit(code)


def _silence() -> None:
    """Libraries log what a line of ours says already; between two lines nothing else is printed."""
    logging.disable(logging.CRITICAL)
    structlog.configure(
        logger_factory=structlog.ReturnLoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
    )


def _findable(text: str) -> str:
    """Pages as the offline bundle installs them, by their whole path; in a checkout they stand as they are."""
    papers = Path(sys.prefix, PAPERS)
    return re.sub(r"\bdocs/", f"{papers}/docs/", text) if papers.is_dir() else text


def tell(checks: Iterable[Check]) -> None:
    """What is well on one line. What is wrong goes to standard error, so that a nightly run tells of nothing else."""
    for check in checks:
        terminal = problems if check.level == "wrong" else console
        colour = COLOURS[check.level]
        first = f"{SIGNS[check.level]} {check.title}：{check.zh}"
        if check.level == "ok":
            terminal.paragraph(first if check.en in ("", check.zh) else f"{first}  {check.en}", later="    ")
            continue
        terminal.paragraph(first, later="    ", style=colour)
        for text in (check.en, f"→ {_findable(check.fix)}" if check.fix else ""):
            if text:
                terminal.paragraph(f"    {text}", later="    ")
        terminal.file.flush()
