"""The errors of use cases carry sentences for people."""

import pytest

from app.domain.errors import (
    Conflict,
    FieldProblem,
    Forbidden,
    Gone,
    InvalidInput,
    NotFound,
    OctantError,
    TooMany,
)


@pytest.mark.parametrize("kind", [NotFound, Forbidden, Conflict, Gone, TooMany])
def test_an_error_keeps_its_sentence_and_field(kind: type[OctantError]) -> None:
    error = kind("The link was used. Ask for a fresh one.", field="link")
    assert (error.sentence, error.field, str(error)) == (
        "The link was used. Ask for a fresh one.",
        "link",
        "The link was used. Ask for a fresh one.",
    )


def test_invalid_input_keeps_all_problems_and_names_the_only_field() -> None:
    one = InvalidInput([FieldProblem("name", "Give a name.")])
    assert (one.field, one.sentence) == ("name", "name: Give a name.")
    two = InvalidInput(FieldProblem(field, "Fill it in.") for field in ("a", "b"))
    assert two.field is None
    assert two.sentence == "a: Fill it in.\nb: Fill it in."
    assert isinstance(two, ValueError)


def test_invalid_input_without_a_problem_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="at least one problem"):
        InvalidInput([])
