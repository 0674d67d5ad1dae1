"""Routes over the whole catalogue of the shared data: real chains, in little time."""

from __future__ import annotations

import random
import statistics
import time
from itertools import pairwise
from typing import Any

import pytest

from app.domain import access
from app.domain.steps import StepKey
from app.features.occupations.queries import outlook_of
from app.features.occupations.releases import current_release
from app.features.occupations.stages import stages_of
from app.features.steps.career_path.facts import facts_of
from app.features.steps.career_path.finder import find_routes
from tests.factories import World

pytestmark = pytest.mark.data
MOST_SECONDS = 0.030


def test_routes_over_the_18460_relations_are_real_and_found_quickly(catalogue_world: World) -> None:
    organization = catalogue_world.organization()
    chance = random.Random(3)
    with catalogue_world.runtime.database.unit_of_work(access.system(organization)) as uow:
        release = current_release(uow)
        assert release is not None
        stages = stages_of(uow, release)
        assert sum(len(each) for each in stages.related.values()) == 18_460
        related = {(code, other) for code, each in stages.related.items() for other, _ in each}
        took, found_any = [], 0
        for _ in range(40):
            start, target = chance.sample(stages.net.codes, 2)
            content = {name: at(code, release.key) for name, code in (("start", start), ("target", target))}
            # What this process spends on it: what others do on the machine does not count.
            begun = time.process_time()
            found = find_routes(uow, content, {StepKey.OPPORTUNITIES: {"education": 6}}, {"2.A.1.a": 4.0})
            took.append(time.process_time() - begun)
            found_any += bool(found.routes)
            inner: list[str] = []
            for route in found.routes:
                codes = [stage["code"] for stage in route]
                assert (codes[0], codes[-1]) == (start, target)
                assert len(codes) <= 7
                for pair in pairwise(codes):
                    assert pair in related or pair[::-1] in related
                inner += codes[1:-1]
            # Different routes share nothing but their ends.
            assert len(inner) == len(set(inner))
    assert found_any > 30
    assert statistics.median(took) < MOST_SECONDS, took


def test_facts_of_a_well_known_occupation(catalogue_world: World) -> None:
    with catalogue_world.runtime.database.unit_of_work(access.system(catalogue_world.organization())) as uow:
        release = current_release(uow)
        assert release is not None
        stages = stages_of(uow, release)
        outlook = outlook_of(uow, ["15-2051.00"]).get("15-2051.00")
        facts = facts_of(stages, "15-2051.00", outlook)
    assert facts is not None
    assert all(one.code.startswith("11-") for one in facts.management)
    assert all(one.code.startswith("15-") and (one.up or 0) > 0 for one in facts.technical)
    assert "15-2041.00" in [one.code for one in facts.technical]
    assert outlook is not None
    assert outlook.self_employed is not None
    assert 0 <= outlook.self_employed <= 100


def test_a_student_begins_where_the_education_is_enough(catalogue_world: World) -> None:
    with catalogue_world.runtime.database.unit_of_work(access.system(catalogue_world.organization())) as uow:
        release = current_release(uow)
        assert release is not None
        content = {"start": at(None, None) | {"none": True}, "target": at("11-1011.00", release.key)}
        found = find_routes(uow, content, {StepKey.OPPORTUNITIES: {"education": 6}}, None)
    assert found.routes
    for route in found.routes:
        first = route[0]
        assert first["lack"]["education_steps"] == 0
        assert first["zone"] <= 4
        assert route[-1]["code"] == "11-1011.00"


def at(code: str | None, release: str | None) -> dict[str, Any]:
    return {"name": "", "code": code, "release": release, "none": False}
