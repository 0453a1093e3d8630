"""`law/*.toml` of an installation: the rows by which a court's tables differ from the product's (docs/adr/0039)."""

from __future__ import annotations

from pathlib import Path

from lianzhi.errors import ConfigurationError
from lianzhi.text_files import read_text
from schemas.law.force import Law
from schemas.law.reading import LawFileError, read_law

LAW = "law"


def load_law(folder: Path) -> Law:
    """The tables of the installation in `folder`; without files the product's own.

    Raises ConfigurationError: file, line, word and what is allowed, of everything that is wrong.
    """
    texts: dict[str, str] = {}
    there = (folder / LAW).iterdir() if (folder / LAW).is_dir() else ()
    for path in sorted(path for path in there if not path.name.startswith(".")):
        texts[path.name] = read_text(path)
    try:
        return read_law(texts)
    except LawFileError as error:
        raise ConfigurationError(f"{folder}：{error}") from error
