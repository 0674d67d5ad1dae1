"""Assign a template to a cohort; the floor writes the same plan and step rows by one statement, no row security."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import text

from app.bench.harness import Measured, Place, finish_jobs, interleaved, published_template, stopwatch
from app.domain import access
from app.domain.cadence import WEEKDAYS
from app.domain.steps import StepKey
from app.domain.template_content import parse_content
from app.features.assignments.commands import AssignTemplate
from app.features.assignments.service import assign_template
from app.features.cohorts.models import Cohort

START = date(2026, 9, 7)
FLOOR = """
    WITH made AS (
        INSERT INTO plans (organization_id, client_id, template_id, template_version, started_on)
        SELECT c.organization_id, c.id, %(t)s, 1, %(d)s FROM clients c WHERE c.organization_id = %(o)s
        RETURNING id
    )
    INSERT INTO plan_steps (organization_id, plan_id, step, due_on)
    SELECT %(o)s, made.id, s, %(d)s::date + 14 * s FROM made CROSS JOIN generate_series(1, 8) s
"""


def prepare(place: Place, clients: int) -> tuple[UUID, UUID, UUID]:
    """An organization with a cohort of `clients` and a published template: (organization, cohort, template)."""
    organization = place.organization()
    place.clients(organization, clients)
    content = parse_content(
        {
            "steps": {
                key.value: {
                    "enabled": True,
                    "guidance": "Guidance.",
                    "due": {"kind": "after_start", "days": 14 * key.number},
                }
                for key in StepKey
            },
            # At any hour of any day, so that a measurement does not wait for the morning.
            "review_policy": {"quiet_hours": None, "weekdays": list(WEEKDAYS)},
        }
    )
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        template, cohort = published_template(uow, content), Cohort(name="Everybody", kind="fixed")
        uow.session.add(cohort)
        uow.session.flush()
        uow.session.execute(
            text("INSERT INTO cohort_members (cohort_id, client_id) SELECT :c, id FROM clients"), {"c": cohort.id}
        )
        return organization, cohort.id, template.id


def measure(place: Place, clients: int, *, limit: float | None, runs: int = 5) -> Measured:
    """Plans, steps, audit and job rows for `clients`, from the request to the finished job."""
    places = [prepare(place, clients) for _ in range(2 * runs)]
    place.settle()

    def floor(run: int) -> float:
        organization, _, template = places[2 * run]
        with place.superuser() as connection, stopwatch() as seconds:
            connection.execute(FLOOR, {"o": organization, "t": template, "d": START})
            connection.commit()
            return seconds()

    def ours(run: int) -> float:
        organization, cohort, template = places[2 * run + 1]
        actor = access.system(organization)
        with stopwatch() as seconds:
            with place.runtime.database.unit_of_work(actor) as uow:
                command = AssignTemplate(template_id=template, version=1, started_on=START, cohort_id=cohort)
                assign_template(uow, command)
            finish_jobs(place.runtime, organization)
            taken = seconds()
        with place.runtime.database.unit_of_work(actor) as uow:
            made = uow.session.execute(text("SELECT count(*) FROM plan_steps")).scalar_one()
            assert made == 8 * clients, made
        return taken

    return interleaved("assign a template", clients, floor, ours, limit=limit, runs=runs)
