"""`manifest.json` of a backup."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MANIFEST = "manifest.json"
DATABASES: dict[str, str] = {"sqlite": "database.sqlite", "postgresql": "database.dump"}
INSTALLATION, DOCUMENTS = "installation/", "documents/"
NAMED = 100  # documents that are missing or damaged: so many by name, all of them in the count
MOST = 16 << 20  # bytes of a manifest

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_DOCUMENT = re.compile(r"^documents/([0-9a-f]{2})/(\1[0-9a-f]{62})$")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Part):
    """size: bytes."""

    name: str
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class Documents(_Part):
    """count, bytes: that the backup holds, each under its digest; digest: SHA-256 of their digests, one a line, in
    order. missing, damaged: named in the database, but not there, or not what their name says: how many, and the first
    of them."""

    count: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]
    digest: Sha256
    missing: Annotated[int, Field(ge=0)] = 0
    damaged: Annotated[int, Field(ge=0)] = 0
    named: list[Sha256] = []


class Manifest(_Part):
    """product: version of the program that wrote it. revision: of the schema. at: the moment of the database; ended_at:
    when the last file was read. keys: whether private keys and passwords are in it. rows: of some tables."""

    format: Literal[1] = 1
    product: str
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
    database: Literal["sqlite", "postgresql"]
    at: datetime
    ended_at: datetime
    keys: bool
    rows: dict[str, int]
    documents: Documents
    files: list[FileEntry]


def document_of(name: str) -> str | None:
    """The digest that a document's name in the backup says; None for anything else."""
    found = _DOCUMENT.match(name)
    return found[2] if found else None


def is_lawful(name: str) -> bool:
    """Whether a backup may hold a file of this name. What is not listed here is never unpacked."""
    if name in (MANIFEST, *DATABASES.values()) or document_of(name) is not None:
        return True
    path = PurePosixPath(name)
    plain = name.isprintable() and str(path) == name and "\\" not in name and not {"..", ""} & set(path.parts)
    return plain and name.startswith(INSTALLATION) and name != INSTALLATION
