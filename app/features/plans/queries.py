"""Reads of plans: one plan with its steps, its thread, its history, and when a recipe's steps are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from app.domain.errors import NotFound
from app.domain.instruments import Instrument as Definition
from app.domain.steps import StepKey, StepStatus, due_date
from app.domain.template_content import StepRecipe, TemplateContent, parse_content
from app.domain.terms import Term as TermDates
from app.features.clients.models import Client
from app.features.instruments.errors_of_scales import errors_of_scales
from app.features.instruments.models import Assessment, Instrument, InstrumentVersion
from app.features.instruments.profile import lines_of
from app.features.instruments.queries import parsed
from app.features.occupations.beside import Catalogue, look_beside
from app.features.organizations.models import Membership, Term
from app.features.plans.models import (
    Plan,
    PlanEvent,
    PlanRevision,
    PlanStep,
    PlanTemplate,
    StepComment,
    StepContent,
    TemplateVersion,
)
from app.features.plans.occupations import named_occupations
from app.features.plans.policy import visible_plans
from app.features.plans.rooms import Surroundings, step_of
from app.infra.db.open import UnitOfWork

_ANSWERED_REVIEWS = text(
    "SELECT occurrence_on, outcome FROM reviews WHERE plan_id = :plan AND state IN ('answered', 'closed')"
    " ORDER BY occurrence_on DESC"
)


@dataclass(frozen=True, slots=True)
class PlanView:
    """One plan with all that its page needs; `steps` are the eight in order."""

    plan: Plan
    client: Client
    template_name: str
    recipe: TemplateContent
    steps: Sequence[PlanStep]
    contents: Mapping[StepKey, StepContent]

    @property
    def written(self) -> dict[StepKey, Mapping[str, Any]]:
        """What is written, by step; a step that was never saved is left out."""
        return {key: row.content for key, row in self.contents.items()}

    def step(self, key: StepKey) -> PlanStep:
        """The state of one step. Raises NotFound for a plan that lacks it."""
        for step in self.steps:
            if step.step == key.number:
                return step
        raise NotFound("This plan has no such step.")

    def recipe_of(self, key: StepKey) -> StepRecipe:
        """What the template's version says of the step."""
        return self.recipe.step(key)

    def content(self, key: StepKey) -> dict[str, Any]:
        """What was written in the step; empty when nothing was."""
        row = self.contents.get(key)
        return {} if row is None else row.content

    def version(self, key: StepKey) -> int:
        """How often the step was saved; a save names it."""
        row = self.contents.get(key)
        return 0 if row is None else row.version


def find_plan(uow: UnitOfWork, plan_id: UUID, *, lock: bool = False) -> Plan:
    """The plan, locked until the transaction ends if asked. Raises NotFound for one the actor may not see."""
    statement = select(Plan).where(Plan.id == plan_id, visible_plans(uow.actor))
    if lock:
        statement = statement.with_for_update(of=Plan).execution_options(populate_existing=True)
    plan = uow.session.scalars(statement).one_or_none()
    if plan is None:
        raise NotFound("There is no such plan, or it is not yours to see.")
    return plan


def plan_of_client(uow: UnitOfWork, client_id: UUID) -> Plan | None:
    """The client's active plan, if the actor may see it."""
    return uow.session.scalars(
        select(Plan).where(Plan.client_id == client_id, Plan.status == "active", visible_plans(uow.actor))
    ).one_or_none()


def view_plan(uow: UnitOfWork, plan_id: UUID) -> PlanView:
    """The plan with its steps and contents, in four statements. Raises NotFound as `find_plan`."""
    row = uow.session.execute(
        select(Plan, Client, PlanTemplate.name, TemplateVersion.content)
        .join(Client, Client.id == Plan.client_id)
        .join(PlanTemplate, PlanTemplate.id == Plan.template_id)
        .join(
            TemplateVersion,
            (TemplateVersion.template_id == Plan.template_id) & (TemplateVersion.version == Plan.template_version),
        )
        .where(Plan.id == plan_id, visible_plans(uow.actor))
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such plan, or it is not yours to see.")
    plan, client, name, content = row
    steps = uow.session.scalars(select(PlanStep).where(PlanStep.plan_id == plan_id).order_by(PlanStep.step)).all()
    contents = uow.session.scalars(select(StepContent).where(StepContent.plan_id == plan_id))
    return PlanView(plan, client, name, parse_content(content), steps, {step_of(c.step): c for c in contents})


def comments_of(uow: UnitOfWork, plan_id: UUID, key: StepKey) -> list[tuple[StepComment, str, str]]:
    """The thread of a step, oldest first: each comment with its author's name and role."""
    rows = uow.session.execute(
        select(StepComment, Membership.name, Membership.role)
        .join(Membership, Membership.id == StepComment.author_id)
        .where(StepComment.plan_id == plan_id, StepComment.step == key.number)
        .order_by(StepComment.created_at, StepComment.id)
    )
    return [(comment, name, role) for comment, name, role in rows]


def comment_counts(uow: UnitOfWork, plan_id: UUID) -> dict[StepKey, int]:
    """How many comments each step has; steps without any are left out."""
    rows = uow.session.execute(
        select(StepComment.step, func.count()).where(StepComment.plan_id == plan_id).group_by(StepComment.step)
    )
    return {step_of(step): count for step, count in rows}


def latest_comments(uow: UnitOfWork, plan_id: UUID, limit: int = 3) -> list[tuple[StepComment, str, str]]:
    """The newest comments of all steps, newest first."""
    rows = uow.session.execute(
        select(StepComment, Membership.name, Membership.role)
        .join(Membership, Membership.id == StepComment.author_id)
        .where(StepComment.plan_id == plan_id)
        .order_by(StepComment.created_at.desc(), StepComment.id.desc())
        .limit(limit)
    )
    return [(comment, name, role) for comment, name, role in rows]


def events_of(
    uow: UnitOfWork, plan_id: UUID, *, step: StepKey | None = None, limit: int = 20
) -> list[tuple[PlanEvent, str | None]]:
    """The plan's history, newest first: each event with the name of who did it (None: Octant itself)."""
    statement = (
        select(PlanEvent, Membership.name)
        .outerjoin(Membership, Membership.id == PlanEvent.actor_id)
        .where(PlanEvent.plan_id == plan_id)
        .order_by(PlanEvent.at.desc(), PlanEvent.number.desc())
        .limit(limit)
    )
    if step is not None:
        statement = statement.where(PlanEvent.step == step.number)
    return [(event, name) for event, name in uow.session.execute(statement)]


def revisions_of(uow: UnitOfWork, plan_id: UUID) -> Sequence[PlanRevision]:
    """The frozen revisions of a plan the actor may see, oldest first."""
    find_plan(uow, plan_id)
    return uow.session.scalars(
        select(PlanRevision).where(PlanRevision.plan_id == plan_id).order_by(PlanRevision.revision)
    ).all()


def terms_of(uow: UnitOfWork) -> list[TermDates]:
    """The organization's terms, first to start first."""
    rows = uow.session.scalars(select(Term).order_by(Term.starts_on))
    return [TermDates(term.name, term.starts_on, term.ends_on) for term in rows]


def step_due_dates(
    content: TemplateContent, started_on: date, terms: Sequence[TermDates]
) -> list[tuple[StepKey, StepStatus, date | None]]:
    """All eight steps of a new plan: key, first status (skipped where the template has it off) and due day.

    Raises InvalidInput when a rule names a term that does not exist.
    """
    found: list[tuple[StepKey, StepStatus, date | None]] = []
    for recipe in content.steps:
        if not recipe.enabled:
            found.append((recipe.key, StepStatus.SKIPPED, None))
            continue
        due = None if recipe.due is None else due_date(recipe.due, started_on, terms)
        found.append((recipe.key, StepStatus.NOT_STARTED, due))
    return found


def latest_assessments(
    uow: UnitOfWork, client_id: UUID
) -> list[tuple[Assessment, Instrument, str, Sequence[tuple[str, float | None]]]]:
    """The client's newest assessment with each instrument, how far that can be trusted, its scales as (name, score)."""
    return [
        (assessment, instrument, definition.status, _named(assessment, definition))
        for assessment, instrument, definition in _newest(uow, client_id)
    ]


def _newest(uow: UnitOfWork, client_id: UUID) -> list[tuple[Assessment, Instrument, Definition]]:
    rows = uow.session.execute(
        select(Assessment, Instrument, InstrumentVersion.checksum, InstrumentVersion.definition)
        .ext(distinct_on(Assessment.instrument_id))
        .join(Instrument, Instrument.id == Assessment.instrument_id)
        .join(
            InstrumentVersion,
            (InstrumentVersion.instrument_id == Assessment.instrument_id)
            & (InstrumentVersion.version == Assessment.version),
        )
        .where(Assessment.client_id == client_id)
        .order_by(Assessment.instrument_id, Assessment.taken_at.desc(), Assessment.id)
    ).all()
    return [(assessment, instrument, parsed(checksum, raw)) for assessment, instrument, checksum, raw in rows]


def _named(assessment: Assessment, definition: Definition) -> list[tuple[str, float | None]]:
    return [(scale.title, score) for scale, score in zip(definition.scales, assessment.scores, strict=False)]


def _bands(uow: UnitOfWork, assessment: Assessment, definition: Definition) -> dict[str, tuple[float, float]]:
    """Where each score may lie, by the scale's name; a scale whose error is not known is left out."""
    errors = errors_of_scales(uow, assessment.instrument_id, assessment.version, definition)
    lines = lines_of(definition, assessment.scores, errors, None)
    return {line.title: line.edges for line in lines if line.edges is not None}


def accepted_at(uow: UnitOfWork, plan_id: UUID, key: StepKey) -> list[datetime]:
    """When the counsellor accepted a step, first to last."""
    statement = select(PlanEvent.at).where(
        PlanEvent.plan_id == plan_id, PlanEvent.step == key.number, PlanEvent.kind == "completed"
    )
    return list(uow.session.scalars(statement.order_by(PlanEvent.at)))


def surroundings_of(uow: UnitOfWork, view: PlanView, key: StepKey) -> Surroundings:
    """What the room of a step may know: the other contents, the template's parameters, the assessments."""
    recipe = view.recipe_of(key)
    titles: dict[str, str] = {}
    taken: dict[str, tuple[date, Sequence[tuple[str, float | None]]]] = {}
    trust: dict[str, str] = {}
    bands: dict[str, Mapping[str, tuple[float, float]]] = {}
    if key is StepKey.SELF_ASSESSMENT:
        wanted = select(Instrument.key, Instrument.title).where(Instrument.key.in_(recipe.instruments))
        known = {row.key: row.title for row in uow.session.execute(wanted)}
        titles = {name: known.get(name, name) for name in recipe.instruments}
        for assessment, instrument, definition in _newest(uow, view.client.id):
            titles.setdefault(instrument.key, instrument.title)
            taken[instrument.key] = (assessment.taken_at.date(), _named(assessment, definition))
            bands[instrument.key] = _bands(uow, assessment, definition)
            trust[instrument.key] = definition.status
    reviews: list[tuple[date, str]] = []
    if key is StepKey.REVIEW:
        # By name, because reviews stand above plans on the ladder.
        answered = uow.session.execute(_ANSWERED_REVIEWS, {"plan": view.plan.id})
        reviews = [(row.occurrence_on, row.outcome or "") for row in answered]
    contents = view.written
    return Surroundings(
        contents=contents,
        parameters=dict(recipe.completion),
        instruments=titles,
        assessments=taken,
        trust=trust,
        bands=bands,
        reviews=reviews,
        today=uow.now.date(),
        accepted=accepted_at(uow, view.plan.id, key) if key is StepKey.GOALS else (),
        catalogue=look_beside(uow, named_occupations(contents)) if key is StepKey.OPPORTUNITIES else Catalogue(),
    )
