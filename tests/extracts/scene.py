"""People, plans and files for the tests of own reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.composition import JOB_KINDS
from app.features.extracts.commands import RunExtract, SaveExtract
from app.features.extracts.models import ExtractRun
from app.features.extracts.service import create_extract, run_extract
from app.features.jobs.models import StoredFile
from app.features.jobs.runner import work
from app.infra.runtime import Runtime
from tests.factories import Person

WHO = ["client.external_id", "client.given_name", "client.family_name"]


def definition(
    rows: str, columns: Sequence[str] = (), *, rule: Any = None, group: Sequence[str] = (), order: Any = ()
) -> dict[str, Any]:
    return {"rows": rows, "columns": list(columns), "rule": rule, "group": list(group), "order": list(order)}


def ask(runtime: Runtime, person: Person, raw: dict[str, Any], form: str = "csv", *, name: str = "Mine") -> UUID:
    """Keep a report and ask for a file of it; the id of the run."""
    with runtime.database.unit_of_work(person.actor) as uow:
        extract = create_extract(uow, SaveExtract(name=name, definition=raw))
        return run_extract(uow, RunExtract(extract_id=extract.id, form=form, locale="en")).id


def finish(runtime: Runtime, person: Person) -> None:
    """Work on the organization's jobs until nothing is left."""
    work(runtime, person.actor.organization_id, JOB_KINDS, until=runtime.clock() + timedelta(minutes=1))


def file_of(runtime: Runtime, person: Person, run_id: UUID) -> tuple[bytes, ExtractRun, StoredFile]:
    """The bytes of a run's file and what is kept of it."""
    with runtime.database.unit_of_work(person.actor) as uow:
        run = uow.session.scalars(select(ExtractRun).where(ExtractRun.id == run_id)).one()
        file = uow.session.scalars(select(StoredFile).where(StoredFile.id == run.file_id)).one()
    return runtime.storage.path(file.location).read_bytes(), run, file


def write(runtime: Runtime, person: Person, raw: dict[str, Any], form: str = "csv", *, name: str = "Mine") -> bytes:
    """A file of what is asked for."""
    run_id = ask(runtime, person, raw, form, name=name)
    finish(runtime, person)
    return file_of(runtime, person, run_id)[0]
