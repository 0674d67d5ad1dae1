"""Cohorts: put people on a fixed list, or take them off it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later
from app.features.cohorts.models import Cohort
from app.features.edits.belonging import REASONS, Belonging, parameters, read_act
from app.features.edits.kinds import EditKind, Values
from app.features.edits.reading import an_id
from app.infra.db.open import Bell, UnitOfWork

# A cohort that fills itself by a rule is never written to.
_PIECES = Belonging("cohort_members", "cohort_id", "SELECT id FROM cohorts WHERE id = :of AND kind = 'fixed' FOR SHARE")


def _read(uow: UnitOfWork, raw: Values) -> dict[str, Any]:
    cohort = an_id(raw.get("cohort_id"))
    fixed = select(Cohort.id).where(Cohort.id == cohort, Cohort.kind == "fixed", Cohort.archived_at.is_(None))
    if cohort is None or uow.session.scalars(fixed).one_or_none() is None:
        raise InvalidInput([FieldProblem("cohort_id", "Choose a cohort that is a fixed list.")])
    return read_act(raw, cohort)


def _say(uow: UnitOfWork, values: Values) -> str:
    name = uow.session.scalars(select(Cohort.name).where(Cohort.id == UUID(values["of"]))).one()
    if values["act"] == "add":
        return later("Put into the cohort %(name)s", name=name)
    return later("Taken out of the cohort %(name)s", name=name)


def _after(uow: UnitOfWork) -> None:
    # Standing assignments reach those who came.
    uow.ring(Bell.SWEEP)


KIND = EditKind(
    name="cohort",
    label=_("Change a cohort"),
    permission=Permission.MANAGE_COHORTS,
    read=_read,
    parameters=parameters,
    say=_say,
    look=_PIECES.look,
    change=_PIECES.change,
    back=_PIECES.back,
    after=_after,
    reasons=REASONS,
    kept=later("Was put in or taken out again since, so it stays as it is now."),
)
