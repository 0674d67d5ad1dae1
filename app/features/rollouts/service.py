"""Use cases of rolling out: begin, go on to the next stage, stop, roll back.

A job's row is always locked before its roll-out's: a batch of the job holds the former while it looks at the latter.
"""

from __future__ import annotations

import secrets
from uuid import UUID

from sqlalchemy import select, update

from app.domain.access import Permission
from app.domain.errors import Conflict, Forbidden, InvalidInput
from app.domain.errors import FieldProblem as Problem
from app.domain.rollouts import STAGES, Choice, share_of
from app.domain.saying import later, stored
from app.domain.template_content import parse_content
from app.features.assignments.models import Assignment
from app.features.audit.service import record
from app.features.jobs.items import add_items
from app.features.jobs.models import Job
from app.features.jobs.service import begin_undo, cancel_job, create_job
from app.features.plans.models import PlanTemplate
from app.features.plans.templates import find_template, refuse_missing_terms
from app.features.rollouts import previews, queries
from app.features.rollouts.commands import NextStage, RollOut
from app.features.rollouts.models import Rollout, RolloutStage
from app.infra.db.open import UnitOfWork

ROLL_OUT = "rollouts.roll_out"
# How many plans are brought over at once.
BATCH = 5000
# More than any organization has steps.
MOST_CONFLICTS = 1_000_000
_UNDER_WAY = later("A stage is under way. Wait until it ends, or stop it.")
_ROLLED_BACK = later("This was rolled back already.")


def start_rollout(uow: UnitOfWork, command: RollOut) -> Rollout:
    """Begin to roll a version out: its first stage, and standing assignments where that was chosen.

    Repeating it with the same key returns the first. Raises NotFound or InvalidInput for a version that cannot be
    rolled out, Conflict while another roll-out of the template is open, Forbidden for one who may not.
    """
    _may(uow)
    # The template's lock is what two who begin at once wait for.
    template = find_template(uow, command.template_id, lock=True)
    if (made := _made_before(uow, command)) is not None:
        return made
    _, version = previews.published(uow, command.template_id, command.version)
    _check(command)
    refuse_missing_terms(uow, parse_content(version.content))
    if any(rollout.state == "open" for rollout in queries.list_rollouts(uow, template.id)):
        raise Conflict("A roll-out of this template is open. Bring it to its end, stop it or roll it back first.")
    rollout = Rollout(
        template_id=template.id,
        version=version.version,
        choice=command.choice.value,
        seed=secrets.randbits(62),
        most_conflicts=command.most_conflicts,
        idempotency_key=command.idempotency_key,
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )
    if command.standing or command.choice is Choice.JOINERS:
        rollout.standing = _go_over(uow, template.id, version.version)
    if command.choice is Choice.JOINERS:
        rollout.state, rollout.ended_at = "done", uow.now
    uow.session.add(rollout)
    uow.session.flush()
    record(
        uow,
        "template.rolled_out",
        "template",
        template.id,
        rollout=str(rollout.id),
        version=rollout.version,
        choice=rollout.choice,
        assignments=len(rollout.standing),
    )
    if command.choice is not Choice.JOINERS:
        _begin_stage(uow, rollout, template, 1, command.percent)
    return rollout


def next_stage(uow: UnitOfWork, command: NextStage) -> Rollout:
    """Begin a further stage, after a person has looked at those before; naming one that has begun changes nothing.

    Raises NotFound, Conflict while a stage is under way, when the roll-out has ended or when it met more conflicts
    than allowed, InvalidInput for a share that is not larger, Forbidden for one who may not.
    """
    _may(uow)
    rollout = queries.find_rollout(uow, command.rollout_id, lock=True)
    stages = queries.stages_of(uow, rollout.id)
    if command.number <= len(stages):
        return rollout
    if rollout.state != "open":
        raise Conflict("This roll-out has ended, so no stage follows.")
    if any(job.state in (*queries.UNDER_WAY, "undoing") for _, job in stages):
        raise Conflict(_UNDER_WAY)
    if command.most_conflicts is not None:
        if problems := _limit_problems(command.most_conflicts):
            raise InvalidInput(problems)
        rollout.most_conflicts = command.most_conflicts
        uow.session.flush()
    if queries.is_held(uow, rollout):
        raise Conflict(
            later(
                "More conflicts were met than the %(most)s that are allowed, so the roll-out waits. Look at them; then "
                "allow more, stop it, or roll it back.",
                most=rollout.most_conflicts,
            )
        )
    percent = command.percent or queries.following_percent(stages) or 100
    if percent < (queries.following_percent(stages) or 100):
        raise InvalidInput([Problem("percent", "Choose a larger share than the stage before reached.")])
    _begin_stage(uow, rollout, find_template(uow, rollout.template_id), len(stages) + 1, percent)
    return rollout


def stop(uow: UnitOfWork, rollout_id: UUID) -> Rollout:
    """End a roll-out where it is: what is done stays, and can be rolled back still. Stopping an ended one does nothing.

    Raises NotFound, Forbidden for one who may not, Conflict while its stage is just ending.
    """
    _may(uow)
    queries.find_rollout(uow, rollout_id)
    _stop_jobs(uow, rollout_id)
    rollout = queries.find_rollout(uow, rollout_id, lock=True)
    if rollout.state == "open":
        if any(job.state in queries.UNDER_WAY for _, job in queries.stages_of(uow, rollout.id)):
            raise Conflict("A stage has begun just now. Load the page again.")
        rollout.state, rollout.ended_at = "stopped", uow.now
        record(uow, "template.rollout_stopped", "template", rollout.template_id, rollout=str(rollout.id))
    return rollout


def roll_back(uow: UnitOfWork, rollout_id: UUID) -> Rollout:
    """Bring every plan of the roll-out back to what it was, whatever stages there were; a stage under way is stopped.

    What was touched since stays and is listed. Raises NotFound, Forbidden for one who may not, Conflict for one that
    was rolled back already or whose stage is just ending.
    """
    _may(uow)
    if queries.find_rollout(uow, rollout_id).state == "rolled_back":
        raise Conflict(_ROLLED_BACK)
    jobs = _stop_jobs(uow, rollout_id)
    for job in jobs:
        if job.state not in ("undoing", "undone"):
            begin_undo(uow, job.id)
    rollout = queries.find_rollout(uow, rollout_id, lock=True)
    if rollout.state == "rolled_back":
        raise Conflict(_ROLLED_BACK)
    if len(queries.stages_of(uow, rollout_id)) > len(jobs):
        raise Conflict("A stage has begun just now. Load the page again.")
    _give_back(uow, rollout)
    rollout.state, rollout.ended_at = "rolled_back", uow.now
    record(
        uow,
        "template.rolled_back",
        "template",
        rollout.template_id,
        rollout=str(rollout.id),
        version=rollout.version,
    )
    return rollout


def _may(uow: UnitOfWork) -> None:
    # A roll-out changes the recipe that plans follow and the plans themselves.
    if not uow.actor.may(Permission.ROLL_OUT):
        raise Forbidden("You may not roll out a template. Ask an administrator of your organization.")


def _check(command: RollOut) -> None:
    problems = []
    if command.percent not in STAGES:
        problems.append(Problem("percent", "Choose 5, 25 or 100 percent."))
    problems += _limit_problems(command.most_conflicts)
    if problems:
        raise InvalidInput(problems)


def _limit_problems(most: int | None) -> list[Problem]:
    if most is None or 0 <= most <= MOST_CONFLICTS:
        return []
    return [Problem("most_conflicts", later("Choose a number from 0 to %(most)s, or none.", most=MOST_CONFLICTS))]


def _made_before(uow: UnitOfWork, command: RollOut) -> Rollout | None:
    """The roll-out this key made. Raises Conflict when it was another, or somebody else's."""
    if command.idempotency_key is None:
        return None
    made = uow.session.scalars(select(Rollout).where(Rollout.idempotency_key == command.idempotency_key)).one_or_none()
    if made is None:
        return None
    asked = (command.template_id, command.version, command.choice, uow.actor.membership_id)
    if (made.template_id, made.version, made.choice, made.created_by) != asked:
        raise Conflict("This was already sent with other choices. Open the page anew and choose again.")
    return made


def _begin_stage(uow: UnitOfWork, rollout: Rollout, template: PlanTemplate, number: int, percent: int) -> None:
    """A job over the plans the stage adds: so many that with those brought over before they are its share."""
    title = later(
        "%(name)s, version %(version)s, up to %(percent)s percent of the plans",
        name=template.name,
        version=rollout.version,
        percent=percent,
    )
    params = {"rollout": str(rollout.id), "title": stored(title)}
    job, _ = create_job(uow, ROLL_OUT, params)
    uow.session.add(RolloutStage(rollout_id=rollout.id, number=number, percent=percent, job_id=job.id))
    uow.session.flush()
    plans = queries.eligible(rollout)
    if percent < 100:
        brought = queries.count_brought(uow, rollout)
        share = share_of(brought + queries.count_left(uow, rollout), percent)
        plans = plans.limit(max(0, share - brought))
    add_items(uow, job, plans, along_plans=True, batch=BATCH)
    record(
        uow,
        "template.rollout_stage",
        "template",
        template.id,
        rollout=str(rollout.id),
        number=number,
        percent=percent,
        plans=job.total,
    )


def _stop_jobs(uow: UnitOfWork, rollout_id: UUID) -> list[Job]:
    """The jobs of all stages, locked in the order of their ids; one under way is cancelled.

    Raises Conflict while one is at its closing act.
    """
    jobs = queries.lock_jobs(uow, rollout_id)
    for job in jobs:
        if job.state == "finishing":
            raise Conflict("A stage is just ending. Load the page again.")
        if job.state in queries.UNDER_WAY:
            cancel_job(uow, job.id)
    return jobs


def _go_over(uow: UnitOfWork, template_id: UUID, version: int) -> list[list[str | int]]:
    """Let standing assignments give the version from now on; returns each with the version it gave before."""
    went: list[list[str | int]] = []
    for assignment in uow.session.scalars(
        previews.standing_of(template_id, version).order_by(Assignment.id).with_for_update()
    ):
        former = assignment.template_version
        # A standing assignment of a template names its version.
        assert former is not None
        went.append([str(assignment.id), former])
        assignment.template_version = version
    return went


def _give_back(uow: UnitOfWork, rollout: Rollout) -> None:
    for assignment_id, former in rollout.standing:
        uow.session.execute(
            update(Assignment)
            .where(Assignment.id == UUID(assignment_id), Assignment.template_version == rollout.version)
            .values(template_version=former)
        )
