"""Reads of one client's page: the plan as it stands, and everything that happened, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.domain import instruments as definitions
from app.domain.attributes import Attribute
from app.domain.schedule import Why
from app.domain.steps import StepKey
from app.features.clients.models import Client
from app.features.clients.queries import Counsellor, attributes, counsellors_of, get_client
from app.features.cohorts.models import Cohort, CohortMember
from app.features.instruments.errors_of_scales import errors_of_scales
from app.features.instruments.models import Assessment, Instrument, InstrumentVersion
from app.features.instruments.profile import ScaleLine, lines_of
from app.features.instruments.queries import parsed
from app.features.jobs.models import StoredFile
from app.features.messaging.models import Message
from app.features.organizations.models import Membership
from app.features.plans.models import Plan, PlanEvent, PlanStep, StepComment, StepContent
from app.features.plans.rooms import Surroundings, step_of
from app.features.reviews.models import Review
from app.features.steps.action_plan.figures import work_of
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class Taken:
    """An assessment a client has taken, with its scales in the order of interpretation and their error bands."""

    id: UUID
    title: str
    taken_at: datetime
    definition: definitions.Instrument
    lines: tuple[ScaleLine, ...]


class Happened(NamedTuple):
    """One line of the timeline. `what` says which kind of thing, `kind` which of them.

    Within one moment lines stand by `rank` (what follows from something stands above it), then in the order they were
    written (`number`), and last by the row's id, so that the order is the same whenever it is asked for.
    """

    at: datetime
    what: str
    kind: str
    step: int | None
    detail: dict[str, Any]
    who: str | None
    rank: int
    number: int
    id: UUID

    @property
    def cursor(self) -> tuple[datetime, int, int, UUID]:
        """The line's place in the order; what is older comes after it."""
        return self.at, self.rank, self.number, self.id


@dataclass(frozen=True, slots=True)
class ClientView:
    """Everything at the head and the sides of a client's page."""

    client: Client
    plan: Plan | None
    steps: list[PlanStep]
    attributes: list[Attribute]
    cohorts: list[tuple[UUID, str]]
    counsellors: list[Counsellor]
    assessments: list[Taken]
    files: list[StoredFile]
    # Open actions of step 7 that are late, and those that are at risk for another reason.
    late_actions: int = 0
    risky_actions: int = 0

    @property
    def next_due(self) -> tuple[int, date] | None:
        """The undone step that is due first, and its day."""
        undone = [s for s in self.steps if s.due_on and s.status not in ("completed", "skipped", "submitted")]
        first = min(undone, key=lambda s: (s.due_on, s.step), default=None)
        return (first.step, first.due_on) if first is not None and first.due_on is not None else None


def view_client(uow: UnitOfWork, client_id: UUID) -> ClientView:
    """A client's page. Raises NotFound for a client the actor may not see."""
    client = get_client(uow, client_id)
    session = uow.session
    plan = session.scalars(select(Plan).where(Plan.client_id == client_id, Plan.status == "active")).one_or_none()
    steps = []
    if plan is not None:
        steps = list(session.scalars(select(PlanStep).where(PlanStep.plan_id == plan.id).order_by(PlanStep.step)))
    cohorts = session.execute(
        select(Cohort.id, Cohort.name)
        .join(CohortMember, CohortMember.cohort_id == Cohort.id)
        .where(CohortMember.client_id == client_id, Cohort.archived_at.is_(None))
        .order_by(func.lower(Cohort.name))
    )
    files = session.scalars(
        select(StoredFile)
        .where(StoredFile.client_id == client_id, StoredFile.expires_at.is_(None))
        .order_by(StoredFile.created_at.desc())
        .limit(20)
    )
    return ClientView(
        client=client,
        plan=plan,
        steps=steps,
        attributes=attributes(uow),
        cohorts=[(row.id, row.name) for row in cohorts],
        counsellors=counsellors_of(uow, client_id),
        assessments=_assessments(uow, client_id),
        files=list(files),
        **(_actions_at_risk(uow, plan.id) if plan is not None else {}),
    )


def _actions_at_risk(uow: UnitOfWork, plan_id: UUID) -> dict[str, int]:
    """How many open actions are late or at risk, in one statement: step 7 with the choice of step 5 it depends on."""
    rows = uow.session.scalars(
        select(StepContent).where(
            StepContent.plan_id == plan_id,
            StepContent.step.in_((StepKey.CAREER_PATH.number, StepKey.ACTION_PLAN.number)),
        )
    )
    contents = {step_of(row.step): row.content for row in rows}
    work = work_of(contents.get(StepKey.ACTION_PLAN, {}), Surroundings(contents=contents), uow.now.date())
    late = sum(any(risk.why is Why.LATE for risk in risks) for risks in work.risks.values())
    return {"late_actions": late, "risky_actions": len(work.risks) - late}


def _assessments(uow: UnitOfWork, client_id: UUID) -> list[Taken]:
    rows = uow.session.execute(
        select(Assessment, Instrument.title, InstrumentVersion.checksum, InstrumentVersion.definition)
        .join(Instrument, Instrument.id == Assessment.instrument_id)
        .join(
            InstrumentVersion,
            and_(
                InstrumentVersion.instrument_id == Assessment.instrument_id,
                InstrumentVersion.version == Assessment.version,
            ),
        )
        .where(Assessment.client_id == client_id)
        .order_by(Assessment.taken_at.desc(), Assessment.id)
        .limit(10)
    ).all()
    taken = []
    for assessment, title, checksum, raw in rows:
        definition = parsed(checksum, raw)
        errors = errors_of_scales(uow, assessment.instrument_id, assessment.version, definition)
        lines = lines_of(definition, assessment.scores, errors, None)
        taken.append(Taken(assessment.id, title, assessment.taken_at, definition, lines))
    return taken


Place = tuple[datetime, int, int, UUID]
# What stands above what within one moment: a plan is given, then told of, then worked on, then talked about.
_GIVEN, _TOLD, _TAKEN, _REVIEWED, _DONE, _SAID = range(6)


def timeline(uow: UnitOfWork, client_id: UUID, *, before: Place | None = None, limit: int = 20) -> list[Happened]:
    """What happened to the client and their plans, newest first, in one statement; call `get_client` before.

    `before` is the place of the last line seen, so that what happens meanwhile shifts nothing. Takes one more than
    `limit`, so that the caller sees whether there is more.
    """

    def place(rank: int, one: Any, number: Any = None) -> tuple[ColumnElement[Any], ...]:
        return (
            literal(rank).label("rank"),
            (cast(literal(0), BigInteger) if number is None else number).label("number"),
            one.label("id"),
        )

    nobody, no_step, nothing = cast(null(), Text), cast(null(), Integer), literal({}, JSONB)

    def plans(of: Any) -> Any:
        return of.in_(select(Plan.id).where(Plan.client_id == client_id))

    parts: list[Select[*tuple[Any, ...]]] = [
        select(
            PlanEvent.at.label("at"),
            literal("plan").label("what"),
            PlanEvent.kind.label("kind"),
            cast(PlanEvent.step, Integer).label("step"),
            PlanEvent.detail.label("detail"),
            Membership.name.label("who"),
            *place(_DONE, PlanEvent.plan_id, PlanEvent.number),
        )
        .outerjoin(Membership, Membership.id == PlanEvent.actor_id)
        # A comment is shown with its words, an answered check-in with its outcome, each from its own table.
        .where(plans(PlanEvent.plan_id), PlanEvent.kind.not_in(("commented", "review_answered"))),
        select(
            StepComment.created_at,
            literal("comment"),
            literal("comment"),
            cast(StepComment.step, Integer),
            func.jsonb_build_object("body", func.left(StepComment.body, 300)),
            Membership.name,
            *place(_SAID, StepComment.id),
        )
        .join(Membership, Membership.id == StepComment.author_id)
        .where(plans(StepComment.plan_id)),
        select(
            Plan.created_at, literal("given"), literal("given"), no_step, nothing, nobody, *place(_GIVEN, Plan.id)
        ).where(Plan.client_id == client_id),
        select(
            func.coalesce(Message.sent_at, Message.created_at),
            literal("message"),
            Message.state,
            no_step,
            func.jsonb_build_object("kind", Message.kind, "reason", Message.reason),
            nobody,
            *place(_TOLD, Message.id),
        ).where(Message.client_id == client_id),
        select(
            Assessment.taken_at,
            literal("assessment"),
            Assessment.source,
            no_step,
            func.jsonb_build_object("title", Instrument.title),
            nobody,
            *place(_TAKEN, Assessment.id),
        )
        .join(Instrument, Instrument.id == Assessment.instrument_id)
        .where(Assessment.client_id == client_id),
        select(
            Review.answered_at,
            literal("review"),
            func.coalesce(Review.outcome, ""),
            no_step,
            nothing,
            nobody,
            *place(_REVIEWED, Review.id),
        ).where(plans(Review.plan_id), Review.answered_at.is_not(None)),
    ]
    everything = union_all(*parts).subquery()
    order = [everything.c[name] for name in ("at", "rank", "number", "id")]
    statement = select(everything).order_by(*(column.desc() for column in order)).limit(limit + 1)
    if before is not None:
        statement = statement.where(tuple_(*order) < tuple_(*before))
    return [Happened._make(row) for row in uow.session.execute(statement)]
