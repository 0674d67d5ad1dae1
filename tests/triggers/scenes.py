"""Plans with contents written straight into their tables, for tests of what triggers find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.domain.triggers import Rule, Trigger
from app.features.organizations.queries import today_here
from app.features.plans.models import StepContent
from app.features.reviews.models import Review
from app.features.triggers import queries, service
from app.features.triggers.rules import set_rule
from app.features.triggers.sources import source_of
from app.infra.runtime import Runtime
from tests.factories import Person, World


@dataclass
class Centre:
    """An organization with an administrator and some plans."""

    world: World
    organization: UUID
    admin: Person
    plans: list[UUID]
    clients: list[UUID]

    @property
    def runtime(self) -> Runtime:
        return self.world.runtime

    def write(self, plan: UUID, step: int, content: Mapping[str, Any]) -> None:
        """Store a content, whether there was one or not."""
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            found = uow.session.get(StepContent, (self.organization, plan, step))
            if found is None:
                uow.session.add(StepContent(plan_id=plan, step=step, content=dict(content)))
            else:
                found.content = dict(content)

    def check_in(self, plan: UUID, on: date, answers: Mapping[str, Any] | None = None, *, decided: bool = True) -> None:
        """A check-in answered on a day, and decided about on the same unless it still waits for that."""
        at = datetime.combine(on, datetime.min.time().replace(hour=12), UTC)
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            uow.session.add(
                Review(
                    plan_id=plan,
                    occurrence_on=on,
                    state="closed" if decided else "answered",
                    answers=dict(answers or {}),
                    outcome="confirm",
                    answered_at=at,
                    closed_at=at if decided else None,
                )
            )

    def found(self, kind: Trigger, **rule: Any) -> dict[UUID, list[dict[str, Any]]]:
        """What a dry run of a rule finds: evidence by plan."""
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            made = Rule(kind, **rule) if rule else Rule(kind)
            touched = queries.dry_run(uow, kind, source_of(uow, made, today_here(uow)), most=10_000)
        found: dict[UUID, list[dict[str, Any]]] = {}
        for row in touched.rows:
            found.setdefault(row.plan_id, []).append(row.evidence)
        assert touched.plans == len(found)
        return found

    def switch_on(self, kind: Trigger, number: int | None = None, *, active: bool = True) -> None:
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            set_rule(uow, Rule(kind, active, number))

    def look(self) -> service.Looked:
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            return service.look(uow)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            return list(uow.session.execute(text(statement), values))


def make_centre(world: World, plans: int = 1, **due: Any) -> Centre:
    """An organization in Dublin with so many plans, begun on 7 September 2026 unless `due` says otherwise."""
    organization = world.organization()
    clients = world.clients(organization, plans)
    made = world.plans(organization, clients, **due)
    return Centre(world, organization, world.person(organization, Role.ADMIN), made, clients)
