"""Values that every message may carry, whatever its matter: texts, digests, papers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from lianzhi.protocol.base import Model, Vocabulary, label, unless_accepted
from lianzhi.protocol.envelope import Code
from lianzhi.protocol.texts import line, name, prose
from lianzhi.protocol.times import PastDay

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
"""A code word of ours."""
Line = Annotated[str, StringConstraints(max_length=120), AfterValidator(unless_accepted(line))]
"""One line of text: a place, a number of a paper."""
Name = Annotated[str, StringConstraints(max_length=120), AfterValidator(unless_accepted(name))]
"""Who somebody is, or what it is called."""
Prose = Annotated[str, StringConstraints(max_length=2000), AfterValidator(unless_accepted(prose))]
MediaType = Vocabulary[
    Annotated[Literal["application/pdf"], "PDF"]
    | Annotated[Literal["application/ofd"], "OFD"]
    | Annotated[Literal["image/jpeg"], "JPEG"]
    | Annotated[Literal["image/png"], "PNG"]
]


class Document(Model):
    """A paper by its digest. It carries its own 电子签章, which is kept and not judged."""

    kind: Annotated[Slug, label("文书种类", "Kind of document")]
    number: Annotated[Line | None, label("文号", "Number of the document")] = None
    issued_on: Annotated[PastDay, label("出具日期", "Issued on")]
    sha256: Annotated[Sha256, label("摘要", "SHA-256 of its bytes, hexadecimal")]
    pages: Annotated[int, label("页数", "Pages", ge=1, le=10_000)]
    media_type: Annotated[MediaType, label("格式", "Media type")]
    sealed_by: Annotated[Code | None, label("签章单位", "Participant whose seal it carries")] = None
