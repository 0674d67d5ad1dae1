"""A caseload in which every condition of a filter holds for some and not for others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.clients.commands import CreateLabel, DefineAttribute
from app.features.clients.labels import create_label, put_labels
from app.features.clients.service import define_attribute
from app.features.cohorts.commands import ChangeMembers, CreateCohort
from app.features.cohorts.service import add_members, create_cohort
from app.infra.runtime import Runtime
from tests.factories import Person, World

NAMES = ("bare", "late", "very_late", "soon", "waiting", "answered", "unanswered", "stale", "done", "silent", "gone")


@dataclass
class Scene:
    """Who is who, by what is true of them; the counsellor looks after everybody."""

    counsellor: Person
    admin: Person
    ids: dict[str, UUID]
    cohort: UUID
    label: UUID
    template: UUID

    def names(self, found: set[UUID]) -> set[str]:
        """The names of these people."""
        return {name for name, some_id in self.ids.items() if some_id in found}


def make_scene(world: World, runtime: Runtime) -> Scene:
    """Eleven people: see NAMES; the first has no plan and was never met, the last is inactive."""
    here = world.organization()
    counsellor, admin = world.person(here, Role.COUNSELLOR, "Lena"), world.person(here, Role.ADMIN)
    ids = dict(zip(NAMES, world.clients(here, len(NAMES)), strict=True))
    world.caseload(counsellor, list(ids.values()))
    now = runtime.clock()
    today = now.date()
    recently, long_ago = now - timedelta(days=2), now - timedelta(weeks=9)

    def plan(name: str, statuses: str, due: date | None = None, **more: object) -> UUID:
        return world.plans(here, [ids[name]], statuses, due_on=due, changed_at=recently, **more)[0]

    plan("late", "cccccccn", today - timedelta(days=3))
    plan("very_late", "ciinnnnn", today - timedelta(days=30))
    plan("soon", "cncccccc", today + timedelta(days=5), next_review_on=today + timedelta(days=10))
    plan("waiting", "csnnnnnn")
    answered = plan("answered", "cccccccc")
    unanswered = plan("unanswered", "cccccccc", next_review_on=today + timedelta(days=60))
    plan("stale", "ctcccccc")
    plan("done", "cccccckc")
    world.plans(here, [ids["silent"]], "cinnnnnn", changed_at=long_ago)
    plan("gone", "rinnnnnn", today - timedelta(days=3))
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(
            text("UPDATE clients SET last_contact_at = :at WHERE id <> :bare"), {"at": recently, "bare": ids["bare"]}
        )
        uow.session.execute(
            text("UPDATE clients SET last_contact_at = :at WHERE id IN (:silent, :late)"),
            {"at": long_ago, "silent": ids["silent"], "late": ids["late"]},
        )
        uow.session.execute(text("UPDATE clients SET active = false WHERE id = :gone"), {"gone": ids["gone"]})
        uow.session.execute(
            text(
                "INSERT INTO reviews (plan_id, occurrence_on, state, answered_at, escalated_at) VALUES"
                " (:answered, :day, 'answered', now(), NULL), (:unanswered, :day, 'open', NULL, now())"
            ),
            {"answered": answered, "unanswered": unanswered, "day": today - timedelta(days=20)},
        )
        template = uow.session.execute(
            text("SELECT template_id FROM plans WHERE client_id = :c"), {"c": ids["done"]}
        ).scalar_one()
    with runtime.database.unit_of_work(admin.actor) as uow:
        define_attribute(uow, DefineAttribute(label="Year", kind="number"))
        cohort = create_cohort(uow, CreateCohort(name="Finalists")).id
        add_members(uow, ChangeMembers(cohort_id=cohort, clients=[ids["done"], ids["bare"]]))
        label = create_label(uow, CreateLabel(name="Scholarship", shared=True)).id
        put_labels(uow, label, [ids["late"], ids["done"]])
    return Scene(counsellor, admin, ids, cohort, label, template)
