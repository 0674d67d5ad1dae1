"""Assign a template, or one step, to a cohort; the floors write the same rows by one statement, no row security."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text

from app.bench.harness import Measured, Place, finish_jobs, interleaved, published_template, stopwatch
from app.domain import access
from app.domain.cadence import WEEKDAYS
from app.domain.steps import StepKey
from app.domain.template_content import parse_content
from app.features.assignments.commands import Assign
from app.features.assignments.service import assign
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
                command = Assign(template_id=template, version=1, started_on=START, cohort_id=cohort)
                assign(uow, command)
            finish_jobs(place.runtime, organization)
            taken = seconds()
        with place.runtime.database.unit_of_work(actor) as uow:
            made = uow.session.execute(text("SELECT count(*) FROM plan_steps")).scalar_one()
            assert made == 8 * clients, made
        return taken

    return interleaved("assign a template", clients, floor, ours, limit=limit, runs=runs)


# What is written in a plan: the step as it is given, and the line of its history.
STEP_FLOOR = """
    WITH given AS (
        INSERT INTO plan_steps (organization_id, plan_id, step, status, due_on)
        SELECT p.organization_id, p.id, 3, 'not_started', %(d)s FROM plans p
        WHERE p.organization_id = %(o)s AND p.status = 'active'
        ON CONFLICT (organization_id, plan_id, step) DO UPDATE SET due_on = excluded.due_on
        RETURNING plan_id
    )
    INSERT INTO plan_events (organization_id, plan_id, step, kind, actor_kind, detail)
    SELECT %(o)s, plan_id, 3, 'step_given', 'counsellor', jsonb_build_object('from', NULL, 'to', %(d)s::date) FROM given
"""


def step(place: Place, clients: int, *, limit: float | None, runs: int = 5) -> Measured:
    """One step given to `clients` with plans: the steps, their history, audit and job rows, request to finished job."""
    organization, cohort, template = prepare(place, clients)
    with place.superuser() as connection:
        connection.execute(FLOOR, {"o": organization, "t": template, "d": START})
        connection.commit()
    place.settle()
    # Another day each time: what has the day already is passed over.
    days = iter(START + timedelta(days=n) for n in range(100))

    def floor(_: int) -> float:
        with place.superuser() as connection, stopwatch() as seconds:
            connection.execute(STEP_FLOOR, {"o": organization, "d": next(days)})
            connection.commit()
            taken = seconds()
        place.settle()
        return taken

    def ours(_: int) -> float:
        actor, day = access.system(organization), next(days)
        with stopwatch() as seconds:
            with place.runtime.database.unit_of_work(actor) as uow:
                assign(uow, Assign(what="step", step=3, due_on=day, cohort_id=cohort))
            finish_jobs(place.runtime, organization)
            taken = seconds()
        with place.runtime.database.unit_of_work(actor) as uow:
            given = uow.session.execute(
                text("SELECT count(*) FROM plan_steps WHERE step = 3 AND due_on = :d"), {"d": day}
            ).scalar_one()
            assert given == clients, given
        place.settle()
        return taken

    return interleaved("assign a step", clients, floor, ours, limit=limit, runs=runs)
