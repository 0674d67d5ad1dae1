"""Work queues: who stands in which, whose they are, and the time there is beside them."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.overview.queues import QUEUES, Asked, capacities, count_queues, queue_page
from app.infra.runtime import Runtime
from tests.factories import World
from tests.selections.scene import Scene, make_scene

WHO: dict[str, list[str]] = {
    "overdue": ["very_late", "late"],
    "waiting": ["answered", "waiting"],
    "silent": ["silent"],
    "never_met": ["bare"],
}


@pytest.fixture
def scene(world: World, runtime: Runtime) -> Scene:
    return make_scene(world, runtime)


def test_each_queue_has_its_people_and_no_one_inactive(runtime: Runtime, scene: Scene) -> None:
    asked = Asked(counsellor_id=scene.counsellor.actor.membership_id)
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        counts = count_queues(uow, asked)
        week = uow.now.date().weekday()
        # Due in five days: this week or the next.
        expected = WHO | {"due": ["soon"] if week + 5 <= 6 else []}
        names = {some_id: name for name, some_id in scene.ids.items()}
        for queue in QUEUES:
            rows = queue_page(uow, queue, asked)
            found = [names[row.id] for row in rows]
            assert (found if queue == "overdue" else sorted(found)) == expected[queue], queue
            assert counts[queue] == len(rows)
        [second] = queue_page(uow, "overdue", asked, offset=1, limit=1)
        assert names[second.id] == "late"
        assert count_queues(uow, Asked(weeks=10))["silent"] == 0


def test_capacity_stands_beside_the_open_work(world: World, runtime: Runtime, scene: Scene) -> None:
    here = scene.admin.actor.organization_id
    idle = world.person(here, Role.COUNSELLOR, "Idle")
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(
            text("UPDATE memberships SET weekly_minutes = 600 WHERE id = :m"),
            {"m": scene.counsellor.actor.membership_id},
        )
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        found = [(c.name, c.weekly_minutes, c.clients, c.waiting, c.overdue) for c in capacities(uow, Asked())]
        assert found == [("Idle", None, 0, 0, 0), ("Lena", 600, 10, 2, 2)]
        [own] = capacities(uow, Asked(counsellor_id=idle.actor.membership_id))
        assert own.name == "Idle"


def test_the_page_is_one_s_own_or_for_an_administrator_all(app: Flask, world: World, scene: Scene) -> None:
    here = scene.admin.actor.organization_id
    idle = world.person(here, Role.COUNSELLOR, "Idle")
    late = f"/clients/{scene.ids['late']}"
    own = world.browser(app, scene.counsellor).get("/queues?queue=overdue").text
    assert late in own
    assert 'name="counsellor"' not in own
    everybody = world.browser(app, scene.admin)
    assert late in everybody.get("/queues?queue=overdue").text
    chosen = everybody.get(f"/queues?queue=overdue&counsellor={idle.actor.membership_id}").text
    assert late not in chosen
    # Another's queue is not a counsellor's to ask for.
    asked = f"/queues?queue=overdue&counsellor={scene.counsellor.actor.membership_id}"
    assert late not in world.browser(app, idle).get(asked).text
    # Nor is the time that others have.
    assert "Lena" not in world.browser(app, idle).get("/queues?counsellor=all").text
    assert everybody.get("/queues?queue=x&page=0&weeks=9999999&counsellor=odd").status_code == 200
