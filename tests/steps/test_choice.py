"""Step 4 as rules: weights, comparisons, what would change the leader, what Octant keeps, what is reported."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import decisions
from app.domain.errors import InvalidInput
from app.domain.matching import EducationGap
from app.domain.outlook import National
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.occupations.queries import Outlook
from app.features.plans.rooms import Picture, Settling, Surroundings, Table
from app.features.steps.career_choice.content import fact_of, matrix_of_options, usual_criteria
from app.features.steps.career_choice.matches import factors_by_code
from app.features.steps.career_choice.settle import MOST_EARLIER
from app.features.steps.career_choice.suggest import by_education, by_outlook, by_rank
from app.features.steps.career_choice.words import percent
from app.features.steps.matrix_words import contradiction_words, sensitivity_words, weights_words
from app.features.steps.registry import ROOMS
from app.infra.drawing.match_bars import Twin, match_bars_svg

ROOM = ROOMS[StepKey.CAREER_CHOICE]
RATING = st.integers(1, 5)
MATCH = {
    "assessment": "00000000-0000-0000-0000-000000000001",
    "instrument": "Interests",
    "answered_on": "2026-09-01",
    "taken_on": "2026-09-07",
    "r": 0.5,
    "rank": 40,
    "of": 923,
    "stays20": 0.2,
    "stays50": 0.6,
    "person": [27, 13, 23, 25, 14, 14],
    "errors": [3.1] * 6,
    "low": 0,
    "high": 40,
    "occupation": [4.8, 1.4, 6.3, 3.7, 3.2, 1.7],
    "values_r": None,
    "coverage": 0.9,
    "asking_at_most": 61.0,
}


def matrix_of(*rated: list[int | None], weights: list[int] | None = None, **more: Any) -> dict[str, Any]:
    """Content with these ratings, a list an option, on criteria A, B, C... with these weights (5 each)."""
    number = len(rated[0])
    names = "ABCDEFGHIJKL"[:number]
    return ROOM.read(
        {
            "criteria": [
                {"id": name.lower(), "name": name, "weight": weight}
                for name, weight in zip(names, weights or [5] * number, strict=True)
            ],
            "options": [
                {
                    "id": f"o{n}",
                    "name": f"Option {n}",
                    "ratings": {name.lower(): r for name, r in zip(names, row, strict=True) if r is not None},
                }
                for n, row in enumerate(rated, start=1)
            ],
        }
        | more
    )


def settled(before: dict[str, Any], after: dict[str, Any], day: int = 7) -> dict[str, Any]:
    assert ROOM.settle is not None
    return ROOM.settle(before, ROOM.read(after), Settling(datetime(2026, 9, day, tzinfo=UTC), Surroundings()))


def compared(*said: tuple[str, str, float]) -> dict[str, Any]:
    rows = [{"first": first, "second": second, "times": times} for first, second, times in said]
    return {"pairs": rows, "weighting": "pairs"}


def words(content: dict[str, Any]) -> str:
    return weights_words(matrix_of_options(content), plain)


def test_content_of_before_still_loads() -> None:
    old = {
        "criteria": [{"id": "usual2", "name": "My interests", "weight": 8}],
        "options": [{"id": "o1", "name": "Planner", "ratings": {"usual2": 4}}],
        "chosen": "o1",
        "runner_up": None,
        "reason": "Because.",
    }
    content = ROOM.read(old)
    assert (content["weighting"], content["pairs"]) == ("direct", [])
    assert (content["decided_on"], content["earlier"], content["recommendations"]) == (None, [], [])
    assert content["options"][0]["match"] is None
    assert fact_of(content["criteria"][0]) == "interests"
    assert ROOM.read(content) == content
    # Nobody knows when an old choice was made.
    assert settled(old, old)["decided_on"] is None


def test_the_usual_criteria_are_five_and_personality_suggests_nothing() -> None:
    criteria = usual_criteria(plain)
    assert [row["fact"] for row in criteria] == [None, "interests", "education", "skills", "environment"]
    assert ROOM.read({"criteria": criteria})["criteria"] == criteria


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"weighting": "magic"}, "weighting"),
        ({"pairs": [{"first": "a", "second": "b", "times": 10}]}, "pairs[0].times"),
        ({"options": [{"id": "a", "match": {"rank": 0}}]}, "options[0].match.rank"),
        ({"options": [{"id": "a", "match": {"person": [1, 2]}}]}, "options[0].match.person"),
        ({"criteria": [{"id": "a", "fact": "luck"}]}, "criteria[0].fact"),
    ],
)
def test_s10_what_cannot_be_is_refused_with_its_place(content: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ROOM.read(content)
    assert field in [problem.field for problem in caught.value.problems]


def test_a_missing_rating_shrinks_the_basis_and_is_told() -> None:
    content = matrix_of([5, None, 1], [4, 4, 4], [None, None, None], weights=[6, 3, 1])
    found = matrix_of_options(content)
    assert list(found.totals.values()) == [pytest.approx((6 * 5 + 1) / 7), pytest.approx(4.0), None]
    assert list(found.basis.values()) == [pytest.approx(0.7), 1.0, 0.0]
    assert found.ordered() == ["o1", "o2", "o3"]
    assert found.leaders == (), "unlike bases do not compare"
    said = ROOM.missing(content, Surroundings(), plain)
    assert "Rate “Option 1” on every criterion that counts." in said
    assert "Rate “Option 2” on every criterion that counts." not in said
    table = next(b for b in ROOM.report(content, Surroundings(), plain).blocks if isinstance(b, Table))
    assert [row[:3] for row in table.rows] == [
        ("Option 1", "4.43", "70%"),
        ("Option 2", "4.00", "100%"),
        ("Option 3", "not known", "0%"),
    ]


def test_what_would_change_the_leader_is_said_for_each_criterion() -> None:
    content = matrix_of([5, 4, 4], [4, 3, 5], [4, 3, 2], weights=[8, 6, 4])
    assert sensitivity_words(matrix_of_options(content), plain) == [
        "If “C” counted more than 50 percent (now 22.2), “Option 2” would lead.",
        "No weight of these alone changes who leads: “A”, “B”.",
        "“Option 3” is never better than “Option 1”, “Option 2” and at least once worse: no weights make it lead.",
    ]
    alike = sensitivity_words(matrix_of_options(matrix_of([3, 2], [3, 4])), plain)
    assert alike[-1] == "“A” decides nothing: all are rated alike on it."
    level = sensitivity_words(matrix_of_options(matrix_of([3, 4], [4, 3])), plain)
    assert level[0].startswith("“Option 1”, “Option 2” are level.")


def test_pairs_give_the_weights_of_the_domain() -> None:
    content = matrix_of([3, 3, 3], **compared(("a", "b", 3), ("b", "c", 2), ("a", "c", 6)))
    found = matrix_of_options(content)
    assert found.weights.by_pairs
    matrix = decisions.pairwise_matrix(3, {(0, 1): 3, (1, 2): 2, (0, 2): 6})
    assert matrix is not None
    assert tuple(found.weights.shares.values()) == pytest.approx(decisions.pairwise_weights(matrix).weights)
    assert "consistency ratio is 0.00" in words(content)
    assert contradiction_words(found, plain) == ""


def test_comparisons_that_contradict_are_refused_as_weights_and_explained() -> None:
    said = [("a", "b", 2), ("a", "c", 4), ("d", "a", 8), ("b", "c", 2), ("b", "d", 4), ("c", "d", 2)]
    content = matrix_of([5, 1, 1, 1], [1, 5, 1, 1], weights=[1, 9, 1, 1], **compared(*said))
    found = matrix_of_options(content)
    assert found.weights.refused
    assert not found.weights.by_pairs
    assert tuple(found.weights.shares.values()) == pytest.approx((1 / 12, 9 / 12, 1 / 12, 1 / 12))
    assert found.leaders == ("o2",)
    assert "contradict each other too much" in words(content)
    assert contradiction_words(found, plain) == (
        "Look at this pair again: you said “D” is 8 times as important as “A”; your other comparisons say the "
        "opposite, that “A” is 8 times as important."
    )
    assert "Look at this pair again" in "\n".join(ROOM.report(content, Surroundings(), plain).lines())
    # What falls back is no gap: the step can be handed in, unlike where the comparisons must decide.
    assert "contradict" not in "\n".join(ROOM.missing(content, Surroundings(), plain))


def test_pairs_not_all_compared_fall_back_visibly() -> None:
    content = matrix_of([3, 3, 3], **compared(("a", "b", 3)))
    found = matrix_of_options(content).weights
    assert tuple(found.shares.values()) == pytest.approx((1 / 3,) * 3)
    assert {frozenset(pair) for pair in found.left} == {frozenset("ac"), frozenset("bc")}
    assert words(content) == "The weights are those given directly: pairs still to compare: 2."
    assert "only 2 to 10 criteria" in words(matrix_of([3] * 11, weighting="pairs"))


def test_what_octant_keeps_nobody_writes() -> None:
    forged = matrix_of([3, 3], [4, 4], chosen="o1", reason="Mine.")
    forged["options"][0]["match"] = MATCH
    forged["options"][0]["code"] = "11-1011.00"
    forged["recommendations"] = [
        {
            "id": "x",
            "kind": "decided",
            "name": "Forged",
            "reason": "!",
            "by": "me",
            "by_name": "Boss",
            "on": "2026-01-01",
        }
    ]
    forged |= {"decided_on": "2020-01-01", "earlier": [{"name": "Never", "reason": "never"}]}
    stored = settled(ROOM.empty(), forged)
    assert stored["options"][0]["match"] is None
    assert stored["recommendations"] == []
    assert stored["decided_on"] == "2026-09-07"
    assert stored["earlier"] == []


def test_a_saved_match_stays_with_its_option_while_the_code_does() -> None:
    before = matrix_of([3, 3], [4, 4])
    before["options"][0] |= {"code": "11-1011.00", "release": "onet-30.1", "match": MATCH}
    renamed = ROOM.read(before)
    renamed["options"][0] |= {"name": "Boss", "match": None}
    assert settled(before, renamed)["options"][0]["match"] == MATCH
    other = ROOM.read(before)
    other["options"][0]["code"] = "11-1021.00"
    assert settled(before, other)["options"][0]["match"] is None


def test_a_decision_keeps_its_day_and_those_before_it() -> None:
    first = settled(ROOM.empty(), matrix_of([3, 3], [4, 4], chosen="o1", runner_up="o2", reason="I like it."))
    assert first["decided_on"] == "2026-09-07"
    same = settled(first, first | {"reason": "I like it more."}, day=9)
    assert (same["decided_on"], same["earlier"]) == ("2026-09-07", [])
    changed = settled(same, same | {"chosen": "o2", "runner_up": "o1"}, day=20)
    assert changed["decided_on"] == "2026-09-20"
    assert changed["earlier"] == [
        {
            "name": "Option 1",
            "code": None,
            "runner_up": "Option 2",
            "reason": "I like it more.",
            "decided_on": "2026-09-07",
            "until": "2026-09-20",
        }
    ]
    assert ROOM.read(changed) == changed
    gone = settled(changed, changed | {"options": [changed["options"][0]]}, day=21)
    assert (gone["chosen"], gone["decided_on"]) == (None, None)
    assert [row["name"] for row in gone["earlier"]] == ["Option 1", "Option 2"]
    # Trying out without a reason leaves no trace.
    trying = settled(ROOM.empty(), matrix_of([3, 3], [4, 4], chosen="o1"))
    assert settled(trying, trying | {"chosen": "o2"})["earlier"] == []
    now = first
    for day in range(MOST_EARLIER + 5):
        now = settled(now, now | {"chosen": "o2" if day % 2 == 0 else "o1"})
    assert len(now["earlier"]) == MOST_EARLIER


def test_a_criterion_that_goes_takes_its_pairs_along() -> None:
    before = matrix_of([3, 3, 3], **compared(("a", "b", 3), ("c", "b", 4)))
    stored = settled(before, before | {"criteria": before["criteria"][1:]})
    assert stored["pairs"] == [{"first": "c", "second": "b", "times": 4, "why": ""}]


def test_the_report_shows_the_bars_of_both_choices_and_the_changes() -> None:
    content = matrix_of([5, 4], [4, 5], chosen="o1", runner_up="o2", reason="It fits.")
    for row in content["options"]:
        row |= {"code": "27-2031.00", "release": "onet-30.1", "match": dict(MATCH)}
    content["recommendations"] = [
        {
            "id": "x",
            "kind": "decided",
            "name": "Potter",
            "reason": "Your hands.",
            "by": "1",
            "by_name": "Lena",
            "on": "2026-09-09",
        }
    ]
    content["earlier"] = [{"name": "Baker", "runner_up": "", "reason": "Bread.", "until": "2026-09-01"}]
    section = ROOM.report(ROOM.read(content), Surroundings(), plain)
    pictures = [block for block in section.blocks if isinstance(block, Picture)]
    assert [picture.heading for picture in pictures] == ["My interests and: Option 1", "My interests and: Option 2"]
    assert pictures[0].svg.count('class="chart-band"') == 6
    assert pictures[0].rows[0] == ("Hands and tools (R)", "27.0", "20.9 – 33.1", "4.8")
    lines = "\n".join(section.lines())
    for said in (
        "O*NET® 30.1 Database",
        "onet-30.1",
        "40 of 923",
        "60 %",
        "not known",
        "Potter",
        "held as decided",
        "Lena",
        "Baker",
    ):
        assert said in lines
    assert ROOM.changes is not None
    before = content | {"chosen": "o2", "options": [content["options"][1] | {"ratings": {"a": 1, "b": 1}}]}
    told = "\n".join(str(block) for block in ROOM.changes(before, content, plain))
    assert "First choice: Option 2 before, Option 1 now" in told
    assert "New in the shortlist: Option 1" in told
    assert "1.00" in told
    assert ROOM.changes(content, content, plain) == ()


def test_bars_are_told_apart_without_colour_and_drawn_for_print() -> None:
    svg = match_bars_svg(
        [Twin("A <b>", 0.5, 1.4, "20", "6.0", 0.4, 0.6)], names=("I", "it"), title="t", description="d"
    )
    assert "A &lt;b&gt;" in svg
    assert "style=" not in svg
    assert 'width="320" height="20"' in svg, "what is beyond the scale is drawn at its end"
    assert (
        match_bars_svg([Twin("A", None, None, "?", "?")], names=("I", "it"), title="t", description="d").count("<rect")
        == 2
    )


def test_suggestions_follow_the_facts() -> None:
    assert [by_rank(rank, 923) for rank in (1, 20, 21, 50, 51, 461, 462, 830, 831)] == [5, 5, 4, 4, 3, 3, 2, 2, 1]
    gaps = [EducationGap(80, 6, 0), EducationGap(60, 6, 0), EducationGap(40, 6, 1), EducationGap(1, 12, 9)]
    assert [by_education(gap) for gap in gaps] == [5, 4, 3, 1]
    national = National(growth=3.1, wage=49_500, openings=5_000)

    def outlook(growth: float | None, growing: bool | None = False) -> Outlook:
        nothing: tuple[Any, ...] = (None,) * 8
        return Outlook("11-1011", "x", "exact", "2024-34", None, growth, *nothing[:7], growing)

    found = [by_outlook(outlook(g), national) for g in (4.0, 1.0, -5.0, -20.0, None)]
    assert found == [4, 3, 2, 1, None]
    assert by_outlook(outlook(4.0, growing=True), national) == 5


def test_factors_that_name_an_occupation_are_counted() -> None:
    contents = [
        {"factors": [{"text": "x", "occupation": "11-1011.00"}, {"text": "y", "occupation": {"code": "11-1011.00"}}]},
        {"factors": [{"text": "", "occupation": "11-1011.00"}, {"text": "z"}]},
    ]
    assert factors_by_code(contents) == {"11-1011.00": 2}


@given(st.floats(0, 1))
def test_a_share_is_never_told_as_none_or_all_of_it(share: float) -> None:
    assert (percent(share) == "0") == (share == 0)
    assert (percent(share) == "100") == (share == 1)


@given(st.permutations(["a", "b", "c", "d"]))
def test_every_order_of_consistent_answers_is_usable(order: list[str]) -> None:
    said = [(one, other, 2 ** (order.index(other) - order.index(one))) for one, other in combinations(order, 2)]
    found = matrix_of_options(matrix_of([3] * 4, **compared(*said))).weights
    assert found.by_pairs
    assert sorted(found.shares, key=lambda name: -found.shares[name]) == order
