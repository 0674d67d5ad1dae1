"""What workers do to roll out a version and back: plans and steps of a whole batch in one statement."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext
from sqlalchemy import ARRAY, Select, Uuid, cast, func, select, text

from app.domain import access
from app.domain.saying import later
from app.features.audit.service import record_each
from app.features.jobs.claims import note_written, places_of
from app.features.jobs.kinds import JobKind
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.features.rollouts.asked import asked_of, contents_of, reviewed_otherwise
from app.features.rollouts.models import Rollout, RolloutStage
from app.features.rollouts.queries import count_left, is_held
from app.features.rollouts.service import BATCH, ROLL_OUT
from app.features.rollouts.statements import (
    FOLLOW,
    HOLD,
    HOLD_AGAIN,
    ITEMS,
    KEPT,
    SETTLE_BACK,
    SETTLE_KEPT,
    STEPS_BACK,
    TELL,
)
from app.features.rollouts.statements import ROLL_OUT as CHANGE_STEPS
from app.infra.db.open import Bell, UnitOfWork
from app.infra.runtime import Runtime

_CONFLICT = later("What a person had changed in a step stays as it is; the rest follows the new version.")
_KEPT_STEPS = later("What was worked on since stays as it is; the rest went back.")
_KEPT_PLAN = later("The plan is archived, gone or of another version by now, so it stays as it is.")
_COUNT = text("UPDATE rollout_stages SET conflicts = conflicts + :met WHERE job_id = :job")
# A plan for no arrays in particular takes them for short, and reads the rows of a batch once for each of them.
_PLAN_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")
# Otherwise the check of each reference that is written would be planned anew as well.
_PLAN_AS_USUAL = text("SET LOCAL plan_cache_mode = auto")


def _roll_out(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    rollout = uow.session.get_one(Rollout, (uow.actor.organization_id, UUID(job.params["rollout"])))
    if is_held(uow, rollout):
        held = Settled("skipped", "More conflicts were met than allowed, so the roll-out went no further.")
        return dict.fromkeys(clients, held)
    uow.session.execute(_PLAN_ANEW)
    of = {"template": rollout.template_id, "version": rollout.version}
    groups = uow.session.execute(HOLD, of | {"clients": list(clients)}).all()
    asked = asked_of(
        uow, rollout.template_id, rollout.version, [(group.template_version, group.started_on) for group in groups]
    )
    shared = {"job": job.id, "now": uow.now, "conflict": _CONFLICT}
    kind = "system" if job.created_by is None else "admin"
    told = {"event": "rolled_out", "actor": job.created_by, "actor_kind": kind}
    met = 0
    for group in groups:
        values = asked.of_group(rollout.choice, group.template_version, group.started_on)
        whom = {"plans": group.plans, "clients": group.clients, "before": group.template_version}
        places = places_of(uow, group.clients)
        counted = uow.session.execute(CHANGE_STEPS, shared | values | whom | places).one()
        note_written(uow, counted.written)
        met += counted.conflicts
    uow.session.execute(_PLAN_AS_USUAL)
    for group in groups:
        otherwise = group.template_version in asked.reviewed_otherwise
        _follow(uow, group.plans, rollout.version, otherwise=otherwise, before=group.template_version, **told)
    if met:
        uow.session.execute(_COUNT, {"met": met, "job": job.id})
    if groups:
        plans = _ids([plan for group in groups for plan in group.plans])
        record_each(uow, "plan.rolled_out", "plan", plans, job=str(job.id), version=rollout.version)
        _wake_reviews(uow)
    left_out = Settled("skipped", "Has no plan that follows an older version of this template any more.")
    reached = {client for group in groups for client in group.clients}
    return {client: left_out for client in clients if client not in reached}


def _roll_back(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    rollout = uow.session.get_one(Rollout, (uow.actor.organization_id, UUID(job.params["rollout"])))
    uow.session.execute(_PLAN_ANEW)
    items = {"job": job.id, "clients": list(clients)}
    of = {"template": rollout.template_id, "version": rollout.version}
    rows = uow.session.execute(ITEMS, items).all()
    if met := sum(row.conflicts or 0 for row in rows):
        uow.session.execute(_COUNT, {"met": -met, "job": job.id})
    held = set(uow.session.scalars(HOLD_AGAIN, of | {"plans": [row.plan_id for row in rows]}))
    followed: dict[int, list[UUID]] = {}
    for row in rows:
        if row.plan_id in held:
            followed.setdefault(row.former, []).append(row.plan_id)
    following = [row.subject_id for row in rows if row.plan_id in held]
    contents = contents_of(uow, rollout.template_id, [rollout.version, *followed])
    otherwise = reviewed_otherwise(contents, rollout.version)
    theirs = {"job": job.id, "clients": following, "plans": list(held)}
    back = {row.plan_id: row.steps for row in uow.session.execute(STEPS_BACK, theirs)}
    touched = [row.subject_id for row in rows if row.plan_id in held and back.get(row.plan_id, 0) != row.steps]
    kept: dict[UUID, list[int]] = {}
    if touched:
        found = uow.session.execute(KEPT, theirs | {"clients": touched})
        kept = {row.subject_id: row.steps for row in found}
    uow.session.execute(_PLAN_AS_USUAL)
    for former, plans in followed.items():
        said = {"event": "rolled_back", "actor": None, "actor_kind": "system"}
        _follow(uow, plans, former, otherwise=former in otherwise, before=rollout.version, **said)
    if followed:
        ids = _ids([plan for plans in followed.values() for plan in plans])
        record_each(uow, "plan.rolled_back", "plan", ids, job=str(job.id), version=rollout.version)
        _wake_reviews(uow)
    went = {"state": "undone", "reason": None, "clients": [client for client in following if client not in kept]}
    stayed = {"state": "kept", "reason": _KEPT_PLAN, "clients": list(set(clients) - set(following))}
    for settled in (went, stayed):
        if settled["clients"]:
            uow.session.execute(SETTLE_BACK, settled | {"job": job.id})
    if kept:
        told = {"clients": list(kept), "steps": [json.dumps(steps) for steps in kept.values()], "reason": _KEPT_STEPS}
        uow.session.execute(SETTLE_KEPT, told | {"job": job.id})
    return {}


def _follow(uow: UnitOfWork, plans: Sequence[UUID], after: int, *, otherwise: bool, **said: Any) -> None:
    """Have plans follow another version, with a line in the history of each."""
    shared: dict[str, Any] = {"plans": plans, "after": after, "now": uow.now}
    uow.session.execute(TELL, shared | said)
    uow.session.execute(FOLLOW, shared | {"reviewed_otherwise": otherwise})


def _ids(plans: Sequence[UUID]) -> Select[UUID]:
    return select(func.unnest(cast(list(plans), ARRAY(Uuid))))


def _wake_reviews(uow: UnitOfWork) -> None:
    # Plans reviewed by another policy now are marked; reviews stand above on the ladder and the sweep works them out.
    uow.ring(Bell.SWEEP)


def _finish(runtime: Runtime, organization_id: UUID, job_id: UUID) -> dict[str, Any]:
    """A roll-out is done once its last stage has reached everybody; says how many conflicts the stage met."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        stage = uow.session.scalars(select(RolloutStage).where(RolloutStage.job_id == job_id)).one()
        rollout = uow.session.scalars(select(Rollout).where(Rollout.id == stage.rollout_id).with_for_update()).one()
        if (
            stage.percent == 100
            and rollout.state == "open"
            and not (is_held(uow, rollout) and count_left(uow, rollout))
        ):
            rollout.state, rollout.ended_at = "done", uow.now
        return {"conflicts": stage.conflicts}


KIND = JobKind(
    name=ROLL_OUT,
    label=lazy_gettext("Roll out a template version"),
    permission=access.Permission.ROLL_OUT,
    batch_size=BATCH,
    batch=_roll_out,
    undo_batch=_roll_back,
    finish=_finish,
)
