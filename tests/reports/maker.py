"""Clients with plans, contents, results and reviews, for the tests of reports."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from app.domain import access
from app.domain.steps import StepKey
from app.features.cohorts.models import Cohort, CohortMember
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment
from app.features.instruments.service import load_definition
from app.features.plans.models import Plan, PlanStep, StepContent
from app.features.reviews.models import Review
from app.features.steps.registry import ROOMS
from app.infra.runtime import Runtime
from tests.domain.instrument_maker import definition
from tests.factories import World
from tests.steps.test_rooms import COMPLETE

STATUSES = ("completed", "completed", "submitted", "in_progress", "returned", "not_started", "not_started", "skipped")


def cohort_of(runtime: Runtime, organization: UUID, clients: list[UUID], name: str = "Class of 2028") -> UUID:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        cohort = Cohort(name=name, kind="fixed")
        uow.session.add(cohort)
        uow.session.flush()
        uow.session.add_all(CohortMember(cohort_id=cohort.id, client_id=client) for client in clients)
        return cohort.id


def fill_plans(runtime: Runtime, world: World, organization: UUID, clients: list[UUID]) -> None:
    """An active plan with all contents, two takings of a small instrument, and an answered review for each."""
    template = world.template(organization)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        instrument = load_definition(uow, LoadDefinition(raw=definition())).instrument_id
        for client in clients:
            plan = Plan(client_id=client, template_id=template, template_version=1, started_on=date(2026, 9, 1))
            uow.session.add(plan)
            uow.session.flush()
            for number, status in enumerate(STATUSES, start=1):
                uow.session.add(
                    PlanStep(
                        plan_id=plan.id,
                        step=number,
                        status=status,
                        due_on=date(2026, 9, 1) + timedelta(days=14 * number),
                        reason="Not needed." if status == "skipped" else None,
                    )
                )
            uow.session.flush()
            for key in StepKey:
                uow.session.add(StepContent(plan_id=plan.id, step=key.number, content=ROOMS[key].read(COMPLETE[key])))
            uow.session.add(
                Review(
                    plan_id=plan.id,
                    occurrence_on=date(2026, 9, 2),
                    state="closed",
                    outcome="confirm",
                    revision_before=1,
                    revision_after=1,
                    answered_at=datetime(2026, 9, 3, 12, tzinfo=UTC),
                    closed_at=datetime(2026, 9, 4, 12, tzinfo=UTC),
                )
            )
            for month in (6, 9):
                uow.session.add(
                    Assessment(
                        client_id=client,
                        instrument_id=instrument,
                        version=1,
                        taken_at=uow.now.replace(month=month),
                        source="import",
                        source_key=f"test-{month}",
                        responses=[5, 3, 1],
                        scores=[8.0, 3.0],
                        answered=[2, 1],
                    )
                )
