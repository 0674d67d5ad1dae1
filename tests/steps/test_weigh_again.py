"""The options weighed again over two releases: each cause alone, recomputed by another way, and the sum of all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from app.domain.access import Role
from app.domain.steps import StepKey
from app.features.occupations import store
from app.features.plans.models import StepContent
from app.features.plans.queries import view_plan
from app.features.steps.career_choice.again import inputs_now, inputs_of_choice, weigh_again
from app.features.steps.registry import ROOMS
from app.infra.db.migrate import admin_engine
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime
from app.infra.storage import Storage
from tests.factories import Person, World
from tests.harness import TEST_ROLE, Clock, OuterTransactionDatabase, Servers
from tests.steps import small_catalogue
from tests.steps.choosing import store_result
from tests.steps.small_catalogue import CHIEF, CLERK, EXPERT, HELPER, PLANNER

# Scores of the six interests, in the order R I A S E C, in the older release and in the newer.
OLD = {
    HELPER: [6.0, 2.0, 1.0, 2.0, 3.0, 5.0],
    CLERK: [2.0, 2.0, 2.0, 3.0, 4.0, 7.0],
    PLANNER: [2.0, 6.0, 3.0, 4.0, 4.0, 5.0],
    CHIEF: [1.0, 3.0, 2.0, 4.0, 7.0, 5.0],
    EXPERT: [2.0, 7.0, 4.0, 2.0, 2.0, 4.0],
}
NEW = OLD | {PLANNER: [4.0, 5.0, 2.0, 4.0, 5.0, 5.0], CHIEF: [1.0, 2.0, 2.0, 5.0, 7.0, 5.0]}
THEN = {"R": 10.0, "I": 35.0, "A": 20.0, "S": 18.0, "E": 15.0, "C": 22.0}
NOW = {"R": 12.0, "I": 22.0, "A": 14.0, "S": 30.0, "E": 32.0, "C": 20.0}


def _release(label: str, interests: dict[str, list[float]]) -> Any:
    content = small_catalogue.release(label)
    occupations = [row | {"interests": interests.get(row["code"]), "high_points": None} for row in content.occupations]
    return replace(content, occupations=occupations)


@pytest.fixture(scope="module")
def two_releases(servers: Servers) -> str:
    """A database with an older and a newer release; its tests roll back."""
    name = servers.clone()
    owner = servers.url("octant_owner", name)
    store.store(owner, _release("91.1", OLD))
    store.store(owner, small_catalogue.outlook())
    store.store(owner, _release("91.2", NEW))
    return name


@pytest.fixture
def here(servers: Servers, two_releases: str, tmp_path: Path, clock: Clock) -> Iterator[World]:
    settings = servers.settings(two_releases, tmp_path / "storage")
    with admin_engine(servers.url(TEST_ROLE, two_releases)).connect() as connection:
        transaction = connection.begin()
        database = OuterTransactionDatabase(settings, SilentDoorbell(), connection, clock)
        yield World(Runtime(settings, database, Storage(settings.storage_dir), SilentDoorbell()))
        transaction.rollback()


def _content(weights: tuple[int, int], rating: int) -> dict[str, Any]:
    return ROOMS[StepKey.CAREER_CHOICE].read(
        {
            "criteria": [
                {"id": "c1", "name": "My interests", "weight": weights[0], "fact": "interests"},
                {"id": "c2", "name": "My gut", "weight": weights[1]},
            ],
            "options": [
                {"id": "o1", "name": "Planner", "code": PLANNER, "ratings": {"c2": rating}},
                {"id": "o2", "name": "Own shop", "ratings": {"c2": 4}},
            ],
            "chosen": "o1",
        }
    )


def _r(person: dict[str, float], occupation: list[float]) -> float:
    return float(np.corrcoef(list(person.values()), occupation)[0, 1])


@pytest.fixture
def plan(here: World) -> tuple[Person, UUID, UUID]:
    """An administrator, a plan with the older choice, and the older result; the newer result is there too."""
    organization = here.organization()
    admin = here.person(organization, Role.ADMIN)
    (client,) = here.clients(organization, 1)
    plan_id = here.plan(organization, client)
    with here.runtime.database.unit_of_work(admin.actor) as uow:
        older = store_result(uow, client, "interests", THEN, days_ago=200)
        uow.session.add(StepContent(plan_id=plan_id, step=4, content=_content((8, 2), 3)))
        uow.session.flush()
        store_result(uow, client, "interests", NOW)
    return admin, plan_id, older


def test_each_cause_is_recomputed_with_the_two_others_fixed(here: World, plan: tuple[Person, UUID, UUID]) -> None:
    admin, plan_id, older = plan
    with here.runtime.database.unit_of_work(admin.actor) as uow:
        then = inputs_now(uow, view_plan(uow, plan_id))
        then["you"]["interests"] = str(older)
        then["data"]["release"] = "onet-91.1"
        row = uow.session.get_one(StepContent, (admin.actor.organization_id, plan_id, 4))
        row.content = _content((3, 7), 5)
        uow.session.flush()
        now = inputs_now(uow, view_plan(uow, plan_id))
        assert now["data"]["release"] == "onet-91.2"
        found = weigh_again(uow, view_plan(uow, plan_id), then, now)
    assert found is not None

    def total(you: bool, data: bool, weights: bool) -> float:
        fit = (_r(NOW if you else THEN, (NEW if data else OLD)[PLANNER]) + 1) * 50
        gut = ((5 if you else 3) - 1) * 25
        first, second = (0.3, 0.7) if weights else (0.8, 0.2)
        return first * fit + second * gut

    planner, shop = found["options"]
    split = planner["split"]
    before = total(False, False, False)
    assert split["before"] == pytest.approx(before, abs=1e-5)
    assert split["after"] == pytest.approx(total(True, True, True), abs=1e-5)
    assert split["you"] == pytest.approx(total(True, False, False) - before, abs=1e-5)
    assert split["data"] == pytest.approx(total(False, True, False) - before, abs=1e-5)
    assert split["weights"] == pytest.approx(total(False, False, True) - before, abs=1e-5)
    parts = split["you"] + split["data"] + split["weights"] + split["together"]
    assert parts == pytest.approx(split["after"] - split["before"], abs=1e-5)
    assert all(abs(split[name]) > 0.1 for name in ("you", "data", "weights", "together"))
    # What is not of the catalogue moves by what the client says of it alone.
    assert shop["split"] == {"before": 75, "after": 75, "you": 0, "data": 0, "weights": 0, "together": 0}
    assert planner["chosen"]
    assert planner["before"]["rank"] == 1 + sum(_r(THEN, OLD[c]) > _r(THEN, OLD[PLANNER]) for c in OLD)
    assert planner["now"]["rank"] == 1 + sum(_r(NOW, NEW[c]) > _r(NOW, NEW[PLANNER]) for c in NEW)


def test_for_want_of_an_earlier_check_in_the_saved_match_is_the_beginning(
    here: World, plan: tuple[Person, UUID, UUID]
) -> None:
    admin, plan_id, older = plan
    with here.runtime.database.unit_of_work(admin.actor) as uow:
        view = view_plan(uow, plan_id)
        now = inputs_now(uow, view)
        content = view.content(StepKey.CAREER_CHOICE)
        assert inputs_of_choice(content, now) is None, "taken by hand, so nothing is known from then"
        option = content["options"][0] | {"match": {"assessment": str(older)}, "release": "onet-91.1"}
        then = inputs_of_choice(content | {"options": [option]}, now)
        assert then is not None
        assert (then["you"]["interests"], then["data"]["release"]) == (str(older), "onet-91.1")
        assert then["weights"] == now["weights"]


def test_without_the_old_release_or_result_nothing_is_recomputed(here: World, plan: tuple[Person, UUID, UUID]) -> None:
    admin, plan_id, _ = plan
    with here.runtime.database.unit_of_work(admin.actor) as uow:
        view = view_plan(uow, plan_id)
        now = inputs_now(uow, view)
        gone = now | {"data": {"release": "onet-1.0", "outlook": None}}
        assert weigh_again(uow, view, gone, now) is None
        nobody = now | {"you": now["you"] | {"interests": "00000000-0000-0000-0000-000000000000"}}
        assert weigh_again(uow, view, nobody, now) is None
