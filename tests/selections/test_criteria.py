"""A filter selects exactly whom its conditions say: each by itself, several together, and as the caseload counts."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest

from app.domain.access import Role
from app.domain.rules import Condition, Rule, parse_rule
from app.features.overview.commands import CaseloadFilter, Why
from app.features.overview.keeping import rule_of
from app.features.overview.queries import matching as caseload_matching
from app.features.selections.queries import count_filter, filter_fields, matching, read_rule
from app.infra.runtime import Runtime
from tests.factories import World
from tests.selections.scene import NAMES, Scene, make_scene

WITH_PLAN = set(NAMES) - {"bare"}
# Condition, and whom it selects of the scene.
ALONE: list[tuple[Condition, set[str]]] = [
    (Condition("@active", "is", (True,)), set(NAMES) - {"gone"}),
    (Condition("@plan", "is", (True,)), WITH_PLAN),
    (Condition("@plan", "is", (False,)), {"bare"}),
    (Condition("@step_2", "is", ("submitted",)), {"waiting"}),
    (Condition("@step_2", "is", ("not_started",)), {"soon"}),
    (Condition("@step_2", "is_not", ("completed",)), {"bare", "very_late", "soon", "waiting", "silent", "gone"}),
    (Condition("@step_7", "any_of", ("skipped", "not_started")), {"very_late", "waiting", "done", "silent", "gone"}),
    (Condition("@step", "is", ("returned",)), {"gone"}),
    (Condition("@step", "is", ("not_started",)), {"late", "very_late", "soon", "waiting", "silent", "gone"}),
    (Condition("@overdue", "at_least", (1,)), {"late", "very_late", "gone"}),
    (Condition("@overdue", "at_least", (2,)), {"very_late", "gone"}),
    (Condition("@overdue", "at_least", (0,)), set(NAMES)),
    (Condition("@overdue", "at_most", (0,)), set(NAMES) - {"late", "very_late", "gone"}),
    (Condition("@due", "within_days", (5,)), {"soon"}),
    (Condition("@due", "within_days", (4,)), set()),
    (Condition("@review", "within_days", (10,)), {"soon"}),
    (Condition("@review", "within_days", (9,)), set()),
    (Condition("@review", "is_empty"), set(NAMES) - {"soon", "unanswered"}),
    (Condition("@review", "before", ("2999-01-01",)), {"soon", "unanswered"}),
    (Condition("@contact", "is_empty"), {"bare"}),
    (Condition("@contact", "weeks_ago", (8,)), {"silent", "late"}),
    (Condition("@silent", "weeks_ago", (8,)), {"silent"}),
    (Condition("@silent", "weeks_ago", (10,)), set()),
    (Condition("@attention", "is", ("waiting",)), {"waiting"}),
    (Condition("@attention", "is", ("answered",)), {"answered"}),
    (Condition("@attention", "is", ("unanswered",)), {"unanswered"}),
    (Condition("@attention", "is", ("stale",)), {"stale"}),
    (Condition("@attention", "any_of", ("never_met", "waiting", "silent")), {"bare", "waiting", "silent"}),
    (Condition("@attention", "is_not", ("overdue",)), set(NAMES) - {"late", "very_late", "gone"}),
    (Condition("@attention", "is_not", ("silent",)), set(NAMES) - {"silent"}),
]


@pytest.fixture
def scene(world: World, runtime: Runtime) -> Scene:
    return make_scene(world, runtime)


def selected(runtime: Runtime, scene: Scene, rule: Rule) -> set[str]:
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        found = set(uow.session.scalars(matching(uow, rule)))
        assert count_filter(uow, rule) == len(found)
    return scene.names(found)


def of_ids(scene: Scene) -> list[tuple[Condition, set[str]]]:
    """The conditions that name a row of the scene."""
    template = str(scene.template)
    return [
        (Condition("@cohort", "is", (str(scene.cohort),)), {"done", "bare"}),
        (Condition("@cohort", "is_not", (str(scene.cohort),)), set(NAMES) - {"done", "bare"}),
        (Condition("@label", "is", (str(scene.label),)), {"late", "done"}),
        (Condition("@label", "is_empty"), set(NAMES) - {"late", "done"}),
        (Condition("@template", "is", (template,)), {"done"}),
        (Condition("@template", "any_of", (f"{template}:1",)), {"done"}),
        (Condition("@template", "is", (f"{template}:2",)), set()),
    ]


def test_each_condition_selects_whom_it_says(runtime: Runtime, scene: Scene) -> None:
    for condition, names in [*ALONE, *of_ids(scene)]:
        assert selected(runtime, scene, Rule("all", (condition,))) == names, condition
        assert selected(runtime, scene, Rule("any", (condition,))) == names, condition


def test_conditions_together_select_what_they_select_apart(runtime: Runtime, scene: Scene) -> None:
    chance = random.Random(5)
    known = [*ALONE, *of_ids(scene)]
    for _ in range(80):
        chosen = chance.sample(known, chance.randint(2, 5))
        conditions = tuple(condition for condition, _ in chosen)
        apart = [names for _, names in chosen]
        assert selected(runtime, scene, Rule("all", conditions)) == set.intersection(*apart), conditions
        assert selected(runtime, scene, Rule("any", conditions)) == set.union(*apart), conditions


def test_what_the_caseload_filters_by_is_the_same_when_it_is_kept(runtime: Runtime, scene: Scene) -> None:
    wanted: list[dict[str, Any]] = [
        *({"why": int(why)} for why in Why),
        {"why": int(Why.WAITING | Why.NEVER_MET | Why.SILENT)},
        {"search": "fam"},
        {"search": "nobody"},
        {"cohort_id": scene.cohort},
        {"label_id": scene.label},
        {"counsellor_id": scene.counsellor.actor.membership_id},
        {"step": 2, "status": "completed"},
        {"step": 2, "status": "not_started"},
        {"status": "returned"},
        {"status": "skipped"},
        {"quiet_weeks": 0},
        {"quiet_weeks": 8},
        {"review_soon": True},
        {"why": int(Why.OVERDUE), "quiet_weeks": 4, "label_id": scene.label},
    ]
    for given in wanted:
        caseload = CaseloadFilter(**given)
        with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
            rule = parse_rule(rule_of(caseload), filter_fields(uow))
            today = uow.now.date()
            assert set(uow.session.scalars(matching(uow, rule))) == set(
                uow.session.scalars(caseload_matching(uow, caseload, today=today))
            ), given


def test_only_whom_one_sees_are_counted(world: World, runtime: Runtime, scene: Scene) -> None:
    everybody = {"all": [{"field": "@plan", "is": "is", "values": [True]}]}
    other = world.person(scene.admin.actor.organization_id, Role.COUNSELLOR)
    counts = []
    for person in (scene.admin, scene.counsellor, other):
        with runtime.database.unit_of_work(person.actor) as uow:
            counts.append(count_filter(uow, read_rule(uow, everybody)))
    assert counts == [10, 10, 0]


def test_a_rule_is_refused_with_the_reason(runtime: Runtime, scene: Scene) -> None:
    for bad, where in (
        ({"field": "@overdue", "is": "at_least", "values": [9]}, "0 to 8"),
        ({"field": "@due", "is": "within_days", "values": ["soon"]}, "whole number"),
        ({"field": "@silent", "is": "weeks_ago", "values": [-1]}, "whole number"),
        ({"field": "@cohort", "is": "is", "values": [str(UUID(int=1))]}, "from the list"),
        ({"field": "@step_2", "is": "is", "values": ["nice"]}, "from the list"),
        ({"field": "@step_9", "is": "is", "values": ["completed"]}, "about"),
        ({"field": "@review", "is": "before", "values": ["yesterday"]}, "20"),
    ):
        with runtime.database.unit_of_work(scene.counsellor.actor) as uow, pytest.raises(ValueError, match=where):
            read_rule(uow, {"all": [bad]})
