"""What an installation writes is its owner's alone, whatever the umask; what lies open is put right, no more."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from gateway.registry.config import load_config
from gateway.registry.installation import create_home
from gateway.registry.places import places
from gateway.store.upkeep.migrate import migrate
from lianzhi.files import (
    Places,
    holds_only,
    is_shared,
    open_to_others,
    private_file,
    private_folder,
    put_right,
    told,
    write_private,
)


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_paths(root: Path) -> list[str]:
    """Everything below `root`, and itself, that the group or everybody may touch."""
    every = [root, *root.rglob("*")]
    return [str(p.relative_to(root)) for p in every if not p.is_symlink() and mode(p) & 0o077]


def opened(root: Path) -> None:
    """As an umask of 022 leaves it."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_folders_and_files_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    private_folder(tmp_path / "a" / "b")
    private_file(tmp_path / "a" / "empty")
    write_private(tmp_path / "a" / "b" / "text", b"x")
    assert [mode(tmp_path / "a" / name) for name in ("", "b")] == [0o700, 0o700]
    assert [mode(tmp_path / "a" / name) for name in ("empty", "b/text")] == [0o600, 0o600]


def test_a_file_is_closed_from_its_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen at the moment at which its content reaches the disk, under the name that it has then."""
    seen: list[int] = []
    flush = os.fsync

    def looking(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        flush(descriptor)

    monkeypatch.setattr("os.fsync", looking)
    before = os.umask(0)
    try:
        write_private(tmp_path / "x", b"content")
    finally:
        os.umask(before)
    assert seen == [0o600]
    assert os.listdir(tmp_path) == ["x"]


def test_writing_anew_closes_what_was_open_and_leaves_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert (mode(path), path.read_bytes()) == (0o600, b"new")
    with pytest.raises(FileNotFoundError) as caught:
        write_private(tmp_path / "missing" / "x", b"")
    assert caught.value.filename == str(tmp_path / "missing" / "x")
    assert os.listdir(tmp_path) == ["x"]


def test_a_pipe_is_written_through_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_private(pipe, b"report")
    reader.join()
    assert got == [b"report"] and stat.S_ISFIFO(pipe.lstat().st_mode)


def test_an_existing_file_is_not_opened(tmp_path: Path) -> None:
    """Closing it would drop SQLite's locks in this process (sqlite.org/howtocorrupt.html, 2.2)."""
    path = tmp_path / "x"
    path.write_bytes(b"kept")
    path.chmod(0o000)
    private_file(path)
    assert mode(path) == 0o000


async def test_an_installation_of_before_is_put_right(tmp_path: Path) -> None:
    folder = tmp_path / "court"
    create_home(folder, "陕0114", code="court-sn0114", client="cms1", today=date(2026, 3, 24))
    config = load_config(folder)
    await migrate(config.store_url)
    (folder / "documents" / "ab").mkdir(parents=True)
    (folder / "documents" / "ab" / ("ab" * 32)).write_bytes(b"%PDF")
    (folder / "broker.password").write_text("x")
    (folder / "participants" / "run.sh").write_text("#!/bin/sh")
    opened(folder)
    (folder / "participants" / "run.sh").chmod(0o755)
    found = open_to_others(places(config))
    every = [folder, *folder.rglob("*")]
    assert (found.folders, found.files) == (sum(p.is_dir() for p in every), sum(p.is_file() for p in every))
    done = put_right(places(config))
    assert (done.folders, done.files, done.foreign) == (found.folders, found.files, 0)
    assert open_paths(folder) == []
    assert mode(folder / "participants" / "run.sh") == 0o700, "its owner may run it as before"
    again = put_right(places(config))
    assert not again.open
    zh, en = told(done)
    assert str(done.files) in zh and str(done.files) in en and "court" not in en


def test_no_link_leads_out(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    (home / "keys").mkdir(parents=True)
    outside.mkdir()
    (outside / "file").write_text("x")
    (home / "keys" / "to-file").symlink_to(outside / "file")
    (home / "keys" / "to-folder").symlink_to(outside)
    (home / "participants").symlink_to(outside)
    (home / "documents").symlink_to(outside)
    opened(tmp_path)
    put_right(Places(home=home, inside=("keys", "participants"), papers=home / "documents"))
    assert open_paths(home) == []
    assert open_paths(outside) == [".", "file"]


def test_closed_folders_of_documents_are_passed_over(tmp_path: Path) -> None:
    """A million documents are not looked at each time; one that was interrupted is looked at again."""
    papers = tmp_path / "documents"
    for name in ("ab", "cd"):
        private_folder(papers / name)
        (papers / name / "paper").write_bytes(b"x")
        (papers / name / "paper").chmod(0o644)
    (papers / "cd").chmod(0o755)
    done = put_right(Places(papers=papers))
    assert (done.folders, done.files) == (1, 1)
    assert mode(papers / "cd" / "paper") == 0o600


@pytest.mark.parametrize("folder", ["/", "/etc", "/tmp", "/var/lib", "/usr/local", str(Path.home())])
def test_folders_in_which_others_have_business(folder: str) -> None:
    assert is_shared(Path(folder))


def test_a_folder_of_the_hosts_is_left_alone(tmp_path: Path) -> None:
    assert holds_only(tmp_path, ())
    (tmp_path / "partner.toml").write_text("")
    (tmp_path / "inbox.sqlite").write_text("")
    assert holds_only(tmp_path, ("inbox.sqlite",))
    (tmp_path / "index.html").write_text("")
    assert not holds_only(tmp_path, ("inbox.sqlite",))


def test_the_file_of_somebody_else_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "file").write_text("x")
    (home / "file").chmod(0o644)

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.chmod", refused)
    done = put_right(Places(home=home))
    assert (done.files, done.foreign) == (1, 1)
    assert "chmod" in told(done)[0] and "chmod" in told(done)[1]
