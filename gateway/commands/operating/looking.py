"""What `doctor` tells of operators and their pauses, read from the installation itself."""

from __future__ import annotations

from collections import Counter

from gateway.commands.operating.printing import local
from gateway.registry.config import FILE, Config
from gateway.registry.operators import read_operators
from lianzhi.printable import printable


async def pauses(config: Config) -> str:
    """What people have paused: nothing wrong, and not to be forgotten. Raises StoreUnavailableError."""
    from gateway.store.store import open_store

    store = await open_store(config.store_url)
    try:
        held = await store.operating.holds()
    finally:
        await store.close()
    lines = [f"{h.scope} {h.name} {local(h.since.isoformat())} {h.user} {printable(h.why)}" for h in held]
    return "；".join(lines) or "无 none"


async def operators(config: Config) -> str:
    """How many there are of each role. Raises ConfigurationError."""
    roles = Counter(operator.role for operator in read_operators(config.folder / FILE).values())
    return ", ".join(f"{role} {count}" for role, count in sorted(roles.items())) or "未列入任何人 nobody is listed"
