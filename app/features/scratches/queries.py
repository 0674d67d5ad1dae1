"""Reads of scratch copies: who may see which, and what the changes on one do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from app.domain.access import Actor
from app.domain.errors import NotFound
from app.domain.steps import StepKey
from app.domain.what_if import Outcome, apply_all, hours_of, outcome
from app.features.organizations.models import Membership
from app.features.plans.models import StepContent
from app.features.plans.queries import find_plan
from app.features.plans.rooms import step_of
from app.features.scratches.catalogue import out_of_reach
from app.features.scratches.models import PlanScratch
from app.infra.db.open import UnitOfWork

Contents = Mapping[StepKey, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TriedCopy:
    """A copy, the contents before and after its changes, and what they do.

    `moved_on` are the steps of the plan that were saved since the copy was made.
    """

    row: PlanScratch
    before: Contents
    after: Contents
    outcome: Outcome
    moved_on: Sequence[StepKey]


def visible_scratches(actor: Actor) -> ColumnElement[bool]:
    """A criterion over `PlanScratch`, beside that the plan is visible: one's own, and those shared."""
    return or_(PlanScratch.created_by == actor.membership_id, PlanScratch.shared)


def scratches_of(uow: UnitOfWork, plan_id: UUID) -> list[tuple[PlanScratch, str]]:
    """The copies of a plan the actor may see, with the name of who made each, the latest first.

    Raises NotFound for a plan that is not theirs.
    """
    find_plan(uow, plan_id)
    rows = uow.session.execute(
        select(PlanScratch, Membership.name)
        .join(Membership, Membership.id == PlanScratch.created_by)
        .where(PlanScratch.plan_id == plan_id, PlanScratch.expires_at > uow.now, visible_scratches(uow.actor))
        .order_by(PlanScratch.updated_at.desc(), PlanScratch.id)
    )
    return [(row, name) for row, name in rows]


def find_scratch(uow: UnitOfWork, plan_id: UUID, scratch_id: UUID, *, lock: bool = False) -> PlanScratch:
    """A copy of a plan the actor may see. Raises NotFound for any other, and for one that has expired."""
    find_plan(uow, plan_id)
    statement = select(PlanScratch).where(
        PlanScratch.id == scratch_id,
        PlanScratch.plan_id == plan_id,
        PlanScratch.expires_at > uow.now,
        visible_scratches(uow.actor),
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = uow.session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound("There is no such copy. It was discarded, or nobody used it for a month.")
    return row


def copied(row: PlanScratch) -> dict[StepKey, Mapping[str, Any]]:
    """The contents as they were copied."""
    return {StepKey(key): content for key, content in row.base["contents"].items()}


def written_now(uow: UnitOfWork, plan_id: UUID) -> dict[StepKey, StepContent]:
    """What is written in the plan; read only."""
    rows = uow.session.scalars(select(StepContent).where(StepContent.plan_id == plan_id))
    return {step_of(row.step): row for row in rows}


def try_out(uow: UnitOfWork, row: PlanScratch) -> TriedCopy:
    """What the copy's changes do; reads the plan's versions and the catalogue, writes nothing."""
    before = copied(row)
    after = apply_all(before, row.changes)
    found = outcome(before, after, uow.now.date(), hours_of(row.changes), impossible=out_of_reach(uow, before, after))
    versions = row.base["versions"]
    now = written_now(uow, row.plan_id)
    moved_on = [key for key in StepKey if (now[key].version if key in now else 0) != versions.get(key.value, 0)]
    return TriedCopy(row, before, after, found, moved_on)
