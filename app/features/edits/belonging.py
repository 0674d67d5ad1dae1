"""The statements of kinds that put people into something, or take them out: a cohort, a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later
from app.features.edits.kinds import SAME, Values
from app.infra.db.open import UnitOfWork

REASONS = {SAME: later("Already as it should be."), "gone": later("Is no longer there.")}


def read_act(raw: Values, of: UUID) -> dict[str, Any]:
    """What such a kind keeps: to what, and whether people come or go. Raises InvalidInput for another act."""
    act = raw.get("act") or "add"
    if act not in ("add", "remove"):
        raise InvalidInput([FieldProblem("act", later("Choose one of: %(kinds)s.", kinds="add, remove"))])
    return {"of": str(of), "act": act}


def parameters(_uow: UnitOfWork, values: Values) -> dict[str, Any]:
    """The parameters of such a kind's statements."""
    return {"of": UUID(values["of"]), "add": values["act"] == "add"}


@dataclass(frozen=True, slots=True)
class Belonging:
    """The pieces of such a kind, as `EditKind` has them.

    `table` has a row (`column`, client_id, since) for each who belongs; `parent` selects the id of what they belong to,
    locked as far as it must be, and nothing where it may not be written to. Parameters of all: `of`, the id, and `add`.
    """

    table: str
    column: str
    parent: str

    @property
    def look(self) -> str:
        """Who belongs or does not, as was asked for."""
        return f"""
            SELECT a.client_id, NULL::jsonb AS before, NULL::jsonb AS after,
                   CASE WHEN c.id IS NULL THEN 'gone' WHEN EXISTS (
                       SELECT FROM {self.table} h WHERE h.organization_id = c.organization_id
                       AND h.{self.column} = :of AND h.client_id = c.id) = CAST(:add AS boolean) THEN 'same'
                   ELSE 'new' END AS outcome
            FROM asked a LEFT JOIN clients c ON c.id = a.client_id
        """

    @property
    def change(self) -> str:
        """Puts in, or takes out: only one of the two changes anything."""
        return f"""
            parent AS ({self.parent}
            ), put AS (
                INSERT INTO {self.table} ({self.column}, client_id, since)
                SELECT p.id, c.id, :now FROM parent p, asked a JOIN clients c ON c.id = a.client_id
                WHERE CAST(:add AS boolean) ORDER BY c.id ON CONFLICT DO NOTHING
                RETURNING client_id, since
            ), taken AS (
                DELETE FROM {self.table} h USING parent p, asked a
                WHERE NOT CAST(:add AS boolean) AND h.{self.column} = p.id AND h.client_id = a.client_id
                RETURNING h.client_id, h.since
            ), done AS (
                SELECT client_id, jsonb_build_object('since', since) AS result FROM put
                UNION ALL SELECT client_id, jsonb_build_object('since', since) FROM taken
            )
        """

    @property
    def back(self) -> str:
        """Who was put in is taken out unless they were taken out and put in again since; and the other way round."""
        return f"""
            parent AS ({self.parent}
            ), taken AS (
                DELETE FROM {self.table} h USING was w
                WHERE CAST(:add AS boolean) AND h.{self.column} = :of AND h.client_id = w.client_id
                  AND h.since = CAST(w.result->>'since' AS timestamptz)
                RETURNING h.client_id
            ), put AS (
                INSERT INTO {self.table} ({self.column}, client_id, since)
                SELECT p.id, w.client_id, CAST(w.result->>'since' AS timestamptz)
                FROM was w JOIN clients c ON c.id = w.client_id, parent p
                WHERE NOT CAST(:add AS boolean)
                ON CONFLICT DO NOTHING RETURNING client_id
            ), back AS (SELECT client_id FROM taken UNION ALL SELECT client_id FROM put)
        """
