"""The days of what is given: fixed for all, or counted from the day each is given it."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.reading import check_day
from app.domain.saying import later
from app.features.assignments.commands import Assign
from app.features.assignments.models import Assignment
from app.features.organizations.queries import today_here
from app.infra.db.open import UnitOfWork

MOST_DAYS = 3660


def first_day(uow: UnitOfWork, assignment: Assignment) -> date:
    """The day a template's plans start: the assignment's, or today where it counts from each one's joining."""
    return today_here(uow) if assignment.detail.get("from_joining") else assignment.started_on


def due_day(uow: UnitOfWork, assignment: Assignment) -> date | None:
    """The due day of what is given now; None where none was said."""
    if (written := assignment.detail.get("due_on")) is not None:
        return date.fromisoformat(written)
    if (days := assignment.detail.get("due_in_days")) is not None:
        return today_here(uow) + timedelta(days=days)
    return None


def check_due(command: Assign, *, needed: bool) -> None:
    """Raise InvalidInput for a due day said in two ways, out of bounds, or missing where it is `needed`."""
    if command.due_on is not None and command.due_in_days is not None:
        raise InvalidInput([FieldProblem("due_on", "Give the due day, or a number of days, not both.")])
    if command.due_on is not None and (problems := check_day("due_on", command.due_on)):
        raise InvalidInput(problems)
    if command.due_in_days is not None and not 0 <= command.due_in_days <= MOST_DAYS:
        raise InvalidInput(
            [FieldProblem("due_in_days", later("Give a number of days from 0 to %(most)s.", most=MOST_DAYS))]
        )
    if needed and command.due_on is None and command.due_in_days is None:
        raise InvalidInput([FieldProblem("due_on", "Give the due day, or in how many days it is due.")])
