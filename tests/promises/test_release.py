"""What `make release` hands out: wheels of one version, sums that prove them, and what is in them; or why it does not.

Each release is made in a copy of the tree, committed as a maintainer would do it. Needs PyPI.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from tests.promises.tree import Tree

pytestmark = pytest.mark.slow  # builds

VERSION = "9.8.7"
UNRELEASED = "## 未发布 Unreleased"
ENTRY = f"## {VERSION} · 2026-12-01"
WHEELS = {"lianzhi": "lianzhi", "lianzhi-gateway": "lianzhi_gateway"}


@pytest.fixture
def ready(tree: Tree) -> Tree:
    """With the version and the entry of a release, committed."""
    tree.run("git", "tag", "--force", "start", "HEAD")
    tree.run("sed", "-i", f's/^version = ".*"$/version = "{VERSION}"/', "library/pyproject.toml")
    rename(tree, UNRELEASED, ENTRY)
    tree.run(".tools/bin/uv", "lock", "--quiet")
    commit(tree)
    return tree


@pytest.fixture(autouse=True)
def as_it_was(tree: Tree) -> Iterator[None]:
    yield
    tree.run("git", "reset", "--quiet", "--hard", "start")
    tree.run("git", "clean", "--quiet", "-d", "--force", "--", "gateway")
    tree.run("rm", "-rf", "dist")


def rename(tree: Tree, old: str, new: str) -> None:
    page = tree.folder / "CHANGELOG.md"
    text = page.read_text("utf-8")
    assert f"{old}\n" in text
    page.write_text(text.replace(f"{old}\n", f"{new}\n", 1), "utf-8")


def commit(tree: Tree) -> None:
    tree.run(
        "git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--all", "--message", "t"
    )


def release(tree: Tree, code: int = 0) -> str:
    """What it said. code: how it must end."""
    return tree.run("sh", "-c", "exec .venv/bin/python -m tools.release 2>&1", code=code)


def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as packed:
        (name,) = (name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(packed.read(name))


def test_a_release_proves_itself_and_names_all_that_it_brings(ready: Tree) -> None:
    release(ready)
    assert ready.changed() == [], "a release writes nothing but dist/, which git passes over"
    out = ready.folder / "dist" / VERSION
    wheels = {name: out / f"{start}-{VERSION}-py3-none-any.whl" for name, start in WHEELS.items()}
    boms = {name: out / f"{name}-{VERSION}.cdx.json" for name in WHEELS}
    assert {*out.iterdir()} == {*wheels.values(), *boms.values(), out / "SHA256SUMS"}
    checked = ready.run("sh", "-c", f"cd dist/{VERSION} && sha256sum --check --strict SHA256SUMS")
    assert checked.count(": OK") == 4
    for name, wheel in wheels.items():
        told = metadata(wheel)
        assert (told["Name"], told["Version"]) == (name, VERSION)
        proved(json.loads(boms[name].read_text("utf-8")), told, sums(out))
    assert f"lianzhi=={VERSION}" in metadata(wheels["lianzhi-gateway"]).get_all("Requires-Dist", [])
    assert "sqlalchemy" not in boms["lianzhi"].read_text("utf-8"), "the library brings nothing of the server"


def sums(out: Path) -> dict[str, str]:
    """File → SHA-256."""
    lines = (out / "SHA256SUMS").read_text("utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def proved(bom: dict[str, Any], wheel: Message, sums: dict[str, str]) -> None:
    """The members that CycloneDX 1.5 wants, and everything that the wheel needs, with licence and hash."""
    assert (bom["bomFormat"], bom["specVersion"], bom["version"]) == ("CycloneDX", "1.5", 1)
    own, components = bom["metadata"]["component"], {one["name"]: one for one in bom["components"]}
    assert (own["name"], own["version"]) == (wheel["Name"], wheel["Version"])
    for needed in map(Requirement, wheel.get_all("Requires-Dist", [])):
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue  # an extra's: whoever takes it brings it
        assert needed.specifier.contains(components[needed.name]["version"]), needed
    for component in (own, *components.values()):
        assert component["type"] == "library"
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
        assert all(one.get("expression") or one["license"]["name"] for one in component["licenses"])
        assert component["licenses"]
        assert hashes(component), component["name"]
        if component["name"] in WHEELS:
            assert hashes(component) == {sums[f"{WHEELS[component['name']]}-{VERSION}-py3-none-any.whl"]}
    known = {one["bom-ref"] for one in (own, *components.values())}
    drawn = {one["ref"]: set(one.get("dependsOn", [])) for one in bom["dependencies"]}
    assert drawn.keys() == known
    assert set().union(*drawn.values()) == known - {own["bom-ref"]}, "nothing is in it that nothing needs"


def hashes(component: dict[str, Any]) -> set[str]:
    """Of the component, or of the files that PyPI has of it."""
    everywhere = [component, *component.get("externalReferences", [])]
    return {one["content"] for place in everywhere for one in place.get("hashes", []) if one["alg"] == "SHA-256"}


def test_what_is_not_committed_is_not_released(ready: Tree) -> None:
    (ready.folder / "gateway" / "more.py").write_text("", "utf-8")
    assert "not committed" in release(ready, code=1)


def test_a_version_without_an_entry_is_not_released(ready: Tree) -> None:
    rename(ready, ENTRY, UNRELEASED)
    commit(ready)
    assert f"not {VERSION}" in release(ready, code=1)


def test_a_version_is_released_once(ready: Tree) -> None:
    rename(ready, "## 0.1.0", f"## {VERSION} · 2026-11-01")
    commit(ready)
    assert "has been released" in release(ready, code=1)


def test_a_tagged_version_is_released_once(ready: Tree) -> None:
    ready.run("git", "tag", f"v{VERSION}")
    told = release(ready, code=1)
    ready.run("git", "tag", "--delete", f"v{VERSION}")
    assert "has been released" in told


def test_a_lock_that_is_behind_is_not_released(ready: Tree) -> None:
    ready.run("git", "checkout", "--quiet", "start", "--", "uv.lock")
    commit(ready)
    assert "uv lock" in release(ready, code=1)
    assert not (ready.folder / "dist").exists()
