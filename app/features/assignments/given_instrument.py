"""Giving a questionnaire: the client is asked to answer it, by a day where one is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, cast, func, select, text

from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.saying import later
from app.features.assignments.commands import Assign
from app.features.assignments.days import check_due, due_day
from app.features.assignments.gifts import Gift, left_out
from app.features.assignments.models import Assignment
from app.features.audit.service import record_each
from app.features.instruments.models import Instrument, InstrumentVersion
from app.features.instruments.queries import is_latest, parsed
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.infra.db.open import UnitOfWork

_GIVE = """
    , made AS (
        INSERT INTO instrument_requests (client_id, instrument_id, due_on, asked_by, job_id, asked_at)
        SELECT client_id, CAST(:instrument AS uuid), CAST(:due AS date), CAST(:by AS uuid), CAST(:job AS uuid), :now
        FROM chosen WHERE outcome IS NULL
        ON CONFLICT DO NOTHING
        RETURNING client_id
    )
    SELECT c.client_id, coalesce(c.outcome, CASE WHEN m.client_id IS NULL THEN 'asked' END) AS outcome
    FROM chosen c LEFT JOIN made m USING (client_id)
"""
# Who has begun to answer is asked still.
_TAKE_BACK = text(
    """
    DELETE FROM instrument_requests r
    WHERE r.job_id = :job AND r.client_id = ANY(CAST(:clients AS uuid[])) AND r.answered_at IS NULL
      AND NOT EXISTS (
          SELECT FROM sittings s WHERE s.organization_id = r.organization_id AND s.client_id = r.client_id
          AND s.instrument_id = r.instrument_id AND s.saved_at > r.asked_at)
    RETURNING r.client_id
    """
)
_OUTCOME = """
    CASE WHEN EXISTS (
        SELECT FROM instrument_requests r WHERE r.organization_id = c.organization_id AND r.client_id = c.id
        AND r.instrument_id = CAST(:instrument AS uuid) AND r.answered_at IS NULL) THEN 'asked'
    WHEN EXISTS (
        SELECT FROM assessments a WHERE a.organization_id = c.organization_id AND a.client_id = c.id
        AND a.instrument_id = CAST(:instrument AS uuid) AND a.taken_at > :too_late) THEN 'answered' END
"""


def _check(uow: UnitOfWork, command: Assign) -> None:
    if command.instrument_id is None:
        raise InvalidInput([FieldProblem("instrument", "Choose a questionnaire.")])
    check_due(command, needed=False)
    active = select(Instrument.id).where(Instrument.id == command.instrument_id, Instrument.active)
    if uow.session.scalars(active).one_or_none() is None:
        raise NotFound("There is no such questionnaire, or it is no longer in use.")


def _values(uow: UnitOfWork, assignment: Assignment) -> Mapping[str, Any]:
    checksum, raw = uow.session.execute(
        select(InstrumentVersion.checksum, InstrumentVersion.definition)
        .join(Instrument, is_latest())
        .where(Instrument.id == assignment.instrument_id)
    ).one()
    return {
        "instrument": assignment.instrument_id,
        "too_late": uow.now - timedelta(days=parsed(checksum, raw).retest_days),
    }


def _give(uow: UnitOfWork, job: Job, assignment: Assignment, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    due = due_day(uow, assignment)
    rows = GIFT.run(uow, assignment, clients, _GIVE, due=due, by=job.created_by, job=job.id, now=uow.now)
    if given := [row.client_id for row in rows if row.outcome is None]:
        ids = select(func.unnest(cast(given, ARRAY(Uuid))))
        record_each(uow, "instrument.asked", "client", ids, instrument=str(assignment.instrument_id), job=str(job.id))
    return {row.client_id: Settled() if row.outcome is None else left_out(row.outcome) for row in rows}


def _take_back(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    gone = set(uow.session.scalars(_TAKE_BACK, {"job": job.id, "clients": list(clients)}))
    if gone:
        ids = select(func.unnest(cast(list(gone), ARRAY(Uuid))))
        record_each(uow, "instrument.request_undone", "client", ids, job=str(job.id))
    kept = Settled("kept", later("They have answered, or begun to, so the request stays."))
    return {client: Settled("undone") if client in gone else kept for client in clients}


def _title(uow: UnitOfWork, assignment: Assignment) -> str:
    return uow.session.scalars(select(Instrument.title).where(Instrument.id == assignment.instrument_id)).one()


GIFT = Gift(
    what="instrument",
    batch=2000,
    outcome=_OUTCOME,
    values=_values,
    check=_check,
    title=_title,
    give=_give,
    take_back=_take_back,
)
