"""Use cases of sittings: a client begins an instrument, answers bit by bit, and finishes into one assessment."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.domain import instruments as definitions
from app.domain.errors import Conflict, FieldProblem, InvalidInput, NotFound
from app.domain.instrument_parts import Item
from app.domain.saying import later
from app.domain.scoring import score
from app.features.audit.service import record
from app.features.instruments.commands import SaveAnswers
from app.features.instruments.hooks import NewResults, tell
from app.features.instruments.models import Assessment, Sitting
from app.features.instruments.offers import again_on
from app.features.instruments.policy import visible_sittings
from app.features.instruments.queries import definition_of, get_instrument
from app.infra.db.open import UnitOfWork

# A phone shows so many at once without losing the answers' words; what is left over forms a last, shorter set.
SET = 5
# Whoever pauses longer over one question has put the phone away.
_LONGEST_SECONDS = 600.0
TOO_SOON = later(
    "You answered this not long ago. Answers given again so soon differ mostly by chance. Wait before the next time."
)


@dataclass(frozen=True, slots=True)
class OpenSitting:
    """A sitting with the definition it is answered under."""

    row: Sitting
    definition: definitions.Instrument

    @property
    def sets(self) -> int:
        """How many sets of questions there are."""
        return -(-len(self.definition.items) // SET)

    @property
    def answered(self) -> int:
        """How many questions have an answer."""
        return sum(answer > 0 for answer in self.row.responses)

    @property
    def missed(self) -> list[int]:
        """The sets, from 1, that have a question without an answer."""
        return sorted({place // SET + 1 for place, answer in enumerate(self.row.responses) if not answer})

    def items_of(self, number: int) -> list[tuple[Item, int]]:
        """The questions of one set (from 1) with their answers so far. Raises NotFound for a set there is not."""
        if not 1 <= number <= self.sets:
            raise NotFound("There are no such questions.")
        first = (number - 1) * SET
        return list(zip(self.definition.items, self.row.responses, strict=True))[first : first + SET]


def begin_sitting(uow: UnitOfWork, instrument_id: UUID) -> OpenSitting:
    """The client's open sitting of an instrument, begun now if there is none.

    Raises NotFound for an instrument that is not offered and Conflict within its days of retest.
    """
    client_id = _client(uow)
    known = open_sitting(uow, client_id, instrument_id)
    if known is not None:
        return known
    instrument = get_instrument(uow, instrument_id)
    if not instrument.row.active:
        raise NotFound("This questionnaire is not offered any more.")
    latest = uow.session.scalar(
        select(func.max(Assessment.taken_at)).where(
            Assessment.client_id == client_id, Assessment.instrument_id == instrument_id
        )
    )
    if latest is not None and again_on(latest, instrument.definition.retest_days, uow.now) is not None:
        raise Conflict(TOO_SOON)
    items = len(instrument.definition.items)
    # Pressing the button twice begins one sitting: the index of open sittings lets the second one pass by.
    made = uow.session.execute(
        insert(Sitting)
        .values(
            client_id=client_id,
            instrument_id=instrument_id,
            version=instrument.version,
            responses=[0] * items,
            seconds=[None] * items,
            started_at=uow.now,
            saved_at=uow.now,
        )
        .on_conflict_do_nothing()
        .returning(Sitting.id)
    ).scalar_one_or_none()
    if made is not None:
        record(uow, "sitting.started", "sitting", made, instrument=str(instrument_id), version=instrument.version)
    found = open_sitting(uow, client_id, instrument_id)
    if found is None:
        raise Conflict("The questionnaire could not be begun. Try again.")
    return found


def open_sitting(uow: UnitOfWork, client_id: UUID, instrument_id: UUID) -> OpenSitting | None:
    """The client's unfinished sitting of an instrument, if the actor may see it."""
    row = uow.session.scalars(
        select(Sitting).where(
            Sitting.client_id == client_id,
            Sitting.instrument_id == instrument_id,
            Sitting.finished_at.is_(None),
            visible_sittings(uow.actor),
        )
    ).one_or_none()
    return None if row is None else OpenSitting(row, definition_of(uow, row.instrument_id, row.version))


def find_sitting(uow: UnitOfWork, sitting_id: UUID, *, lock: bool = False) -> OpenSitting:
    """A sitting of the client who acts; raises NotFound for anybody else's."""
    statement = select(Sitting).where(Sitting.id == sitting_id, Sitting.client_id == _client(uow))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = uow.session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound("There is no such questionnaire of yours.")
    return OpenSitting(row, definition_of(uow, row.instrument_id, row.version))


def save_answers(uow: UnitOfWork, command: SaveAnswers) -> OpenSitting:
    """Store some answers; others stay. Two windows at once lose nothing, the later answer to a question wins.

    Raises InvalidInput naming each item that is not asked or answer that is none, Conflict when it is finished.
    """
    sitting = find_sitting(uow, command.sitting_id, lock=True)
    row, definition = sitting.row, sitting.definition
    if row.finished_at is not None:
        raise Conflict("This questionnaire is finished. Its answers stay as they were given.")
    places = {item.id: place for place, item in enumerate(definition.items)}
    problems = [
        FieldProblem(f"answers.{item}", _refusal(definition, known=item in places))
        for item, answer in command.answers.items()
        if item not in places or (answer and not definition.lowest <= answer <= definition.highest)
    ]
    if command.position is not None and not 1 <= command.position <= sitting.sets:
        problems.append(FieldProblem("position", later("Give a number from 1 to %(most)s.", most=sitting.sets)))
    if problems:
        raise InvalidInput(problems)
    fresh = [place for item, answer in command.answers.items() if (place := places[item]) is not None and answer]
    new = [place for place in fresh if not row.responses[place]]
    responses, seconds = list(row.responses), list(row.seconds)
    for item, answer in command.answers.items():
        responses[places[item]] = answer
    if new:
        begun = max(row.saved_at, command.shown_at) if command.shown_at else row.saved_at
        spent = (uow.now - begun).total_seconds() / len(new)
        for place in new:
            seconds[place] = round(min(max(spent, 0.0), _LONGEST_SECONDS), 2)
    row.responses, row.seconds, row.saved_at = responses, seconds, uow.now
    if command.position is not None:
        row.position = command.position
    uow.session.flush()
    record(uow, "sitting.saved", "sitting", row.id, answered=OpenSitting(row, definition).answered)
    return OpenSitting(row, definition)


def _refusal(definition: definitions.Instrument, *, known: bool) -> str:
    if not known:
        return later("This questionnaire has no such question.")
    return later(
        "Give a number from %(low)s to %(high)s, or 0 for no answer.",
        low=definition.lowest,
        high=definition.highest,
    )


def finish_sitting(uow: UnitOfWork, sitting_id: UUID) -> UUID:
    """Score the sitting into an assessment and return its id; finishing again returns the same.

    Raises InvalidInput when nothing is answered.
    """
    sitting = find_sitting(uow, sitting_id, lock=True)
    row = sitting.row
    if row.assessment_id is not None:
        return row.assessment_id
    if not sitting.answered:
        raise InvalidInput([FieldProblem("answers", "Nothing is answered yet. Answer the questions first.")])
    values = scored(sitting.definition, row.responses)
    assessment = Assessment(
        client_id=row.client_id,
        instrument_id=row.instrument_id,
        version=row.version,
        taken_at=uow.now,
        source="portal",
        source_key=f"sitting:{row.id}",
        responses=row.responses,
        **values,
    )
    uow.session.add(assessment)
    uow.session.flush()
    row.assessment_id, row.finished_at = assessment.id, uow.now
    uow.session.flush()
    tell(uow, NewResults(sitting.definition.measures, {row.client_id: assessment.id}))
    record(
        uow,
        "assessment.taken",
        "assessment",
        assessment.id,
        instrument=str(row.instrument_id),
        version=row.version,
        sitting=str(row.id),
    )
    return assessment.id


def scored(definition: definitions.Instrument, responses: list[int]) -> dict[str, Any]:
    """One person's scores (None where undefined) and counts of answered items, as an assessment stores them."""
    table = score(definition, np.array([responses], dtype=np.int64))
    return {
        "scores": [None if isnan(value) else float(value) for value in table.scores[0]],
        "answered": [int(value) for value in table.answered[0]],
    }


def _client(uow: UnitOfWork) -> UUID:
    if uow.actor.client_id is None:
        raise NotFound(later("Only %(clients)s answer questionnaires."))
    return uow.actor.client_id
