"""Statements of a file of outcomes: whom its rows mean, what is known already, taking them, and taking them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import text

from app.domain.saying import as_data, later
from app.infra.db.open import UnitOfWork

NOBODY = later("Nobody here has this number.")
NO_GRADUATION = later("No graduation of this person is recorded. Add a column with the day they graduated.")
TWICE = later("An earlier line says something of the same person and class. Keep one of them.")
_FIND = text(
    "UPDATE outcome_rows r SET client_id = c.id FROM clients c"
    " WHERE r.import_id = :import AND r.verdict = 'good' AND c.external_id = r.external_id"
)
# Without a day of graduation the last one that is recorded is meant.
_CLASS = text(
    """
    UPDATE outcome_rows r SET given = r.given || jsonb_build_object('class_year', g.class_year)
    FROM (SELECT client_id, max(class_year) AS class_year FROM graduations GROUP BY client_id) g
    WHERE r.import_id = :import AND r.verdict = 'good' AND r.client_id = g.client_id
      AND r.given->>'class_year' IS NULL
    """
)
_BAD = "UPDATE outcome_rows r SET verdict = 'bad', problems = CAST(:problem AS jsonb) {which}"
_FAULTS = {
    NOBODY: " WHERE r.import_id = :import AND r.verdict = 'good' AND r.client_id IS NULL",
    NO_GRADUATION: " WHERE r.import_id = :import AND r.verdict = 'good' AND r.given->>'class_year' IS NULL",
    TWICE: (
        " FROM (SELECT line, row_number() OVER (PARTITION BY client_id, given->>'class_year' ORDER BY line) AS turn"
        " FROM outcome_rows WHERE import_id = :import AND verdict = 'good') d"
        " WHERE r.import_id = :import AND r.line = d.line AND d.turn > 1"
    ),
}
# Sent again, a file changes nothing. Where it does not say when something was known, any day will do.
_KNOWN = text(
    """
    UPDATE outcome_rows r SET verdict = 'known'
    WHERE r.import_id = :import AND r.verdict = 'good' AND EXISTS (
        SELECT FROM outcomes o
        WHERE o.organization_id = r.organization_id AND o.client_id = r.client_id AND o.withdrawn_at IS NULL
          AND o.class_year = CAST(r.given->>'class_year' AS int) AND o.status = r.given->>'status'
          AND o.employment IS NOT DISTINCT FROM r.given->>'employment' AND o.employer = r.given->>'employer'
          AND o.title = r.given->>'title' AND o.place = r.given->>'place'
          AND o.salary IS NOT DISTINCT FROM CAST(r.given->>'salary' AS int)
          AND o.occupation_code IS NOT DISTINCT FROM r.given->>'occupation_code'
          AND (NOT CAST(:dated AS boolean) OR o.known_on = CAST(r.given->>'known_on' AS date)))
    """
)
_COUNT = text(
    """
    SELECT count(*) AS rows, count(*) FILTER (WHERE r.verdict = 'good') AS good,
           count(*) FILTER (WHERE r.verdict = 'known') AS known, count(*) FILTER (WHERE r.verdict = 'bad') AS bad,
           count(*) FILTER (WHERE r.verdict = 'good' AND g.client_id IS NULL) AS graduations
    FROM outcome_rows r
    LEFT JOIN graduations g ON g.organization_id = r.organization_id AND g.client_id = r.client_id
         AND g.class_year = CAST(r.given->>'class_year' AS int)
    WHERE r.import_id = :import
    """
)
# Clients who were erased since the check are left out by the joins.
_GRADUATE = text(
    """
    INSERT INTO graduations (client_id, class_year, graduated_on, job_id, created_by, created_at)
    SELECT c.id, CAST(r.given->>'class_year' AS int), CAST(r.given->>'graduated_on' AS date), :job, :by, :now
    FROM outcome_rows r JOIN clients c ON c.id = r.client_id
    WHERE r.import_id = :import AND r.piece = :piece AND r.verdict = 'good' AND r.given->>'graduated_on' IS NOT NULL
    ORDER BY c.id ON CONFLICT DO NOTHING
    """
)
_TAKE = text(
    """
    INSERT INTO outcomes (client_id, class_year, status, employment, employer, title, occupation_release,
        occupation_code, place, salary, currency, known_on, source, recorded_at, recorded_by, job_id)
    SELECT g.client_id, g.class_year, r.given->>'status', r.given->>'employment', r.given->>'employer',
           r.given->>'title', r.given->>'occupation_release', r.given->>'occupation_code', r.given->>'place',
           CAST(r.given->>'salary' AS int), r.given->>'currency', CAST(r.given->>'known_on' AS date),
           r.given->>'source', :now, :by, :job
    FROM outcome_rows r JOIN graduations g ON g.organization_id = r.organization_id AND g.client_id = r.client_id
         AND g.class_year = CAST(r.given->>'class_year' AS int)
    WHERE r.import_id = :import AND r.piece = :piece AND r.verdict = 'good' ORDER BY r.line
    """
)
_OF_PIECE = "SELECT r.client_id FROM outcome_rows r WHERE r.import_id = :import AND r.piece = :piece"
_WITHDRAW = text(
    "UPDATE outcomes o SET withdrawn_at = :now, withdrawn_by = :by"
    f" WHERE o.job_id = :job AND o.withdrawn_at IS NULL AND o.client_id IN ({_OF_PIECE})"  # a constant
)
# A graduation of which something else is known by now stays.
_UNGRADUATE = text(
    f"DELETE FROM graduations g WHERE g.job_id = :job AND g.client_id IN ({_OF_PIECE})"  # a constant
    " AND NOT EXISTS (SELECT FROM outcomes o WHERE o.organization_id = g.organization_id"
    " AND o.client_id = g.client_id AND o.class_year = g.class_year AND o.withdrawn_at IS NULL)"
)


def compare(uow: UnitOfWork, import_id: UUID, headers: Mapping[str, str]) -> dict[str, int]:
    """Find whom the rows mean, mark those that cannot be taken or are known, and count; `headers` name the columns."""
    of = {"import": import_id}
    run = uow.session.execute
    run(_FIND, of)
    run(_CLASS, of)
    for sentence, which in _FAULTS.items():
        told = [headers["external_id"], sentence, ""]
        data = as_data(sentence)
        problem = [[*told, data] if data else told]
        run(text(_BAD.format(which=which)), of | {"problem": json.dumps(problem, ensure_ascii=False)})
    run(_KNOWN, of | {"dated": "known_on" in headers})
    return dict(run(_COUNT, of).mappings().one())


def take(uow: UnitOfWork, import_id: UUID, piece: int, job_id: UUID, by: UUID | None) -> dict[str, int]:
    """Take the good rows of a piece: graduations that were not recorded, and outcomes. Returns how many of each."""
    given = {"import": import_id, "piece": piece, "job": job_id, "by": by, "now": uow.now}
    counts = {}
    for name, statement in (("graduations", _GRADUATE), ("recorded", _TAKE)):
        # Without the option SQLAlchemy answers -1 for an INSERT … SELECT.
        done = uow.session.connection().execute(statement, given, execution_options={"preserve_rowcount": True})
        counts[name] = done.rowcount
    return counts


def take_back(uow: UnitOfWork, import_id: UUID, piece: int, job_id: UUID, by: UUID | None) -> None:
    """Withdraw the outcomes of a piece, and take away the graduations it brought of which nothing else is known."""
    given = {"import": import_id, "piece": piece, "job": job_id}
    uow.session.execute(_WITHDRAW, given | {"now": uow.now, "by": by})
    uow.session.execute(_UNGRADUATE, given)
