"""A copy of the tree, in which a scaffold may write: its own repository, so that git tells what is new."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.promises.tree import Tree
from tests.walls.product import clean_environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """What git has of this tree, committed anew, with this tree's environment."""
    copy = tmp_path_factory.mktemp("tree")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
    for name in (".venv", ".tools"):
        (copy / name).symlink_to(ROOT / name)
    (copy / ".git-exclude").write_text(".venv\n.tools\n.git-exclude\n", "utf-8")
    path = os.pathsep.join(map(str, (copy, copy / "library")))
    tree = Tree(copy, clean_environment() | {"PYTHONPATH": path, "GIT_CONFIG_GLOBAL": os.devnull})
    tree.run("git", "init", "--quiet")
    tree.run("git", "config", "core.excludesFile", ".git-exclude")
    tree.run("git", "add", "--all")
    tree.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "t")
    return tree
