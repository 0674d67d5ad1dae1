"""Scoring an assessment again with a later version of its instrument: asked for, recorded, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from app.domain import instruments as definitions
from app.domain.errors import Conflict, NotFound
from app.features.audit.service import record
from app.features.instruments.hooks import NewResults, tell
from app.features.instruments.models import Assessment, FormerScoring
from app.features.instruments.policy import visible_assessments
from app.features.instruments.queries import definition_of, get_instrument
from app.features.instruments.sittings import scored
from app.infra.db.open import UnitOfWork


def rescore_assessment(uow: UnitOfWork, assessment_id: UUID) -> Assessment:
    """Score the same answers with the instrument's latest version and keep the former scores in the history.

    Answers go by item id: an item that the later version lacks is left out, one that it adds counts as missed. Raises
    NotFound for an assessment the actor may not see, Conflict when it is of the latest version or the answers differ.
    """
    row = uow.session.scalars(
        select(Assessment)
        .where(Assessment.id == assessment_id, visible_assessments(uow.actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such result, or it is not yours to see.")
    latest = get_instrument(uow, row.instrument_id)
    if latest.version == row.version:
        raise Conflict("These answers are scored with the latest version already.")
    before = definition_of(uow, row.instrument_id, row.version)
    answers = carried_over(before, latest.definition, row.responses)
    number = uow.session.scalar(select(func.count()).where(FormerScoring.assessment_id == row.id)) or 0
    uow.session.add(
        FormerScoring(
            assessment_id=row.id,
            number=number + 1,
            version=row.version,
            responses=row.responses,
            scores=row.scores,
            answered=row.answered,
            replaced_by=uow.actor.membership_id,
            replaced_at=uow.now,
        )
    )
    record(uow, "assessment.rescored", "assessment", row.id, before=row.version, after=latest.version)
    values = scored(latest.definition, answers)
    row.version, row.responses = latest.version, answers
    row.scores, row.answered = values["scores"], values["answered"]
    uow.session.flush()
    # Other scores of the same answers: what rests on them is as worth a look as after another taking.
    tell(uow, NewResults(latest.definition.measures, {row.client_id: row.id}))
    return row


def former_scorings(uow: UnitOfWork, assessment_id: UUID) -> Sequence[FormerScoring]:
    """How an assessment was scored before, the latest first; call only for one that the actor may see."""
    return uow.session.scalars(
        select(FormerScoring).where(FormerScoring.assessment_id == assessment_id).order_by(FormerScoring.number.desc())
    ).all()


def carried_over(before: definitions.Instrument, after: definitions.Instrument, responses: Sequence[int]) -> list[int]:
    """The answers in the order of the later definition's items; 0 for an item that was not asked.

    Raises Conflict when the two ask for different answers, since a 4 of 5 is no 4 of 7.
    """
    if (before.lowest, before.highest, before.ranking) != (after.lowest, after.highest, after.ranking):
        raise Conflict("The later version asks for other answers, so these cannot be scored with it.")
    known = {item.id: answer for item, answer in zip(before.items, responses, strict=True)}
    return [known.get(item.id, 0) for item in after.items]
