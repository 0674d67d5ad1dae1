"""Roster files for tests, and what works on them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Actor
from app.features.clients.models import RosterImport, RosterRow
from app.features.clients.roster_service import confirm_import, import_file
from app.features.jobs.runner import work
from app.infra.runtime import Runtime

HEADERS = ("Student ID", "First name", "Last name", "E-mail")


def csv_file(path: Path, rows: Iterable[Sequence[str]], headers: Sequence[str] = HEADERS) -> Path:
    """A comma-separated file in UTF-8."""
    out = io.StringIO()
    csv.writer(out).writerows([headers, *rows])
    path.write_text(out.getvalue(), "utf-8")
    return path


def people(number: int, *, first: int = 1, email: str = "s{n}@example.org") -> list[list[str]]:
    """Rows of people S1, S2, ..."""
    return [[f"S{n}", f"Given{n}", f"Family{n}", email.format(n=n)] for n in range(first, first + number)]


def work_off(runtime: Runtime, organization_id: UUID) -> None:
    """Work until nothing is left."""
    until = runtime.clock() + timedelta(seconds=120)
    assert work(runtime, organization_id, JOB_KINDS, until=until) is False


def check(runtime: Runtime, actor: Actor, path: Path, **options: Any) -> RosterImport:
    """Import a file as far as its check and return the import."""
    import_id = import_file(runtime, actor, path, **options)
    work_off(runtime, actor.organization_id)
    return found(runtime, actor, import_id)


def take(runtime: Runtime, actor: Actor, import_id: UUID, *, yes: bool = False) -> RosterImport:
    """Confirm an import and work until it is taken."""
    with runtime.database.unit_of_work(actor) as uow:
        confirm_import(uow, import_id, yes=yes)
    work_off(runtime, actor.organization_id)
    return found(runtime, actor, import_id)


def found(runtime: Runtime, actor: Actor, import_id: UUID) -> RosterImport:
    """The import as it is now."""
    with runtime.database.unit_of_work(actor) as uow:
        return uow.session.scalars(select(RosterImport).where(RosterImport.id == import_id)).one()


def faults(runtime: Runtime, actor: Actor, import_id: UUID) -> dict[int, list[list[str]]]:
    """The problems of bad rows, by line."""
    with runtime.database.unit_of_work(actor) as uow:
        rows = uow.session.scalars(
            select(RosterRow).where(RosterRow.import_id == import_id, RosterRow.outcome == "bad")
        )
        return {row.line: row.faults for row in rows}


def state(runtime: Runtime, organization_id: UUID) -> list[tuple[Any, ...]]:
    """Everything about the organization's clients and caseloads, for comparing before and after."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        clients = uow.session.execute(text("SELECT to_jsonb(c) FROM clients c ORDER BY external_id")).all()
        entries = uow.session.execute(text("SELECT to_jsonb(e) FROM caseload_entries e ORDER BY 1")).all()
        return [tuple(row) for row in (*clients, *entries)]
