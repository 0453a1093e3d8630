"""How long somebody takes. Nobody answers at once, and nobody waits for somebody else."""

from __future__ import annotations

import asyncio
import random


class Pace:
    """`await pace()`: between `least` and `most` seconds."""

    def __init__(self, seed: int, least: float = 0.03, most: float = 0.4) -> None:
        self._dice = random.Random(seed)  # noqa: S311 (no secret)
        self._bounds = (least, most)

    async def __call__(self) -> None:
        await asyncio.sleep(self._dice.uniform(*self._bounds))
