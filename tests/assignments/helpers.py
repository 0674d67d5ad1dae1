"""What the tests of assigning share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.features.assignments import service
from app.features.assignments.commands import Assign
from app.features.assignments.runner import follow_standing
from app.features.cohorts.models import Cohort, CohortMember
from app.features.instruments.builtin import add_built_in
from app.features.jobs.runner import undo_job, work
from app.infra.runtime import Runtime
from tests.factories import Person, World

START = date(2026, 9, 7)


@dataclass
class Place:
    """An organization with an administrator, clients and a cohort of some of them."""

    world: World
    organization: UUID
    admin: Person
    clients: list[UUID]

    @property
    def runtime(self) -> Runtime:
        """The runtime of the test."""
        return self.world.runtime

    def cohort(self, members: Sequence[UUID], name: str = "Class of 2028") -> UUID:
        """A fixed cohort."""
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            cohort = Cohort(name=name, kind="fixed", created_at=uow.now - timedelta(days=1))
            uow.session.add(cohort)
            uow.session.flush()
            uow.session.add_all(CohortMember(cohort_id=cohort.id, client_id=c, since=uow.now) for c in members)
            return cohort.id

    def join(self, cohort: UUID, *clients: UUID) -> None:
        """Put clients into the cohort now."""
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            uow.session.add_all(CohortMember(cohort_id=cohort, client_id=c, since=uow.now) for c in clients)

    def leave(self, cohort: UUID, *clients: UUID) -> None:
        """Take clients out of the cohort."""
        self.sql(
            "DELETE FROM cohort_members WHERE cohort_id = :cohort AND client_id = ANY(CAST(:clients AS uuid[]))",
            cohort=cohort,
            clients=list(clients),
        )

    def instrument(self) -> UUID:
        """A questionnaire in use."""
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            return add_built_in(uow, "values").instrument_id

    def preview(self, **values: Any) -> Any:
        """What the administrator is shown before."""
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            return service.preview(uow, Assign(**values))[1]

    def assign(self, **values: Any) -> UUID:
        """Give it as the administrator and let the workers finish; the job's id."""
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            job_id = service.assign(uow, Assign(**values)).id
        self.work()
        return job_id

    def work(self) -> None:
        """Let workers do what is open."""
        work(self.runtime, self.organization, JOB_KINDS, until=self.runtime.clock() + timedelta(seconds=20))

    def sweep(self) -> None:
        """What the sweep does for standing assignments, and the jobs it makes."""
        follow_standing(self.runtime, self.organization)
        self.work()

    def undo(self, job_id: UUID) -> None:
        """Undo a job and let the workers finish."""
        undo_job(self.runtime, self.admin.actor, JOB_KINDS, job_id)
        self.work()

    def items(self, job_id: UUID) -> dict[UUID, tuple[str, str]]:
        """What became of each client: the state and the reason as stored."""
        rows = self.sql(
            "SELECT subject_id, state, coalesce(reason, '') AS reason FROM job_items WHERE job_id = :j"
            " UNION ALL SELECT unnest(subject_ids), 'pending', '' FROM waiting_items WHERE job_id = :j",
            j=job_id,
        )
        return {row.subject_id: (row.state, row.reason) for row in rows}

    def steps(self, step: int) -> dict[UUID, tuple[str, date | None]]:
        """Status and due day of a step, by client."""
        rows = self.sql(
            "SELECT p.client_id, s.status, s.due_on FROM plan_steps s JOIN plans p ON p.id = s.plan_id"
            " WHERE s.step = :s",
            s=step,
        )
        return {row.client_id: (row.status, row.due_on) for row in rows}

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Rows of a statement within the organization."""
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            found = uow.session.execute(text(statement), values)
            return list(found.all()) if found.returns_rows else []


def place(world: World, clients: int = 4) -> Place:
    """Such an organization."""
    organization = world.organization()
    return Place(world, organization, world.person(organization, Role.ADMIN), world.clients(organization, clients))
