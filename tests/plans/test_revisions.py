"""Revisions never change; random histories stay inside the table."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, OctantError
from app.domain.steps import ActorKind, StepAction, StepKey, StepStatus, allowed_actions
from app.features.plans import service
from app.features.plans.commands import MoveStep, SaveContent
from app.features.plans.models import PlanEvent, PlanRevision, PlanStep
from app.features.plans.queries import find_plan
from app.features.plans.revisions import compare_revisions, freeze_revision, is_intact
from app.features.steps.registry import ROOMS
from app.infra.runtime import Runtime
from tests.factories import World


def write(world: World, person, plan_id, statement: str, over: int) -> None:
    with world.runtime.database.unit_of_work(person.actor) as uow:
        command = SaveContent(plan_id=plan_id, step=StepKey.AMBITION, content={"statement": statement}, over=over)
        service.save_content(uow, command, ROOMS[StepKey.AMBITION])


@pytest.fixture
def plan(world: World):
    organization = world.organization()
    client, admin = world.client_person(organization), world.person(organization, Role.ADMIN)
    assert client.actor.client_id
    return organization, client, admin, world.plan(organization, client.actor.client_id)


def test_freezing_keeps_the_whole_plan_and_opens_the_next_revision(world: World, plan) -> None:
    _, client, admin, plan_id = plan
    write(world, client, plan_id, "bridges", 0)
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        frozen = freeze_revision(uow, find_plan(uow, plan_id), "autumn review")
        assert frozen.revision == 1
        assert frozen.snapshot["steps"]["ambition"]["content"]["statement"] == "bridges"
        assert list(frozen.snapshot["steps"]) == [key.value for key in StepKey]
        assert find_plan(uow, plan_id).revision == 2
    write(world, client, plan_id, "tunnels", 1)
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        row = uow.session.scalars(select(PlanRevision)).one()
        assert is_intact(row)
        changed = compare_revisions(uow, plan_id, 1, 2)
        assert [c.step for c in changed] == [StepKey.AMBITION]
        assert changed[0].content_changed
        assert changed[0].after["content"]["statement"] == "tunnels"
        assert compare_revisions(uow, plan_id, 1, 1) == []
        with pytest.raises(NotFound):
            compare_revisions(uow, plan_id, 1, 3)


def test_freezing_the_same_revision_again_changes_nothing(world: World, plan) -> None:
    _, client, admin, plan_id = plan
    for _ in range(2):
        with world.runtime.database.unit_of_work(admin.actor) as uow:
            assert freeze_revision(uow, find_plan(uow, plan_id), "again", revision=1).revision == 1
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        assert find_plan(uow, plan_id).revision == 2
        with pytest.raises(Conflict):
            freeze_revision(uow, find_plan(uow, plan_id), "from the future", revision=7)
        with pytest.raises(InvalidInput):
            freeze_revision(uow, find_plan(uow, plan_id), " ")
    with world.runtime.database.unit_of_work(client.actor) as uow, pytest.raises(Forbidden):
        freeze_revision(uow, find_plan(uow, plan_id), "mine")


@pytest.mark.parametrize("statement", ["UPDATE plan_revisions SET reason = 'x'", "DELETE FROM plan_revisions"])
def test_the_database_refuses_to_touch_a_frozen_revision(world: World, plan, servers, statement: str) -> None:
    _, _, admin, plan_id = plan
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        freeze_revision(uow, find_plan(uow, plan_id), "review")
    with pytest.raises(DBAPIError, match="permission denied"), world.runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(text(statement))
    # Not even the owner's role: the trigger stands behind the missing privilege.
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        triggers = uow.session.scalars(
            text("SELECT tgname FROM pg_trigger WHERE tgrelid = 'plan_revisions'::regclass AND tgname = 'frozen'")
        ).all()
        assert triggers == ["frozen"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_random_histories_stay_in_the_table_and_leave_old_revisions_alone(
    runtime: Runtime, world: World, plan, seed: int
) -> None:
    organization, _, admin, _ = plan
    fresh = world.client_person(organization)
    assert fresh.actor.client_id
    plan_id = world.plan(organization, fresh.actor.client_id)
    dice = random.Random(seed)
    expected: dict[int, StepStatus] = {key.number: StepStatus.NOT_STARTED for key in StepKey}
    moves, frozen = 0, dict[int, str]()
    for turn in range(30):
        person, kind = dice.choice(((fresh, ActorKind.CLIENT), (admin, ActorKind.COUNSELLOR)))
        key, action = dice.choice(list(StepKey)), dice.choice(list(StepAction))
        legal = action in allowed_actions(expected[key.number], kind)
        with runtime.database.unit_of_work(person.actor) as uow:
            try:
                after = service.move_step(
                    uow, MoveStep(plan_id=plan_id, step=key, action=action, reason=f"turn {turn}")
                )
            except OctantError:
                assert not legal
            else:
                assert legal
                moves += after is not expected[key.number]
                expected[key.number] = after
        if dice.random() < 0.1:
            with runtime.database.unit_of_work(admin.actor) as uow:
                number = freeze_revision(uow, find_plan(uow, plan_id), f"turn {turn}").revision
                frozen[number] = uow.session.execute(
                    text("SELECT snapshot::text FROM plan_revisions WHERE plan_id = :p AND revision = :n"),
                    {"p": plan_id, "n": number},
                ).scalar_one()
    with runtime.database.unit_of_work(admin.actor) as uow:
        rows = uow.session.scalars(select(PlanStep).where(PlanStep.plan_id == plan_id))
        assert {row.step: row.status for row in rows} == expected
        events = uow.session.scalars(select(PlanEvent).where(PlanEvent.plan_id == plan_id, PlanEvent.step.is_not(None)))
        assert len(events.all()) == moves
        assert find_plan(uow, plan_id).revision == len(frozen) + 1
        for number, before in frozen.items():
            now = uow.session.execute(
                text("SELECT snapshot::text FROM plan_revisions WHERE plan_id = :p AND revision = :n"),
                {"p": plan_id, "n": number},
            ).scalar_one()
            assert now == before
        for row in uow.session.scalars(select(PlanRevision).where(PlanRevision.plan_id == plan_id)):
            assert is_intact(row)
