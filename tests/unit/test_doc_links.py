"""What a document or a docstring points at exists: files, headings, sections, decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {".md", ".py", ".toml", ".mjs", ".java", ".sh", ".yaml", ".yml", ".conf", ".sql"}
TOP = frozenset(
    {".github", "adapters", "bench", "deploy", "docs", "examples", "gateway", "library", "schemas", "scripts"}
    | {"simulation", "tests", "tools"}
)
AS_THEY_WERE = ("docs/history/", "docs/adr/", "CHANGELOG.md")
"""Pages that may name code as it was called when they were written."""

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```", re.S)
PATH = re.compile(rf"`((?:{'|'.join(map(re.escape, sorted(TOP)))})/[\w./-]*\w/?)`")
DOCUMENT = re.compile(r"\bdocs/(?:[\w-]+/)*[\w-]+\.md\b")
SECTION = re.compile(r"\b(docs/[\w/-]+\.md)`?(?: sections?)? (\d+(?:\.\d+)?)\b(?!\d)")
DECISION = re.compile(r"\bdocs/adr/(\d{4})((?:, \d{4})*)")


def written() -> list[Path]:
    """Every text of ours; not what tools and builds put beside it."""
    tops = (path for path in ROOT.iterdir() if path.name in TOP | {"README.md"} or path.suffix in SOURCES)
    files = (one for top in tops for one in ([top] if top.is_file() else sorted(top.rglob("*"))))
    return [p for p in files if p.is_file() and p.suffix in SOURCES and "node_modules" not in p.parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


PAGES = [path for path in written() if path.suffix == ".md"]
LIVING = [path for path in PAGES if not name_of(path).startswith(AS_THEY_WERE)]


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def anchors(path: Path) -> frozenset[str]:
    """Of each heading, as GitHub makes them."""
    headings = re.findall(r"^#{1,6} +(.*)$", CODE.sub("", text_of(path)), re.M)
    return frozenset(re.sub(r"[^\w\- ]", "", one.strip().lower()).replace(" ", "-") for one in headings)


@cache
def sections(path: Path) -> frozenset[str]:
    """The numbers of its headings: `2.` and `2.7` of `## 2. …`, `### 2.7 …`."""
    return frozenset(re.findall(r"^#{2,4} (\d+(?:\.\d+)?)\.? ", text_of(path), re.M))


def broken_links(path: Path) -> Iterator[str]:
    for target in LINK.findall(CODE.sub("", text_of(path))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in anchors(found)):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page: Path) -> None:
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", LIVING, ids=name_of)
def test_files_that_a_page_names_exist(page: Path) -> None:
    assert [name for name in PATH.findall(text_of(page)) if not (ROOT / name).exists()] == []


def test_documents_and_sections_that_are_cited_exist() -> None:
    wrong = []
    for path in written():
        if name_of(path) == "CHANGELOG.md" or name_of(path).startswith("docs/history/"):
            continue
        text = text_of(path)
        wrong += [f"{name_of(path)}: {name}" for name in DOCUMENT.findall(text) if not (ROOT / name).exists()]
        wrong += [
            f"{name_of(path)}: {name} {number}"
            for name, number in SECTION.findall(text)
            if (ROOT / name).exists() and sections(ROOT / name) and number not in sections(ROOT / name)
        ]
    assert wrong == []


def test_decisions_that_are_cited_exist() -> None:
    known = {path.name[:4] for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")}
    cited = {
        number: name_of(path)
        for path in written()
        for first, more in DECISION.findall(text_of(path))
        for number in re.findall(r"\d{4}", first + more)
    }
    assert len(cited) > 20
    assert {number: where for number, where in cited.items() if number not in known} == {}


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# One page 一页\n", "utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md#one-page-一页) [b](there.md#two) [c](gone.md) [d](https://x.example/gone.md)\n", "utf-8"
    )
    assert list(broken_links(page)) == ["there.md#two", "gone.md"]
