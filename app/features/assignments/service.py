"""Use cases of assigning: preview, the assignment with its job, and the life of a standing one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Actor, Role
from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput
from app.features.assignments.commands import Assign
from app.features.assignments.models import Assignment
from app.features.assignments.queries import Preview, count_outcomes, find_assignment
from app.features.assignments.registry import GIFTS
from app.features.audit.service import record
from app.features.jobs.items import subjects_of
from app.features.jobs.models import Job
from app.features.jobs.service import create_job
from app.features.selections.models import Selection
from app.features.selections.service import add_members, choose, members
from app.infra.db.open import Bell, UnitOfWork

ASSIGN = "assignments.assign"
# Whoever plans further ahead makes the assignment then.
LATEST_START = timedelta(days=366)
_AUDITED = ("what", "template_id", "version", "step", "instrument_id", "cohort_id", "filter_id", "standing")


def preview(uow: UnitOfWork, command: Assign) -> tuple[Selection, Preview]:
    """Freeze whom the command is for and count what it would do; the selection is what the job then works on.

    Raises InvalidInput for what cannot be given or a bad target, NotFound for what is not there, Gone for a selection
    that has expired.
    """
    _check(uow, command)
    selection = choose(uow, command.target)
    _check_standing(command, selection)
    # Nobody is asked for twice: the job's items are those of the clients still to be seen.
    seen = list(uow.session.scalars(members(uow, selection)))
    numbers = count_outcomes(uow, _assignment(uow, command), seen, tell=command.tell, not_seen=selection.not_seen)
    return selection, numbers


def assign(uow: UnitOfWork, command: Assign) -> Job:
    """Start giving; returns the job that does it, at once or at `starts_at`.

    Repeating it with the same key returns the first job. A target of nobody makes a job that ends at once.
    Raises what `preview` raises, and Conflict for a key that was used for something else.
    """
    _check(uow, command)
    job, new = create_job(uow, ASSIGN, {}, idempotency_key=command.idempotency_key, starts_at=_starts_at(uow, command))
    if not new:
        _same_as_before(uow, job, command)
        return job
    selection = choose(uow, command.target)
    _check_standing(command, selection)
    assignment = _assignment(uow, command)
    assignment.job_id = job.id
    if selection.origin == "cohort":
        assignment.cohort_id = selection.origin_id
    uow.session.add(assignment)
    uow.session.flush()
    title = GIFTS[command.what].title(uow, assignment)
    job.params = {
        "assignment": str(assignment.id),
        "what": command.what,
        "step": command.step,
        "title": f"{title} · {selection.name}" if selection.name else title,
    }
    batch = GIFTS[command.what].batch
    add_members(uow, job, selection, along_plans=command.what != "template", batch=batch)
    said = {name: str(value) for name in _AUDITED if (value := getattr(command, name)) is not None}
    record(uow, "assignment.created", "assignment", assignment.id, clients=job.total, **said)
    return job


def title_of(uow: UnitOfWork, command: Assign) -> str:
    """What the command gives, in the reader's language."""
    return GIFTS[command.what].title(uow, _assignment(uow, command))


def _check(uow: UnitOfWork, command: Assign) -> None:
    if command.what not in GIFTS:
        raise InvalidInput([FieldProblem("what", "Choose what to give.")])
    GIFTS[command.what].check(uow, command)
    _starts_at(uow, command)
    if command.on_leaving == "pause" and command.what != "template":
        raise InvalidInput([FieldProblem("on_leaving", "Only the reviews of plans can be paused. Choose another way.")])


def _check_standing(command: Assign, selection: Selection) -> None:
    if not command.standing:
        return
    if selection.origin != "cohort":
        raise InvalidInput([FieldProblem("standing", "Only an assignment to a cohort can go on for later members.")])


def _starts_at(uow: UnitOfWork, command: Assign) -> Any:
    if command.starts_at is not None and not uow.now - LATEST_START < command.starts_at < uow.now + LATEST_START:
        raise InvalidInput([FieldProblem("starts_at", "Choose a time within a year from now.")])
    return command.starts_at


def _assignment(uow: UnitOfWork, command: Assign) -> Assignment:
    """The row the command makes; the cohort is known once the target is."""
    detail: dict[str, Any] = {}
    if command.due_on is not None:
        detail["due_on"] = command.due_on.isoformat()
    if command.due_in_days is not None:
        detail["due_in_days"] = command.due_in_days
    if command.action is not None and command.what == "action":
        detail["action"] = {name: value for name, value in asdict(command.action).items() if value is not None}
        detail["action"]["text"] = command.action.text.strip()
    detail |= {name: True for name in ("from_joining", "tell") if getattr(command, name)}
    of_template, of_step = command.what == "template", command.what in ("step", "due")
    return Assignment(
        what=command.what,
        template_id=command.template_id if of_template else None,
        template_version=command.version if of_template else None,
        step=command.step if of_step else None,
        instrument_id=command.instrument_id if command.what == "instrument" else None,
        detail=detail,
        started_on=command.started_on or uow.now.date(),
        standing=command.standing,
        on_leaving=command.on_leaving,
        cohort_id=command.cohort_id,
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )


_SAME = ("what", "template_id", "template_version", "step", "instrument_id", "detail", "standing", "on_leaving")


def _same_as_before(uow: UnitOfWork, job: Job, command: Assign) -> None:
    """Raise Conflict unless the job does what the command asks, for the same person."""
    made = uow.session.scalars(
        select(Assignment).where(Assignment.job_id == job.id, Assignment.created_by == uow.actor.membership_id)
    ).one_or_none()
    asked = _assignment(uow, command)
    same = made is not None and all(getattr(made, name) == getattr(asked, name) for name in _SAME)
    if made is not None and command.started_on is not None:
        same = same and made.started_on == command.started_on
    if same and made is not None and command.cohort_id is not None:
        # Whoever joined or left since, it is the same wish.
        same = made.cohort_id == command.cohort_id
    elif same:
        same = subjects_of(uow, job) == set(uow.session.scalars(members(uow, choose(uow, command.target))))
    if not same:
        raise Conflict("This was already sent with other choices. Open the page anew and choose again.")


def may_change(actor: Actor, assignment: Assignment) -> bool:
    """Whether a standing assignment is the actor's to end or let rest: whoever made it, and administrators."""
    return actor.role is Role.ADMIN or assignment.created_by == actor.membership_id


def _own(uow: UnitOfWork, assignment_id: UUID) -> Assignment:
    assignment = find_assignment(uow, assignment_id, lock=True)
    if not may_change(uow.actor, assignment):
        raise Forbidden("Somebody else made this. Ask them, or an administrator of your organization.")
    return assignment


def _standing(assignment: Assignment, *states: str) -> None:
    if assignment.state not in states or not assignment.standing:
        raise InvalidInput([FieldProblem("assignment", "This assignment does not go on for later members.")])


def end_assignment(uow: UnitOfWork, assignment_id: UUID) -> Assignment:
    """Stop giving a standing assignment to later members; what was given stays, also with those who leave.

    Raises NotFound, InvalidInput when it does not go on anyway, Forbidden for one that somebody else made,
    except for administrators.
    """
    assignment = _own(uow, assignment_id)
    _standing(assignment, "active", "paused")
    assignment.state = "ended"
    record(uow, "assignment.ended", "assignment", assignment.id)
    return assignment


def pause_assignment(uow: UnitOfWork, assignment_id: UUID) -> Assignment:
    """Let a standing assignment rest: who joins or leaves meanwhile is seen to when it goes on. Raises as ending."""
    assignment = _own(uow, assignment_id)
    _standing(assignment, "active")
    assignment.state = "paused"
    record(uow, "assignment.paused", "assignment", assignment.id)
    return assignment


def resume_assignment(uow: UnitOfWork, assignment_id: UUID) -> Assignment:
    """Let a resting assignment go on; the next sweep catches up. Raises as ending."""
    assignment = _own(uow, assignment_id)
    _standing(assignment, "paused")
    assignment.state = "active"
    record(uow, "assignment.resumed", "assignment", assignment.id)
    uow.ring(Bell.SWEEP)
    return assignment
