"""An agency installs the base package only: the library must not need what the gateway itself needs."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
REFUSED = {"sqlalchemy", "alembic", "aiosqlite", "asyncpg", "obstore", "prometheus_client", "structlog",
           "pydantic_settings"}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, Refuse())
import lianzhi.partner, lianzhi.cli.partner, lianzhi.partner.doctor
OTHERS = ("adapters", "gateway.core", "gateway.store", "gateway.application", "gateway.broker")
foreign = sorted(name for name in sys.modules if name.startswith(OTHERS))
assert not foreign, foreign
"""


def test_the_library_needs_the_base_dependencies_only() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
