"""Which instruments a client may take, and where they stand with each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from app.domain import instruments as definitions
from app.features.instruments.models import Assessment, Instrument, InstrumentRequest, InstrumentVersion, Sitting
from app.features.instruments.policy import visible_assessments, visible_sittings
from app.features.instruments.queries import is_latest, parsed
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class Offer:
    """An instrument: its latest definition, the client's open sitting (None: none) and newest result (None: none).

    `asked_at` and `due_on` are of the open request to answer it (None: nobody asks, or by no day).
    `again_on` is the first day on which it may be taken again; None: now.
    """

    instrument_id: UUID
    key: str
    # Whether it is in use; one out of use keeps its results and is not taken again.
    active: bool
    definition: definitions.Instrument
    sitting_id: UUID | None
    answered: int
    assessment_id: UUID | None
    taken_at: datetime | None
    again_on: date | None
    asked_at: datetime | None = None
    due_on: date | None = None


def offers_for(uow: UnitOfWork, client_id: UUID) -> list[Offer]:
    """The organization's instruments in use, and those no longer in use that the client has taken; four queries.

    Ordered by what they measure, then by title.
    """
    loaded = uow.session.execute(
        select(Instrument, InstrumentVersion.checksum, InstrumentVersion.definition).join(
            InstrumentVersion, is_latest()
        )
    ).all()
    sittings = {
        row.instrument_id: row
        for row in uow.session.scalars(
            select(Sitting).where(
                Sitting.client_id == client_id, Sitting.finished_at.is_(None), visible_sittings(uow.actor)
            )
        )
    }
    taken = {
        row.instrument_id: row
        for row in uow.session.execute(
            select(Assessment.id, Assessment.instrument_id, Assessment.taken_at)
            .ext(distinct_on(Assessment.instrument_id))
            .where(Assessment.client_id == client_id, visible_assessments(uow.actor))
            .order_by(Assessment.instrument_id, Assessment.taken_at.desc(), Assessment.id)
        )
    }
    requests = {
        row.instrument_id: row
        for row in uow.session.scalars(
            select(InstrumentRequest).where(
                InstrumentRequest.client_id == client_id, InstrumentRequest.answered_at.is_(None)
            )
        )
    }
    found = []
    for instrument, checksum, raw in loaded:
        sitting, result = sittings.get(instrument.id), taken.get(instrument.id)
        request = requests.get(instrument.id)
        if not instrument.active and result is None:
            continue
        definition = parsed(checksum, raw)
        found.append(
            Offer(
                instrument_id=instrument.id,
                key=instrument.key,
                active=instrument.active,
                definition=definition,
                sitting_id=sitting.id if sitting else None,
                answered=sum(answer > 0 for answer in sitting.responses) if sitting else 0,
                assessment_id=result.id if result else None,
                taken_at=result.taken_at if result else None,
                again_on=again_on(result.taken_at, definition.retest_days, uow.now) if result else None,
                asked_at=request.asked_at if request else None,
                due_on=request.due_on if request else None,
            )
        )
    return sorted(found, key=lambda offer: (_ORDER.index(offer.definition.measures), offer.definition.title))


@dataclass(frozen=True, slots=True)
class Asked:
    """A questionnaire somebody asks a client to answer, and by when (None: no day was said)."""

    instrument_id: UUID
    title: str
    due_on: date | None


def asked_of(uow: UnitOfWork, client_id: UUID) -> list[Asked]:
    """What a client is asked to answer and has not, the earliest due first; titles as the instrument has them."""
    rows = uow.session.execute(
        select(InstrumentRequest.instrument_id, Instrument.title, InstrumentRequest.due_on)
        .join(Instrument, Instrument.id == InstrumentRequest.instrument_id)
        .where(InstrumentRequest.client_id == client_id, InstrumentRequest.answered_at.is_(None), Instrument.active)
        .order_by(InstrumentRequest.due_on.asc().nulls_last(), Instrument.title)
    )
    return [Asked(*row) for row in rows]


def again_on(taken_at: datetime, retest_days: int, now: datetime) -> date | None:
    """The first day on which an instrument taken at `taken_at` may be taken again; None: `now` is late enough."""
    again = taken_at + timedelta(days=retest_days)
    return again.date() if again > now else None


_ORDER = ("interests", "values", "skills", "paths", "adaptability", "personality", "other")
