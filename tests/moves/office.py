"""An office whose caseloads are handed over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.features.jobs.runner import undo_job, work
from app.features.moves import service
from app.features.moves.commands import PlanMove
from app.features.moves.models import CaseloadMove
from tests.factories import Person, World


class Office:
    """An administrator and three counsellors, the first of whom has clients."""

    def __init__(self, world: World, clients: int = 12) -> None:
        self.world, self.runtime = world, world.runtime
        self.id = world.organization()
        self.admin = world.person(self.id, Role.ADMIN)
        self.people = [world.person(self.id, Role.COUNSELLOR) for _ in range(3)]
        self.clients = world.clients(self.id, clients)
        world.caseload(self.people[0], self.clients)

    @property
    def members(self) -> list[UUID]:
        return [member_of(person) for person in self.people]

    def plan(self, **values: Any) -> CaseloadMove:
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            return service.plan_move(uow, PlanMove(**values))

    def start(self, move: CaseloadMove) -> UUID:
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            return service.start_move(uow, move.id).id

    def work(self) -> None:
        work(self.runtime, self.id, JOB_KINDS, until=self.runtime.clock() + timedelta(seconds=20))

    def undo(self, job: UUID) -> None:
        undo_job(self.runtime, self.admin.actor, JOB_KINDS, job)
        self.work()

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.runtime.database.unit_of_work(access.system(self.id)) as uow:
            return list(uow.session.execute(text(statement), values))

    def entries(self) -> set[tuple[UUID, UUID, str]]:
        return {
            (row.client_id, row.membership_id, row.kind)
            for row in self.rows("SELECT client_id, membership_id, kind FROM caseload_entries")
        }

    def open_history(self) -> set[tuple[UUID, UUID, str]]:
        return {
            (row.client_id, row.membership_id, row.kind)
            for row in self.rows("SELECT client_id, membership_id, kind FROM caseload_history WHERE ended_at IS NULL")
        }

    def states(self, job: UUID) -> dict[str, int]:
        found = self.rows("SELECT state, count(*) FROM job_items WHERE job_id = :job GROUP BY state", job=job)
        return {row.state: row.count for row in found}


def member_of(person: Person) -> UUID:
    assert person.actor.membership_id is not None
    return person.actor.membership_id
