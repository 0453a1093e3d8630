"""A vocabulary is said once: its codes with their words; wherever it is used, the form has the words beside them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import ValidationError

from lianzhi.protocol.base import Model, Vocabulary, coded, label, words_of

Answer = Vocabulary[Annotated[Literal["attend"], "参加"] | Annotated[Literal["decline"], "不参加"]]
Only = Vocabulary[Annotated[Literal["identity"], "户籍身份"]]
WORDS = {"attend": "参加", "decline": "不参加"}


class Form(Model):
    one: Annotated[Answer, label("答复", "Answer")]
    may_be: Annotated[Answer | None, label("答复", "Answer")] = None
    many: Annotated[list[Answer], label("答复", "Answers", min_length=1)] = ["attend"]
    may_be_many: Annotated[list[Answer] | None, label("答复", "Answers")] = None
    fixed: Annotated[Only, label("范围", "Scope")] = "identity"
    of_table: Annotated[Annotated[str, coded(WORDS)] | None, label("答复", "Answer")] = None


SCHEMA = Form.model_json_schema()["properties"]


def test_the_words_of_a_vocabulary_stand_in_its_order() -> None:
    assert list(words_of(Answer).items()) == list(WORDS.items())
    assert words_of(Only) == {"identity": "户籍身份"}


@pytest.mark.parametrize("member", ["one", "may_be", "many", "may_be_many", "of_table"])
def test_the_form_has_the_words_at_the_member(member: str) -> None:
    assert SCHEMA[member]["x-labels"] == WORDS
    assert repr(SCHEMA[member]).count("x-labels") == 1
    assert repr(SCHEMA[member]).count("'enum': ['attend', 'decline']") == 1


def test_the_form_has_the_word_of_a_single_code() -> None:
    assert (SCHEMA["fixed"]["const"], SCHEMA["fixed"]["x-labels"]) == ("identity", {"identity": "户籍身份"})


@pytest.mark.parametrize("given", [{"one": "maybe"}, {"one": "参加"}, {"one": "attend", "many": ["no"]}])
def test_any_other_code_is_refused_as_by_a_literal(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        Form.model_validate(given)
    assert [error["type"] for error in refused.value.errors()] == ["literal_error"]
