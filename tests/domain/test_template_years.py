"""A recipe for next year: which term follows which, and how far fixed days move."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.cadence import OnDates
from app.domain.errors import InvalidInput
from app.domain.steps import AroundTerm, DaysAfterStart
from app.domain.template_content import TemplateContent, parse_content
from app.domain.template_years import for_next_year, guess_term, next_year_name, terms_named
from app.domain.terms import Term

AUTUMN = Term("Autumn 2026", date(2026, 9, 7), date(2026, 12, 18))
SPRING = Term("Spring 2027", date(2027, 2, 1), date(2027, 5, 28))
NEXT_AUTUMN = Term("Autumn 2027", date(2027, 9, 6), date(2027, 12, 17))
NEXT_SPRING = Term("Spring 2028", date(2028, 1, 31), date(2028, 5, 26))
TERMS = (AUTUMN, SPRING, NEXT_AUTUMN, NEXT_SPRING)


def content(*days: str) -> TemplateContent:
    cadence = {"kind": "dates", "dates": list(days)} if days else {"kind": "every_months", "months": 6}
    return parse_content(
        {
            "steps": {
                "ambition": {"guidance": "x", "due": {"kind": "term", "term": "Autumn 2026", "edge": "end"}},
                "goals": {"guidance": "x", "due": {"kind": "term", "term": "Spring 2027", "edge": "start"}},
                "action_plan": {"guidance": "x", "due": {"kind": "after_start", "days": 9}},
            },
            "review_policy": {"cadence": cadence},
        }
    )


@pytest.mark.parametrize(
    ("name", "following"),
    [
        ("Autumn 2026", "Autumn 2027"),
        ("2026/27, first term", "2027/28, first term"),
        ("2026–27", "2027–28"),
        ("WS 2099/00", "WS 2100/01"),
        ("Class of 2028, 2026", "Class of 2029, 2027"),
        ("Autumn", "Autumn"),
        ("Room 20261", "Room 20261"),
    ],
)
def test_years_in_a_name_move_on_by_one(name: str, following: str) -> None:
    assert next_year_name(name) == following


def autumn(name: str, year: int, day: int) -> Term:
    return Term(name, date(year, 9, day), date(year, 12, 1))


def test_a_term_is_guessed_by_its_name_or_by_when_it_starts() -> None:
    assert guess_term("Autumn 2026", TERMS) == "Autumn 2027"
    first, second = autumn("Herbst I", 2026, 7), autumn("Herbst II", 2027, 1)
    assert guess_term("Herbst I", (first, second)) == "Herbst II"
    # The closest in time is another kind of term.
    like = (autumn("Autumn A 1", 2026, 7), autumn("Orientation", 2027, 7), autumn("Autumn A 2", 2027, 20))
    assert guess_term("Autumn A 1", like) == "Autumn A 2"
    assert guess_term("Spring 2028", TERMS) is None
    assert guess_term("Never", TERMS) is None


def test_terms_are_exchanged_and_days_move_with_the_nearest() -> None:
    made = for_next_year(
        content("2026-10-01", "2027-01-20", "2027-03-01"),
        {"Autumn 2026": "Autumn 2027", "Spring 2027": "Spring 2028"},
        TERMS,
    )
    assert terms_named(made) == ("Autumn 2027", "Spring 2028")
    assert [step.due for step in made.steps if step.due is not None] == [
        AroundTerm("Autumn 2027", "end", 0),
        AroundTerm("Spring 2028", "start", 0),
        DaysAfterStart(9),
    ]
    assert made.review_policy.cadence == OnDates((date(2027, 9, 30), date(2028, 1, 19), date(2028, 2, 28)))


def test_without_a_term_days_move_by_a_year() -> None:
    plain = parse_content(
        {
            "steps": {"ambition": {"guidance": "x"}},
            "review_policy": {"cadence": {"kind": "dates", "dates": ["2028-02-29", "2028-06-01"]}},
        }
    )
    assert for_next_year(plain, {}, ()).review_policy.cadence == OnDates((date(2029, 2, 28), date(2029, 6, 1)))


def test_a_choice_that_is_missing_or_not_there_is_told_with_its_place() -> None:
    with pytest.raises(InvalidInput) as refused:
        for_next_year(content(), {"Spring 2027": "Nowhere"}, TERMS)
    assert [problem.field for problem in refused.value.problems] == ["terms.Autumn 2026", "terms.Spring 2027"]


@given(st.integers(1, 800), st.lists(st.dates(date(2026, 1, 1), date(2028, 1, 1)), min_size=1, max_size=8, unique=True))
def test_with_one_distance_every_day_moves_by_it(days: int, dates: list[date]) -> None:
    move = timedelta(days=days)
    following = (
        Term("A", AUTUMN.starts_on + move, AUTUMN.ends_on + move),
        Term("B", SPRING.starts_on + move, SPRING.ends_on + move),
    )
    made = for_next_year(
        content(*sorted(day.isoformat() for day in dates)),
        {"Autumn 2026": "A", "Spring 2027": "B"},
        (*TERMS, *following),
    )
    assert made.review_policy.cadence == OnDates(tuple(sorted(day + move for day in dates)))
