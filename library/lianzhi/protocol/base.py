"""What every schema shares: the one configuration of a model, labels, vocabularies, the context of a validation.

The context is what the caller of `schemas.validation` states about the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError

T = TypeVar("T")


class Model(BaseModel):
    """Strict, frozen, no unknown members: what is not described is refused, never ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", ser_json_bytes="base64")

    def canonical(self) -> dict[str, Any]:
        """The data as given, normalised: what was absent stays absent, so that it can be read again unchanged."""
        return self.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)


@dataclass(frozen=True, slots=True)
class _Words:
    """The Chinese word for each code of a vocabulary; they travel in the JSON Schema as `x-labels`."""

    by_code: tuple[tuple[str, str], ...]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found, words = handler(schema), dict(self.by_code)
        return {**({} if "const" in found else {"enum": [*words]}), **found, "x-labels": words}


if TYPE_CHECKING:
    Vocabulary = Annotated[T, ...]
else:

    class Vocabulary:
        """The codes that a member can have, each with its Chinese word:

            Answer = Vocabulary[Annotated[Literal["attend"], "参加"] | Annotated[Literal["decline"], "不参加"]]

        To mypy it is the union of its codes; for pydantic it becomes one `Literal` that carries the words.
        """

        def __class_getitem__(cls, codes: Any) -> Any:
            each = get_args(codes) if get_origin(codes) is not Annotated else (codes,)
            words = tuple((get_args(get_args(one)[0])[0], get_args(one)[1]) for one in each)
            return Annotated[Literal[tuple(code for code, _ in words)], _Words(words)]


def coded(words: Mapping[str, str]) -> Any:
    """Of a `str` that a validator holds to the codes of a table: each code with its Chinese word, for `Annotated`."""
    return _Words(tuple(words.items()))


def words_of(vocabulary: Any) -> Mapping[str, str]:
    """The Chinese word for each code of a `Vocabulary`, in their order."""
    words: _Words = get_args(vocabulary)[1]
    return dict(words.by_code)


def label(zh: str, en: str, codes: Mapping[str, str] | None = None, **constraints: Any) -> Any:
    """What a member is called on a form (`title`) and in English (`description`), for use in `Annotated`.

    codes: the Chinese word for each code of a member whose codes are a table; those of a `Vocabulary` come with it.
    """

    def extra(schema: dict[str, Any]) -> None:
        for inner in (schema.get("items", {}), *schema.get("anyOf", ())):
            words = inner.pop("x-labels", None) or inner.get("items", {}).pop("x-labels", None)
            if words:  # of an optional member or a list: they belong to the member
                schema["x-labels"] = words
        if codes:
            schema["x-labels"] = dict(codes)

    return Field(title=zh, description=en, json_schema_extra=extra, **constraints)


# the context of a validation


def today_of(info: ValidationInfo) -> date | None:
    """The day (Asia/Shanghai) that the caller gave, if any."""
    return info.context.get("today") if isinstance(info.context, dict) else None


def accepted_before(info: ValidationInfo) -> bool:
    """Whether the data is read from where an earlier version may have put it: what it took then stays taken."""
    return isinstance(info.context, dict) and info.context.get("stored", False)


def unless_accepted(check: Callable[[str], str]) -> Callable[[str, ValidationInfo], str]:
    """`check` for what comes in; of what was accepted before, a value that breaks it is left as it is."""

    def checked(text: str, info: ValidationInfo) -> str:
        try:
            return check(text)
        except PydanticCustomError:
            if accepted_before(info):
                return text.strip()
            raise

    return checked
