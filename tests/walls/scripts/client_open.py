"""Opens a court system's spool as its own process does, and prints what others could read while it is open."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import older_names  # noqa: F401

from lianzhi.client import ClientConfig, CourtClient


async def main(config: Path) -> None:
    async with CourtClient.from_config(ClientConfig.load(config)):
        every = [config.parent, *config.parent.rglob("*")]
        print(json.dumps({str(path.relative_to(config.parent)): path.stat().st_mode & 0o777 for path in every}))


asyncio.run(main(Path(sys.argv[1])))
