"""A copy of the tree, as the fixture `tree` makes it, and what is done in it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.catalogue import UNWRITTEN

PYTEST = (".venv/bin/pytest", "-v", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Tree:
    folder: Path
    environment: Mapping[str, str]

    def run(self, *words: str, code: int = 0) -> str:
        """A program of the environment, in the copy and on the copy's code; what it printed. code: how it must end."""
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=500
        )
        assert done.returncode == code, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def write_placeholders(self, *files: str) -> None:
        """What an author does with the words that a scaffold leaves open."""
        for path in (self.folder / name for name in files):
            text = path.read_text("utf-8")
            assert UNWRITTEN in text
            path.write_text(text.replace(UNWRITTEN, "开庭前。"), "utf-8")

    def changed(self) -> list[str]:
        """Lines of `git status` in the order of their paths: `?? ` new, ` M ` changed."""
        status = self.run("git", "status", "--porcelain", "--untracked-files=all")
        return sorted(status.splitlines(), key=lambda line: line[3:])
