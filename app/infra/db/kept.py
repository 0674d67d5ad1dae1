"""Statements asked so often that putting them together and compiling them would cost as much as running them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, SelectBase
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.infra.db.open import UnitOfWork

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call] # a constructor without types


@dataclass(frozen=True, slots=True)
class KeptStatement:
    """A statement as the driver takes it, with its parameters; an id among them may stand in for whose turn it is."""

    sql: str
    parameters: Mapping[str, Any]

    def run(self, uow: UnitOfWork, given: Mapping[str, Any], instead: Mapping[UUID, UUID | None]) -> Sequence[Row[Any]]:
        """Its rows. `given` are parameters by name; `instead` says what to put in place of ids that stand in.

        The ORM adds no organization to it: row security does, and what the statement says itself.
        """
        values = {
            name: instead.get(value, value) if isinstance(value, UUID) else value
            for name, value in self.parameters.items()
        }
        return uow.session.connection().exec_driver_sql(self.sql, {**values, **given}).all()


def keep(statement: SelectBase) -> KeptStatement:
    """The statement, compiled once."""
    made = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return KeptStatement(str(made), dict(made.params))
