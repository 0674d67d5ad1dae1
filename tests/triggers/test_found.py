"""What each rule finds, against the plain reading of what is stored. Today is 7 September 2026 in Dublin."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain import access
from app.domain.goals import Rating, attainment_over_time
from app.domain.matching import RANK_BANDS, band_of, fit, ranks
from app.domain.triggers import LEAST_CHANGES, Trigger, low_since
from app.features.instruments.builtin import built_ins
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment
from app.features.instruments.queries import definition_of
from app.features.instruments.service import load_definition
from app.features.occupations.releases import current_release
from app.features.occupations.whole import interest_shapes
from tests.factories import World
from tests.triggers.scenes import Centre, make_centre

TODAY = date(2026, 9, 7)
LEVELS = dict.fromkeys(("-2", "-1", "0", "1", "2"), "words")
QUIET = {"max_examples": 30, "deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}
days = st.integers(-40, 20).map(lambda n: TODAY + timedelta(days=n))
looked = st.one_of(st.none(), days.filter(lambda day: day <= TODAY))
goal = st.fixed_dictionaries(
    {
        "text": st.sampled_from(["Learn to weld", ""]),
        "status": st.sampled_from(["open", "reached", "dropped", None]),
        "level": st.sampled_from([-2, -1, 0, 1, None]),
        "due_on": st.one_of(st.none(), days),
        "path": st.sampled_from(["p1", "p2", None]),
    }
)


@settings(**QUIET)
@given(st.lists(goal, max_size=5), st.sampled_from(["p1", None]), looked)
def test_goals_missed(world: World, goals: list[dict[str, Any]], chosen: str | None, last: date | None) -> None:
    centre = make_centre(world)
    [plan] = centre.plans
    written = [
        row | {"id": f"g{n}", "due_on": row["due_on"] and row["due_on"].isoformat()} for n, row in enumerate(goals)
    ]
    centre.write(plan, 6, {"goals": written})
    if chosen:
        centre.write(plan, 5, {"chosen": chosen, "paths": [{"id": "p1"}]})
    if last:
        centre.check_in(plan, last)
    expected = [
        row["due_on"].isoformat()
        for row in goals
        if row["text"]
        and row["status"] in ("open", None)
        and row["level"] in (-2, -1, None)
        and row["due_on"]
        and row["due_on"] < TODAY
        and (last is None or last <= row["due_on"])
        and (not row["path"] or not chosen or row["path"] == chosen)
    ]
    found = centre.found(Trigger.GOAL_MISSED)
    assert sorted(seen["on"] for seen in found.get(plan, [])) == sorted(expected)


@settings(**QUIET)
@given(st.text("nisrctk", min_size=8, max_size=8), days, st.integers(1, 30), looked)
def test_steps_overdue(world: World, statuses: str, due: date, number: int, last: date | None) -> None:
    centre = make_centre(world, statuses=statuses, due_on=due)
    [plan] = centre.plans
    if last:
        centre.check_in(plan, last)
    late = due + timedelta(days=number)
    holds = late <= TODAY and (last is None or last < late)
    expected = [n for n, letter in enumerate(statuses, start=1) if holds and letter in "nir"]
    found = centre.found(Trigger.STEP_OVERDUE, number=number)
    assert sorted(seen["step"] for seen in found.get(plan, [])) == expected


note = st.fixed_dictionaries(
    {
        "likelihood": st.integers(1, 2),
        "impact": st.just(3),
        "controllable": st.sampled_from(["no", "no", "yes"]),
        "state": st.sampled_from([None, "gone"]),
        "source": st.sampled_from(["plan", "check-in"]),
    }
)


@settings(**QUIET)
@given(st.lists(note, max_size=5), looked)
def test_factors_beyond_control_changed(world: World, notes: list[dict[str, Any]], last: date | None) -> None:
    centre = make_centre(world)
    [plan] = centre.plans
    # Noted every ten days up to yesterday, so that some lie before and some after the check-in.
    first = TODAY - timedelta(days=10 * len(notes))
    history = [row | {"on": (first + timedelta(days=10 * n)).isoformat()} for n, row in enumerate(notes)]
    centre.write(plan, 3, {"factors": [{"id": "f1", "text": "The law", "history": history}]})
    if last:
        centre.check_in(plan, last)
    figures = ("likelihood", "impact", "controllable", "state")
    expected = [
        now["on"]
        for before, now in pairwise(history)
        if now["source"] == "plan"
        and "no" in (before["controllable"], now["controllable"])
        and any(before[name] != now[name] for name in figures)
        and (last is None or last.isoformat() < now["on"])
    ]
    found = centre.found(Trigger.FACTOR_CHANGED)
    assert sorted(seen["on"] for seen in found.get(plan, [])) == sorted(expected)


@settings(**QUIET)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(-2, 2), st.sampled_from(["g1", "g2"])), max_size=8),
    st.integers(30, 49),
)
def test_attainment_low_twice(world: World, said: list[tuple[int, int, str]], mark: int) -> None:
    centre = make_centre(world, 2)
    plan, other = centre.plans
    said = sorted(said)
    goals = [
        {
            "id": name,
            "text": "A goal",
            "levels": LEVELS,
            "weight": weight,
            "level": 0,
            "ratings": [
                {"on": (TODAY - timedelta(days=40 - day)).isoformat(), "level": level, "source": "plan"}
                for day, level, of in said
                if of == name
            ],
        }
        for name, weight in (("g1", 2), ("g2", 1))
    ]
    centre.write(plan, 6, {"goals": goals})
    # Words for its levels are missing, so that its ratings mean nothing.
    centre.write(other, 6, {"goals": [goals[0] | {"levels": {}}]})
    ratings = [Rating(of, TODAY - timedelta(days=40 - day), level) for day, level, of in said]
    low = low_since(attainment_over_time(ratings, {"g1": 2.0, "g2": 1.0}), mark)
    found = centre.found(Trigger.ATTAINMENT_LOW, number=mark)
    assert set(found) == ({plan} if low else set())
    if low:
        assert found[plan] == [{"on": low[0].isoformat(), "value": round(low[1]), "mark": mark}]


@settings(**QUIET)
@given(st.lists(st.one_of(st.none(), st.integers(0, 10)), max_size=5), st.integers(1, 10))
def test_confidence_down(world: World, said: list[int | None], points: int) -> None:
    centre = make_centre(world)
    [plan] = centre.plans
    for number, confidence in enumerate(said):
        answers = {} if confidence is None else {"confidence": confidence}
        centre.check_in(plan, TODAY - timedelta(days=200 - 10 * number), answers)
    known = [confidence for confidence in said if confidence is not None]
    down = len(known) > 1 and known[-2] - known[-1] >= points
    found = centre.found(Trigger.CONFIDENCE_DOWN, number=points)
    expected = [(known[-2], known[-1])] if down else []
    assert [(seen["before"], seen["after"]) for seen in found.get(plan, [])] == expected


def test_confidence_down_takes_the_organizations_own_spread_once_enough_is_known(world: World) -> None:
    centre = make_centre(world, LEAST_CHANGES)
    changes = []
    for number, plan in enumerate(centre.plans):
        # Half of them go up by four and half down by four: a spread of about four, so that a drop must be of eight.
        before, after = (2, 6) if number % 2 else (9, 5)
        if number == 0:
            before, after = 10, 1
        changes.append(after - before)
        centre.check_in(plan, TODAY - timedelta(days=100), {"confidence": before})
        centre.check_in(plan, TODAY - timedelta(days=10), {"confidence": after})
    line = 1.96 * float(np.std(changes, ddof=1))
    assert 4 < line < 9
    assert set(centre.found(Trigger.CONFIDENCE_DOWN, number=3)) == {centre.plans[0]}
    # One change fewer, and the number alone decides again.
    centre.rows("DELETE FROM reviews WHERE plan_id = :plan RETURNING id", plan=centre.plans[-1])
    assert len(centre.found(Trigger.CONFIDENCE_DOWN, number=3)) == LEAST_CHANGES // 2


def _take(centre: Centre, client: UUID, scores: list[float], at: datetime, *, error: float | None = None) -> None:
    """A result on interests in the order R I A S E C; `error` is each scale's standard error as its norms say."""
    raw = {name: value for name, value in built_ins()["interests"].raw.items() if name != "checksum"}
    if error is not None:
        scales = [scale["id"] for scale in raw["scales"]]
        # With a reliability of .75 the error is half of the spread.
        raw["reliabilities"] = [
            {"scale": s, "type": "alpha", "value": 0.75, "n": 500, "population": "Test", "source": "Test"}
            for s in scales
        ]
        raw["norms"] = [
            {"scale": s, "group": "Test", "mean": 20, "sd": 2 * error, "n": 500, "source": "Test", "year": 2026}
            for s in scales
        ]
    with centre.runtime.database.unit_of_work(access.system(centre.organization)) as uow:
        loaded = load_definition(uow, LoadDefinition(raw=raw))
        definition = definition_of(uow, loaded.instrument_id, loaded.version)
        uow.session.add(
            Assessment(
                client_id=client,
                instrument_id=loaded.instrument_id,
                version=loaded.version,
                taken_at=at,
                source="import",
                source_key=str(at),
                responses=[1] * len(definition.items),
                scores=[float(scores["RIASEC".index(key)]) for key in definition.keys],
                answered=[1] * len(definition.scales),
            )
        )


def test_a_questionnaire_grown_old(world: World) -> None:
    centre = make_centre(world, 3)
    flat = [10.0] * 6
    for client, taken in zip(centre.clients, ([800], [800, 30], []), strict=True):
        for ago in taken:
            _take(centre, client, flat, datetime(2026, 9, 7, tzinfo=UTC) - timedelta(days=ago))
    assert set(centre.found(Trigger.ASSESSMENT_OLD, number=12)) == {centre.plans[0]}
    assert set(centre.found(Trigger.ASSESSMENT_OLD, number=60)) == set()


@pytest.mark.parametrize("error", [2.0, None])
def test_a_leading_interest_changed_reliably(world: World, error: float | None) -> None:
    centre = make_centre(world, 3)
    now, then = datetime(2026, 9, 1, tzinfo=UTC), datetime(2025, 9, 1, tzinfo=UTC)
    profile = [30.0, 28, 10, 9, 8, 7]
    later = ([30.0, 29, 10, 9, 8, 7], [30.0, 10, 10, 9, 8, 7])
    for client, scores in zip(centre.clients, (*later, None), strict=True):
        _take(centre, client, profile, then, error=error)
        if scores is not None:
            _take(centre, client, scores, now, error=error)
    found = centre.found(Trigger.INTERESTS_CHANGED)
    if error is None:
        # Nobody knows how exact the scores are, so that nothing is said of their change.
        assert found == {}
    else:
        evidence = {"letters": {"I": "lower"}, "since": "2025-09-01", "on": "2026-09-01"}
        assert found == {centre.plans[1]: [evidence]}


def test_the_chosen_occupation_left_its_band(world: World) -> None:
    centre = make_centre(world, 4)
    with world.runtime.database.unit_of_work(centre.admin.actor) as uow:
        release = current_release(uow)
        assert release is not None
        profiles, shapes = interest_shapes(uow, release)
    mine = [30.0, 25, 20, 15, 10, 5]
    r = fit(mine, shapes)
    assert r is not None
    of = {code: int(rank) for code, rank in zip(profiles.codes, ranks(r), strict=True)}
    near, middle, far = (next(code for code, rank in of.items() if rank == wanted) for wanted in (3, 30, 70))
    # One stays, one leaves the first 20 for the first 50, one leaves all, one was in no band to begin with.
    for plan, client, code, rank in zip(
        centre.plans, centre.clients, (near, middle, far, far), (5, 12, 40, 60), strict=True
    ):
        _take(centre, client, mine, datetime(2026, 9, 1, tzinfo=UTC))
        match = {"rank": rank, "taken_on": "2026-01-05"}
        options = [
            {"id": "o1", "name": "Chosen", "code": code, "match": match},
            {"id": "o2", "code": far, "match": match},
        ]
        centre.write(plan, 4, {"chosen": "o1", "options": options})
    found = centre.found(Trigger.MATCH_LEFT_BAND)
    expected = {
        plan: [{"title": "Chosen", "code": code, "before": before, "after": of[code], "band": band_of(before)}]
        for plan, code, before in ((centre.plans[1], middle, 12), (centre.plans[2], far, 40))
    }
    assert found == expected
    assert max(RANK_BANDS) == 50
