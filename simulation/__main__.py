"""`python -m simulation` (`make demo`): the whole exchange on this machine, with simulated agencies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lianzhi.cli.output import MISUSE, fail
from simulation.damage.sabotage import KINDS
from simulation.screen.show import run_demo


def demo(
    once: Annotated[bool, typer.Option("--once", help="跑完即停 Stop when everything is answered")] = False,
    requests: Annotated[int, typer.Option(help="请求数 How many requests")] = 300,
    report: Annotated[Path | None, typer.Option(help="把报告写入 JSON 文件 Write the report")] = None,
    sabotage: Annotated[
        list[str] | None,
        typer.Option(help="drop | double | forge：背后破坏一件，报告须能看出；可重复 May be given again"),
    ] = None,
    seed: Annotated[int, typer.Option(help="随机种子 Seed")] = 1,
    week: Annotated[bool, typer.Option(help="再演一周：夜间命中、履行解除、周报 Play the week too")] = True,
) -> None:
    """演示：私有代理、网关、模拟单位、法院系统 A private broker, the gateway, simulated agencies, a court system."""
    damage = [kind for kind in KINDS if kind in (sabotage or ())]
    if set(sabotage or ()) - set(damage):
        fail("--sabotage 须为 must be drop, double or forge", MISUSE)
    raise typer.Exit(run_demo(once=once, requests=requests, report=report, sabotage=damage, seed=seed, week=week))


if __name__ == "__main__":
    typer.run(demo)
