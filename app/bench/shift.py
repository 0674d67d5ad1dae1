"""Shift the due days of many steps by working days; the floor is one bare UPDATE of the same rows, no row security."""

from __future__ import annotations

from sqlalchemy import text

from app.bench.assign import FLOOR as GIVE_PLANS
from app.bench.assign import START, prepare
from app.bench.harness import Measured, Place, finish_jobs, interleaved, stopwatch
from app.domain import access
from app.features.edits.service import BulkEdit, start
from app.features.selections.commands import Target

_STEPS = 8
_BARE = "UPDATE plan_steps SET due_on = due_on + 1 WHERE organization_id = %(o)s"
_LINES = "SELECT count(*) FROM plan_events WHERE kind = 'due_moved'"


def measure(place: Place, steps: int, *, limit: float | None, runs: int = 5) -> Measured:
    """Days, what undoing needs, a line of history a plan and job rows, from the request to the finished job."""
    clients = steps // _STEPS
    organization, cohort, template = prepare(place, clients)
    actor = access.system(organization)
    with place.superuser() as connection:
        connection.execute(GIVE_PLANS, {"o": organization, "t": template, "d": START})
        connection.commit()
    place.settle()

    def floor(_: int) -> float:
        with place.superuser() as connection, stopwatch() as seconds:
            moved = connection.execute(_BARE, {"o": organization}).rowcount
            connection.commit()
            taken = seconds()
        assert moved == steps, moved
        place.settle()
        return taken

    def ours(run: int) -> float:
        values = {"mode": "shift", "by": 1, "steps": list(range(1, _STEPS + 1))}
        with stopwatch() as seconds:
            with place.runtime.database.unit_of_work(actor) as uow:
                start(uow, BulkEdit(kind="due", values=values, target=Target(cohort_id=cohort)))
            finish_jobs(place.runtime, organization)
            taken = seconds()
        with place.runtime.database.unit_of_work(actor) as uow:
            lines = uow.session.execute(text(_LINES)).scalar_one()
        assert lines == clients * (run + 1), lines
        place.settle()
        return taken

    return interleaved("shift due days", steps, floor, ours, limit=limit, runs=runs)
