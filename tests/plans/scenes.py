"""A plan in the middle of its life, for tests that look at pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.domain.access import Role
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.plans import service
from app.features.plans.commands import AddComment, SaveContent
from app.features.plans.queries import find_plan, surroundings_of, view_plan
from app.features.plans.revisions import freeze_revision
from app.features.plans.templates import create_default_template
from app.features.steps.registry import ROOMS
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock

WRITTEN: dict[StepKey, dict[str, Any]] = {
    StepKey.AMBITION: {
        "statement": "I want to help towns decide with numbers instead of guesses: where buses run, where schools "
        "are built, and what it costs people who have little.",
        "why": "My own town closed its library after a count nobody had checked.",
        "role_models": [{"id": "r1", "name": "Florence Nightingale", "why": "showed figures so that people acted"}],
        "values": [
            {"id": "v1", "name": "Helping others"},
            {"id": "v2", "name": "Independence"},
            {"id": "v3", "name": "Time for family"},
        ],
    },
    StepKey.SELF_ASSESSMENT: {"fits": "I like order and I like to find things out.", "surprises": "So little art."},
    StepKey.OPPORTUNITIES: {
        "factors": [
            {
                "id": "f1",
                "text": "Towns must publish their data from next year",
                "kind": "opportunity",
                "controllable": "no",
                "likelihood": 5,
                "impact": 4,
                "source": "the county's newsletter",
                "noted_on": "2026-09-20",
            },
            {
                "id": "f2",
                "text": "Hiring freeze in regional government",
                "kind": "threat",
                "controllable": "no",
                "likelihood": 3,
                "impact": 5,
            },
            {"id": "f3", "text": "I explain things well", "kind": "strength", "controllable": "yes", "impact": 3},
            {"id": "f4", "text": "No statistics beyond year one", "kind": "weakness", "controllable": "yes"},
        ]
    },
    StepKey.CAREER_CHOICE: {
        "criteria": [
            {"id": "c1", "name": "My interests", "weight": 8},
            {"id": "c2", "name": "My abilities", "weight": 6},
            {"id": "c3", "name": "The world around me", "weight": 4},
        ],
        "options": [
            {"id": "o1", "name": "Market research analyst", "ratings": {"c1": 5, "c2": 4, "c3": 4}},
            {"id": "o2", "name": "Data scientist", "ratings": {"c1": 4, "c2": 3, "c3": 5}},
            {"id": "o3", "name": "Urban planner", "ratings": {"c1": 4, "c2": 3, "c3": 2}},
        ],
        "chosen": "o1",
        "runner_up": "o2",
        "reason": "I keep coming back to research.",
    },
    StepKey.GOALS: {
        "goals": [
            {
                "id": "g1",
                "horizon": "short",
                "text": "Finish the thesis",
                "measure": "handed in",
                "due_on": "2027-06-01",
            }
        ]
    },
}


@dataclass(frozen=True)
class Scene:
    """The people and the plan."""

    organization: UUID
    client: Person
    counsellor: Person
    admin: Person
    plan_id: UUID
    template_id: UUID


def make_scene(
    world: World, *, locale: str = "en", clock: Clock | None = None, name: str = "Riverside career centre"
) -> Scene:
    """Steps 1 to 3 accepted in revision 1, step 4 handed in, step 6 begun, comments from both.

    With a `clock` every act is a minute after the one before.
    """

    def later() -> None:
        if clock is not None:
            clock.now += timedelta(minutes=1)

    runtime = world.runtime
    organization = world.organization(name=name, locale=locale)
    client = world.client_person(organization, name="Amara Okafor", given_name="Amara", family_name="Okafor")
    counsellor = world.person(organization, Role.COUNSELLOR, "Lena Moreau")
    admin = world.person(organization, Role.ADMIN, "Maja Berg")
    assert client.actor.client_id is not None
    world.caseload(counsellor, [client.actor.client_id])
    with runtime.database.unit_of_work(admin.actor) as uow:
        template_id = create_default_template(uow, language=locale).id
    plan_id = world.plan(organization, client.actor.client_id, template_id)
    for key in (StepKey.AMBITION, StepKey.SELF_ASSESSMENT, StepKey.OPPORTUNITIES):
        later()
        _write(runtime, client, plan_id, key, hand_in=True)
        later()
        with runtime.database.unit_of_work(counsellor.actor) as uow:
            service.complete_step(uow, plan_id, key)
    later()
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        freeze_revision(uow, find_plan(uow, plan_id), "First talk of the autumn")
    later()
    _write(runtime, client, plan_id, StepKey.CAREER_CHOICE, hand_in=True)
    later()
    _write(runtime, client, plan_id, StepKey.GOALS, hand_in=False)
    for person, body in ((client, "I keep coming back to research."), (counsellor, "I like how you compared them.")):
        later()
        with runtime.database.unit_of_work(person.actor) as uow:
            service.add_comment(uow, AddComment(plan_id=plan_id, step=StepKey.CAREER_CHOICE, body=body))
    return Scene(organization, client, counsellor, admin, plan_id, template_id)


def _write(runtime: Runtime, client: Person, plan_id: UUID, key: StepKey, *, hand_in: bool) -> None:
    with runtime.database.unit_of_work(client.actor) as uow:
        stored = service.save_content(
            uow, SaveContent(plan_id=plan_id, step=key, content=WRITTEN[key], over=0), ROOMS[key]
        )
        if hand_in:
            around = surroundings_of(uow, view_plan(uow, plan_id), key)
            service.submit_step(uow, plan_id, key, ROOMS[key].missing(stored.content, around, plain))
