"""What a client's report is made from, read for many clients with a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, null, select

from app.domain import instruments as definitions
from app.domain.canonical import digest
from app.domain.errors import NotFound
from app.domain.saying import later
from app.domain.steps import StepKey
from app.features.clients.models import CaseloadEntry, Client
from app.features.clients.policy import visible_clients
from app.features.instruments.errors_of_scales import ScaleError, errors_of_scales
from app.features.instruments.models import Assessment, InstrumentVersion
from app.features.occupations.beside import Catalogue, look_beside
from app.features.organizations.models import Membership, Organization
from app.features.plans.models import Plan, PlanRevision, PlanStep, PlanTemplate, StepContent
from app.features.plans.occupations import named_occupations
from app.features.plans.queries import ChangeWhy
from app.features.plans.rooms import step_of
from app.features.reviews.models import Review, RevisionChange
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class StepLine:
    """The state of one step."""

    key: StepKey
    status: str
    due_on: date | None
    changed_at: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class PlanSource:
    """A client's active plan with its eight steps in order and what was written in them."""

    id: UUID
    template: str
    revision: int
    started_on: date
    next_review_on: date | None
    steps: Sequence[StepLine]
    contents: Mapping[StepKey, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Taking:
    """One taking of an instrument: its scores in the order of the definition's scales."""

    instrument_id: UUID
    taken_at: datetime
    version: int
    scores: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Before:
    """A closed revision: its number, when and why it was closed, the plan frozen whole, and the changes it ended with.

    `intact` is False where what is stored is not what was closed; then nothing may be said of it.
    """

    revision: int
    closed_at: datetime
    reason: str
    snapshot: Mapping[str, Any]
    intact: bool
    changes: list[ChangeWhy] = field(default_factory=list)


@dataclass(slots=True)
class Source:
    """All that is known of one client for a report; `takings` are the latest two of each instrument."""

    id: UUID
    external_id: str
    name: str
    locale: str | None
    counsellor: str | None = None
    plan: PlanSource | None = None
    takings: list[Taking] = field(default_factory=list)
    reviews: list[tuple[date, str, str | None]] = field(default_factory=list)
    revisions: list[tuple[int, datetime, str]] = field(default_factory=list)
    # Days on which the two talk about an answered check-in that waits.
    meetings: list[date] = field(default_factory=list)
    # The newest closed revision, which the open one followed, and what its check-in gave as reasons.
    before: Before | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """Many clients' sources in the order asked for, with what they share."""

    organization: Organization
    clients: Sequence[Source]
    definitions: Mapping[tuple[UUID, int], definitions.Instrument]
    errors: Mapping[tuple[UUID, int], Mapping[str, ScaleError]]
    now: datetime
    # What the catalogue says of the occupations that the plans name.
    catalogue: Catalogue = field(default_factory=Catalogue)


# Versions never change, so a definition once parsed stays right; some are kept in a process.
_MOST_PARSED = 500
_parsed: dict[tuple[UUID, UUID, int], definitions.Instrument] = {}


def load_sources(uow: UnitOfWork, client_ids: Sequence[UUID]) -> Sources:
    """The sources of those clients the actor may see, in eleven statements however many there are.

    One more where their plans name occupations of the catalogue.
    """
    organization = uow.session.scalars(select(Organization)).one()
    clients = _clients(uow, client_ids)
    _add_counsellors(uow, clients)
    _add_plans(uow, clients)
    _add_takings(uow, clients)
    needed = {(taking.instrument_id, taking.version) for client in clients.values() for taking in client.takings}
    known = _definitions(uow, needed)
    errors = {key: errors_of_scales(uow, *key, definition) for key, definition in known.items()}
    ordered = [clients[client_id] for client_id in client_ids if client_id in clients]
    named = {each for client in ordered if client.plan for each in named_occupations(client.plan.contents)}
    return Sources(organization, ordered, known, errors, uow.now, look_beside(uow, named))


def load_source(uow: UnitOfWork, client_id: UUID) -> Sources:
    """One client's sources. Raises NotFound for a client the actor may not see."""
    sources = load_sources(uow, [client_id])
    if not sources.clients:
        raise NotFound(later("There is no such %(client)s, or they are not yours."))
    return sources


def _clients(uow: UnitOfWork, client_ids: Sequence[UUID]) -> dict[UUID, Source]:
    rows = uow.session.execute(
        select(Client.id, Client.external_id, Client.given_name, Client.family_name, Client.locale).where(
            Client.id.in_(client_ids), visible_clients(uow.actor)
        )
    )
    return {
        row.id: Source(row.id, row.external_id, f"{row.given_name} {row.family_name}".strip(), row.locale)
        for row in rows
    }


def _add_counsellors(uow: UnitOfWork, clients: Mapping[UUID, Source]) -> None:
    rows = uow.session.execute(
        select(CaseloadEntry.client_id, Membership.name)
        .join(Membership, Membership.id == CaseloadEntry.membership_id)
        .where(CaseloadEntry.client_id.in_(list(clients)), CaseloadEntry.kind == "primary")
    )
    for client_id, name in rows:
        clients[client_id].counsellor = name


def _add_plans(uow: UnitOfWork, clients: Mapping[UUID, Source]) -> None:
    plans = uow.session.execute(
        select(
            Plan.id,
            Plan.client_id,
            Plan.revision,
            Plan.started_on,
            Plan.next_review_on,
            PlanTemplate.name.label("name"),
        )
        .join(PlanTemplate, PlanTemplate.id == Plan.template_id)
        .where(Plan.client_id.in_(list(clients)), Plan.status == "active")
    ).all()
    owner = {row.id: clients[row.client_id] for row in plans}
    steps: dict[UUID, list[StepLine]] = {}
    for step in uow.session.execute(
        select(
            PlanStep.plan_id,
            PlanStep.step,
            PlanStep.status,
            PlanStep.due_on,
            PlanStep.changed_at,
            PlanStep.stale,
        )
        .where(PlanStep.plan_id.in_(list(owner)))
        .order_by(PlanStep.plan_id, PlanStep.step)
    ):
        stale = step.stale and step.status == "completed"
        line = StepLine(step_of(step.step), step.status, step.due_on, step.changed_at, stale)
        steps.setdefault(step.plan_id, []).append(line)
    contents: dict[UUID, dict[StepKey, Mapping[str, Any]]] = {}
    for written in uow.session.execute(
        select(StepContent.plan_id, StepContent.step, StepContent.content).where(StepContent.plan_id.in_(list(owner)))
    ):
        contents.setdefault(written.plan_id, {})[step_of(written.step)] = written.content
    for found in plans:
        owner[found.id].plan = PlanSource(
            found.id,
            found.name,
            found.revision,
            found.started_on,
            found.next_review_on,
            steps.get(found.id, []),
            contents.get(found.id, {}),
        )
    for review in uow.session.execute(
        select(
            Review.plan_id,
            Review.occurrence_on,
            Review.state,
            # What the counsellor decided; until then only that it was answered.
            case(
                (Review.state != "closed", null()),
                (Review.revision_after > Review.revision_before, "revise"),
                else_="confirm",
            ).label("outcome"),
            Review.meeting_on,
        )
        .where(Review.plan_id.in_(list(owner)))
        .order_by(Review.occurrence_on.desc())
    ):
        owner[review.plan_id].reviews.append((review.occurrence_on, review.state, review.outcome))
        if review.meeting_on is not None and review.state == "answered":
            owner[review.plan_id].meetings.append(review.meeting_on)
    _add_revisions(uow, owner)


def _add_revisions(uow: UnitOfWork, owner: Mapping[UUID, Source]) -> None:
    newest = PlanRevision.revision == Plan.revision - 1
    rows = uow.session.execute(
        select(
            PlanRevision.plan_id,
            PlanRevision.revision,
            PlanRevision.frozen_at,
            PlanRevision.reason,
            # Only the newest is compared with; the others may be many, and each is a whole plan.
            case((newest, PlanRevision.snapshot)).label("snapshot"),
            PlanRevision.checksum,
        )
        .join(Plan, Plan.id == PlanRevision.plan_id)
        .where(PlanRevision.plan_id.in_(list(owner)))
        .order_by(PlanRevision.revision.desc())
    )
    for row in rows:
        source = owner[row.plan_id]
        source.revisions.append((row.revision, row.frozen_at, row.reason))
        if row.snapshot is not None:
            intact = digest(row.snapshot) == row.checksum
            source.before = Before(row.revision, row.frozen_at, row.reason, row.snapshot, intact)
    last = {plan_id: source.before for plan_id, source in owner.items() if source.before is not None}
    reasons = uow.session.execute(
        select(
            RevisionChange.plan_id,
            RevisionChange.revision,
            RevisionChange.kind,
            RevisionChange.label,
            RevisionChange.change,
            RevisionChange.reason,
            RevisionChange.controllable,
        )
        .join(Plan, Plan.id == RevisionChange.plan_id)
        .where(RevisionChange.plan_id.in_(list(last)), RevisionChange.revision == Plan.revision - 1)
        .order_by(RevisionChange.plan_id, RevisionChange.number)
    )
    for plan_id, number, kind, label, change, reason, controllable in reasons:
        last[plan_id].changes.append(ChangeWhy(number, kind, label, change, reason, controllable))


def _add_takings(uow: UnitOfWork, clients: Mapping[UUID, Source]) -> None:
    nth = func.row_number().over(
        partition_by=(Assessment.client_id, Assessment.instrument_id),
        order_by=(Assessment.taken_at.desc(), Assessment.id),
    )
    ranked = (
        select(
            Assessment.client_id,
            Assessment.instrument_id,
            Assessment.taken_at,
            Assessment.version,
            Assessment.scores,
            nth.label("nth"),
        )
        .where(Assessment.client_id.in_(list(clients)))
        .subquery()
    )
    rows = uow.session.execute(
        select(ranked).where(ranked.c.nth <= 2).order_by(ranked.c.instrument_id, ranked.c.taken_at.desc())
    )
    for row in rows:
        clients[row.client_id].takings.append(Taking(row.instrument_id, row.taken_at, row.version, row.scores))


def _definitions(uow: UnitOfWork, needed: set[tuple[UUID, int]]) -> dict[tuple[UUID, int], definitions.Instrument]:
    organization = uow.actor.organization_id
    if len(_parsed) >= _MOST_PARSED:
        _parsed.clear()
    unknown = [key for key in needed if (organization, *key) not in _parsed]
    if unknown:
        rows = uow.session.execute(
            select(InstrumentVersion.instrument_id, InstrumentVersion.version, InstrumentVersion.definition).where(
                InstrumentVersion.instrument_id.in_([instrument_id for instrument_id, _ in unknown])
            )
        )
        for instrument_id, version, raw in rows:
            _parsed[(organization, instrument_id, version)] = definitions.parse_definition(raw)
    return {key: _parsed[(organization, *key)] for key in needed}
