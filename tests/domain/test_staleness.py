"""The map of what rests on what, what counts as a change, and what turns a mark takes."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.staleness import (
    HOME,
    RESTS_ON,
    RESULTS,
    Aspect,
    Change,
    changed,
    fingerprints,
    moved_figures,
    reach,
    stale_steps,
    steps_reached,
    turn,
)
from app.domain.steps import StepKey

CHOICE: dict[str, Any] = {
    "options": [
        {"id": "o1", "name": "Market research analyst", "code": "13-1161.00", "release": "onet-30.1"},
        {"id": "o2", "name": "Data scientist", "code": None},
    ],
    "chosen": "o1",
    "reason": "I keep coming back to it.",
}
GOAL = {"id": "g1", "text": "Finish the thesis", "horizon": "short", "due_on": "2027-06-01", "level": None}


def closure() -> dict[Aspect, set[Aspect]]:
    """What can be reached from each aspect, by Warshall's algorithm: another way than the code under test."""
    leads = {(under, built) for built, unders in RESTS_ON.items() for under in unders}
    for middle, start, end in product(Aspect, repeat=3):
        if (start, middle) in leads and (middle, end) in leads:
            leads.add((start, end))
    return {aspect: {end for start, end in leads if start is aspect} for aspect in Aspect}


@given(st.sets(st.sampled_from(Aspect)))
def test_reach_is_the_closure_of_the_map(aspects: set[Aspect]) -> None:
    reached: set[Aspect] = set().union(*(closure()[aspect] for aspect in aspects)) if aspects else set()
    assert reach(aspects) == reached


def test_nothing_rests_on_itself_and_every_aspect_has_a_home() -> None:
    for aspect, reached in closure().items():
        assert aspect not in reached
        assert HOME[aspect] not in {HOME[one] for one in reached}
    assert set(HOME) == set(Aspect)
    assert [aspect for aspect in Aspect if HOME[aspect] is None] == [Aspect.CATALOGUE]


def test_the_two_sentences_of_the_map_hold() -> None:
    # A new assessment marks the match stale, a changed occupation marks path, goals and actions stale, and only those.
    for measures in ("interests", "values", "skills"):
        assert steps_reached(RESULTS[measures]) == (StepKey.CAREER_CHOICE,)
    behind = (StepKey.CAREER_PATH, StepKey.GOALS, StepKey.ACTION_PLAN)
    assert steps_reached(Aspect.OCCUPATION) == behind
    assert steps_reached(Aspect.PATH) == behind[1:]
    assert steps_reached(Aspect.GOALS) == behind[2:]
    assert steps_reached(RESULTS["paths"]) == (StepKey.CAREER_PATH,)
    assert steps_reached(Aspect.MATCHES) == ()


@pytest.mark.parametrize(
    "after",
    [
        CHOICE | {"reason": "Another reason."},
        CHOICE | {"runner_up": "o2"},
        CHOICE | {"options": [{**CHOICE["options"][0], "name": "market  RESEARCH analyst"}, CHOICE["options"][1]]},
        CHOICE | {"options": [{**CHOICE["options"][0], "release": "onet-30.2"}, CHOICE["options"][1]]},
        CHOICE | {"options": [{**CHOICE["options"][0], "ratings": {"c1": 5}}, CHOICE["options"][1]]},
        CHOICE | {"options": CHOICE["options"][::-1]},
    ],
)
def test_what_does_not_change_the_occupation(after: dict[str, Any]) -> None:
    assert changed(StepKey.CAREER_CHOICE, CHOICE, after) == []


def test_another_occupation_is_told_before_and_after() -> None:
    [change] = changed(StepKey.CAREER_CHOICE, CHOICE, CHOICE | {"chosen": "o2"})
    assert (change.aspect, change.before, change.after) == (
        Aspect.OCCUPATION,
        "Market research analyst",
        "Data scientist",
    )
    [gone] = changed(StepKey.CAREER_CHOICE, CHOICE, CHOICE | {"chosen": None})
    assert gone.after is None


def test_an_occupation_written_by_hand_goes_by_its_name() -> None:
    mine = {"options": [{"id": "o1", "name": "Café  owner"}], "chosen": "o1"}
    same = {"options": [{"id": "o9", "name": "cafe owner"}], "chosen": "o9"}
    other = {"options": [{"id": "o1", "name": "Baker"}], "chosen": "o1"}
    assert changed(StepKey.CAREER_CHOICE, mine, same) == []
    assert [change.aspect for change in changed(StepKey.CAREER_CHOICE, mine, other)] == [Aspect.OCCUPATION]


def test_where_a_goal_stands_is_no_change_of_the_goals() -> None:
    before = {"goals": [GOAL]}
    stands = {"level": 1, "status": "reached", "ratings": [{"on": "2026-09-01"}], "measure": "handed in", "smart": {}}
    assert changed(StepKey.GOALS, before, {"goals": [GOAL | stands]}) == []
    for other in ({"due_on": "2027-07-01"}, {"status": "dropped"}, {"parent": "g2"}, {"text": "Teach"}):
        assert [one.aspect for one in changed(StepKey.GOALS, before, {"goals": [GOAL | other]})] == [Aspect.GOALS]


def test_values_count_in_their_order_and_factors_in_any() -> None:
    values = [{"id": "v1", "name": "Time"}, {"id": "v2", "card": "variety", "name": ""}]
    assert changed(StepKey.AMBITION, {"values": values}, {"values": values, "statement": "new"}) == []
    [change] = changed(StepKey.AMBITION, {"values": values}, {"values": values[::-1]})
    assert change.before == [{"name": "Time"}, {"card": "variety"}]
    factors = [{"id": "f1", "text": "A", "kind": "threat"}, {"id": "f2", "text": "B", "kind": "strength"}]
    noise = [factors[1] | {"source": "a paper"}, factors[0] | {"noted_on": "2026-09-01"}]
    assert changed(StepKey.OPPORTUNITIES, {"factors": factors}, {"factors": noise}) == []
    turned = [factors[0] | {"kind": "opportunity"}, factors[1]]
    assert [c.aspect for c in changed(StepKey.OPPORTUNITIES, {"factors": factors}, {"factors": turned})] == [
        Aspect.FACTORS
    ]


def test_a_way_is_its_kind_and_one_of_ones_own_is_its_name() -> None:
    def with_way(**way: str) -> dict[str, Any]:
        return {"paths": [{"id": "p1", **way}], "chosen": "p1"}

    def aspects(before: dict[str, Any], after: dict[str, Any]) -> list[Aspect]:
        return [change.aspect for change in changed(StepKey.CAREER_PATH, before, after)]

    assert aspects(with_way(kind="technical", name="Expert"), with_way(kind="technical", name="The expert")) == []
    assert aspects(with_way(kind="own", name="Politics"), with_way(kind="own", name="Art")) == [Aspect.PATH]
    assert aspects(with_way(kind="technical"), with_way(kind="administration")) == [Aspect.PATH]
    # The comparison itself (advantages, fit) carries nothing further.
    assert aspects(with_way(kind="technical"), with_way(kind="technical", advantages="much")) == []


def test_content_of_before_and_nothing_at_all_have_fingerprints() -> None:
    for step in StepKey:
        assert set(fingerprints(step, {})) == set(fingerprints(step, {"unknown": 1}))
        assert changed(step, {}, {}) == []


@given(st.data())
def test_switching_back_takes_the_mark_away_and_only_then(data: st.DataObject) -> None:
    prints = data.draw(st.lists(st.sampled_from("abc"), min_size=2, max_size=8))
    marks: dict[tuple[StepKey, Aspect], str | None] = {}
    for before, after in pairwise(prints):
        if before == after:
            continue
        now = turn(marks, [Change(Aspect.OCCUPATION, before, after, before, after)], [StepKey.CAREER_PATH])
        for place in now.settled:
            del marks[place]
        for step, change in now.opened:
            assert step is StepKey.CAREER_PATH
            marks[step, change.aspect] = change.print_before
        assert bool(marks) == (after != prints[0])


def test_a_result_never_comes_back() -> None:
    again = Change(Aspect.INTERESTS, {"on": "2026-01-01"}, {"on": "2026-09-01"})
    place = (StepKey.CAREER_CHOICE, Aspect.INTERESTS)
    assert turn({place: None}, [again], [StepKey.CAREER_CHOICE]).settled == []
    assert turn({place: None}, [again], [StepKey.CAREER_CHOICE]).moved == [(StepKey.CAREER_CHOICE, again)]


def test_an_imagined_change_marks_what_holds_content() -> None:
    contents = {StepKey.CAREER_CHOICE: CHOICE, StepKey.GOALS: {"goals": [GOAL]}}
    stale = stale_steps(contents, contents | {StepKey.CAREER_CHOICE: CHOICE | {"chosen": "o2"}})
    assert list(stale) == [StepKey.GOALS]
    assert stale[StepKey.GOALS][0].aspect is Aspect.OCCUPATION
    assert stale_steps(contents, contents) == {}


def test_a_release_counts_only_where_the_plans_own_occupations_moved() -> None:
    before = {"a": [1.0, 2.0], "b": [3.0, None], "c": [1.0]}
    after = {"a": [1.0, 2.0], "b": [3.5, None], "d": [9.0]}
    assert moved_figures(["a", "b", "c", "d", "x", "b"], before, after) == ["b", "c"]
    assert moved_figures(["a", "d"], before, after) == []
