"""Fit, ranks and their steadiness, against independently computed and published figures."""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain import matching, profiles
from app.domain.instruments import parse_definition
from app.domain.matching import SkillNeed
from app.domain.profiles import AREAS
from app.domain.scoring import score
from tests.domain import onet_files
from tests.domain.instrument_maker import scales_of
from tests.shared_data import vectors

Matrix = np.ndarray[Any, np.dtype[np.float64]]
SCORES = st.lists(st.integers(0, 40).map(float), min_size=6, max_size=6)
OCCUPATIONS = np.random.default_rng(3).uniform(1, 7, size=(120, 6))
STANDARD = matching.standardised(OCCUPATIONS)


@cache
def of_release(release: str) -> tuple[list[str], Matrix, dict[str, int]]:
    codes, matrix = onet_files.interests(release)
    zones = {row["O*NET-SOC Code"]: int(row["Job Zone"]) for row in onet_files.rows("30.1", "Job Zones.txt")}
    return codes, matrix, zones


@pytest.mark.data
@pytest.mark.parametrize("number", range(9))
def test_ranks_and_measures_equal_the_vectors(number: int) -> None:
    given_vectors = vectors("interest_matching")
    case, tolerance = given_vectors["cases"][number], given_vectors["abs_tol"]
    codes, matrix, zones = of_release(case["database"])
    person = profiles.profile_of(case["profile"])
    assert person is not None
    rows = [row for row, code in enumerate(codes) if case["job_zones"] is None or zones[code] in case["job_zones"]]
    codes, matrix = [codes[row] for row in rows], matrix[rows]
    found = matching.fit(person, matching.standardised(matrix))
    if not case.get("r_defined", True):
        assert found is None
        return
    assert found is not None
    assert len(found) == case["n_candidates"]
    order = matching.ranking(found)
    far, near = matching.distance(person, 0, 40, matrix), matching.direction_cosine(person, matrix)
    code = profiles.high_point_code(person)
    assert code is not None
    for row, expected in zip(order, case["top"], strict=False):
        assert codes[row] == expected["code"]
        assert found[row] == pytest.approx(expected["r"], abs=tolerance)
        assert far[row] == pytest.approx(expected["euclid_1to7"], abs=1e-6)
        assert near[row] == pytest.approx(expected["prediger_cos"], abs=1e-6)
        assert zones[codes[row]] == expected["job_zone"]
        other = profiles.high_point_code(matrix[row].tolist())
        assert other is not None
        assert other == expected["holland3"]
        assert profiles.congruence_c(code, other) == expected["C"]
        assert profiles.congruence_m(code, [other]) == expected["M"]
    for row, expected in zip(order[-3:], case["bottom3"], strict=True):
        assert (codes[row], found[row]) == (expected["code"], pytest.approx(expected["r"], abs=1e-6))
    # The first ten and who comes next lie so far apart that their order is no matter of rounding.
    assert -np.diff(found[order[:11]]).max() == pytest.approx(case["min_gap_in_top"], abs=tolerance)
    for level, count in case["count_r_ge"].items():
        assert matching.reaching(found, float(level)) == count


@pytest.mark.data
def test_the_publishers_answers_give_the_publishers_occupations() -> None:
    """The answer string of the web services' manual, from answers to the first two occupations on 30.1."""
    published = vectors("riasec_scoring")
    answers = np.array([[int(digit) for digit in published["published_check"]["answers"]]])
    order = published["area_of_item"]
    instrument = parse_definition(scales_of({a: [1] * 10 for a in AREAS}, order=order, method="sum", offset=-1))
    table = score(instrument, answers)
    scores = dict(zip(table.scales, table.scores[0].tolist(), strict=True))
    assert scores == {"R": 27, "I": 13, "A": 23, "S": 25, "E": 14, "C": 14}
    person = profiles.profile_of(scores)
    assert person is not None
    assert profiles.high_point_code(person) == "RSA"
    for release in ("30.1", "30.2"):
        codes, matrix, _ = of_release(release)
        found = matching.fit(person, matching.standardised(matrix))
        assert found is not None
        first_two = {codes[row] for row in matching.ranking(found)[:2]}
        check = vectors("interest_matching")["published_check"]
        assert scores == check["profile"]
        assert first_two == set(check["top2_any_order"])
    titles = {row["O*NET-SOC Code"]: row["Title"] for row in onet_files.rows("30.1", "Occupation Data.txt")}
    codes, matrix, _ = of_release("30.1")
    found = matching.fit(person, matching.standardised(matrix))
    assert found is not None
    assert [titles[codes[row]] for row in matching.ranking(found)[:2]] == ["Skincare Specialists", "Dancers"]


@pytest.mark.data
def test_values_match_as_in_the_vectors() -> None:
    codes, matrix = onet_files.profiles("30.1", "Work Values.txt", "EX", onet_files.VALUES)
    names = ["Achievement", "Working Conditions", "Recognition", "Relationships", "Support", "Independence"]
    standard = matching.standardised(matrix)
    given_vectors = vectors("values_matching")
    assert given_vectors["database"] == "30.1"
    for case in given_vectors["cases"]:
        found = matching.fit([case["profile"][name] for name in names], standard)
        assert found is not None
        assert len(found) == case["n_candidates"]
        order = matching.ranking(found)
        assert -np.diff(found[order[:11]]).max() == pytest.approx(case["min_gap_in_top"], abs=1e-6)
        for row, expected in zip(order, case["top"], strict=False):
            assert (codes[row], found[row]) == (expected["code"], pytest.approx(expected["r"], abs=1e-6))


@pytest.mark.data
def test_ratings_are_standardised_as_in_the_vectors() -> None:
    for case in vectors("onet_standardized")["cases"]:
        found = matching.standard_figure(case["value"], case["lo"], case["hi"])
        assert found == pytest.approx(case["standardized"], abs=1e-6)


@given(person=SCORES)
def test_fit_is_the_plain_correlation_and_knows_neither_level_nor_unit(person: list[float]) -> None:
    found = matching.fit(person, STANDARD)
    if len(set(person)) == 1:
        assert found is None
        return
    assert found is not None
    plain = [np.corrcoef(person, occupation)[0, 1] for occupation in OCCUPATIONS]
    assert found == pytest.approx(plain, abs=1e-12)
    elsewhere = matching.fit([7 * score - 100 for score in person], STANDARD)
    assert elsewhere == pytest.approx(found, abs=1e-12)


@given(people=st.lists(SCORES, min_size=1, max_size=20))
def test_fitting_many_is_fitting_each(people: list[list[float]]) -> None:
    table = matching.correlations(matching.standardised(np.array(people)), STANDARD)
    for row, person in zip(table, people, strict=True):
        one = matching.fit(person, STANDARD)
        assert np.isnan(row).all() if one is None else row == pytest.approx(one, abs=1e-12)


def test_undefined_profiles_have_no_fit_and_no_rank() -> None:
    assert matching.fit([1, 2, 3, None, 5, 6], STANDARD) is None
    assert matching.fit([0.1 + 0.2] * 6, STANDARD) is None
    occupations = matching.standardised(np.array([[1, 2, 3, 4, 5, 6], [4, 4, 4, 4, 4, 4], [6, 5, 4, 3, 2, math.nan]]))
    found = matching.fit([2, 3, 4, 5, 6, 7], occupations)
    assert found is not None
    assert found[0] == pytest.approx(1)
    assert np.isnan(found[1:]).all()
    assert matching.ranking(found).tolist() == [0]
    assert matching.ranks(found).tolist() == [1, 0, 0]
    assert [matching.band_of(rank) for rank in (0, 1, 20, 21, 50, 51)] == [None, 20, 20, 50, 50, None]


@given(person=SCORES, seed=st.integers(0, 5))
def test_without_error_the_first_stay_the_first(person: list[float], seed: int) -> None:
    assume(len(set(person)) > 1)
    found = matching.fit(person, STANDARD)
    steady = matching.stability(person, [0.0] * 6, STANDARD, draws=20, seed=seed)
    assert found is not None
    assert steady is not None
    for within, shares in zip(steady.within, steady.shares, strict=True):
        last = np.sort(found)[-within]
        assert shares[found > last + 1e-6].tolist() == [1.0] * int((found > last + 1e-6).sum())
        assert shares[found < last - 1e-6].tolist() == [0.0] * int((found < last - 1e-6).sum())


@given(person=SCORES, error=st.floats(0.5, 6), seed=st.integers(0, 100))
def test_shares_are_shares_and_repeat_with_their_seed(person: list[float], error: float, seed: int) -> None:
    steady = matching.stability(person, [error] * 6, STANDARD, draws=30, seed=seed)
    if len(set(person)) == 1:
        assert steady is None
        return
    assert steady is not None
    again = matching.stability(person, [error] * 6, STANDARD, draws=30, seed=seed)
    assert again is not None
    top20, top50 = steady.shares
    assert (top20 <= top50).all()
    assert top20.sum() == pytest.approx(20, abs=0.5)
    assert top50.sum() == pytest.approx(50, abs=0.5)
    assert np.array_equal(top20, again.shares[0])


def test_an_unknown_error_leaves_steadiness_unknown() -> None:
    assert matching.stability([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, None], STANDARD) is None
    assert matching.stability([1, 2, 3, 4, 5, None], [1] * 6, STANDARD) is None


def test_coverage_counts_what_can_be_compared_and_lists_gaps_by_weight() -> None:
    needs = [
        SkillNeed("reading", 4.0, 4.0),
        SkillNeed("maths", 3.0, 5.0),
        SkillNeed("speaking", 5.0, 4.0),
        SkillNeed("repairing", 2.9, 6.0),
        SkillNeed("unrated", 5.0, 3.0),
        SkillNeed("no level", 5.0, None),
    ]
    found = matching.coverage(needs, {"reading": 2.0, "maths": 4.0, "speaking": 6.0, "repairing": 0.0})
    # 4 x 1/2 + 3 x 4/5 + 5 x 1 of 12.
    assert found.share == pytest.approx((2 + 2.4 + 5) / 12)
    assert (found.compared, found.asked) == (3, 5)
    assert [(gap.element, gap.shortfall) for gap in found.gaps] == [("reading", 2.0), ("maths", 1.0)]
    assert matching.coverage(needs, {}).share is None


def test_education_is_compared_with_the_distribution() -> None:
    jobs = [0, 40, 5, 0, 5, 30, 0, 20, 0, 0, 0, 0]
    found = matching.education_gap(jobs, 2)
    assert found is not None
    assert (found.asking_at_most, found.typical, found.steps) == (40, 5, 3)
    assert matching.education_gap(jobs, None) is None
    assert matching.education_gap(None, 2) is None
    with pytest.raises(ValueError, match="1 to 12"):
        matching.education_gap(jobs, 13)
