"""A desk at which many people are changed at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.features.edits import service
from app.features.edits.service import BulkEdit, Preview
from app.features.jobs.runner import undo_job, work
from app.features.selections.commands import Target
from tests.factories import World

DUE = date(2026, 9, 18)
FRIDAY, MONDAY = DUE, date(2026, 9, 21)


class Desk:
    """A counsellor with ten people, eight of whom have a plan; the last has left."""

    def __init__(self, world: World) -> None:
        self.world, self.runtime = world, world.runtime
        self.id = world.organization()
        self.admin = world.person(self.id, Role.ADMIN)
        self.counsellor = world.person(self.id, Role.COUNSELLOR)
        self.clients = [*world.clients(self.id, 9), *world.clients(self.id, 1, active=False)]
        world.caseload(self.counsellor, self.clients)
        self.plans = world.plans(self.id, self.clients[:8], "niscnnnn", due_on=DUE)

    def command(self, kind: str, values: dict[str, Any], **more: Any) -> BulkEdit:
        return BulkEdit(kind=kind, values=values, target=Target(client_ids=tuple(self.clients)), **more)

    def preview(self, kind: str, /, **values: Any) -> Preview:
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            return service.preview(uow, self.command(kind, values))[2]

    def run(self, kind: str, /, **values: Any) -> UUID:
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            job = service.start(uow, self.command(kind, values)).id
        self.work()
        return job

    def work(self) -> None:
        work(self.runtime, self.id, JOB_KINDS, until=self.runtime.clock() + timedelta(seconds=20))

    def undo(self, job: UUID) -> dict[str, int]:
        undo_job(self.runtime, self.admin.actor, JOB_KINDS, job)
        self.work()
        return self.states(job)

    def states(self, job: UUID) -> dict[str, int]:
        found = self.rows("SELECT state, count(*) FROM job_items WHERE job_id = :job GROUP BY state", job=job)
        return {row.state: row.count for row in found}

    def reasons(self, job: UUID) -> dict[str, int]:
        found = self.rows(
            "SELECT reason, count(*) FROM job_items WHERE job_id = :job AND reason <> '' GROUP BY reason", job=job
        )
        return {row.reason: row.count for row in found}

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.runtime.database.unit_of_work(access.system(self.id)) as uow:
            return list(uow.session.execute(text(statement), values))

    def days(self) -> set[tuple[UUID, int, date | None]]:
        return {
            (row.plan_id, row.step, row.due_on) for row in self.rows("SELECT plan_id, step, due_on FROM plan_steps")
        }
