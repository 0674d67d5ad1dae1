"""Codes, indices and dimensions of interest profiles, against independently computed figures."""

import math
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import profiles
from app.domain.destinations import Destinations
from app.domain.profiles import AREAS
from tests.shared_data import vectors

SCORES = st.lists(st.integers(0, 40).map(float), min_size=6, max_size=6)


@pytest.mark.data
def test_profile_indices_equal_the_vectors() -> None:
    for case in vectors("profile_indices")["cases"]:
        scores = profiles.profile_of(case["scores"])
        assert scores is not None
        assert profiles.high_point_code(scores) == case["code3"]
        assert profiles.admissible_codes(scores) == tuple(case["admissible_codes"])
        assert profiles.consistency_levels(scores) == tuple(case["consistency_levels"])
        assert profiles.consistency(scores) == case["consistency_level"]
        assert profiles.elevation(scores) == pytest.approx(case["elevation"], abs=1e-6)
        found = profiles.differentiation(scores)
        for number in range(1, 8):
            assert getattr(found, f"di{number}") == pytest.approx(case[f"DI{number}"], abs=1e-6)
        plane = profiles.dimensions(scores)
        assert plane is not None
        assert plane.things_people == pytest.approx(case["things_people"], abs=1e-6)
        assert plane.data_ideas == pytest.approx(case["data_ideas"], abs=1e-6)
        assert plane.magnitude == pytest.approx(case["magnitude"], abs=1e-6)
        angle = case["angle_deg_from_things"]
        assert plane.angle == (None if angle is None else pytest.approx(angle, abs=1e-6))


@pytest.mark.data
def test_codes_of_scored_answers_equal_the_vectors() -> None:
    for case in vectors("riasec_scoring")["cases"]:
        scores = profiles.profile_of(case["scores"])
        assert scores is not None
        assert profiles.high_point_code(scores) == case["code3"]
        assert profiles.admissible_codes(scores) == tuple(case["admissible_codes"])
        assert profiles.elevation(scores) == pytest.approx(case["elevation"], abs=1e-6)


@pytest.mark.data
def test_code_congruence_equals_the_vectors() -> None:
    given_vectors = vectors("code_congruence")
    for case in given_vectors["cases"]:
        assert profiles.congruence_c(case["person"], case["environment"]) == case["C"]
        assert profiles.congruence_m(case["person"], [case["environment"]]) == case["M"]
        assert profiles.first_letter_steps(case["person"], case["environment"]) == case["first_letter_hex_distance"]
    for case in given_vectors["two_letter_M"]:
        assert profiles.congruence_m(case["person"], [case["environment"]]) == case["M"]
    for case in given_vectors["tied_environment"]:
        assert [profiles.congruence_m(case["person"], [code]) for code in case["environments"]] == case["M_each"]
        assert profiles.congruence_m(case["person"], case["environments"]) == case["M"]
    codes = ["".join(letters) for letters in permutations(AREAS, 3)]
    c_counts: dict[str, int] = {}
    m_counts: dict[str, int] = {}
    for person in codes:
        for environment in codes:
            c = str(profiles.congruence_c(person, environment))
            m = f"{profiles.congruence_m(person, [environment]):g}"
            c_counts[c] = c_counts.get(c, 0) + 1
            m_counts[m] = m_counts.get(m, 0) + 1
    whole = given_vectors["all_14400_pairs"]
    assert (c_counts, m_counts) == (whole["C_counts"], whole["M_counts"])
    for counts, mean, ends in (
        (c_counts, whole["C_mean"], given_vectors["C_range"]),
        (m_counts, whole["M_mean"], given_vectors["M_range"]),
    ):
        assert sum(float(value) * count for value, count in counts.items()) / len(codes) ** 2 == pytest.approx(mean)
        assert [min(map(float, counts)), max(map(float, counts))] == ends
    for length, weights in ((3, given_vectors["M_weights_3"]), (2, given_vectors["M_weights_2"])):
        for mine, theirs in product(range(length), repeat=2):
            # Two codes that share one letter: in `mine` of the one, in `theirs` of the other.
            person = "IAS"[:length].replace("IAS"[mine], "R")
            environment = "EC"[: length - 1][:theirs] + "R" + "EC"[: length - 1][theirs:]
            assert profiles.congruence_m(person, [environment]) == weights[mine][theirs]


@pytest.mark.data
def test_a_missing_score_leaves_every_index_undefined() -> None:
    for case in vectors("riasec_missing")["cases"]:
        scores = [case["scores"][area] for area in AREAS]
        undefined = None in scores
        for index in (
            profiles.high_point_code,
            profiles.admissible_codes,
            profiles.elevation,
            profiles.differentiation,
            profiles.consistency_levels,
            profiles.dimensions,
        ):
            assert (index(scores) is None) == undefined
        assert (profiles.profile_of(case["scores"]) is None) == undefined
    assert profiles.elevation([1, 2, 3, 4, 5, math.nan]) is None
    assert profiles.complete([1.0] * 5) is None


def test_letters_closer_than_their_difference_error_are_tied() -> None:
    # Standard error 2 each: differences below 2.83 are not read as differences.
    scores = [30, 28, 20, 10, 9, 8]
    assert profiles.admissible_codes(scores) == ("RIA",)
    assert profiles.admissible_codes(scores, errors=[2.0] * 6) == ("IRA", "RIA")
    assert profiles.admissible_codes(scores, errors=[2.0, None, 2.0, 2.0, 2.0, 2.0]) == ("RIA",)
    # R is surely above A though both tie with I: A never stands before R.
    assert profiles.admissible_codes([30, 28, 26, 0, 0, 0], length=2, errors=[2.0] * 6) == ("IR", "RA", "RI")


@given(scores=SCORES, error=st.sampled_from([None, 0.0, 1.5, 4.0]))
def test_the_plain_code_is_always_admissible(scores: list[float], error: float | None) -> None:
    codes = profiles.admissible_codes(scores, errors=[error] * 6)
    plain = profiles.admissible_codes(scores)
    assert codes is not None
    assert plain is not None
    assert profiles.high_point_code(scores) in plain
    # More error never forbids a code.
    assert set(plain) <= set(codes)
    level = profiles.consistency(scores)
    levels = profiles.consistency_levels(scores)
    assert levels is not None
    assert (level is None) == (len(levels) > 1)


@given(scores=SCORES, more=st.integers(-20, 20))
def test_the_two_dimensions_do_not_know_elevation(scores: list[float], more: int) -> None:
    here, there = profiles.dimensions(scores), profiles.dimensions([score + more for score in scores])
    assert here is not None
    assert there is not None
    assert (there.things_people, there.data_ideas) == pytest.approx((here.things_people, here.data_ideas), abs=1e-9)
    assert (there.angle is None) == (here.angle is None)


@pytest.mark.data
def test_destination_rates_equal_the_vectors() -> None:
    for case in vectors("nace_outcomes")["cases"]:
        fields = ("graduates", "employed", "service", "military", "continuing_education", "still_seeking")
        found = Destinations(**{name: case[name] for name in (*fields, "not_seeking")})
        assert (found.known, found.no_information) == (case["known"], case["no_information"])
        assert found.knowledge_rate == pytest.approx(case["knowledge_rate"], abs=1e-6)
        rate = case["career_outcomes_rate"]
        assert found.career_outcomes_rate == (None if rate is None else pytest.approx(rate, abs=1e-6))


def test_destinations_that_cannot_be_are_refused() -> None:
    assert Destinations(graduates=0).knowledge_rate is None
    for wrong in ({"graduates": 3, "employed": 4}, {"graduates": 3, "employed": 4, "service": -2}):
        with pytest.raises(ValueError, match="at most all graduates"):
            Destinations(**wrong)
