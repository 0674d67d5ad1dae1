"""The statements of a kind of edit, put together from its pieces: look, count, do, take back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from app.features.edits.kinds import EditKind, Values
from app.features.jobs.claims import NOWHERE, note_written, places_of
from app.features.jobs.models import Job
from app.features.jobs.service import undone_by
from app.infra.db.open import UnitOfWork

SAMPLE = 10
_ASKED = (
    "asked AS (SELECT * FROM unnest(CAST(:clients AS uuid[]), CAST(:positions AS bigint[]), CAST(:listed AS bigint[]))"
    " WITH ORDINALITY AS g(client_id, position, listed, place))"
)
# The pieces are constants of this feature's modules; values are bound.
_COUNT = "WITH {asked}, look AS ({look}) SELECT outcome, count(*) AS number FROM look GROUP BY outcome"
_SAMPLE = (
    "WITH {asked}, look AS ({look}) SELECT c.id, c.given_name || ' ' || c.family_name AS name, l.before, l.after"
    " FROM look l JOIN asked a ON a.client_id = l.client_id JOIN clients c ON c.id = l.client_id"
    " WHERE l.outcome = ANY(CAST(:goes AS text[])) ORDER BY a.place LIMIT :most"
)
_LOOK = "WITH {asked}, look AS ({look}) SELECT client_id, outcome FROM look"
# The plans a change of plans is about, held until the transaction ends.
_LOCK = text(
    "SELECT p.id FROM plans p JOIN clients c ON c.organization_id = p.organization_id AND c.id = p.client_id"
    " WHERE p.client_id = ANY(CAST(:clients AS uuid[])) AND p.status = 'active' AND c.active"
    " ORDER BY p.id FOR NO KEY UPDATE OF p"
)
_DO = (
    "WITH {asked}, {change}, settled AS (INSERT INTO job_items (job_id, subject_id, position, listed, state, result)"
    # A full join is by hashing: the planner takes both for short, and would look through one for each row of the other.
    " SELECT CAST(:job AS uuid), d.client_id, a.position, a.listed, 'done', d.result"
    " FROM asked a FULL JOIN done d ON d.client_id = a.client_id WHERE CASE WHEN d.client_id IS NULL THEN false"
    " ELSE true END RETURNING 1)"
    " SELECT NULL AS client_id, count(*) AS written FROM settled"
    " UNION ALL (SELECT client_id, 0 FROM asked EXCEPT ALL SELECT client_id, 0 FROM done)"
)
_TAKE_BACK = (
    "WITH was AS (SELECT i.subject_id AS client_id, i.result FROM job_items i WHERE i.job_id = :job"
    " AND i.subject_id = ANY(CAST(:clients AS uuid[]))), {back} SELECT client_id FROM back"
)


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One client of a preview, with what they have and what they would have."""

    client_id: UUID
    name: str
    before: Any
    after: Any


@lru_cache(maxsize=64)
def _statement(template: str, piece: str) -> TextClause:
    return text(template.format(asked=_ASKED, look=piece, change=piece, back=piece))


def _parameters(uow: UnitOfWork, kind: EditKind, values: Values, clients: Sequence[UUID]) -> dict[str, Any]:
    return {"clients": list(clients), "now": uow.now, **NOWHERE} | kind.parameters(uow, values)


def counted(uow: UnitOfWork, kind: EditKind, values: Values, clients: Sequence[UUID]) -> dict[str, int]:
    """How many of the clients have which outcome."""
    rows = uow.session.execute(_statement(_COUNT, kind.look), _parameters(uow, kind, values, clients))
    return {row.outcome: row.number for row in rows}


def sample(uow: UnitOfWork, kind: EditKind, values: Values, clients: Sequence[UUID]) -> list[SampleLine]:
    """The first ten of those to whom something would be done, in the order given."""
    given = _parameters(uow, kind, values, clients) | {"goes": sorted(kind.goes), "most": SAMPLE}
    rows = uow.session.execute(_statement(_SAMPLE, kind.look), given)
    return [SampleLine(row.id, row.name, row.before, row.after) for row in rows]


def outcomes(uow: UnitOfWork, kind: EditKind, values: Values, clients: Sequence[UUID]) -> Mapping[UUID, str]:
    """The outcome of each client."""
    rows = uow.session.execute(_statement(_LOOK, kind.look), _parameters(uow, kind, values, clients))
    return {row.client_id: row.outcome for row in rows}


def do(uow: UnitOfWork, kind: EditKind, job: Job, values: Values, clients: Sequence[UUID]) -> list[UUID]:
    """Change what is to be changed and write those items as done, in one statement; returns the clients left over."""
    given = _parameters(uow, kind, values, clients) | {"job": job.id, "by": job.created_by} | places_of(uow, clients)
    if kind.of_plans:
        given["plans"] = uow.session.scalars(_LOCK, {"clients": list(clients)}).all()
    counted, *left = uow.session.execute(_statement(_DO, kind.change), given)
    note_written(uow, counted.written)
    return [row.client_id for row in left]


def take_back(uow: UnitOfWork, kind: EditKind, job: Job, values: Values, clients: Sequence[UUID]) -> set[UUID]:
    """Take back what is untouched since; returns whose everything is as it was."""
    given = _parameters(uow, kind, values, clients) | {"job": job.id, "by": undone_by(job)}
    return set(uow.session.scalars(_statement(_TAKE_BACK, kind.back), given))
