"""The offline bundle: installs both roles with the network cut off, upgrades, goes back, refuses one changed bit.

Making it needs PyPI; installing it runs in a network namespace without interfaces, where the kernel allows one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.walls.product import clean_environment
from tools.bundle import ROLES, TARGETS, build_wheels, download, fingerprint, requirements, write

pytestmark = pytest.mark.slow  # downloads and installs

ROOT = Path(__file__).parents[2]
DEBIAN = "/usr/bin/python3"
ALONE = ("unshare", "--map-root-user", "--net")
WITH_MOUNTS = ("unshare", "--map-root-user", "--mount", "--net")
REFUSED = "http://127.0.0.1:1"
KEY = Ed25519PrivateKey.generate()


@dataclass(frozen=True)
class Made:
    """A bundle, and its `install.sh` beside it, as an operator takes it out with tar."""

    path: Path
    script: Path


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Made]:
    """Of this version and of the next: the same tree with another number."""
    folder = tmp_path_factory.mktemp("bundles")
    next_tree = folder / "tree"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (next_tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, next_tree / name, follow_symlinks=False)
    project = next_tree / "library" / "pyproject.toml"  # the one place that says the version
    text = project.read_text("utf-8")
    assert text.count('\nversion = "') == 1
    project.write_text(text.replace('\nversion = "', '\nversion = "9'), "utf-8")
    needed = {role: requirements(distribution) for role, distribution in ROLES.items()}
    download(needed["gateway"], TARGETS, folder / "wheels")

    def made(tree: Path, name: str) -> Made:
        path = write(folder / name, build_wheels(tree, folder / f"{name}-ours"), needed, folder / "wheels", KEY)
        subprocess.run(["tar", "-xf", path, "install.sh"], cwd=path.parent, check=True)
        return Made(path, path.parent / "install.sh")

    return made(ROOT, "this"), made(next_tree, "next")


@pytest.fixture(scope="module")
def bundle(bundles: tuple[Made, Made]) -> Made:
    return bundles[0]


def allowed(words: Sequence[str]) -> bool:
    return subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0


def offline() -> dict[str, str]:
    """Where no namespace is allowed, a registry is not reached either: every proxy refuses."""
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"), REFUSED)
    return {n: v for n, v in clean_environment().items() if not n.startswith("PIP_")} | proxies | {"no_proxy": ""}


def run(*words: str | Path, within: Sequence[str] = ()) -> tuple[int, str]:
    """Exit code and all that it said, without a terminal."""
    prefix = within or (ALONE if allowed(ALONE) else ())
    done = subprocess.run(
        [*prefix, *map(str, words)],
        env=offline(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout


def install(made: Made, to: Path, *options: str | Path, within: Sequence[str] = ()) -> tuple[int, str]:
    """options: an option that is given twice has its last value."""
    told = ("--role", "gateway", "--fingerprint", fingerprint(KEY), "--python", DEBIAN, "--to", to)
    return run("bash", made.script, made.path, *told, *options, within=within)


def installed(to: Path, *words: str) -> str:
    code, out = run(to / "current" / "bin" / words[0], *words[1:])
    assert code == 0, out
    return out


@pytest.mark.parametrize("role", ROLES)
def test_each_role_installs_without_a_network(bundle: Made, tmp_path: Path, role: str) -> None:
    killed = tmp_path / "to" / "versions" / f"{bundle.path.stem.removeprefix('lianzhi-bundle-')}-{role}" / "half"
    killed.parent.mkdir(parents=True)
    killed.touch()  # what an installation leaves that was killed
    code, out = install(bundle, tmp_path / "to", "--role", role)
    assert code == 0, out
    assert not killed.exists()
    told = installed(tmp_path / "to", "lianzhi", "--version")
    assert ("lianzhi-gateway" in told) == (role == "gateway")
    installed(tmp_path / "to", "python", "-I", "-c", "import lianzhi")
    assert ("rabbitmq-server" in out) == (role == "gateway")
    papers = tmp_path / "to" / "current" / "share" / "doc" / "lianzhi"
    assert str(papers) in out
    for name in ("docs/handbook/operators.md", "docs/contracts.md", "docs/glossary.md", "deploy/lianzhi-backup.timer"):
        assert (papers / name).read_bytes() == (ROOT / name).read_bytes()


def test_an_upgrade_keeps_the_old_one_and_goes_back(bundles: tuple[Made, Made], tmp_path: Path) -> None:
    to = tmp_path / "to"
    told = []
    for made in bundles:
        code, out = install(made, to, "--role", "library")
        assert code == 0, out
        told.append(installed(to, "lianzhi", "--version"))
    assert told[1] == told[0].replace("lianzhi ", "lianzhi 9")
    for expected in (told[0], told[1]):
        code, out = run("bash", to / "install.sh", "--back")
        assert code == 0, out
        assert installed(to, "lianzhi", "--version") == expected
    for role, why in (("library", "The target has 9"), ("gateway", "The target holds the other role")):
        code, out = install(bundles[1], to, "--role", role)
        assert (code, why in out) == (1, True), out


def test_nothing_to_go_back_to_is_said(bundle: Made, tmp_path: Path) -> None:
    code, out = run("bash", bundle.script, "--back", "--to", tmp_path)
    assert code == 1
    assert "无可退回" in out and "no earlier version" in out


@contextmanager
def one_bit_changed(path: Path, at: int) -> Iterator[None]:
    with path.open("r+b") as file:
        file.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
        where, byte = file.tell(), file.read(1)[0]

        def put(value: int) -> None:
            file.seek(where)
            file.write(bytes([value]))
            file.flush()

        put(byte ^ 1)
        yield
        put(byte)


REGIONS = {
    "the name of install.sh in the tar": 0,
    "install.sh": 2_000,
    "a wheel": 50_000_000,
    "the last wheel": -20_000,
    "the end of the tar": -109,
    "the key": -108,
    "the key's last byte": -65,
    "the signature": -64,
    "the signature's second half": -32,
    "the signature's last byte": -1,
}


@pytest.mark.parametrize("region", REGIONS)
def test_one_changed_bit_is_refused_before_anything_is_written(bundle: Made, tmp_path: Path, region: str) -> None:
    with one_bit_changed(bundle.path, REGIONS[region]):
        code, out = install(bundle, tmp_path / "to")
    assert code == 1
    assert "未通过校验" in out and "does not verify" in out
    assert not (tmp_path / "to").exists()


def test_a_shortened_bundle_is_refused(bundle: Made, tmp_path: Path) -> None:
    short = tmp_path / "short.tar"
    with bundle.path.open("rb") as whole:
        short.write_bytes(whole.read(10_000_000))
    code, out = install(Made(short, bundle.script), tmp_path / "to")
    assert (code, "does not verify" in out) == (1, True)
    assert not (tmp_path / "to").exists()


def test_another_makers_bundle_is_refused(bundle: Made, tmp_path: Path) -> None:
    """Whoever signs with a key of their own has another fingerprint."""
    other = fingerprint(Ed25519PrivateKey.generate())
    code, out = install(bundle, tmp_path / "to", "--fingerprint", other)
    assert (code, "fingerprint is not the one that was given" in out) == (1, True)
    assert not (tmp_path / "to").exists()


def test_a_script_that_is_not_the_bundles_own_is_refused(bundle: Made, tmp_path: Path) -> None:
    script = tmp_path / "install.sh"
    script.write_text(bundle.script.read_text("utf-8") + "\n", "utf-8")
    code, out = install(Made(bundle.path, script), tmp_path / "to")
    assert (code, "not the bundle's own" in out) == (1, True)


def test_the_fingerprint_is_worked_out_again_from_the_private_key(tmp_path: Path) -> None:
    """By the command of docs/handbook/install.md section 1."""
    (tmp_path / "release.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    command = "openssl pkey -in release.pem -pubout -outform DER | sha256sum"
    assert command.replace("|", "\\|") in (ROOT / "docs" / "handbook" / "install.md").read_text("utf-8")
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == fingerprint(KEY)


def test_the_fingerprint_is_never_taken_from_the_bundle(bundle: Made, tmp_path: Path) -> None:
    code, out = run("bash", bundle.script, bundle.path, "--role", "library", "--to", tmp_path / "to")
    assert code == 1
    assert "缺 --fingerprint" in out and "handbook" in out


@pytest.mark.parametrize(
    ("python", "chinese", "english"),
    [
        ("3.9-x86_64", "Python 版本不合", "Wrong Python: "),
        ("3.11-riscv64", "处理器架构不合", "Wrong architecture: this machine is riscv64"),
    ],
)
def test_a_wrong_machine_is_named(bundle: Made, tmp_path: Path, python: str, chinese: str, english: str) -> None:
    """A program that says of itself what such a machine's Python would."""
    other = tmp_path / "python3"
    other.write_text(f"#!/bin/sh\necho {python}\n", "utf-8")
    other.chmod(0o755)
    code, out = install(bundle, tmp_path / "to", "--python", other)
    assert code == 1
    assert chinese in out and english in out
    assert not (tmp_path / "to").exists()


@pytest.mark.skipif(not allowed(WITH_MOUNTS), reason="needs a mount namespace")
@pytest.mark.parametrize(
    ("options", "chinese", "english"),
    [("size=20m", "空间不足", "No room: "), ("ro", "没有写", "No right to write ")],
)
def test_a_file_system_without_room_or_rights_is_named(
    bundle: Made, tmp_path: Path, options: str, chinese: str, english: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (*WITH_MOUNTS, "sh", "-c", 'mount -t tmpfs -o "$0" tmpfs "$1" && shift && exec "$@"', options, str(disk))
    code, out = install(bundle, disk / "to", within=mounted)
    assert code == 1
    assert chinese in out and english in out


def test_a_folder_with_other_files_is_left_alone(bundle: Made, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("ours", "utf-8")
    code, out = install(bundle, tmp_path)
    assert code == 1
    assert "目标已被他用" in out and "The target is in use" in out
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_two_installations_at_once_do_not_meet(bundle: Made, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    held = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, out = install(bundle, tmp_path)
    finally:
        os.close(held)
    assert code == 1
    assert "目标正在使用" in out and "another install.sh" in out
    assert list((tmp_path / "versions").iterdir()) == []
