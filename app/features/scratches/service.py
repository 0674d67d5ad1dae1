"""Use cases of scratch copies: begin one, try a change on it, take it off, share, discard.

This feature reads plans and writes copies. It has no hand on a plan: `.importlinter` keeps the use cases of plans out
of it, and a test compares all other tables before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select

from app.domain import access
from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput
from app.domain.saying import later
from app.domain.what_if import fits
from app.features.audit.service import record
from app.features.plans.policy import kind_of
from app.features.plans.queries import find_plan
from app.features.scratches.commands import BeginScratch, TryChange
from app.features.scratches.models import PlanScratch
from app.features.scratches.queries import copied, find_scratch, written_now
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

# Forgotten so long after it was last worked on.
KEPT = timedelta(days=30)
MOST_SCRATCHES = 20
MOST_CHANGES = 20
MOST_TITLE = 120
_NOT_THERE = later("Choose what the change is about from the lists; this names nothing the copy has.")


def begin_scratch(uow: UnitOfWork, command: BeginScratch) -> PlanScratch:
    """Copy what is written in a plan. Raises NotFound, Forbidden, InvalidInput, or Conflict for one too many."""
    kind_of(uow.actor)
    # Locked, so that two begun at once do not both count the copies of before.
    plan = find_plan(uow, command.plan_id, lock=True)
    owner = uow.actor.membership_id
    if owner is None:
        raise Forbidden("Only a person can try changes.")
    mine = uow.session.scalar(
        select(func.count()).where(
            PlanScratch.plan_id == plan.id, PlanScratch.created_by == owner, PlanScratch.expires_at > uow.now
        )
    )
    if (mine or 0) >= MOST_SCRATCHES:
        raise Conflict(later("You have %(most)s copies of this plan. Discard one first.", most=MOST_SCRATCHES))
    title = command.title.strip()
    if len(title) > MOST_TITLE:
        raise InvalidInput([FieldProblem("title", later("Write at most %(most)s characters.", most=MOST_TITLE))])
    written = written_now(uow, plan.id)
    row = PlanScratch(
        plan_id=plan.id,
        title=title,
        base={
            "contents": {key.value: content.content for key, content in written.items()},
            "versions": {key.value: content.version for key, content in written.items()},
        },
        changes=[],
        created_by=owner,
        created_at=uow.now,
        updated_at=uow.now,
        expires_at=uow.now + KEPT,
    )
    row.changes = _checked(row, command.changes)
    uow.session.add(row)
    uow.session.flush()
    record(uow, "scratch.begun", "plan", plan.id, scratch=str(row.id))
    return row


def try_change(uow: UnitOfWork, command: TryChange) -> PlanScratch:
    """Put a change on top of the others; another occupation, way, level or number of hours takes the earlier's place.

    Raises NotFound, Forbidden, InvalidInput for a change that does not fit the copy, Conflict for too many.
    """
    kind_of(uow.actor)
    row = find_scratch(uow, command.plan_id, command.scratch_id, lock=True)
    [change] = _checked(row, [command.change])
    kept = [one for one in row.changes if not _takes_place_of(change, one)]
    if len(kept) >= MOST_CHANGES:
        raise Conflict(later("There are %(most)s changes on this copy. Take one off first.", most=MOST_CHANGES))
    row.changes = [*kept, change]
    return _worked_on(uow, row)


def take_off_change(uow: UnitOfWork, plan_id: UUID, scratch_id: UUID, number: int) -> PlanScratch:
    """Take one change off, by its place from 1. One that is gone already changes nothing."""
    kind_of(uow.actor)
    row = find_scratch(uow, plan_id, scratch_id, lock=True)
    if not 1 <= number <= len(row.changes):
        return row
    row.changes = [change for place, change in enumerate(row.changes, start=1) if place != number]
    return _worked_on(uow, row)


def share_scratch(uow: UnitOfWork, plan_id: UUID, scratch_id: UUID, *, shared: bool) -> PlanScratch:
    """Show a copy to the others who may see the plan, or no longer. Raises Forbidden for another's copy."""
    row = _own(uow, plan_id, scratch_id)
    if row.shared != shared:
        row.shared = shared
        record(uow, "scratch.shared" if shared else "scratch.unshared", "plan", plan_id, scratch=str(row.id))
    return _worked_on(uow, row)


def discard_scratch(uow: UnitOfWork, plan_id: UUID, scratch_id: UUID) -> None:
    """Throw a copy away; it cannot be brought back. Raises Forbidden for another's copy."""
    row = _own(uow, plan_id, scratch_id)
    uow.session.delete(row)
    uow.session.flush()
    record(uow, "scratch.discarded", "plan", plan_id, scratch=str(scratch_id))


def forget_expired(runtime: Runtime, organization_id: UUID) -> None:
    """Delete the copies nobody used for a month; part of the sweep, harmless to repeat."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        uow.session.execute(delete(PlanScratch).where(PlanScratch.expires_at <= uow.now))


def _own(uow: UnitOfWork, plan_id: UUID, scratch_id: UUID) -> PlanScratch:
    kind_of(uow.actor)
    row = find_scratch(uow, plan_id, scratch_id, lock=True)
    if row.created_by != uow.actor.membership_id:
        raise Forbidden("Only who made this copy can share or discard it.")
    return row


def _worked_on(uow: UnitOfWork, row: PlanScratch) -> PlanScratch:
    row.updated_at, row.expires_at = uow.now, uow.now + KEPT
    uow.session.flush()
    return row


def _checked(row: PlanScratch, changes: Any) -> list[dict[str, Any]]:
    contents = copied(row)
    found = [{name: value for name, value in change.items() if value not in ("", None)} for change in changes]
    problems = [
        FieldProblem(f"changes[{place}]" if len(found) > 1 else "change", _NOT_THERE)
        for place, change in enumerate(found)
        if not fits(change, contents)
    ]
    if len(found) > MOST_CHANGES:
        problems.append(FieldProblem("changes", later("Try at most %(most)s changes at once.", most=MOST_CHANGES)))
    if problems:
        raise InvalidInput(problems)
    return found


# What a change is about beside its kind; two about the same thing cannot both hold.
_ABOUT = ("factor", "goal", "action")


def _takes_place_of(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    return [new["kind"], *(new.get(name) for name in _ABOUT)] == [old["kind"], *(old.get(name) for name in _ABOUT)]
