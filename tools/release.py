"""Builds a release into `dist/<version>/`: both wheels, an SBOM of each (CycloneDX 1.5), and SHA256SUMS over all.

`library/pyproject.toml` says the version. What is built is the commit, not the folder: a release can be built again
from its tag. How one is made, step by step: docs/releases.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import PackageMetadata, distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
UV = str(ROOT / ".tools" / "bin" / "uv")
WHEELS = ("lianzhi", "lianzhi-gateway")
UNPINNED = '    "lianzhi", '
"""How the gateway's dependencies name the library."""


class NotReadyError(Exception):
    """This commit cannot be released; the text says why."""


def version_of(root: Path) -> str:
    version: str = tomllib.loads((root / "library" / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return version


def check(root: Path) -> str:
    """The version to release. Raises NotReadyError."""
    version = version_of(root)
    if _run("git", "status", "--porcelain", cwd=root):
        raise NotReadyError("有未提交的改动。 There are changes that are not committed.")
    top, *earlier = re.findall(r"^## (\S+)", (root / "CHANGELOG.md").read_text("utf-8"), re.M)
    if version in earlier or _run("git", "tag", "--list", f"v{version}", cwd=root):
        raise NotReadyError(f"{version} 已经发行。 {version} has been released.")
    if top != version:
        raise NotReadyError(
            f"CHANGELOG.md 最上一节是“{top}”，不是 {version}。 The top entry of CHANGELOG.md is not {version}."
        )
    return version


def release(root: Path) -> Path:
    """The folder with what was built; one of an earlier try is replaced. Raises NotReadyError."""
    version = check(root)
    with tempfile.TemporaryDirectory(prefix="lianzhi-release-") as temporary:
        tree, out, installed = (Path(temporary) / name for name in ("tree", "out", "installed"))
        _export(root, tree)
        _pin(tree / "pyproject.toml", version)
        _run(
            UV,
            "build",
            "--all-packages",
            "--wheel",
            "--quiet",
            "--no-create-gitignore",
            "--out-dir",
            str(out),
            cwd=tree,
        )
        for name in WHEELS:
            document = sbom(root, name, out, installed)
            (out / f"{name}-{version}.cdx.json").write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
        sums = "".join(f"{_sha256(path)}  {path.name}\n" for path in sorted(out.iterdir()))
        (out / "SHA256SUMS").write_text(sums, "utf-8")
        finished = root / "dist" / version
        shutil.rmtree(finished, ignore_errors=True)
        shutil.copytree(out, finished)
    return finished


def sbom(root: Path, name: str, wheels: Path, installed: Path) -> dict[str, Any]:
    """What `uv.lock` has for this wheel, on every platform, with what uv leaves out: licences, and the version and the
    hash of what is built here. installed: a folder for the packages, whose metadata tells their licences."""
    told = _run(
        UV, "export", "--quiet", "--locked", "--no-dev", "--package", name, "--format", "cyclonedx1.5", cwd=root
    )
    document: dict[str, Any] = json.loads(told)
    components = [document["metadata"]["component"], *document["components"]]
    built = {_normal(path.name.split("-")[0]): path for path in wheels.glob("*.whl")}
    others = [f"{one['name']}=={one['version']}" for one in components if one["name"] not in built]
    packages = [*others, *map(str, built.values())]
    _run(UV, "pip", "install", "--quiet", "--no-deps", "--target", str(installed), *packages, cwd=root)
    metadata = {_normal(one.metadata["Name"]): one.metadata for one in distributions(path=[str(installed)])}
    for component in components:
        known = metadata[component["name"]]
        component["licenses"] = licences(known)
        if wheel := built.get(component["name"]):
            component["version"] = known["Version"]
            component["purl"] = f"pkg:pypi/{component['name']}@{known['Version']}"
            component["hashes"] = [{"alg": "SHA-256", "content": _sha256(wheel)}]
    return document


def licences(metadata: PackageMetadata) -> list[dict[str, Any]]:
    """As CycloneDX writes them: an SPDX expression, or else the package's own words. Raises NotReadyError."""
    if "License-Expression" in metadata:
        return [{"expression": metadata["License-Expression"]}]
    classified = [one for one in metadata.get_all("Classifier") or [] if one.startswith("License ::")]
    if words := [one.rpartition(" :: ")[2] for one in classified] or metadata.get_all("License"):
        return [{"license": {"name": word}} for word in words]
    raise NotReadyError(f"{metadata['Name']} 未写明许可。 {metadata['Name']} does not say its licence.")


def _normal(name: str) -> str:
    """A distribution's name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _export(root: Path, tree: Path) -> None:
    tree.mkdir()
    archive = tree.with_suffix(".tar")
    _run("git", "archive", "--output", str(archive), "HEAD", cwd=root)
    _run("tar", "--extract", "--file", str(archive), cwd=tree)


def _pin(pyproject: Path, version: str) -> None:
    """The gateway uses the library from the inside: only the one that it was tested with will do."""
    text = pyproject.read_text("utf-8")
    if text.count(UNPINNED) != 1:
        raise NotReadyError("pyproject.toml 未列出 lianzhi。 pyproject.toml does not list lianzhi.")
    pyproject.write_text(text.replace(UNPINNED, f'    "lianzhi=={version}", '), "utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _run(*words: str, cwd: Path) -> str:
    return subprocess.run(words, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    try:
        folder = release(ROOT)
    except NotReadyError as error:
        sys.exit(f"✗ {error}")
    except subprocess.CalledProcessError as error:  # it has said why on standard error
        sys.exit(f"✗ {shlex.join(error.cmd)}")
    print(*sorted(folder.iterdir()), sep="\n")
