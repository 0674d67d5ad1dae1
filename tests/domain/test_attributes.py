"""Typed attributes: what is stored for what was typed, and the sentence for what cannot be."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.attributes import Attribute, BadValue, define, key_for, read_value, read_values
from app.domain.errors import InvalidInput

YEAR = Attribute("year", "Year", "number")
PROGRAMME = Attribute("programme", "Programme", "choice", ("Economics", "Génie civil"))
START = Attribute("start", "Start", "date")
HONOURS = Attribute("honours", "Honours", "boolean")
TOWN = Attribute("town", "Home town", "text")


@pytest.mark.parametrize(
    ("attribute", "raw", "stored"),
    [
        (YEAR, " 3 ", 3),
        (YEAR, "2.50", 2.5),
        (YEAR, 4.0, 4),
        (START, "2026-9-1", "2026-09-01"),
        (START, "2026-09-01 00:00:00", "2026-09-01"),
        (START, date(2026, 9, 1), "2026-09-01"),
        (START, datetime(2026, 9, 1, 8, tzinfo=UTC), "2026-09-01"),
        (PROGRAMME, "genie  CIVIL", "Génie civil"),
        (HONOURS, "Yes", True),
        (HONOURS, 0.0, False),
        (HONOURS, False, False),
        (TOWN, " Cork ", "Cork"),
        (TOWN, 2024.0, "2024"),
        (TOWN, "=1+1", "=1+1"),
        (TOWN, "   ", None),
        (YEAR, None, None),
    ],
)
def test_values_are_stored_in_one_form(attribute: Attribute, raw: object, stored: object) -> None:
    value = read_value(attribute, raw)
    assert (value, type(value)) == (stored, type(stored))


@pytest.mark.parametrize(
    ("attribute", "raw", "words"),
    [
        (YEAR, "1,5", "is not a number"),
        (YEAR, "1e400", "is not a number"),
        (YEAR, float("inf"), "too large"),
        (YEAR, True, "is not a number"),
        (START, "01/09/2026", "year, month and day"),
        (START, "2026-02-30", "no day 2026-02-30"),
        (PROGRAMME, "Magic", "Economics, Génie civil"),
        (HONOURS, "maybe", "yes or no"),
        (TOWN, "a\x00b", "cannot be printed"),
        (TOWN, "x" * 501, "longer than 500"),
    ],
)
def test_a_bad_value_is_told_with_what_to_write(attribute: Attribute, raw: object, words: str) -> None:
    with pytest.raises(BadValue, match=words):
        read_value(attribute, raw)


@given(st.sampled_from([YEAR, PROGRAMME, START, HONOURS, TOWN]), st.text() | st.floats() | st.integers() | st.none())
def test_what_is_stored_reads_back_as_itself(attribute: Attribute, raw: object) -> None:
    try:
        value = read_value(attribute, raw)
    except BadValue:
        return
    assert read_value(attribute, json.loads(json.dumps(value))) == value


def test_every_problem_is_found_at_once() -> None:
    values, problems = read_values([YEAR, START, TOWN], {"year": "x", "start": "y", "town": "Cork", "other": "1"})
    assert values == {"town": "Cork"}
    assert [p.field for p in problems] == ["year", "start", "other"]


def test_a_definition_is_checked_whole() -> None:
    with pytest.raises(InvalidInput) as caught:
        define(key="9 lives", label=" ", kind="colour")
    assert [p.field for p in caught.value.problems] == ["key", "label", "kind"]
    with pytest.raises(InvalidInput, match="one a line"):
        define(key="p", label="P", kind="choice", choices=["", " "])
    with pytest.raises(InvalidInput, match="case or accents"):
        define(key="p", label="P", kind="choice", choices=["Genie", "génie"])
    assert define(key="p", label=" Pro  gramme ", kind="choice", choices=[" a  b ", "a b", "c"]) == Attribute(
        "p", "Pro gramme", "choice", ("a b", "c")
    )
    assert define(key="p", label="P", kind="text", choices=["left over"]).choices == ()


@pytest.mark.parametrize(
    ("label", "key"),
    [("Year of study", "year_of_study"), ("2nd subject", "attribute_2nd_subject"), ("専攻", "attribute")],
)
def test_a_key_is_made_from_a_label(label: str, key: str) -> None:
    assert key_for(label) == key
