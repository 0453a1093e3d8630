"""Writes the offline bundle: one signed file that installs the gateway or the library where no registry is reached.

`make bundle ARGS="--key release.pem"`. How it is installed: docs/handbook/install.md.
The file is a tar, then 108 bytes:

- `install.sh`, `rabbitmq.conf`, `lianzhi.service` (from deploy/), `contents` (version and target lines, read by it);
- `docs/`, `deploy/`: the pages and files that the handbook names, installed as `current/share/doc/lianzhi/`;
- `gateway.txt`, `library.txt`: for pip, every distribution of a role with its hashes by `uv.lock`, and ours;
- `wheels/`: our two and, for each of TARGETS, all that they need, downloaded from PyPI;
- 44 bytes: the public key, Ed25519, as SubjectPublicKeyInfo (RFC 8410); 64 bytes: its signature over `signed_text` of
  all bytes before them. They stand behind the tar's end, where tar does not read, so that each bit of the file counts.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".tools" / "bin"
ROLES = {"gateway": "lianzhi-gateway", "library": "lianzhi"}
"""What `install.sh` is asked for, and the distribution that it installs."""
GLIBC = 36
"""Debian 12 has glibc 2.36: wheels for that or older run there and on Debian 13."""
ROOM_BESIDE = 60_000_000
"""Bytes of an environment without our packages: pip, its scripts, and what is unpacked for the moment."""


@dataclass(frozen=True)
class Target:
    """One Debian python3. python: `3.11`. machine: as `platform.machine()` says it."""

    python: str
    machine: str

    @property
    def tag(self) -> str:
        return f"cp{self.python.replace('.', '')}"


TARGETS = tuple(Target(python, machine) for machine in ("x86_64", "aarch64") for python in ("3.11", "3.13"))


class BundleError(Exception):
    """The bundle cannot be made; the text says why."""


def build_wheels(tree: Path, out: Path) -> list[Path]:
    """Our two wheels of that tree, in `out`."""
    _run(str(TOOLS / "uv"), "build", "--all-packages", "--wheel", "--quiet", "--out-dir", str(out), cwd=tree)
    return sorted(out.glob("*.whl"))


def requirements(distribution: str) -> str:
    """What a distribution of ours needs by `uv.lock`, each with its hashes, ours left out; as pip reads it."""
    return _run(
        *(str(TOOLS / "uv"), "export", "--quiet", "--locked", "--no-dev", "--no-emit-workspace", "--no-header"),
        *("--no-annotate", "--package", distribution),
        cwd=ROOT,
    )


def download(needed: str, targets: Iterable[Target], out: Path) -> None:
    """The wheels of `needed` for each target, from PyPI, by their hashes. Raises BundleError where one has none.

    `pip download` takes the markers of the Python that it runs in; the lock has none that differ between the targets.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(needed)
        file.flush()
        for target in targets:
            platforms = [f"manylinux_2_{minor}_{target.machine}" for minor in range(GLIBC, 16, -1)]
            platforms.append(f"manylinux2014_{target.machine}")
            _run(
                *(str(TOOLS / "pip"), "download", "--quiet", "--no-deps", "--require-hashes"),
                *("--only-binary", ":all:", "--implementation", "cp", "--python-version", target.python),
                *("--abi", target.tag, "--abi", "abi3", "--abi", "none"),
                *(word for platform in platforms for word in ("--platform", platform)),
                *("--dest", str(out), "--requirement", file.name),
                cwd=ROOT,
            )


def write(out: Path, ours: Iterable[Path], needed: dict[str, str], wheels: Path, key: Ed25519PrivateKey) -> Path:
    """The signed bundle in `out`. ours: both wheels of one version. needed: by role, as `requirements` has them.
    wheels: the folder that `download` filled. The same inputs give the same bytes."""
    own = {path.name.split("-")[0].replace("_", "-"): path for path in ours}
    version = own["lianzhi-gateway"].name.split("-")[1]
    lines = {"library": _pinned(own, ["lianzhi"]), "gateway": _pinned(own, sorted(own))}
    files = [*own.values(), *sorted(wheels.glob("*.whl"))]
    texts = {role: (needed[role] + lines[role]).encode() for role in ROLES}
    path = out / f"lianzhi-bundle-{version}.tar"
    out.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        _add(tar, "install.sh", (ROOT / "deploy" / "install.sh").read_bytes(), 0o755)
        for name in ("rabbitmq.conf", "lianzhi.service"):
            _add(tar, name, (ROOT / "deploy" / name).read_bytes())
        for page in _documents():
            _add(tar, str(page.relative_to(ROOT)), page.read_bytes())
        _add(tar, "contents", _contents(version, files).encode())
        for role in ROLES:
            _add(tar, f"{role}.txt", texts[role])
        for file in files:
            _add(tar, f"wheels/{file.name}", file.read_bytes())
    _sign(path, key)
    return path


def signed_text(digest: str) -> bytes:
    """What is signed. digest: SHA-256 of the tar, in hex."""
    return f"lianzhi-bundle/1 {digest}\n".encode()


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: Ed25519PrivateKey) -> str:
    """SHA-256 of the public key's 44 bytes, in hex: what the handbook's page shows and `install.sh` compares."""
    return hashlib.sha256(public(key)).hexdigest()


def read_key(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 key in PEM, its password asked for where it has one. Raises BundleError for anything else."""
    try:
        pem = path.read_bytes()
        password = getpass.getpass(f"{path}: 口令 password ").encode() if b"ENCRYPTED" in pem else None
        key = load_pem_private_key(pem, password)
    except (OSError, ValueError, TypeError) as error:
        raise BundleError(f"{path} 读不出密钥。 No key could be read: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(
            f"{path} 不是 Ed25519 私钥。 Not an Ed25519 private key: make one with"
            " openssl genpkey -algorithm ed25519 -out release.pem"
        )
    return key


def _sign(path: Path, key: Ed25519PrivateKey) -> None:
    with path.open("rb") as tar:
        digest = hashlib.file_digest(tar, "sha256").hexdigest()
    with path.open("ab") as tar:
        tar.write(public(key) + key.sign(signed_text(digest)))


def _documents() -> list[Path]:
    """What is read on the machine: the pages of docs/ without its history, and deploy/."""
    return sorted(path for folder in ("docs", "deploy") for path in (ROOT / folder).rglob("*") if _is_read_there(path))


def _is_read_there(path: Path) -> bool:
    return path.is_file() and (path.suffix == ".md" or path.parent.name == "deploy") and "history" not in path.parts


def _pinned(own: dict[str, Path], names: Iterable[str]) -> str:
    return "".join(
        f"{name}=={own[name].name.split('-')[1]} --hash=sha256:{hashlib.sha256(own[name].read_bytes()).hexdigest()}\n"
        for name in names
    )


def _contents(version: str, files: Iterable[Path]) -> str:
    """Lines of two words. room: bytes that must be free: the wheels, what they unpack to, compiled as well."""
    unpacked = packed = 0
    for file in files:
        packed += file.stat().st_size
        if all(other not in file.name for other in ("aarch64", "cp313-cp313")):  # one target's
            unpacked += sum(info.file_size for info in zipfile.ZipFile(file).infolist())
    targets = "".join(f"target {one.python}-{one.machine}\n" for one in TARGETS)
    return f"version {version}\nroom {packed + 2 * unpacked + ROOM_BESIDE}\n{targets}"


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    tar.addfile(member, io.BytesIO(content))


def _run(*words: str, cwd: Path) -> str:
    # pip's own settings on the maker's machine (other indexes, constraints) must not choose what a court installs.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {name: os.environ[name] for name in ("PIP_CERT",) if name in os.environ}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BundleError(f"{Path(words[0]).name} {words[1]}: {done.stderr.strip()}")
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bundle", description=__doc__.splitlines()[0])
    by = parser.add_mutually_exclusive_group(required=True)
    by.add_argument("--key", type=Path, help="发行方的 Ed25519 私钥（PEM） the release's private key")
    by.add_argument(
        "--throwaway-key", action="store_true", help="试用：一次性密钥，不保存 for trying: a key that is not kept"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    asked = parser.parse_args()
    try:
        key = Ed25519PrivateKey.generate() if asked.throwaway_key else read_key(asked.key)
        with tempfile.TemporaryDirectory(prefix="lianzhi-bundle-") as temporary:
            wheels = Path(temporary, "wheels")
            ours = build_wheels(ROOT, Path(temporary, "ours"))
            needed = {role: requirements(distribution) for role, distribution in ROLES.items()}
            download(needed["gateway"], TARGETS, wheels)
            path = write(asked.out, ours, needed, wheels, key)
    except BundleError as error:
        sys.exit(f"✗ {error}")
    print(f"{path}  {path.stat().st_size / 1e6:.0f} MB")
    if asked.throwaway_key:
        print("一次性密钥，只供试用。 A throwaway key: for trying only.")
    print("抄给安装的人，勿随包 for who installs it, never with the bundle (docs/handbook/install.md 1)")
    print(f"密钥指纹 the key's fingerprint: {fingerprint(key)}")


if __name__ == "__main__":
    main()
