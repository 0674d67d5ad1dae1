"""A career centre with graduates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.domain.outcomes import FULL_TIME, Destination
from app.features.jobs.runner import work
from app.features.outcomes import service
from app.features.outcomes.commands import RecordOutcome, SetGraduation
from app.features.outcomes.models import Outcome
from tests.factories import Person, World

GRADUATED = date(2026, 6, 20)
WORK = Destination(status=FULL_TIME, known_on=date(2026, 8, 1), source="survey")


class Centre:
    """An organization with an admin, an analyst, and a counsellor who looks after the first ten of its clients."""

    def __init__(self, world: World, clients: int = 12) -> None:
        self.world, self.runtime = world, world.runtime
        self.id = world.organization()
        self.admin = world.person(self.id, Role.ADMIN)
        self.analyst = world.person(self.id, Role.ANALYST)
        self.counsellor = world.person(self.id, Role.COUNSELLOR)
        self.clients = world.clients(self.id, clients)
        world.caseload(self.counsellor, self.clients[:10])

    def graduate(self, clients: list[UUID], day: date = GRADUATED, person: Person | None = None) -> None:
        with self.runtime.database.unit_of_work((person or self.admin).actor) as uow:
            for client in clients:
                service.set_graduation(uow, SetGraduation(client_id=client, graduated_on=day))

    def tell(self, client: UUID, year: int = 2026, person: Person | None = None, **values: Any) -> Outcome:
        with self.runtime.database.unit_of_work((person or self.admin).actor) as uow:
            command = RecordOutcome(client_id=client, class_year=year, destination=replace(WORK, **values))
            return service.record_outcome(uow, command)

    def work(self) -> None:
        work(self.runtime, self.id, JOB_KINDS, until=self.runtime.clock() + timedelta(seconds=20))

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.runtime.database.unit_of_work(access.system(self.id)) as uow:
            return list(uow.session.execute(text(statement), values))

    def actions(self) -> list[str]:
        return [row.action for row in self.rows("SELECT action FROM audit_entries ORDER BY sequence, position")]
