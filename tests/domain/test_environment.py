"""Rules about an environment scan, held to their definitions on any list of factors."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.domain.environment import AREAS, CONTROL, FEWEST, HEAVY, KINDS, SIDES, Factor, by_weight, cover, months_before

TODAY = date(2026, 11, 27)
grade = st.none() | st.integers(1, 5)
day = st.none() | st.dates(date(2020, 1, 1), TODAY)
scans = st.lists(
    st.builds(
        Factor,
        id=st.integers(0, 999).map(str),
        kind=st.none() | st.sampled_from(KINDS),
        control=st.none() | st.sampled_from(CONTROL),
        area=st.none() | st.sampled_from(sorted(AREAS)),
        likelihood=grade,
        impact=grade,
        answered=st.booleans(),
        noted_on=day,
        looked_on=day,
    ),
    max_size=12,
    unique_by=lambda factor: factor.id,
)


@given(scans)
def test_every_factor_is_counted_once_and_what_lacks_has_none(factors: list[Factor]) -> None:
    found = cover(factors, TODAY)
    for counts, name in ((found.kinds, "kind"), (found.control, "control"), (found.areas, "area")):
        assert sum(counts.values()) == sum(getattr(each, name) is not None for each in factors)
    assert sum(found.sides.values()) == sum(found.areas.values())
    if len(factors) < FEWEST:
        assert (found.lacking_kinds, found.lacking_control, found.lacking_sides) == ((), (), ())
        assert found.one_sided is None
    else:
        assert set(found.lacking_kinds) == set(KINDS) - {each.kind for each in factors}
        assert set(found.lacking_control) == set(CONTROL) - {each.control for each in factors}
        assert set(found.lacking_sides) == set(SIDES) - {AREAS[each.area] for each in factors if each.area}
        kinds = {each.kind for each in factors} - {None}
        helps, hinders = bool(kinds & {"opportunity", "strength"}), bool(kinds & {"threat", "weakness"})
        assert found.one_sided == ("good" if helps and not hinders else "bad" if hinders and not helps else None)


@given(scans)
def test_what_is_heavy_and_unanswered_is_named_until_it_is_answered(factors: list[Factor]) -> None:
    found = cover(factors, TODAY).unanswered
    by_id = {each.id: each for each in factors}
    expected = {i for i, f in by_id.items() if f.likelihood and f.impact and f.likelihood * f.impact >= HEAVY}
    assert set(found) == {i for i in expected if not by_id[i].answered}
    weights = [by_id[i].weight or 0 for i in found]
    assert weights == sorted(weights, reverse=True)


@given(scans, st.integers(1, 60))
def test_old_factors_have_a_day_and_undated_ones_have_none(factors: list[Factor], months: int) -> None:
    found = cover(factors, TODAY, months)
    assert not set(found.old) & set(found.undated)
    assert set(found.undated) == {each.id for each in factors if each.noted_on is None}
    limit = months_before(TODAY, months)
    for each in factors:
        days = [day for day in (each.noted_on, each.looked_on) if day]
        assert (each.id in found.old) == (each.noted_on is not None and max(days) < limit)
    # A longer patience makes nothing old that was not.
    assert set(cover(factors, TODAY, months + 1).old) <= set(found.old)
    assert cover(factors, None).old == ()


@given(scans)
def test_the_order_by_weight_loses_nothing_and_keeps_equals(factors: list[Factor]) -> None:
    ordered = by_weight(factors)
    assert sorted(each.id for each in ordered) == sorted(each.id for each in factors)
    places = {each.id: place for place, each in enumerate(factors)}
    for one, other in pairwise(ordered):
        first, second = one.weight or 0, other.weight or 0
        assert first > second or (first == second and places[one.id] < places[other.id])
    unplaced = cover(factors, TODAY).unplaced
    assert set(unplaced) == {each.id for each in factors if each.likelihood is None or each.impact is None}


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)), st.integers(0, 200))
def test_months_before_counts_months_and_never_fails(day: date, months: int) -> None:
    earlier = months_before(day, months)
    assert earlier <= day
    if earlier != date.min:
        assert (day.year - earlier.year) * 12 + day.month - earlier.month == months
        assert earlier.day in {day.day, 28, 29, 30}


def test_a_month_that_is_shorter_gives_its_last_day() -> None:
    assert months_before(date(2026, 3, 31), 1) == date(2026, 2, 28)
    assert months_before(date(2028, 3, 31), 1) == date(2028, 2, 29)
    assert months_before(date(2026, 12, 31), 1) == date(2026, 11, 30)
