"""Reads of roll-outs: where one stands, whom it has still to reach, and the conflicts it met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, Text, cast, func, select, text

from app.domain.errors import NotFound
from app.domain.rollouts import Choice, next_percent
from app.domain.steps import StepKey
from app.features.jobs.models import Job, JobItem
from app.features.jobs.service import Progress, progress
from app.features.plans.models import Plan, PlanTemplate
from app.features.plans.rooms import step_of
from app.features.plans.templates import find_template
from app.features.rollouts.models import Rollout, RolloutStage
from app.infra.db.open import UnitOfWork

# In these a job is not yet at its end; a paused one waits for a person.
UNDER_WAY = ("queued", "running", "paused", "finishing")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage with its job and how far that is."""

    row: RolloutStage
    job: Job
    progress: Progress


@dataclass(frozen=True, slots=True)
class View:
    """A roll-out with its stages. `phase` is what it waits for, a word of `app.features.rollouts.words`.

    `left` plans still follow older versions, `done` plans were brought over, `following` is the share the next stage
    would reach (None: there is none to come).
    """

    rollout: Rollout
    template: PlanTemplate
    stages: Sequence[Stage]
    phase: str
    left: int
    done: int
    kept: int
    conflicts: int
    following: int | None


@dataclass(frozen=True, slots=True)
class ConflictLine:
    """A plan in which a step keeps what a person did, at rolling out or at rolling back (`kept`)."""

    client_id: UUID
    name: str
    steps: Sequence[tuple[StepKey, str]]


def eligible(rollout: Rollout) -> Select[UUID]:
    """Clients whose active plan follows an older version of the template, in the roll-out's own order."""
    return (
        select(Plan.client_id)
        .where(
            Plan.template_id == rollout.template_id,
            Plan.template_version < rollout.version,
            Plan.status == "active",
        )
        .order_by(func.hashtextextended(cast(Plan.id, Text), rollout.seed), Plan.id)
    )


def count_left(uow: UnitOfWork, rollout: Rollout) -> int:
    """How many plans still follow older versions."""
    left = eligible(rollout).order_by(None).subquery()
    return uow.session.scalar(select(func.count()).select_from(left)) or 0


def count_brought(uow: UnitOfWork, rollout: Rollout) -> int:
    """How many plans its stages have brought over and not back."""
    brought = (
        select(func.count())
        .select_from(JobItem)
        .join(RolloutStage, RolloutStage.job_id == JobItem.job_id)
        .where(RolloutStage.rollout_id == rollout.id, JobItem.state == "done")
    )
    return uow.session.scalar(brought) or 0


def conflicts_met(uow: UnitOfWork, rollout: Rollout) -> int:
    """Conflicts of all stages so far: steps of plans that keep what a person did."""
    met = select(func.coalesce(func.sum(RolloutStage.conflicts), 0)).where(RolloutStage.rollout_id == rollout.id)
    return uow.session.scalar(met) or 0


def is_held(uow: UnitOfWork, rollout: Rollout) -> bool:
    """Whether more conflicts were met than were allowed."""
    return rollout.most_conflicts is not None and conflicts_met(uow, rollout) > rollout.most_conflicts


def find_rollout(uow: UnitOfWork, rollout_id: UUID, *, lock: bool = False) -> Rollout:
    """The roll-out, locked until the transaction ends if asked. Raises NotFound when there is none."""
    statement = select(Rollout).where(Rollout.id == rollout_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    rollout = uow.session.scalars(statement).one_or_none()
    if rollout is None:
        raise NotFound("There is no such roll-out.")
    return rollout


def stages_of(uow: UnitOfWork, rollout_id: UUID) -> list[tuple[RolloutStage, Job]]:
    """The stages of a roll-out with their jobs, in order."""
    rows = uow.session.execute(
        select(RolloutStage, Job)
        .join(Job, Job.id == RolloutStage.job_id)
        .where(RolloutStage.rollout_id == rollout_id)
        .order_by(RolloutStage.number)
    )
    return [(stage, job) for stage, job in rows]


def lock_jobs(uow: UnitOfWork, rollout_id: UUID) -> list[Job]:
    """The jobs of the stages in the order of their ids, locked, as they are once the batches under way have ended."""
    return list(
        uow.session.scalars(
            select(Job)
            .join(RolloutStage, RolloutStage.job_id == Job.id)
            .where(RolloutStage.rollout_id == rollout_id)
            .order_by(Job.id)
            .with_for_update(of=Job)
            .execution_options(populate_existing=True)
        )
    )


def following_percent(stages: Sequence[tuple[RolloutStage, Job]]) -> int | None:
    """The share the next stage reaches: that of one that was cut short again, else the next; None after all."""
    if not stages:
        return 5
    stage, job = stages[-1]
    return next_percent(stage.percent) if job.state == "done" else stage.percent


def view_rollout(uow: UnitOfWork, rollout_id: UUID) -> View:
    """Where a roll-out stands. Raises NotFound when there is none."""
    rollout = find_rollout(uow, rollout_id)
    template = find_template(uow, rollout.template_id)
    rows = stages_of(uow, rollout.id)
    counted = progress(uow, [job for _, job in rows])
    left = 0 if rollout.choice == Choice.JOINERS else count_left(uow, rollout)
    met = sum(stage.conflicts for stage, _ in rows)
    held = rollout.most_conflicts is not None and met > rollout.most_conflicts
    done = kept = 0
    if rows:
        counts = uow.session.execute(
            select(JobItem.state, func.count().label("plans"))
            .where(JobItem.job_id.in_([job.id for _, job in rows]))
            .group_by(JobItem.state)
        )
        states = {row.state: row.plans for row in counts}
        done, kept = states.get("done", 0), states.get("kept", 0)
    following = following_percent(rows) if rollout.state == "open" else None
    if following is None and rollout.state == "open" and left:
        following = 100
    return View(
        rollout,
        template,
        [Stage(stage, job, counted[job.id]) for stage, job in rows],
        _phase(rollout, [job.state for _, job in rows], held=held),
        left,
        done,
        kept,
        met,
        following,
    )


def _phase(rollout: Rollout, jobs: Sequence[str], *, held: bool) -> str:
    if "undoing" in jobs:
        return "rolling_back"
    if rollout.state != "open":
        return rollout.state
    if "paused" in jobs:
        return "paused"
    if any(state in UNDER_WAY for state in jobs):
        return "running"
    return "held" if held else "waiting"


def list_rollouts(uow: UnitOfWork, template_id: UUID) -> list[Rollout]:
    """The roll-outs of a template, newest first."""
    return list(
        uow.session.scalars(
            select(Rollout).where(Rollout.template_id == template_id).order_by(Rollout.created_at.desc(), Rollout.id)
        )
    )


_LISTED = text(
    """
    SELECT i.subject_id, coalesce(c.given_name || ' ' || c.family_name, '') AS name,
           CASE WHEN i.state = 'kept' THEN
                    coalesce((SELECT jsonb_agg(jsonb_build_array(k, 'kept')) FROM
                              jsonb_array_elements(i.result -> 'kept') k), '[]')
                ELSE i.result -> 'conflicts' END AS steps
    FROM rollout_stages s
    JOIN job_items i ON i.organization_id = s.organization_id AND i.job_id = s.job_id
    LEFT JOIN clients c ON c.organization_id = i.organization_id AND c.id = i.subject_id
    WHERE s.rollout_id = :rollout AND i.state IN ('done', 'kept') AND i.reason IS NOT NULL
    ORDER BY s.number, i.position LIMIT :limit OFFSET :offset
    """
)


def conflicts_of(uow: UnitOfWork, rollout_id: UUID, *, limit: int = 50, offset: int = 0) -> list[ConflictLine]:
    """Whose plans keep what a person did, in which steps and how; after rolling back, what stayed."""
    rows = uow.session.execute(_LISTED, {"rollout": rollout_id, "limit": limit, "offset": offset})
    return [
        ConflictLine(row.subject_id, row.name, [(step_of(step), str(outcome)) for step, outcome in row.steps])
        for row in rows
    ]
