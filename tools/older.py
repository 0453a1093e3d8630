"""An older version of this repository with an environment of its own: `with older("f2027db") as checkout: …`.

`LIANZHI_OLDER` names a checkout that stands ready; it must be at that commit.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


class NotHereError(Exception):
    """The commit is not in this clone."""


@contextmanager
def older(commit: str) -> Iterator[Path]:
    """Its folder, set up; gone afterwards. Raises NotHereError."""
    wanted = _commit(ROOT, commit)
    if wanted is None:
        raise NotHereError(
            f"✗ 此克隆中没有提交 {commit}（浅克隆？请 git fetch --unshallow）。"
            f" Commit {commit} is not in this clone (a shallow one? git fetch --unshallow)."
        )
    if ready := os.environ.get("LIANZHI_OLDER"):
        if _commit(Path(ready), "HEAD") != wanted:
            raise NotHereError(f"✗ LIANZHI_OLDER={ready}: 不是 is not at {commit}")
        yield Path(ready)
        return
    with tempfile.TemporaryDirectory(prefix="lianzhi-older-") as folder:
        checkout = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(checkout), wanted], cwd=ROOT, check=True)
        try:
            print(f"── {commit}", file=sys.stderr)
            subprocess.run(["scripts/setup.sh"], cwd=checkout, check=True)
            yield checkout
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(checkout)], cwd=ROOT, check=False)


def _commit(repository: Path, name: str) -> str | None:
    found = subprocess.run(
        ["git", "rev-parse", "-q", "--verify", f"{name}^{{commit}}"],
        cwd=repository, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip() or None
